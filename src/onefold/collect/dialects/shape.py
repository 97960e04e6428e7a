"""The one shape that every dialect becomes at intake: Segment's events, as bytes.

A dialect hands over its events one by one as `Shaped`; `request_of` puts them together as the
request that intake judges, gates and keeps like any of Segment's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw

from onefold.collect.dialects.segment import Request, readable
from onefold.collect.records import Code
from onefold.collect.times import micros_of_text

LARGEST_EVENT = 256 * 1024
"""Bytes of one event; these dialects have no limit of their own that would be lower."""
LARGEST_REQUEST = 6 * 1024 * 1024
"""Bytes of one request uncompressed: the largest batch that any of their SDKs makes, and some."""

_LAST_MILLIS = 253_402_300_799_000
_raw_objects = msgspec.json.Decoder(dict[str, Raw])

Fields = dict[str, Raw]
"""A JSON object whose values are still bytes."""


@dataclass(slots=True)
class Shaped:
    """One event in the shape that intake judges.

    Attributes:
        item: JSON; as sent where it could not be read.
        code: The dialect's own verdict; 0 where it finds nothing wrong.
        reason: One sentence in the dialect's own words; empty when `code` is 0.
        nobody: It may be without an identifier.
        size: Bytes as sent.
    """

    item: bytes
    code: int = 0
    reason: str = ""
    nobody: bool = False
    size: int = 0


def request_of(
    shaped: Iterable[Shaped], *, clean: bool, sent_at: bytes = b"", alone: bool = False
) -> Request:
    """Return events as one request.

    Args:
        shaped: The events, in the order sent.
        clean: All of it is UTF-8.
        sent_at: When the device says that it sent them, a JSON text; nothing where it is no time.
        alone: It is one event, not a batch of one.
    """
    items: list[bytes] = []
    faults: dict[int, tuple[int, str]] = {}
    nobody: list[int] = []
    for place, one in enumerate(shaped):
        items.append(one.item)
        if one.size > LARGEST_EVENT:
            faults[place] = too_large(one.size)
        elif one.code:
            faults[place] = (one.code, one.reason)
        elif one.nobody:
            nobody.append(place)
    sent_time = micros_of_text(msgspec.json.decode(sent_at)) if sent_at else None
    return Request(
        kind="",
        items=items,
        sent_time=sent_time,
        sent_at=b"" if sent_time is None else sent_at,
        context=b"",
        consent=None,
        clean=clean,
        translated=True,
        alone=alone,
        # What is too large is told above, by its size as sent.
        largest=2 * LARGEST_REQUEST,
        faults=faults,
        nobody=nobody,
    )


def too_large(size: int) -> tuple[int, str]:
    """Return the verdict on an event of more bytes than are taken."""
    return Code.REFUSED, f"The event has {size:,} bytes; at most {LARGEST_EVENT:,} are taken."


def fields_of(raw: bytes) -> Fields | None:
    """Return an event's fields, mended if need be; None where it is no JSON object."""
    text = readable(raw)
    return None if text is None else _raw_objects.decode(text)


def inner(value: Raw | None) -> Fields:
    """Return the fields of a value that should be an object; none where it is not."""
    if value is None or bytes(value)[:1] != b"{":
        return {}
    return _raw_objects.decode(value)


def plain(value: Raw | None) -> object:
    """Return a value as Python has it; None where there is none."""
    return None if value is None else msgspec.json.decode(value)


def given(value: Raw | None) -> bool:
    """Return whether a value says anything: it is there, not null and not an empty text."""
    return value is not None and bytes(value) not in {b"", b"null", b'""'}


def identifies(value: Raw | None) -> bool:
    """Return whether a value can be an identifier: a text or a number."""
    return value is None or bytes(value)[:1] not in {b"{", b"[", b"t", b"f"}


def raw(value: object) -> Raw:
    """Return a value as JSON."""
    return Raw(msgspec.json.encode(value))


def event_of(fields: Mapping[str, object]) -> bytes:
    """Return an event as JSON, without what is None or empty."""
    return msgspec.json.encode(
        {name: value for name, value in fields.items() if value is not None and value != {}}
    )


def iso(millis: object) -> str | None:
    """Return milliseconds since 1970, a number or its digits, as ISO 8601; None if they are none.

    >>> iso("1795347734129")
    '2026-11-22T11:42:14.129000Z'
    """
    try:
        value = int(str(millis))
    except ValueError:
        return None
    if not 0 <= value <= _LAST_MILLIS:
        return None
    seconds, rest = divmod(value, 1000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000, tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"


def page_of(url: object) -> dict[str, str]:
    """Return address, path and search of a page by its address.

    >>> page_of("https://shop.test/p/1?a=b")
    {'url': 'https://shop.test/p/1?a=b', 'path': '/p/1', 'search': '?a=b'}
    """
    if not isinstance(url, str) or not url:
        return {}
    try:
        parts = urlsplit(url)
    except ValueError:
        return {"url": url}
    found = {"url": url, "path": parts.path or "/"}
    return found | ({"search": f"?{parts.query}"} if parts.query else {})
