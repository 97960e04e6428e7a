"""Keys of identifiers and messages: keyed hashes, the same after any rebuild."""

import secrets
from hashlib import blake2b

IDENTIFIER_KINDS = ("user_id", "anonymous_id")
"""Kinds in the order of their priority: a person is named by its smallest of the first kind."""


SEALED = "sealed:"
"""How an id begins that is the hash of another one."""
_SEALED_LENGTH = len(SEALED) + 32


def identifier_key(identity_key: bytes, kind: str, value: str) -> int:
    """Return the signed 64-bit key of an identifier under the workspace's identity key.

    >>> identifier_key(bytes(32), "user_id", "u1") == identifier_key(bytes(32), "user_id", "u1")
    True
    """
    text = f"{kind}\x00{value}".encode("utf-8", "surrogatepass")
    return int.from_bytes(
        blake2b(text, digest_size=8, key=identity_key).digest(), "big", signed=True
    )


def message_digest(message_id: str) -> bytes:
    """Return the 16 bytes by which a message id is known for ever.

    A sealed id tells them itself: the id it was made of may tell of somebody.
    """
    if message_id.startswith(SEALED) and len(message_id) == _SEALED_LENGTH:
        try:
            return bytes.fromhex(message_id[len(SEALED) :])
        except ValueError:
            pass
    return blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def sealed_id(message_id: str) -> str:
    """Return an id that is known as the same message and does not tell what it was.

    >>> message_digest(sealed_id("u1-7")) == message_digest("u1-7")
    True
    """
    return SEALED + message_digest(message_id).hex()


def message_hash(message_id: str) -> tuple[int, int]:
    """Return the 128-bit hash of a message id as two signed 64-bit halves (high, low)."""
    digest = message_digest(message_id)
    return (
        int.from_bytes(digest[:8], "big", signed=True),
        int.from_bytes(digest[8:], "big", signed=True),
    )


def new_secret(prefix: str) -> str:
    """Return a fresh secret of 192 random bits with a telling prefix, such as `wk_...`."""
    return prefix + secrets.token_urlsafe(24)


def secret_hash(secret: str) -> str:
    """Return what is kept of a random secret: its BLAKE2b-256 in hex (192 bits need no salt)."""
    return blake2b(secret.encode(), digest_size=32).hexdigest()
