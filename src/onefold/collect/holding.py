"""Events held until their person agrees: sealed under a key that ends, beside what is nobody's.

A request's held events are one control entry. It carries each twice: sealed, with all that it
would have had with a yes, and plain, as it is kept without one. Neither counts yet. The house lets
one of the two in as an ordinary row of the log: the whole when its person agreed in time, the plain
one when the key has ended. So the facts stay a function of the log, which never needs the key.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from onefold.collect.dialects.segment import BATCH, Request, event_at, read
from onefold.collect.dialects.split import mend_surrogates
from onefold.collect.records import Incoming
from onefold.consent import ANALYTICS, saying
from onefold.model.ids import identifier_key
from onefold.model.time import format_time
from onefold.store import LogRow, NewRow

ROUTE = "held"
"""The route of the control entry."""

_TIMES = ("timestamp", "originalTimestamp", "sentAt")
_raw_objects = msgspec.json.Decoder(dict[str, Raw])


class HeldItem(msgspec.Struct, gc=False):
    """One event that waits for a yes.

    Attributes:
        message: The keyed 128-bit hash of its message id, in two halves.
        plain: What is kept of it without a yes.
        sealed: All that would be kept with one, sealed.
        mask: Purposes that it is kept for anyhow.
    """

    message: tuple[int, int]
    plain: Raw
    sealed: bytes
    mask: int = 0


class HeldEntry(msgspec.Struct, gc=False):
    """A control entry: the held events of one request.

    Attributes:
        day: Of the key they are sealed under, since 1970.
        items: In their order.
    """

    day: int
    items: list[HeldItem]


_entries = msgspec.json.Decoder(HeldEntry)


def timed(item: bytes, event: Incoming, message_id: str) -> bytes:
    """Return an event that says its time and id once and for all, whenever it is read."""
    fields = {name: one for name, one in _fields(item).items() if name not in _TIMES}
    fields["timestamp"] = Raw(msgspec.json.encode(format_time(event.event_time)))
    fields["messageId"] = Raw(msgspec.json.encode(message_id))
    return msgspec.json.encode(fields)


def id_in(kept: bytes) -> str:
    """Return the message id of an event as it is kept."""
    return msgspec.json.decode(_fields(kept)["messageId"], type=str)


def _fields(item: bytes) -> dict[str, Raw]:
    try:
        return _raw_objects.decode(item)
    except msgspec.DecodeError:
        return _raw_objects.decode(mend_surrogates(item))


def entry_in(row: LogRow) -> HeldEntry:
    """Return what a control entry holds."""
    return _entries.decode(row.body)


def about(message: tuple[int, int]) -> bytes:
    """Return what a sealed event is about: the hash of its message."""
    return b"".join(half.to_bytes(8, "big", signed=True) for half in message)


def opened(item: HeldItem, key: bytes) -> bytes | None:
    """Return the whole event; None where it cannot be read."""
    return saying.unseal(key, item.sealed, about(item.message))


def event_in(whole: bytes) -> Incoming | None:
    """Return an opened event as decoded."""
    request: Request = read(BATCH, b'{"batch":[' + whole + b"]}")
    return event_at(request, 0, 0)


def key_of(event: Incoming, identity_key: bytes) -> int | None:
    """Return the key of whom an event is by its own word: its user id, else its anonymous id."""
    if event.user_id:
        return identifier_key(identity_key, "user_id", event.user_id)
    if event.anonymous_id:
        return identifier_key(identity_key, "anonymous_id", event.anonymous_id)
    return None


def row_of(
    held: LogRow, items: Sequence[HeldItem], wholes: Mapping[int, bytes], now: int
) -> NewRow:
    """Return the row of the log that lets events in.

    Args:
        held: The entry that held them.
        items: Which of its events.
        wholes: Place among them -> the whole event; others come in as nobody's.
        now: Microseconds.
    """
    bodies = [wholes.get(place, bytes(item.plain)) for place, item in enumerate(items)]
    masks = [
        item.mask | ANALYTICS if place in wholes else item.mask & ~ANALYTICS
        for place, item in enumerate(items)
    ]
    return NewRow(
        received_time=now,
        source=held.source,
        environment=held.environment,
        dialect="segment",
        route=BATCH,
        body=b'{"batch":[' + b",".join(bodies) + b"]}",
        verdicts=bytes(masks),
    )
