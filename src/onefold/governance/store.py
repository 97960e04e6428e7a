"""Statements over users, visits, links and keys; the only file here that asks the state."""

from typing import TYPE_CHECKING, Any

from onefold.governance.records import ApiKey, User, Visit
from onefold.model.records import Asker
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

Connection = Any
"""What `State.change` yields; only the store knows its engine."""

_users, _visits, _links = tables.users, tables.web_sessions, tables.sign_in_links
_keys = tables.api_keys


def users(state: "State") -> tuple[User, ...]:
    """Return all users by name."""
    return tuple(_user(row) for row in state.rows(_users.select().order_by(_users.c.name)))


def user(state: "State", name: str) -> User | None:
    """Return the user of a name."""
    return next(map(_user, state.rows(_users.select().where(_users.c.name == name))), None)


def password_of(state: "State", name: str) -> str | None:
    """Return the hash of a user's password, if there is one."""
    query = _users.select().where(_users.c.name == name)
    return next((row["password"] for row in state.rows(query)), None)


def put_user(connection: Connection, name: str, role: str, now: int) -> None:
    """Add a user without a password."""
    row = {"name": name, "role": role, "disabled": False, "created_time": now}
    connection.execute(_users.insert().values(**row))


def set_user(connection: Connection, name: str, **values: object) -> None:
    """Change columns of a user."""
    connection.execute(_users.update().where(_users.c.name == name).values(**values))


def put_link(connection: Connection, token_hash: str, name: str, expires_time: int) -> None:
    """Add a one-time link."""
    row = {"token_hash": token_hash, "user": name, "expires_time": expires_time}
    connection.execute(_links.insert().values(**row))


def link_user(state: "State", token_hash: str, now: int) -> str | None:
    """Return whose link it is, if it still opens."""
    query = _links.select().where(
        _links.c.token_hash == token_hash, _links.c.used_time.is_(None), _links.c.expires_time > now
    )
    return next((row["user"] for row in state.rows(query)), None)


def use_link(connection: Connection, token_hash: str, now: int) -> bool:
    """Use a link up; False when somebody was quicker."""
    unused = (_links.c.token_hash == token_hash) & _links.c.used_time.is_(None)
    found = connection.execute(_links.update().where(unused).values(used_time=now))
    return bool(found.rowcount == 1)


def put_visit(
    connection: Connection, token_hash: str, name: str, csrf: str, now: int, expires_time: int
) -> None:
    """Begin a visit, and clear those that are over."""
    connection.execute(_visits.delete().where(_visits.c.expires_time <= now))
    row = {"token_hash": token_hash, "user": name, "csrf": csrf, "created_time": now}
    connection.execute(_visits.insert().values(**row, expires_time=expires_time))


def visit(state: "State", token_hash: str, now: int) -> Visit | None:
    """Return a visit in force of a user in force."""
    both = _visits.join(_users, _visits.c.user == _users.c.name)
    in_force = both.select().where(
        _visits.c.token_hash == token_hash,
        _visits.c.expires_time > now,
        _users.c.disabled.is_(False),
    )
    for row in state.rows(in_force):
        asker = Asker(name=row["name"], role=row["role"])
        return Visit(asker=asker, csrf=row["csrf"], expires_time=row["expires_time"])
    return None


def drop_visit(state: "State", token_hash: str) -> None:
    """End one visit."""
    state.touch(_visits.delete().where(_visits.c.token_hash == token_hash))


def drop_visits(connection: Connection, name: str, *, keep: str = "") -> None:
    """End all visits of a user but one."""
    others = (_visits.c.user == name) & (_visits.c.token_hash != keep)
    connection.execute(_visits.delete().where(others))


def identity(state: "State", issuer: str, subject: str) -> str | None:
    """Return the user that a subject of a provider is tied to."""
    tied = tables.identities
    query = tied.select().where(tied.c.issuer == issuer, tied.c.subject == subject)
    return next((row["user"] for row in state.rows(query)), None)


def put_key(connection: Connection, key: ApiKey, key_hash: str) -> None:
    """Add a key."""
    row: dict[str, object] = {"name": key.name, "key_hash": key_hash, "hint": key.hint}
    row |= {"created_time": key.created_time, "expires_time": key.expires_time}
    connection.execute(_keys.insert().values(**row, scopes=" ".join(key.scopes)))


def keys(state: "State") -> tuple[ApiKey, ...]:
    """Return all keys, newest first."""
    query = _keys.select().order_by(_keys.c.created_time.desc(), _keys.c.name)
    return tuple(_key(row) for row in state.rows(query))


def key_by_hash(state: "State", key_hash: str) -> tuple[ApiKey | None, str]:
    """Return the key of a hash and the hash as it is kept; None and nothing for no key's."""
    rows = state.rows(_keys.select().where(_keys.c.key_hash == key_hash))
    return next(((_key(row), str(row["key_hash"])) for row in rows), (None, ""))


def touch_key(state: "State", name: str, now: int) -> None:
    """Remember when a key was last used."""
    state.touch(_keys.update().where(_keys.c.name == name).values(last_used_time=now))


def revoke_key(connection: Connection, name: str, now: int) -> bool:
    """End a key; False when none of that name is in force."""
    held = (_keys.c.name == name) & _keys.c.revoked_time.is_(None)
    found = connection.execute(_keys.update().where(held).values(revoked_time=now))
    return bool(found.rowcount == 1)


def _user(row: Any) -> User:
    return User(
        name=row["name"],
        role=row["role"],
        has_password=row["password"] is not None,
        disabled=bool(row["disabled"]),
        created_time=row["created_time"],
    )


def _key(row: Any) -> ApiKey:
    return ApiKey(
        name=row["name"],
        hint=row["hint"],
        scopes=tuple(row["scopes"].split()),
        created_time=row["created_time"],
        expires_time=row["expires_time"],
        last_used_time=row["last_used_time"],
        revoked_time=row["revoked_time"],
    )
