"""Segment's HTTP tracking API: one decoder, used at intake and again by every fold.

The contract is Segment's public specification and what its SDKs were seen to send. `decode` is
a function of its arguments alone, so a rebuild reads what intake read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import msgspec
from msgspec import Raw

from onefold.collect.dialects.split import mend_surrogates, split_batch
from onefold.collect.records import Code, Incoming
from onefold.collect.times import correct, micros_of, micros_of_text
from onefold.model.errors import BadInput

KINDS = ("track", "identify", "page", "screen", "group", "alias")
BATCH = "batch"
LONGEST_ID = 100
"""Characters of a message id."""
MADE = "made-"
"""How an id begins that was made from the content of an event."""
LARGEST_EVENT = 32 * 1024
"""Bytes of one event."""

_SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
_ROUTES = {
    **{f"/v1/{kind}": kind for kind in KINDS},
    **{f"/v1/{short}": kind for short, kind in _SHORT.items()},
    "/v1/batch": BATCH,
    "/v1/b": BATCH,
    "/v1/import": BATCH,
}
KIND_SET = frozenset(KINDS)
_OBJECT = 0x7B
_NULL = b"null"


class _Context(msgspec.Struct, gc=False):
    consent: Raw = Raw()


class _Item(msgspec.Struct, rename="camel", gc=False):
    type: str | None = None
    message_id: str | int | None = None
    user_id: str | int | float | None = None
    anonymous_id: str | int | float | None = None
    previous_id: str | int | float | None = None
    group_id: str | int | float | None = None
    event: str | int | float | None = None
    name: str | None = None
    category: str | None = None
    timestamp: datetime | None = None
    original_timestamp: datetime | None = None
    sent_at: datetime | None = None
    properties: Raw = Raw()
    traits: Raw = Raw()
    context: _Context | None = None


class _Envelope(msgspec.Struct, rename="camel", gc=False):
    batch: list[Raw]
    sent_at: Raw = Raw()
    context: Raw = Raw()


@dataclass(frozen=True, slots=True)
class Request:
    """A request taken apart, its events still as bytes.

    Attributes:
        kind: The kind of a single event's route; empty for a batch.
        items: Each event as sent.
        sent_time: When the device says it sent the batch, microseconds; or None.
        sent_at: The same as sent, JSON; empty where it is no time.
        context: The batch's own context, a JSON object as bytes; empty when there is none.
        consent: The consent object in that context, or None.
        clean: The whole is UTF-8.
        largest: Bytes that one event may have.
        translated: Its events came in another dialect; the body is always written anew.
        alone: It is a single event of another dialect.
        faults: The other dialect's own verdicts: place -> code and reason.
        nobody: Places whose events may be without an identifier.
    """

    kind: str
    items: Sequence[bytes]
    sent_time: int | None
    sent_at: bytes
    context: bytes
    consent: bytes | None
    clean: bool
    largest: int = LARGEST_EVENT
    translated: bool = False
    alone: bool = False
    faults: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    nobody: Collection[int] = ()


_envelopes = msgspec.json.Decoder(_Envelope)
_items = msgspec.json.Decoder(_Item)
_contexts = msgspec.json.Decoder(_Context)
_objects = msgspec.json.Decoder(dict[str, object])
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def route_of(path: str) -> str | None:
    """Return the route of an address: a kind, or `batch`; None where it is not Segment's.

    >>> route_of("/v1/t"), route_of("/v1/import"), route_of("/v2/t")
    ('track', 'batch', None)
    """
    return _ROUTES.get(path.rstrip("/") if len(path) > 1 else path)


def decode(route: str, body: bytes, received_time: int, salt: bytes = b"") -> list[Incoming]:
    """Return the events of a request, each with the decoder's verdict, in the order sent.

    Args:
        route: What `route_of` said.
        body: JSON, uncompressed.
        received_time: When it came, microseconds UTC.
        salt: Goes into the id of an event that has none: the source's name, so that two sources
            stay apart.

    Raises:
        BadInput: The whole is no JSON object, or a batch without a list of events.
    """
    return decode_request(read(route, body), received_time, salt)


def decode_request(request: Request, received_time: int, salt: bytes = b"") -> list[Incoming]:
    """Return the events of a request that is already taken apart (see `decode`)."""
    events = []
    equals: dict[str, int] = {}
    for item in request.items:
        event = _event(item, request, received_time)
        if not event.message_id:
            made = _made_id(item, event.kind, request.context, salt)
            place = equals.get(made, 0)
            equals[made] = place + 1
            event.message_id = f"{made}-{place}" if place else made
        events.append(event)
    if request.translated:
        _hear(request, events)
    return events


def event_at(request: Request, place: int, received_time: int) -> Incoming | None:
    """Return the event at one place of a request; None where there is none.

    An event that was sent without an id is given none here.
    """
    if place >= len(request.items):
        return None
    return _event(request.items[place], request, received_time)


def _hear(request: Request, events: list[Incoming]) -> None:
    """Write into the events what their own dialect says of them."""
    for place, (code, reason) in request.faults.items():
        events[place].code, events[place].reason = code, reason
    for place in request.nobody:
        if events[place].code == Code.NO_IDENTIFIER:
            events[place].code, events[place].reason = Code.ACCEPTED, ""


def read(route: str, body: bytes) -> Request:
    """Return a request taken apart (see `decode`)."""
    clean = is_utf8(body)
    if route != BATCH:
        return Request(route, [body], None, b"", b"", None, clean)
    try:
        envelope = _envelopes.decode(body)
        items: Sequence[bytes] = envelope.batch
    except _BROKEN as error:
        envelope, items = _broken_batch(body, error)
    context = bytes(envelope.context)
    if context[:1] != b"{":
        context = b""
    sent_time = _raw_time(envelope.sent_at)
    return Request(
        kind="",
        items=items,
        sent_time=sent_time,
        sent_at=b"" if sent_time is None else bytes(envelope.sent_at),
        context=context,
        consent=_consent_in(context),
        clean=clean,
    )


def _broken_batch(body: bytes, error: Exception) -> tuple[_Envelope, list[bytes]]:
    pieces = split_batch(body)
    try:
        if pieces is not None:
            return _envelopes.decode(mend_surrogates(pieces[0])), pieces[1]
    except _BROKEN:
        pass
    message = "The body is not a JSON object with a list named `batch`."
    raise BadInput(message, "Send {'batch': [...]} as JSON.") from error


def is_utf8(text: bytes) -> bool:
    """Return whether a text is written in UTF-8."""
    try:
        str(text, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _raw_time(raw: Raw) -> int | None:
    try:
        return micros_of_text(msgspec.json.decode(raw))
    except _BROKEN:
        return None


def _consent_in(context: bytes) -> bytes | None:
    if not context:
        return None
    try:
        consent = bytes(_contexts.decode(context).consent)
    except _BROKEN:
        return None
    return consent if consent and consent != _NULL else None


def _event(raw: bytes, request: Request, received_time: int) -> Incoming:
    """Return one event as decoded and judged; its message id is empty when none was sent."""
    if not request.clean and not is_utf8(raw):
        return _nothing(received_time, "The event is not written in UTF-8.")
    found = _item(raw)
    if found is None:
        return _nothing(received_time, "The event is not a JSON object.")
    item, sent_as, sent_time, already, code, reason = found
    if sent_time is None:
        sent_time = request.sent_time
    if sent_as is not None and sent_as < 0 and not code:
        code, reason = Code.BAD_TIME, "The timestamp is before 1970."
    kind = request.kind or (item.type or "")
    if kind not in KIND_SET:
        kind = kind.strip().lower()
    event_time, basis = correct(sent_as, sent_time, received_time, already=already)
    decoded = Incoming(
        kind,
        kind if kind != "track" else "" if item.event is None else _text(item.event) or "",
        "" if item.message_id is None else str(item.message_id),
        None if item.user_id is None else _text(item.user_id),
        None if item.anonymous_id is None else _text(item.anonymous_id),
        None if item.previous_id is None else _text(item.previous_id),
        None if item.group_id is None else _text(item.group_id),
        event_time,
        basis,
        _properties(kind, item),
        code,
        reason,
        _consent(item) or request.consent,
    )
    if not code:
        _judge(decoded, len(memoryview(raw)), request.largest)
    if decoded.code and decoded.properties[0] != _OBJECT:
        decoded.properties = b"{}"
    return decoded


def _item(raw: bytes) -> tuple[_Item, int | None, int | None, bool, int, str] | None:
    """Return an event's fields, own time, sent time, whether corrected, code and reason."""
    try:
        item = _items.decode(raw)
    except _BROKEN:
        fields = _fields(raw)
        return None if fields is None else _lenient(fields)
    sent_as = item.timestamp or item.original_timestamp
    return (
        item,
        None if sent_as is None else micros_of(sent_as),
        None if item.sent_at is None else micros_of(item.sent_at),
        item.timestamp is not None and item.original_timestamp is not None,
        0,
        "",
    )


