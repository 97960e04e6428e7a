"""Segment requests as the log holds them, read again at the speed of a rebuild.

Intake has judged them already, so nothing is judged here: a batch in which every event is plain
is read in one go. Anything else goes through the decoder of intake. Both say the same of every
event that intake accepted; a property test holds them together.
"""

from datetime import datetime

import msgspec
from msgspec import Raw

from onefold.collect.dialects import segment
from onefold.collect.records import Incoming
from onefold.collect.times import correct, micros_of


class _Context(msgspec.Struct, gc=False):
    consent: Raw = Raw()


class _Plain(msgspec.Struct, rename="camel", gc=False):
    type: str
    message_id: str
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


class _Envelope(msgspec.Struct, rename="camel", gc=False):
    batch: list[_Plain]
    sent_at: datetime | None = None


_envelopes = msgspec.json.Decoder(_Envelope)
_NULL = b"null"


def read_stored(route: str, body: bytes, received_time: int, salt: bytes) -> list[Incoming]:
    """Return the events of a stored request, as `segment.decode` does, in the order sent.

    Raises:
        BadInput: The body is none that intake would have kept.
    """
    if route == segment.BATCH:
        try:
            envelope = _envelopes.decode(body)
            str(body, "utf-8")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return segment.decode(route, body, received_time, salt)
        events = _plain_events(envelope, received_time)
        if events is not None:
            return events
    return segment.decode(route, body, received_time, salt)


def read_one(route: str, body: bytes, received_time: int, place: int) -> Incoming | None:
    """Return one event of a stored request, or None where it has none at that place."""
    return segment.decode_one(route, body, received_time, place)


def _plain_events(envelope: _Envelope, received_time: int) -> list[Incoming] | None:
    """Return the events of a batch, or None where one of them needs the other decoder."""
    kinds = segment.KIND_SET
    batch_sent = None if envelope.sent_at is None else micros_of(envelope.sent_at)
    events: list[Incoming] = []
    for item in envelope.batch:
        kind = item.type
        user, anonymous = item.user_id, item.anonymous_id
        if kind not in kinds or not item.message_id:
            return None
        properties = bytes(item.properties)
        event = kind
        if kind == "track":
            event = item.event or ""
        elif kind in {"identify", "group"}:
            properties = bytes(item.traits)
        if not properties or properties == _NULL or kind == "alias":
            properties = b"{}"
        if kind in {"page", "screen"} and (item.name or item.category):
            properties = segment.with_names(properties, item.name, item.category)
        former, group = item.previous_id, item.group_id
        if not event or _blank(user) or _blank(anonymous) or _blank(former) or _blank(group):
            return None
        stamp = item.timestamp or item.original_timestamp
        sent = batch_sent if item.sent_at is None else micros_of(item.sent_at)
        event_time, basis = correct(
            None if stamp is None else micros_of(stamp),
            sent,
            received_time,
            already=item.timestamp is not None and item.original_timestamp is not None,
        )
        events.append(
            Incoming(
                kind,
                event,
                item.message_id,
                user,
                anonymous,
                former,
                group,
                event_time,
                basis,
                properties,
            )
        )
    return events


def _blank(text: str | None) -> bool:
    return text is not None and (not text or text.isspace())
