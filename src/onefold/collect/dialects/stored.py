"""Requests as the log holds them, read again at the speed of a rebuild, column by column.

Intake has judged them already, so nothing is judged here: a batch in which every event is plain
is read in one go. Anything else goes through the decoder of intake. Both say the same of every
event that intake accepted; a property test holds them together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw

from onefold.collect.dialects import segment
from onefold.collect.records import Incoming
from onefold.collect.times import CORRECTED, SENT, correct, micros_of
from onefold.model.time import DAY, MINUTE


@dataclass(slots=True)
class Columns:
    """The events of a request side by side: each list has one entry an event, in the order sent.

    What the entries are, `Incoming` says of the field of the same meaning.
    """

    kinds: list[str]
    events: list[str]
    message_ids: list[str]
    user_ids: list[str | None]
    anonymous_ids: list[str | None]
    previous_ids: list[str | None]
    group_ids: list[str | None]
    times: list[int]
    bases: list[str]
    properties: list[bytes]
    contexts: list[bytes]
    """What was said around the event: JSON, the batch's context taken in; empty for none."""
    reasons: Sequence[str] = ()
    """Why an event waits, by the decoder; empty where none was found to wait."""

    def at(self, places: Sequence[int]) -> "Columns":
        """Return some of the events."""
        found: Any = [getattr(self, column.name) for column in fields(self)]
        return Columns(*([column[place] for place in places if column] for column in found))


class _Plain(msgspec.Struct, rename="camel", gc=False):
    message_id: str
    type: str = ""
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    timestamp: datetime | None = None
    original_timestamp: datetime | None = None
    sent_at: datetime | None = None
    properties: Raw = Raw()
    traits: Raw = Raw()
    context: Raw = Raw()


class _Envelope(msgspec.Struct, rename="camel", gc=False):
    batch: list[_Plain]
    sent_at: datetime | None = None
    context: Raw = Raw()


class _Around(msgspec.Struct, gc=False):
    context: Raw = Raw()


