"""Who may come in: users and their roles, passwords, one-time links, sessions of a browser."""

import secrets
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from onefold.governance import store
from onefold.governance.records import User, Visit
from onefold.model.errors import BadInput, Conflict, NotFound, NotSignedIn
from onefold.model.records import ROLES, WITHIN, Asker
from onefold.model.time import DAY, HOUR

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from onefold.store import State

LINK_LIFE = 24 * HOUR
VISIT_LIFE = 30 * DAY
SHORTEST_PASSWORD = 10


def add_user(state: "State", name: str, role: str, *, asker: Asker, now: int) -> User:
    """Return a new user, who has no password yet and comes in by a one-time link.

    Raises:
        BadInput: The name is empty, too long or has unseen characters, or the role is unknown.
        Conflict: There is one of that name.
    """
    name = checked_name(name)
    _check_role(role)
    if name.casefold() in {*WITHIN, "sign-on"} or ":" in name or name.startswith("@"):
        message = f"`{name}` is not a user's name: in the trail and in policies it stands for more."
        raise BadInput(message, "Take another name, without `:` and without `@` before it.")
    # Names that differ by case alone would look like one person in the trail.
    alike = [each.name for each in store.users(state) if each.name.casefold() == name.casefold()]
    if alike:
        raise Conflict(f"There is a user `{alike[0]}` already.", "Take another name.")
    with state.change(asker, "user.add", name, detail={"role": role}) as connection:
        store.put_user(connection, name, role, now)
    return User(name=name, role=role, has_password=False, disabled=False, created_time=now)


def checked_name(text: str) -> str:
    """Return the name of a user or a key, trimmed.

    Raises:
        BadInput: It is empty, too long, or holds what cannot be seen: a line's end, a mark that
            turns the direction of writing.

    >>> checked_name(" Ines ")
    'Ines'
    """
    name = text.strip()
    if not 0 < len(name) <= 100:
        raise BadInput(f"A name of {len(name)} characters.", "Give it 1 to 100 characters.")
    if not name.isprintable():
        raise BadInput(f"{name!a} has characters that cannot be seen.", "Leave them out.")
    return name


def set_role(state: "State", name: str, role: str, *, asker: Asker) -> None:
    """Give a user another role; the last owner stays one.

    Raises:
        NotFound: There is no such user.
        Conflict: Nobody could change anything after it.
    """
    _check_role(role)
    user = user_named(state, name)
    if user.role == "owner" and role != "owner":
        _check_owner_left(state, name)
    with state.change(asker, "user.role", name, detail={"role": role}) as connection:
        store.set_user(connection, name, role=role)


def set_disabled(state: "State", name: str, *, disabled: bool, asker: Asker) -> None:
    """Shut a user out, with all sessions, or let one in again.

    Raises:
        NotFound: There is no such user.
        Conflict: It is the last owner.
    """
    user = user_named(state, name)
    if disabled and user.role == "owner":
        _check_owner_left(state, name)
    action = "user.shut_out" if disabled else "user.let_in"
    with state.change(asker, action, name) as connection:
        store.set_user(connection, name, disabled=disabled)
        if disabled:
            store.drop_visits(connection, name)


def users(state: "State") -> tuple[User, ...]:
    """Return all users by name."""
    return store.users(state)


def user_named(state: "State", name: str) -> User:
    """Return a user.

    Raises:
        NotFound: There is none of that name.
    """
    found = store.user(state, name)
    if found is None:
        raise NotFound(f"No user `{name}`.", "Settings lists who is here.")
    return found


def sign_in_link(state: "State", name: str, *, asker: Asker, now: int) -> str:
    """Return the path of a link that signs a user in once, within a day.

    Raises:
        NotFound: There is no such user.
    """
    user_named(state, name)
    token = secrets.token_urlsafe(32)
    with state.change(asker, "user.link", name) as connection:
        store.put_link(connection, hash_of(token), name, now + LINK_LIFE)
    return f"/sign-in/link/{token}"


