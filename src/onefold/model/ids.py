"""Keys of identifiers and messages: keyed hashes, the same after any rebuild."""

import secrets
from functools import lru_cache
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


def message_digest(message_id: str, identity_key: bytes) -> bytes:
    """Return the 16 bytes by which a message id is known for ever, under the identity key.

    A sealed id tells them itself: the id it was made of may tell of somebody. So a message is the
    same whether it came with consent, without it or was erased since, and who has the log but not
    the key cannot try whose it may be.
    """
    if message_id.startswith(SEALED) and len(message_id) == _SEALED_LENGTH:
        try:
            return bytes.fromhex(message_id[len(SEALED) :])
        except ValueError:
            pass
    hashed = _keyed(identity_key).copy()
    hashed.update(message_id.encode("utf-8", "surrogatepass"))
    return hashed.digest()


@lru_cache(maxsize=16)
def _keyed(identity_key: bytes) -> blake2b:
    """Return the beginning of every digest under a key: to copy it saves half the work."""
    return blake2b(digest_size=16, key=identity_key, person=b"message")


def sealed_id(message_id: str, identity_key: bytes) -> str:
    """Return an id that is known as the same message and does not tell what it was.

    >>> key = bytes(32)
    >>> message_digest(sealed_id("u1-7", key), key) == message_digest("u1-7", key)
    True
    """
    return SEALED + message_digest(message_id, identity_key).hex()


def message_hash(message_id: str, identity_key: bytes) -> tuple[int, int]:
    """Return the 128-bit keyed hash of a message id as two signed 64-bit halves (high, low)."""
    digest = message_digest(message_id, identity_key)
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
