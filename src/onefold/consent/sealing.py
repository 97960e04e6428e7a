"""Keys that end: what comes before a yes is sealed under the key of its day.

ChaCha20-Poly1305 (RFC 8439), a fresh nonce each. A key stands in the vault alone; once it is
destroyed nobody reads what was sealed under it.
"""

from contextlib import closing
from pathlib import Path
from secrets import token_bytes

from onefold.model.errors import MachineFailed
from onefold.model.time import DAY
from onefold.store import Vault

_NONCE = 12


class DailyKeys:
    """The sealing keys of a workspace: one a day, each good for some days."""

    def __init__(self, vault: Path, days: int) -> None:
        """Take the file of the vault, and for how many days a key stands."""
        self._path = vault
        self._days = days
        self._day = -1
        self._key = b""

    def key_of(self, time: int) -> tuple[int, bytes]:
        """Return the day since 1970 and the key that what comes at a time is sealed under.

        Raises:
            DiskFull: There is no room for a new one.
        """
        day = time // DAY
        if day != self._day:
            with closing(Vault(self._path)) as vault:
                self._key = vault.sealing_key(day, until=(day + 1 + self._days) * DAY)
            self._day = day
        return day, self._key


def seal(key: bytes, text: bytes, about: bytes) -> bytes:
    """Return a text sealed under a key; `about` has to be told again to read it.

    Raises:
        MachineFailed: The package that it needs is not there.
    """
    nonce = token_bytes(_NONCE)
    return nonce + _cipher(key).encrypt(nonce, text, about)  # type: ignore[attr-defined, no-any-return]


def unseal(key: bytes, sealed: bytes, about: bytes) -> bytes | None:
    """Return what was sealed; None where the key or what it is about is another."""
    from cryptography.exceptions import InvalidTag

    try:
        return _cipher(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], about)  # type: ignore[attr-defined, no-any-return]
    except (InvalidTag, ValueError):
        return None


def can_seal() -> bool:
    """Return whether the package that sealing needs is there."""
    try:
        _cipher(bytes(32))
    except MachineFailed:
        return False
    return True


def _cipher(key: bytes) -> object:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    except ImportError as error:
        message = "Holding events before consent needs the package cryptography."
        raise MachineFailed(message, "Install onefold[hold].") from error
    return ChaCha20Poly1305(key)