def open_link(state: "State", token: str, *, now: int) -> str:
    """Return the token of a new visit for the user whose link it is, and use the link up.

    Raises:
        NotSignedIn: The link is unknown, used or too old.
    """
    name = store.link_user(state, hash_of(token), now)
    if name is None:
        raise NotSignedIn(
            "This link was used already or is over a day old.",
            "Ask an owner for a new one, or run `onefold user link NAME`.",
        )
    user = _let_in(state, name)
    asker = Asker(name=user.name, role=user.role)
    with state.change(asker, "user.sign_in", name, detail={"by": "link"}) as connection:
        if not store.use_link(connection, hash_of(token), now):
            raise NotSignedIn("This link was used already.", "Ask an owner for a new one.")
        return _begin(lambda *row: store.put_visit(connection, *row), name, now)


def sign_in(state: "State", name: str, password: str, *, now: int) -> str:
    """Return the token of a new visit for a user who knows the password.

    Raises:
        NotSignedIn: Name and password do not belong together; the answer takes as long either way.
    """
    name = name.strip()
    known = store.password_of(state, name)
    if not _matches(known or _nobody(), password) or known is None:
        raise NotSignedIn(
            "Name and password do not belong together.", "Try again, or ask for a link."
        )
    user = _let_in(state, name)
    asker = Asker(name=user.name, role=user.role)
    with state.change(asker, "user.sign_in", name, detail={"by": "password"}) as connection:
        if _hasher().check_needs_rehash(known):
            store.set_user(connection, name, password=_hasher().hash(password))
        return _begin(lambda *row: store.put_visit(connection, *row), name, now)


def begin_visit(state: "State", name: str, *, by: str, now: int) -> str:
    """Return the token of a new visit for a user who was proven elsewhere.

    Raises:
        NotSignedIn: The user is shut out.
    """
    user = _let_in(state, name)
    asker = Asker(name=user.name, role=user.role)
    with state.change(asker, "user.sign_in", name, detail={"by": by}) as connection:
        return _begin(lambda *row: store.put_visit(connection, *row), name, now)


def choose_password(
    state: "State", name: str, password: str, *, asker: Asker, keep_token: str = ""
) -> None:
    """Set a user's password; all visits of the user end but the one of `keep_token`.

    Raises:
        BadInput: It is too short or the name itself.
        NotFound: There is no such user.
    """
    user_named(state, name)
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput(
            f"The password has {len(password)} characters.",
            f"Take at least {SHORTEST_PASSWORD}.",
        )
    if len(password) > 1000 or password.lower() == name.lower():
        raise BadInput("The password is the name, or too long.", "Take another.")
    kept = _hasher().hash(password)
    with state.change(asker, "user.password", name) as connection:
        store.set_user(connection, name, password=kept)
        store.drop_visits(connection, name, keep=hash_of(keep_token))


def knows_password(state: "State", name: str, password: str) -> bool:
    """Return whether it is the user's password; True where none was chosen yet."""
    kept = store.password_of(state, name)
    return kept is None or _matches(kept, password)


def visit_of(state: "State", token: str, *, now: int) -> Visit | None:
    """Return the visit a cookie belongs to, or None when it is unknown, over or shut out."""
    return store.visit(state, hash_of(token), now)


def sign_out(state: "State", token: str) -> None:
    """End a visit."""
    store.drop_visit(state, hash_of(token))


def hash_of(token: str) -> str:
    """Return what the state keeps of a token: its BLAKE2b-256; tokens are random, so unsalted."""
    return blake2b(token.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


def _begin(put: Callable[[str, str, str, int, int], None], name: str, now: int) -> str:
    token = secrets.token_urlsafe(32)
    put(hash_of(token), name, secrets.token_hex(32), now, now + VISIT_LIFE)
    return token


def _let_in(state: "State", name: str) -> User:
    user = store.user(state, name)
    if user is None or user.disabled:
        raise NotSignedIn(f"`{name}` may not come in.", "Ask an owner.")
    return user


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise BadInput(f"No role `{role}`.", f"Use one of: {', '.join(ROLES)}.")


def _check_owner_left(state: "State", name: str) -> None:
    others = [u for u in store.users(state) if u.role == "owner" and u.name != name]
    if not any(not other.disabled for other in others):
        raise Conflict(f"`{name}` is the last owner.", "Make somebody else an owner first.")


def _matches(kept: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    # RFC 9106, second recommended option, which fits a small machine.
    return PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
