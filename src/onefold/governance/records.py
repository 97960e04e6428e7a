"""What governance hands out: users, visits, keys."""

from dataclasses import dataclass

from onefold.model.records import Asker


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in; never the hash of a password."""

    name: str
    role: str
    has_password: bool
    disabled: bool
    created_time: int


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser that is signed in: whose it is, and the token its forms must carry."""

    asker: Asker
    csrf: str
    expires_time: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a program; `hint` is its last four characters."""

    name: str
    hint: str
    scopes: tuple[str, ...]
    created_time: int
    expires_time: int | None
    last_used_time: int | None
    revoked_time: int | None
