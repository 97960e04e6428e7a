"""The consent gate: what of a raw event may reach the disk when its person may not be known.

With consent (or a basis that carries it) an event is kept as it came, less `context.ip`. Without,
only what describes the act stays: fields are let through by name, addresses lose their query,
what looks personal goes, and whatever still repeats one of the event's identifiers, plain,
URL-encoded or in base64, goes too.
"""

import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import quote, quote_plus, unquote_plus

import msgspec
from msgspec import Raw

from onefold.collect.dialects.segment import KINDS, merge_context, readable
from onefold.collect.dialects.split import mend_surrogates
from onefold.collect.personal import personal, personal_key, personal_text, tracking_key
from onefold.collect.records import Incoming
from onefold.collect.times import micros_of_text

__all__ = [
    "personal",
    "stripped",
    "with_context",
    "with_id",
    "with_properties",
    "without_address",
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
_CONTEXT_VALUES = ("locale", "timezone", "channel", "active")
_IDENTIFIERS = ("userId", "anonymousId", "previousId", "groupId")
_ADDRESSES = {"url", "referrer", "referer", "href", "path", "link", "location", "uri"}
_SEARCHES = {"search", "querystring", "hash", "fragment"}
_TOKEN = re.compile(r"[A-Za-z0-9+/_\-]{6,}={0,2}")
_SHORTEST = 4
"""Characters from which an identifier is looked for inside other texts; a shorter one is taken
out only where it is the whole of a value, else `1` would empty the event."""
_SHORTEST_IN_NUMBER = 6
_REMOVED = "removed"
_raw_objects = msgspec.json.Decoder(dict[str, Raw])
_objects = msgspec.json.Decoder(dict[str, object])

_GONE = object()


def without_address(item: bytes) -> bytes:
    """Return an event less `context.ip`, all else byte for byte; the same object without one."""
    if b'"ip"' not in item and b"\\u" not in item:
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


def with_properties(item: bytes, described: Collection[str]) -> bytes:
    """Return an event with no other properties than these; the same object if it has none."""
    fields = _raw_fields(item)
    if not bytes(fields.get("properties", b"")).startswith(b"{"):
        return item
    properties = _raw_objects.decode(fields["properties"])
    kept = {name: value for name, value in properties.items() if name in described}
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


def stripped(item: bytes, event: Incoming, context: bytes = b"") -> bytes:
    """Return an event as nobody's: what may be kept without consent to know the person.

    Args:
        item: The event as sent, a JSON object.
        event: The same, decoded; its message id is written into the result, so that an id made
            from the whole content survives.
        context: The batch's context, or nothing.
    """
    fields = _objects.decode(readable(item) or b"{}")
    merge_context(fields, context)
    scan = _Scan(_values(fields))
    kept: dict[str, object] = {"type": event.kind} if event.kind in KINDS else {}
    kept |= {name: fields[name] for name in _TIMES if micros_of_text(fields.get(name)) is not None}
    kept |= scan.fields({name: fields[name] for name in _ITEM if fields.get(name) is not None})
    kept["messageId"] = (
        _hidden(event.message_id) if scan.tells(event.message_id) else event.message_id
    )
    if event.kind == "track":
        kept["event"] = scan.cleaned(event.event)
    properties = fields.get("properties")
    if isinstance(properties, dict) and event.kind in {"track", "page", "screen"}:
        kept["properties"] = dict(scan.fields(properties))
    inner = fields.get("context")
    if isinstance(inner, dict):
        kept["context"] = _context(inner, scan)
    return msgspec.json.encode(kept)


def _hidden(message_id: str) -> str:
    """Return an id that a second sending gets too, for one that gives a person away."""
    return "hidden-" + blake2b(message_id.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _context(context: Mapping[str, object], scan: "_Scan") -> dict[str, object]:
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
    if text and (_telling_key(key) or (traits and key in {"id", "name"})):
        return [text]
    return [text] if isinstance(value, str) and personal_text(value) else []


@lru_cache(maxsize=20_000)
def _telling_key(key: str) -> bool:
    return tracking_key(key) or personal_key(key) or personal_text(key)


def _as_text(value: object) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return ""
    return str(value)


class _Scan:
    """Finds the identifiers of one event in its other fields."""

    def __init__(self, values: list[str]) -> None:
        self._whole = {value.lower() for value in values}
        forms = {form for value in values for form in _forms(value)}
        self._any = (
            re.compile("|".join(map(re.escape, sorted(forms))), re.IGNORECASE) if forms else None
        )

    def tells(self, text: str, *, coded: bool = True) -> bool:
        """Return whether a text gives one of the identifiers away; `coded` looks into base64."""
        if text.lower() in self._whole:
            return True
        if self._any is None:
            return False
        if self._any.search(text) or ("%" in text and self._any.search(unquote_plus(text))):
            return True
        return coded and any(self._any.search(inside) for inside in _decoded(text))

    def cleaned(self, text: str) -> str:
        """Return a text that has to stay, without the identifiers in it."""
        if self._any is None or not self.tells(text):
            return _REMOVED if text.lower() in self._whole else text
        rest = self._any.sub(_REMOVED, text)
        return _REMOVED if self.tells(rest) else rest

    def fields(self, fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        """Yield the fields that may stay."""
        for key, value in fields.items():
            if _telling_key(key) or self.tells(key, coded=False):
                continue
            if key.lower() in _SEARCHES and isinstance(value, str) and value[:1] in {"?", "#"}:
                continue
            kept = self._value(value, key.lower())
            if kept is not _GONE:
                yield key, kept

    def _value(self, value: object, key: str) -> object:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, dict):
            return dict(self.fields(value))
        if isinstance(value, list):
            kept = [self._value(one, key) for one in value]
            return [one for one in kept if one is not _GONE]
        if isinstance(value, str):
            value = _without_query(value, key)
            if personal_text(value):
                return _GONE
            return _GONE if self.tells(value) else value
        return _GONE if self._tells_number(str(value)) else value

    def _tells_number(self, text: str) -> bool:
        if text in self._whole or text.removesuffix(".0") in self._whole:
            return True
        found = self._any.search(text) if self._any else None
        return found is not None and len(found.group()) >= _SHORTEST_IN_NUMBER


def _without_query(text: str, key: str) -> str:
    if key not in _ADDRESSES and "://" not in text:
        return text
    text = re.split(r"[?#;]", text, maxsplit=1)[0]
    return re.sub(r"://[^/@]*@", "://", text)


@lru_cache(maxsize=4096)
def _forms(value: str) -> tuple[str, ...]:
    """Return a value as it may stand in other texts; nothing for one that is too short."""
    if len(value) < _SHORTEST:
        return ()
    raw = value.encode("utf-8", "surrogatepass")
    coded = (b64encode(raw), urlsafe_b64encode(raw))
    quoted = (
        ()
        if value.isalnum() and value.isascii()
        else (quote(value), quote(value, safe=""), quote_plus(value))
    )
    return (value, *quoted, *(one.decode().rstrip("=") for one in coded))


def _decoded(text: str) -> Iterator[str]:
    """Yield what the base64 pieces of a text say."""
    for token in _TOKEN.findall(text):
        bare = token.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8", "ignore")
        except (Base64Error, ValueError):
            continue
