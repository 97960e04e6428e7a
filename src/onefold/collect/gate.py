"""The consent gate: what of a raw event may reach the disk when its person may not be known.

With consent (or a basis that carries it) an event is kept as it came, less `context.ip`. Without,
only what describes the act stays: fields are let through by name, addresses lose their query,
what looks personal goes, and whatever still repeats one of the event's identifiers, plain,
URL-encoded or in base64, goes too.
"""

from collections.abc import Collection, Mapping

import msgspec
from msgspec import Raw

from onefold.collect.dialects.segment import KINDS, MADE, merge_context, readable
from onefold.collect.dialects.split import mend_surrogates
from onefold.collect.hiding import Scan, telling_key
from onefold.collect.personal import personal, personal_text
from onefold.collect.records import Incoming
from onefold.collect.times import micros_of_text
from onefold.model.ids import sealed_id

__all__ = [
    "personal",
    "stripped",
    "with_context",
    "with_id",
    "without",
    "without_address",
    "without_properties",
]

_ITEM = ("name", "category", "version")
_TIMES = ("timestamp", "originalTimestamp", "sentAt")
_CONTEXT: dict[str, tuple[str, ...]] = {
    "library": ("name", "version"),
    "campaign": ("name", "source", "medium", "term", "content", "id"),
    "page": ("path", "url", "title", "referrer"),
    "os": ("name", "version"),
    "app": ("name", "version", "build", "namespace"),
    "screen": ("width", "height", "density"),
    "protocols": ("event_version",),
}
_CONTEXT_VALUES = (
    "locale",
    "timezone",
    "channel",
    "active",
    "traffic",
    "synthetic",
    "sample_rate",
)
_IDENTIFIERS = ("userId", "anonymousId", "previousId", "groupId")
_raw_objects = msgspec.json.Decoder(dict[str, Raw])
_objects = msgspec.json.Decoder(dict[str, object])


def may_hold_address(text: bytes) -> bool:
    """Return whether a key `ip` may be in a JSON text, in letters or in escapes."""
    return b'"ip"' in text or b"\\u" in text


def without_address(item: bytes) -> bytes:
    """Return an event less `context.ip`, all else byte for byte; the same object without one."""
    if not may_hold_address(item):
        return item
    fields = _raw_fields(item)
    context = _raw_context(fields)
    if context.pop("ip", None) is None:
        return item
    fields["context"] = Raw(msgspec.json.encode(context))
    return msgspec.json.encode(fields)


def with_context(item: bytes, context: bytes) -> bytes:
    """Return an event with its batch's context merged in, all else byte for byte."""
    fields = _raw_fields(item)
    merged = {**_raw_objects.decode(context), **_raw_context(fields)}
    fields["context"] = Raw(msgspec.json.encode(merged))
    return msgspec.json.encode(fields)


def with_id(item: bytes, message_id: str) -> bytes:
    """Return an event with the id that intake made for it, all else byte for byte."""
    return msgspec.json.encode({**_raw_fields(item), "messageId": message_id})


def without(item: bytes, names: Collection[str]) -> bytes:
    """Return an event less some of its fields, all else byte for byte."""
    fields = _raw_fields(item)
    return msgspec.json.encode({name: one for name, one in fields.items() if name not in names})


def without_properties(item: bytes, dropped: Collection[str]) -> bytes:
    """Return an event less some of its properties; the same object if it has none of them."""
    fields = _raw_fields(item)
    if not bytes(fields.get("properties", b"")).startswith(b"{"):
        return item
    properties = _raw_objects.decode(fields["properties"])
    kept = {name: value for name, value in properties.items() if name not in dropped}
    if len(kept) == len(properties):
        return item
    return msgspec.json.encode({**fields, "properties": kept})


def _raw_fields(item: bytes) -> dict[str, Raw]:
    try:
        return _raw_objects.decode(item)
    except msgspec.DecodeError:
        return _raw_objects.decode(mend_surrogates(item))