_envelopes = msgspec.json.Decoder(_Envelope)
_arounds = msgspec.json.Decoder(_Around)
_singles = msgspec.json.Decoder(list[_Plain])
_raw_objects = msgspec.json.Decoder(dict[str, Raw])
_EMPTY = frozenset((b"", b"null"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000


def read_stored(route: str, body: bytes, received_time: int, salt: bytes) -> Columns:
    """Return the events of a stored request, as `segment.decode` reads them.

    Raises:
        BadInput: The body is none that intake would have kept.
    """
    if route == segment.BATCH:
        try:
            envelope = _envelopes.decode(body)
            str(body, "utf-8")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return read_slowly(route, body, received_time, salt)
        items = envelope.batch
        timed = _times(items, envelope.sent_at, received_time)
        columns = _columns(items, [item.type for item in items], timed, bytes(envelope.context))
        if columns is not None:
            return columns
    return read_slowly(route, body, received_time, salt)


def read_slowly(route: str, body: bytes, received_time: int, salt: bytes) -> Columns:
    """Return the events of a stored request by the decoder of intake (see `read_stored`)."""
    request = segment.read(route, body)
    events = segment.decode_request(request, received_time, salt)
    contexts = [_context_in(bytes(item)) for item in request.items]
    return _side_by_side(events, _merged(contexts, request.context))


def read_singles(
    kinds: Sequence[str], bodies: Sequence[bytes], received_times: Sequence[int]
) -> Columns | None:
    """Return events that came one a request, read in one go; None where one of them is not plain.

    Args:
        kinds: What each one's route says.
        bodies: One JSON object each, as intake keeps it.
        received_times: When each came, microseconds.
    """
    text = b"[" + b",".join(bodies) + b"]"
    try:
        items = _singles.decode(text)
        str(text, "utf-8")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    timed = [
        _corrected(item, None, received_time)
        for item, received_time in zip(items, received_times, strict=True)
    ]
    return _columns(
        items, list(kinds), ([time for time, _ in timed], [basis for _, basis in timed])
    )


def _context_in(item: bytes) -> bytes:
    """Return the context of an event as sent; empty where it has none or cannot be read."""
    try:
        return bytes(_arounds.decode(segment.readable(item) or b"{}").context)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""


def _merged(contexts: list[bytes], batch: bytes) -> list[bytes]:
    """Return the contexts with the batch's taken in, which yields to what the event says."""
    if not batch.startswith(b"{"):
        return contexts
    return [_with_batch(one, batch) for one in contexts]


def _with_batch(own: bytes, batch: bytes) -> bytes:
    if not own.startswith(b"{"):
        return batch
    try:
        return msgspec.json.encode(_raw_objects.decode(batch) | _raw_objects.decode(own))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return own


def _side_by_side(events: list[Incoming], contexts: list[bytes]) -> Columns:
    return Columns(
        kinds=[event.kind for event in events],
        events=[event.event for event in events],
        message_ids=[event.message_id for event in events],
        user_ids=[event.user_id for event in events],
        anonymous_ids=[event.anonymous_id for event in events],
        previous_ids=[event.previous_id for event in events],
        group_ids=[event.group_id for event in events],
        times=[event.event_time for event in events],
        bases=[event.time_basis for event in events],
        properties=[event.properties for event in events],
        contexts=contexts,
        reasons=[event.reason for event in events],
    )


def _columns(
    items: list[_Plain],
    kinds: list[str],
    timed: tuple[list[int], list[str]],
    batch: bytes = b"",
) -> Columns | None:
    """Return events side by side, or None where one of them needs the other decoder."""
    message_ids = [item.message_id for item in items]
    events = [
        (item.event or "") if kind == "track" else kind
        for item, kind in zip(items, kinds, strict=True)
    ]
    user_ids = [item.user_id for item in items]
    anonymous_ids = [item.anonymous_id for item in items]
    previous_ids = [item.previous_id for item in items]
    group_ids = [item.group_id for item in items]
    sound = segment.KIND_SET.issuperset(kinds) and all(message_ids) and all(events)
    if not sound or any(map(_blank, (user_ids, anonymous_ids, previous_ids, group_ids))):
        return None
    return Columns(
        kinds,
        events,
        message_ids,
        user_ids,
        anonymous_ids,
        previous_ids,
        group_ids,
        *timed,
        _properties(items, kinds),
        _merged([bytes(item.context) for item in items], batch),
    )


def _blank(values: Iterable[str | None]) -> bool:
    """Return whether one of the values is text without a letter, which intake reads as none."""
    return any(text is not None and (not text or text.isspace()) for text in set(values))


def _properties(items: list[_Plain], kinds: list[str]) -> list[bytes]:
    found = [bytes(item.properties) for item in items]
    for place, kind in enumerate(kinds):
        if kind == "track":
            continue
        if kind in {"identify", "group"}:
            found[place] = bytes(items[place].traits)
        elif kind == "alias":
            found[place] = b"{}"
        elif items[place].name or items[place].category:
            properties = b"{}" if found[place] in _EMPTY else found[place]
            found[place] = segment.with_names(properties, items[place].name, items[place].category)
    return [b"{}" if properties in _EMPTY else properties for properties in found]


def _times(
    items: list[_Plain], sent_at: datetime | None, received_time: int
) -> tuple[list[int], list[str]]:
    """Return event times and what they rest on; a batch of one clock is corrected as a whole."""
    if sent_at is None or sent_at.tzinfo is not None:
        skew = 0 if sent_at is None else received_time - micros_of(sent_at)
        if -MINUTE < skew < MINUTE:
            skew = 0
        try:
            stamps = [
                (since := item.timestamp - _EPOCH).days * DAY  # type: ignore[operator]
                + since.seconds * _SECOND
                + since.microseconds
                for item in items
                if item.sent_at is None and item.original_timestamp is None
            ]
        except TypeError:
            # One has no time, or a time without a zone.
            stamps = []
        low, high = (min(stamps), max(stamps)) if stamps else (0, 0)
        if len(stamps) == len(items) and low + skew >= 0 and high + skew <= received_time + DAY:
            if not skew:
                return stamps, [SENT] * len(stamps)
            return [stamp + skew for stamp in stamps], [CORRECTED] * len(stamps)
    sent_time = None if sent_at is None else micros_of(sent_at)
    found = [_corrected(item, sent_time, received_time) for item in items]
    return [time for time, _ in found], [basis for _, basis in found]


def _corrected(item: _Plain, sent_time: int | None, received_time: int) -> tuple[int, str]:
    stamp = item.timestamp or item.original_timestamp
    return correct(
        None if stamp is None else micros_of(stamp),
        sent_time if item.sent_at is None else micros_of(item.sent_at),
        received_time,
        already=item.timestamp is not None and item.original_timestamp is not None,
    )
