"""Keys that programs use: scoped, shown once, kept as a hash, revocable."""

import secrets
from hmac import compare_digest
from typing import TYPE_CHECKING

from onefold.governance import access, store
from onefold.governance.records import ApiKey
from onefold.governance.sign_in import checked_name, hash_of
from onefold.model.errors import BadInput, NotFound
from onefold.model.records import Asker
from onefold.model.time import HOUR

if TYPE_CHECKING:
    from onefold.store import State


_LONGEST = 500
SCOPES = access.SCOPES
"""Scope -> actions that it opens."""


def add_api_key(
    state: "State",
    name: str,
    scopes: tuple[str, ...],
    *,
    asker: Asker,
    now: int,
    expires_time: int | None = None,
) -> str:
    """Return a new key, which nobody can read again.

    Args:
        state: Where its hash is kept.
        name: Where it is used.
        scopes: Some of `SCOPES`.
        asker: Who makes it.
        now: When.
        expires_time: From when on it opens nothing; None: until it is revoked.

    Raises:
        BadInput: The name is empty, a scope is unknown or it would never open anything.
        Conflict: There is a key of that name.
    """
    name = checked_name(name)
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise BadInput(
            f"No scope `{unknown[0]}`." if unknown else "A key without a scope may do nothing.",
            f"Use one of: {', '.join(SCOPES)}.",
        )
    if expires_time is not None and expires_time <= now:
        raise BadInput("The key would be over before it begins.", "Let it expire later than now.")
    secret = f"of_{secrets.token_urlsafe(32)}"
    detail = {"scopes": list(scopes), "expires_time": expires_time}
    with state.change(asker, "key.add", name, detail=detail) as connection:
        store.put_key(
            connection, ApiKey(name, secret[-4:], scopes, now, expires_time), hash_of(secret)
        )
    return secret


def api_key_of(state: "State", secret: str, *, now: int) -> Asker | None:
    """Return whom a key lets ask, or None when it is unknown, revoked or too old.

    What is looked up is the hash of the secret, so that the time it takes says nothing of how
    much of a guess is right.
    """
    if len(secret) > _LONGEST:
        return None
    wanted = hash_of(secret)
    key, kept = store.key_by_hash(state, wanted)
    if not compare_digest(kept, wanted) or key is None or key.standing(now) != "in force":
        return None
    if key.last_used_time is None or now - key.last_used_time > HOUR:
        store.touch_key(state, key.name, now)
    # What a key may do is cut down by its scopes, so its role is the widest.
    return Asker(name=f"key:{key.name}", role="owner", scopes=key.scopes)


def api_keys(state: "State") -> tuple[ApiKey, ...]:
    """Return all keys, newest first; a key itself is not kept."""
    return store.keys(state)


def revoke_api_key(state: "State", name: str, *, asker: Asker, now: int) -> None:
    """End a key at once.

    Raises:
        NotFound: There is no such key in force.
    """
    with state.change(asker, "key.revoke", name) as connection:
        if not store.revoke_key(connection, name, now):
            raise NotFound(f"No key `{name}` is in force.", "Settings lists them.")