def _raw_context(fields: Mapping[str, Raw]) -> dict[str, Raw]:
    context = bytes(fields.get("context", b"{}"))
    return _raw_objects.decode(context) if context.startswith(b"{") else {}


def stripped(item: bytes, event: Incoming, context: bytes, identity_key: bytes) -> bytes:
    """Return an event as nobody's: what may be kept without consent to know the person.

    Args:
        item: The event as sent, a JSON object.
        event: The same, decoded; its message id is written into the result, so that an id made
            from the whole content survives. One that tells somebody, or is made of what does,
            is sealed.
        context: The batch's context, or nothing.
        identity_key: Keys the seal.
    """
    fields = _objects.decode(readable(item) or b"{}")
    merge_context(fields, context)
    scan = Scan(_values(fields))
    # Most events repeat no identifier anywhere: one look at the whole saves one at each field.
    scan.resting = True
    whole = _rest(fields, event, scan, identity_key)
    if scan.clears(whole.decode()):
        return whole
    scan.resting = False
    return _rest(fields, event, scan, identity_key)


def _rest(fields: Mapping[str, object], event: Incoming, scan: Scan, identity_key: bytes) -> bytes:
    """Return what may stay of an event's fields, JSON."""
    kept: dict[str, object] = {"type": event.kind} if event.kind in KINDS else {}
    kept |= {name: fields[name] for name in _TIMES if micros_of_text(fields.get(name)) is not None}
    kept |= scan.fields({name: fields[name] for name in _ITEM if fields.get(name) is not None})
    # An id that intake made is a hash of all that the event says, its identifiers too.
    telling = event.message_id.startswith(MADE) or scan.tells(event.message_id)
    kept["messageId"] = sealed_id(event.message_id, identity_key) if telling else event.message_id
    if event.kind == "track":
        kept["event"] = scan.cleaned(event.event)
    properties = fields.get("properties")
    if isinstance(properties, dict) and event.kind in {"track", "page", "screen"}:
        kept["properties"] = dict(scan.fields(properties))
    inner = fields.get("context")
    if isinstance(inner, dict):
        kept["context"] = _context(inner, scan)
    return msgspec.json.encode(kept)


def _context(context: Mapping[str, object], scan: Scan) -> dict[str, object]:
    kept: dict[str, object] = {name: context[name] for name in _CONTEXT_VALUES if name in context}
    for name, parts in _CONTEXT.items():
        inner = context.get(name)
        if isinstance(inner, dict):
            kept[name] = {part: inner[part] for part in parts if part in inner}
    kept = dict(scan.fields(kept))
    consent = context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if isinstance(preferences, dict):
        answers = {key: value is True for key, value in preferences.items()}
        kept["consent"] = {"categoryPreferences": dict(scan.fields(answers))}
    elif consent is not None:
        kept["consent"] = {}
    return kept


def _values(fields: Mapping[str, object]) -> list[str]:
    """Return the identifying values of an event, wherever the wire keeps them."""
    found = [_as_text(fields.get(name)) for name in _IDENTIFIERS]
    context = fields.get("context")
    inner = context if isinstance(context, dict) else {}
    found += [_as_text(inner.get(name)) for name in ("ip", "groupId", "userId", "anonymousId")]
    for part in (inner.get("device"), inner.get("network"), inner.get("externalIds")):
        found += _telling(part, "", traits=True)
    for traits in (fields.get("traits"), inner.get("traits")):
        found += _telling(traits, "", traits=True)
    found += _telling(fields.get("properties"), "", traits=False)
    return [text for text in found if text]


def _telling(value: object, key: str, *, traits: bool) -> list[str]:
    """Return the values in a structure whose key or look says that they tell a person."""
    if isinstance(value, dict):
        return [t for name, one in value.items() for t in _telling(one, name, traits=traits)]
    if isinstance(value, list):
        return [text for one in value for text in _telling(one, key, traits=traits)]
    text = _as_text(value)
    if text and (telling_key(key) or (traits and key in {"id", "name"})):
        return [text]
    return [text] if isinstance(value, str) and personal_text(value) else []


def _as_text(value: object) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return ""
    return str(value)