def _properties(kind: str, item: _Item) -> bytes:
    properties = bytes(item.traits if kind in {"identify", "group"} else item.properties)
    if not properties or properties == _NULL or kind == "alias":
        properties = b"{}"
    if kind in {"page", "screen"} and (item.name or item.category):
        return with_names(properties, item.name, item.category)
    return properties


def _consent(item: _Item) -> bytes | None:
    consent = b"" if item.context is None else bytes(item.context.consent)
    return consent if consent and consent != _NULL else None


def _judge(event: Incoming, size: int, largest: int) -> None:
    """Write the verdict on a decoded event into it, unless it is fine."""
    kind = event.kind
    if size > largest:
        code = Code.REFUSED
        reason = f"The event has {size:,} bytes; at most {largest:,} are taken."
    elif kind not in KIND_SET:
        code = Code.UNKNOWN_TYPE
        said = "The type of the event is unknown" if kind else "The event has no type"
        reason = f"{said}; it is one of {', '.join(KINDS)}."
    elif not event.event:
        code, reason = Code.NO_EVENT_NAME, "The track call has no event name."
    elif event.properties[0] != _OBJECT:
        field = "traits" if kind in {"identify", "group"} else "properties"
        code, reason = Code.BAD_PROPERTIES, f"`{field}` is not an object."
    elif len(event.message_id) > LONGEST_ID:
        code = Code.LONG_ID
        length = len(event.message_id)
        reason = f"The messageId has {length} characters; at most {LONGEST_ID} are taken."
    else:
        lacking = _lacks(event)
        if not lacking:
            return
        code, reason = Code.NO_IDENTIFIER, lacking
    event.code, event.reason = code, reason


