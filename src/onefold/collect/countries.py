"""The country that an event came from, as far as its source says that it may be trusted.

Told at intake and kept in the event as `context.country`, two letters, so that the log alone says
it: a rebuild needs neither the request nor the database of that day. The address goes nowhere.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from onefold.collect.dialects.split import mend_surrogates
from onefold.model.errors import BadInput

if TYPE_CHECKING:
    from onefold.collect.records import Source

HEADER, IP, CONNECTION = "header:", "ip", "connection"
"""What a source's `country` may say: a header by name, the event's own address, the connection's
where the event tells none."""

_SETTING = re.compile(r"header:[A-Za-z0-9][A-Za-z0-9_-]{0,63}|ip|connection|")
_CODE = re.compile(r"[A-Za-z]{2}")
_NOWHERE = frozenset({"XX", "ZZ"})
"""What proxies say where they do not know."""
_MOST_KNOWN = 65_536
_raw_objects = msgspec.json.Decoder(dict[str, Raw])
_text = msgspec.json.Decoder(str)


def is_setting(text: str) -> bool:
    """Return whether a source may say so of where its countries come from.

    >>> is_setting("header:CF-IPCountry"), is_setting("connection"), is_setting("CF-IPCountry")
    (True, True, False)
    """
    return _SETTING.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Whence:
    """Where one request came from, and what it said beside its body.

    Attributes:
        beside: What headers say of Snowplow's events (see `snowplow.read`); None for others.
        country: What a header said; empty where none did, or where addresses are asked.
        look: Returns the country of an address; None where no address is asked.
        client: The other end of the connection, where that is asked.
    """

    beside: Mapping[str, str] | None = None
    country: str = ""
    look: Callable[[str], str] | None = None
    client: str = ""

    @property
    def tells(self) -> bool:
        """Whether any country may be told."""
        return bool(self.country) or self.look is not None

    def placed(self, kept: bytes, sent: bytes, batch: bytes) -> bytes:
        """Return what is kept of an event with its country; the same object without one.

        Args:
            kept: The event as it goes to the log, a JSON object.
            sent: The same as it came, which may still tell its address.
            batch: The batch's context, or nothing.
        """
        country = self.country_of(sent, batch)
        return _with_country(kept, country) if country else kept

    def country_of(self, sent: bytes, batch: bytes) -> str:
        """Return the country that an event came from, or nothing (see `placed`)."""
        if self.look is None:
            return self.country
        address = _address_in(sent, batch) or self.client
        return self.look(address) if address else ""


NOWHERE = Whence()
"""Of a request of which nobody asks."""


class Countries:
    """Tells where requests came from; holds the database where there is one."""

    def __init__(self, database: Path | None = None) -> None:
        """Open the database, a file in MaxMind's format.

        Raises:
            BadInput: It is not there or none, or the extra that reads it is missing.
        """
        self._read = None if database is None else _opened(database)
        self._known = lru_cache(_MOST_KNOWN)(self._of_address)

    def whence(
        self,
        source: "Source",
        headers: Iterable[tuple[bytes, bytes]],
        *,
        client: str = "",
        beside: Mapping[str, str] | None = None,
    ) -> Whence:
        """Return where a request came from, as far as its source wants to know.

        Args:
            source: Whose `country` says what may be trusted.
            headers: As they came, names in small letters.
            client: Address of the other end of the connection.
            beside: What headers say of Snowplow's events.
        """
        if not source.country:
            return Whence(beside)
        if source.country.startswith(HEADER):
            name = source.country.removeprefix(HEADER).lower().encode()
            return Whence(beside, _told([value for key, value in headers if key == name]))
        return Whence(beside, "", self._known, client if source.country == CONNECTION else "")

    def _of_address(self, text: str) -> str:
        """Return the country of an address; empty where nobody knows."""
        if self._read is None:
            return ""
        try:
            address = ipaddress.ip_address(text.strip())
            address = getattr(address, "ipv4_mapped", None) or address
            return _country_in(self._read(str(address)))
        except (ValueError, RuntimeError):
            # No address, one that the database has no room for, or a broken database.
            return ""


def _opened(path: Path) -> Callable[[str], Any]:
    try:
        import maxminddb
    except ModuleNotFoundError as missing:
        message = f"A country database is set, but {missing.name} is not installed."
        raise BadInput(message, "Install it with `pip install 'onefold[geo]'`.") from missing
    fix = "Let `country_database` in onefold.toml name a file in MaxMind's format, or remove it."
    try:
        # In memory: a mapped file that somebody cuts short would end this process.
        return maxminddb.open_database(str(path), maxminddb.MODE_MEMORY).get
    except OSError as error:
        message = f"The country database {path.name} cannot be read: {error.strerror or error}."
        raise BadInput(message, fix) from error
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise BadInput(f"{path.name} is no country database.", fix) from error


def _country_in(record: object) -> str:
    """Return the country of a record, as MaxMind, DB-IP or IPinfo write it."""
    if not isinstance(record, dict):
        return ""
    found = record.get("country")
    if isinstance(found, dict):
        found = found.get("iso_code")
    for value in (found, record.get("country_code")):
        if code := _code(value):
            return code
    return ""


def _told(values: list[bytes]) -> str:
    """Return what a header says; nothing where it came twice, as nobody can tell which is ours."""
    return _code(values[0].decode("latin-1").strip()) if len(values) == 1 else ""


def _code(value: object) -> str:
    if not isinstance(value, str) or _CODE.fullmatch(value) is None or not value.isascii():
        return ""
    code = value.upper()
    return "" if code in _NOWHERE else code


def _address_in(sent: bytes, batch: bytes) -> str:
    """Return the address that an event tells of itself, or its batch of it; empty without."""
    if b'"ip"' not in sent and b"\\u" not in sent:
        return _ip_of(batch)
    return _ip_of(bytes(_fields(sent).get("context", b""))) or _ip_of(batch)


def _ip_of(context: bytes) -> str:
    if not context.startswith(b"{"):
        return ""
    try:
        return _text.decode(_fields(context).get("ip", b'""'))
    except msgspec.DecodeError:
        return ""


def _with_country(item: bytes, country: str) -> bytes:
    fields = _fields(item)
    context = bytes(fields.get("context", b"{}"))
    around = _fields(context) if context.startswith(b"{") else {}
    around["country"] = Raw(msgspec.json.encode(country))
    fields["context"] = Raw(msgspec.json.encode(around))
    return msgspec.json.encode(fields)


def _fields(item: bytes) -> dict[str, Raw]:
    try:
        return _raw_objects.decode(item)
    except msgspec.DecodeError:
        return _raw_objects.decode(mend_surrogates(item))