def _lacks(event: Incoming) -> str:
    """Return which identifier is missing, as a sentence; empty when none is."""
    if event.user_id is None:
        if event.kind == "alias":
            return "The alias call has no userId."
        if event.anonymous_id is None:
            return "The event has neither userId nor anonymousId."
    if event.kind == "group" and event.group_id is None:
        return "The group call has no groupId."
    if event.kind == "alias" and event.previous_id is None and event.anonymous_id is None:
        return "The alias call has no previousId."
    return ""


def _text(value: str | float) -> str | None:
    if value.__class__ is not str:
        return str(value)
    return value if value and not value.isspace() else None


def with_names(properties: bytes, name: str | None, category: str | None) -> bytes:
    """Return a page's properties with its name and category, which the wire keeps beside them."""
    if properties[0] != _OBJECT:
        return properties
    names = [
        b'"' + field + b'":' + msgspec.json.encode(value)
        for field, value in ((b"name", name), (b"category", category))
        if value and b'"' + field + b'"' not in properties
    ]
    if not names:
        return properties
    rest = properties[1:].lstrip()
    return b"{" + b",".join(names) + (rest if rest.startswith(b"}") else b"," + rest)


def _nothing(received_time: int, reason: str) -> Incoming:
    return Incoming(
        kind="",
        event="",
        message_id="",
        user_id=None,
        anonymous_id=None,
        previous_id=None,
        group_id=None,
        event_time=received_time,
        time_basis="received",
        properties=b"{}",
        code=Code.MALFORMED,
        reason=reason,
    )


def readable(raw: bytes) -> bytes | None:
    """Return a single event as JSON that reads, mended if need be; None if it is no object."""
    for text in (bytes(raw), mend_surrogates(bytes(raw))):
        try:
            _objects.decode(text)
        except _BROKEN:
            continue
        return text
    return None


def _fields(raw: bytes) -> dict[str, object] | None:
    """Return a single event's fields however they are typed, or None if it is no object."""
    text = readable(raw)
    return None if text is None else _objects.decode(text)


def _lenient(
    fields: dict[str, object],
) -> tuple[_Item, int | None, int | None, bool, int, str]:
    """Return what can be read of an event whose fields have other types than they should."""
    code, reason = 0, ""
    item = _Item()
    for name in ("type", "name", "category"):
        value = fields.get(name)
        setattr(item, name, value if isinstance(value, str) else None)
    for name, wire in (
        ("message_id", "messageId"),
        ("user_id", "userId"),
        ("anonymous_id", "anonymousId"),
        ("previous_id", "previousId"),
        ("group_id", "groupId"),
        ("event", "event"),
    ):
        value = fields.get(wire)
        usable = isinstance(value, str | int | float) and not isinstance(value, bool)
        setattr(item, name, value if usable else None)
        if value is not None and not usable and not code:
            code, reason = Code.MALFORMED, f"`{wire}` is neither text nor a number."
    for name in ("properties", "traits"):
        if fields.get(name) is not None:
            setattr(item, name, Raw(msgspec.json.encode(fields[name])))
    context = fields.get("context")
    if isinstance(context, dict):
        item.context = _Context(Raw(msgspec.json.encode(context.get("consent"))))
    times = [micros_of_text(fields.get(name)) for name in ("timestamp", "originalTimestamp")]
    for name, micros in zip(("timestamp", "originalTimestamp"), times, strict=True):
        if fields.get(name) is not None and micros is None and not code:
            code, reason = Code.BAD_TIME, f"`{name}` is not an ISO 8601 time."
    already = None not in times
    sent_as = times[0] if times[0] is not None else times[1]
    return item, sent_as, micros_of_text(fields.get("sentAt")), already, code, reason


def _made_id(raw: bytes, kind: str, context: bytes, salt: bytes) -> str:
    """Return an id from an event's content less `sentAt` and what the transport adds."""
    fields = _fields(raw)
    if fields is None:
        content = bytes(raw)
    else:
        for name in ("sentAt", "writeKey", "messageId", "_metadata", "integrations"):
            fields.pop(name, None)
        merge_context(fields, context)
        content = msgspec.json.encode([kind, fields], order="deterministic")
    return MADE + blake2b(content, digest_size=16, key=salt[:64]).hexdigest()


def merge_context(fields: dict[str, object], context: bytes) -> None:
    """Merge the batch's context into an event's own, which wins key by key."""
    if not context:
        return
    try:
        shared = _objects.decode(context)
    except _BROKEN:
        return
    own = fields.get("context")
    fields["context"] = {**shared, **own} if isinstance(own, dict) else shared
