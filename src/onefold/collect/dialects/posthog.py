"""PostHog's capture API, as its SDKs for servers, browsers and phones send to it.

PostHog has one kind of id, `distinct_id`; who is known and who is not is told by its marks:
`$is_identified`, `$user_id`, `$device_id`, `$process_person_profile`. An event without any such
mark, as servers send it, is taken to be of somebody known.
"""

import binascii
from base64 import b64decode
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw

from onefold.collect.dialects.segment import Request, is_utf8
from onefold.collect.dialects.shape import (
    LARGEST_REQUEST,
    Fields,
    Shaped,
    event_of,
    fields_of,
    given,
    identifies,
    inner,
    iso,
    page_of,
    plain,
    raw,
    request_of,
)
from onefold.collect.dialects.split import mend_surrogates, split_batch
from onefold.collect.packing import unpacked
from onefold.collect.records import Code
from onefold.model.errors import BadInput

__all__ = ["LARGEST_REQUEST", "key_in", "read", "route_of"]

_ROUTES = {
    "/batch": "batch",
    "/i/v0/e": "event",
    "/e": "event",
    "/capture": "event",
    "/track": "event",
    "/engage": "engage",
}
_CLOCK_START = 86_400_000
"""Milliseconds since 1970 at which an event without a time, but with an offset, is put."""
_NO_COOKIE = "$posthog_cookieless"
_RECORDING = frozenset({"$snapshot", "$snapshot_items"})
_FORM = (b"data=", b"compression=")

# fmt: off
_INTO = {
    "$lib": ("library", "name"), "$lib_version": ("library", "version"),
    "$os": ("os", "name"), "$os_version": ("os", "version"), "$os_name": ("os", "name"),
    "$screen_width": ("screen", "width"), "$screen_height": ("screen", "height"),
    "$device_model": ("device", "model"), "$device_name": ("device", "name"),
    "$device_manufacturer": ("device", "manufacturer"), "$device_type": ("device", "type"),
    "$app_name": ("app", "name"), "$app_version": ("app", "version"),
    "$app_build": ("app", "build"), "$app_namespace": ("app", "namespace"),
    "utm_source": ("campaign", "source"), "utm_medium": ("campaign", "medium"),
    "utm_campaign": ("campaign", "name"), "utm_content": ("campaign", "content"),
    "utm_term": ("campaign", "term"),
}
"""Property -> where Segment's context has it."""
_AS = {
    "$raw_user_agent": "userAgent", "$user_agent": "userAgent", "$ip": "ip", "$locale": "locale",
    "$browser_language": "locale", "$timezone": "timezone", "$session_id": "sessionId",
    "$consent": "consent",
}
_IDS = frozenset({"distinct_id", "$distinct_id", "$device_id", "$user_id", "$anon_distinct_id",
                  "$groups", "token", "api_key", "$set", "$set_once", "$unset", "$ignore_sent_at"})
_OF_PAGE = frozenset({"$current_url", "$pathname", "$referrer"})
_TECHNICAL = ("$sdk_", "$lib_", "$session_entry_", "$browser", "$viewport_", "$python_", "$config",
              "$timezone_", "$device_", "$os_", "$is_emulator", "$insert_id", "$time",
              "$initialization_time", "$recording_status", "$process_person", "$is_identified",
              "$window_id", "$pageview_id", "$host", "$referring_domain", "$geoip_disable",
              "$is_server", "$configured_")
"""How properties begin that tell of the SDK and its device, not of the act."""
_TRACKERS = frozenset({
    "gclid", "gclsrc", "gad_source", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "twclid",
    "li_fat_id", "mc_cid", "igshid", "ttclid", "rdt_cid", "epik", "qclid", "sccid", "irclid",
    "_kx", "oppref", "bfcid",
})
_OF_EVENT = frozenset({
    "event", "properties", "timestamp", "uuid", "offset", "sent_at", "alias", *_IDS,
})
# fmt: on


class _Envelope(msgspec.Struct, gc=False):
    batch: Raw = Raw()
    sent_at: Raw = Raw()
    api_key: object = None
    token: object = None
    properties: Raw = Raw()


_envelopes = msgspec.json.Decoder(_Envelope)
_lists = msgspec.json.Decoder(list[Raw])
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def route_of(path: str) -> str | None:
    """Return the route of an address, or None where it is not PostHog's.

    >>> route_of("/i/v0/e/"), route_of("/decide")
    ('event', None)
    """
    return _ROUTES.get(path.rstrip("/"))


def key_in(text: bytes) -> str:
    """Return the key in a request: its own, or else the first that an event has; or nothing."""
    try:
        text = unwrapped(text)
        items = [bytes(item) for item in _items(text)[0]]
    except (BadInput, *_BROKEN):
        return ""
    if text[:1] == b"{" and fields_of(text) is None:
        text = (split_batch(text) or (b"", []))[0]
    for one in (text, *items):
        fields = fields_of(one) if one[:1] == b"{" else None
        for place in (fields or {}, inner((fields or {}).get("properties"))):
            for name in ("api_key", "token", "$token"):
                found = plain(place.get(name))
                if isinstance(found, str) and found:
                    return found
    return ""


def unwrapped(text: bytes) -> bytes:
    """Return the JSON of a body that may be a form with base64 in it.

    Raises:
        BadInput: The form holds no data that can be read.
    """
    if not text.startswith(_FORM) and text[:1] in {b"{", b"["}:
        return text
    form = parse_qs(text.decode("utf-8", "replace"))
    data = "".join(form.get("data", [])).replace(" ", "+").rstrip("=")
    if data[:1] in {"{", "["}:
        return data.encode()
    try:
        coded = b64decode(data.replace("-", "+").replace("_", "/") + "=" * (-len(data) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadInput("The form's data is not base64.", "Send JSON, gzip or base64.") from error
    return unpacked(coded, LARGEST_REQUEST)


def read(route: str, text: bytes) -> Request:
    """Return a request taken apart, its events as Segment has them.

    Raises:
        BadInput: The whole is no JSON of events.
    """
    text = unwrapped(text)
    items, sent_at, alone = _items(text)
    return request_of(
        (_shaped(bytes(item), engage=route == "engage") for item in items),
        clean=is_utf8(text),
        sent_at=sent_at,
        alone=alone,
    )


def _items(text: bytes) -> tuple[list[Raw], bytes, bool]:
    """Return the events of a request, when it was sent as JSON text, whether it is one event."""
    try:
        if text[:1] == b"[":
            return _lists.decode(text), b"", False
        envelope = _envelopes.decode(text)
        batch = bytes(envelope.batch)
        if batch[:1] == b"[":
            return _lists.decode(batch), _time(envelope.sent_at), False
        if not batch:
            return [Raw(text)], _time(envelope.sent_at), True
    except _BROKEN:
        pieces = split_batch(text)
        if pieces is not None:
            envelope = _envelopes.decode(mend_surrogates(pieces[0]))
            return [Raw(item) for item in pieces[1]], _time(envelope.sent_at), False
        if fields_of(text) is not None:
            return [Raw(text)], b"", True
    raise BadInput(
        "The body is neither an event nor a JSON object with a list named `batch`.",
        'Send {"api_key": ..., "batch": [...]} as JSON.',
    )


def _time(value: Raw) -> bytes:
    """Return a time as the JSON of an ISO 8601 text; nothing where it is none."""
    if bytes(value)[:1] == b'"':
        return bytes(value)
    moment = iso(plain(value)) if given(value) else None
    return b"" if moment is None else msgspec.json.encode(moment)


def _shaped(item: bytes, *, engage: bool) -> Shaped:
    """Return one event as Segment has it, with what is wrong with it."""
    fields = fields_of(item)
    if fields is None:
        return Shaped(item, size=len(item))
    properties = inner(fields.get("properties"))
    name = plain(fields.get("event"))
    if name is None and engage:
        name = "$set"
    shaped = _Event(fields, properties, name if isinstance(name, str) else "").shaped()
    shaped.size = len(item)
    if not shaped.code and given(fields.get("properties")) and not _is_object(fields["properties"]):
        shaped.code, shaped.reason = Code.BAD_PROPERTIES, "`properties` is not an object."
    return shaped


def _is_object(value: Raw) -> bool:
    return bytes(value)[:1] == b"{"


def _is_text(value: Raw) -> bool:
    return bytes(value)[:1] == b'"'


class _Event:
    """One event on its way from PostHog's shape to Segment's."""

    def __init__(self, fields: Fields, properties: Fields, name: str) -> None:
        self._fields, self._properties, self._name = fields, properties, name
        self._distinct = next(
            (
                found
                for found in (
                    fields.get("distinct_id"),
                    fields.get("$distinct_id"),
                    properties.get("distinct_id"),
                    properties.get("$distinct_id"),
                )
                if given(found)
            ),
            None,
        )

    def shaped(self) -> Shaped:
        """Return it in Segment's shape."""
        code, reason = self._fault()
        nobody = plain(self._distinct) == _NO_COOKIE
        user, anonymous = self._who()
        context, rest = self._parted()
        event: dict[str, object] = {
            **self._times(),
            "messageId": self._fields.get("uuid") or self._properties.get("$insert_id"),
            "userId": user,
            "anonymousId": anonymous,
            "groupId": self._group(),
            "context": context,
        }
        if self._name in {"$identify", "$set", "$set_once", "$unset"}:
            context["properties"] = raw(rest) if rest else None
            event |= {"type": "identify", "traits": self._traits()}
        elif self._name == "$groupidentify":
            nobody = nobody or self._of_server()
            if nobody:
                event |= {"userId": None, "anonymousId": None}
            event |= {"type": "group"} | self._about_group(rest)
        elif self._name in {"$create_alias", "$merge_dangerously"}:
            # Either of the two may be the browser's: all of them are one person's.
            event |= {"type": "alias", "userId": self._distinct, "anonymousId": self._distinct}
            event["previousId"] = rest.pop("alias", None) or self._fields.get("alias")
            context["properties"] = raw(rest) if rest else None
        else:
            self._act(event, context, rest)
        if event["type"] != "identify" and (traits := self._traits()):
            context["traits"] = traits
        event["context"] = {key: value for key, value in context.items() if value is not None}
        return Shaped(event_of(event), code, reason, nobody)

    def _fault(self) -> tuple[int, str]:
        """Return what is wrong in PostHog's own words."""
        if not self._name or self._name.isspace():
            return Code.NO_EVENT_NAME, "The event has no name."
        if self._name in _RECORDING:
            return Code.REFUSED, "Recordings of sessions are not taken."
        if self._distinct is None:
            return Code.NO_IDENTIFIER, "The event has no `distinct_id`."
        if not identifies(self._distinct):
            return Code.MALFORMED, "`distinct_id` is neither text nor a number."
        return Code.ACCEPTED, ""

    def _who(self) -> tuple[Raw | None, Raw | None]:
        """Return user id and anonymous id."""
        distinct, known = self._distinct, self._properties
        if distinct is None or plain(distinct) == _NO_COOKIE:
            return None, None
        device = known.get("$device_id") if given(known.get("$device_id")) else None
        former = known.get("$anon_distinct_id")
        if former is not None and given(former) and identifies(former):
            return distinct, former
        identified = plain(known.get("$is_identified"))
        if identified is True or given(known.get("$user_id")):
            return distinct, device if device != distinct else None
        personless = plain(known.get("$process_person_profile")) is False
        if identified is False or personless or device == distinct:
            return None, distinct
        return distinct, device

    def _of_server(self) -> bool:
        """Return whether the id of a `$groupidentify` is one that a server made up for it."""
        key = f"${plain(self._properties.get('$group_type'))}_"
        made_up = str(plain(self._distinct)).startswith(key)
        return made_up or plain(self._properties.get("$is_server")) is True

    def _times(self) -> dict[str, object]:
        sent = self._fields.get("timestamp")
        if sent is not None and bytes(sent)[:1] != b'"':
            moment = iso(plain(sent))
            sent = sent if moment is None else raw(moment)
        if plain(self._properties.get("$ignore_sent_at")) is True and given(sent):
            return {"timestamp": sent, "originalTimestamp": sent}
        offset = plain(self._fields.get("offset"))
        if not given(sent) and isinstance(offset, int) and not isinstance(offset, bool):
            # So many milliseconds before it was sent: a clock that began to run with the event.
            return {"timestamp": iso(_CLOCK_START), "sentAt": iso(_CLOCK_START + max(offset, 0))}
        return {"timestamp": sent, "sentAt": self._fields.get("sent_at")}

    def _group(self) -> Raw | None:
        """Return the first group of the event that has a key."""
        for place in (self._properties.get("$groups"), self._fields.get("$groups")):
            for key in inner(place).values():
                if given(key) and identifies(key):
                    return key
        return None

    def _part(self, name: str) -> Fields:
        return inner(self._fields.get(name)) | inner(self._properties.get(name))

    def _traits(self) -> dict[str, object]:
        first, dropped = self._part("$set_once"), plain(self._properties.get("$unset"))
        traits: dict[str, object] = {**self._part("$set")}
        if isinstance(dropped, list):
            traits |= {name: None for name in dropped if isinstance(name, str)}
        return traits | ({"$set_once": first} if first else {})

    def _about_group(self, rest: Fields) -> dict[str, object]:
        kind, key = rest.pop("$group_type", None), rest.pop("$group_key", None)
        traits = inner(rest.pop("$group_set", None))
        if kind is not None and given(kind):
            traits["group_type"] = kind
        return {"groupId": key, "traits": traits}

    def _act(self, event: dict[str, object], context: dict[str, object], rest: Fields) -> None:
        """Write an event that says what somebody did."""
        if self._name == "$pageview":
            event["type"] = "page"
            page = context.get("page")
            page = page if isinstance(page, dict) else {}
            if "title" in rest:
                page["title"] = rest["title"]
            rest.update({name: raw(value) for name, value in page.items() if name not in rest})
        elif self._name == "$screen":
            event |= {"type": "screen", "name": rest.pop("$screen_name", None)}
        else:
            event |= {"type": "track", "event": self._name}
        event["properties"] = rest

    def _parted(self) -> tuple[dict[str, object], Fields]:
        """Return the context, and the properties that are left."""
        context: dict[str, object] = {}
        parts: dict[str, dict[str, object]] = {}
        rest: Fields = {}
        technical = self._beside()
        for name, value in self._properties.items():
            if name in _INTO:
                if given(value):
                    part, field = _INTO[name]
                    parts.setdefault(part, {}).setdefault(field, value)
            elif name in _AS:
                context.setdefault(_AS[name], value)
            elif name.startswith(_TECHNICAL) and name not in _IDS:
                technical[name.removeprefix("$")] = value
            elif not self._has_its_place(name, value):
                rest[name] = value
        device = self._properties.get("$device_id")
        if given(device):
            parts.setdefault("device", {})["id"] = device
        if page := self._page():
            parts["page"] = page
        if technical:
            parts["posthog"] = technical
        return context | parts, rest

    def _has_its_place(self, name: str, value: Raw) -> bool:
        """Return whether a property is told elsewhere, or tells nothing."""
        if name in _TRACKERS:
            return not given(value)
        return name in _IDS or (name in _OF_PAGE and _is_text(value))

    def _beside(self) -> dict[str, object]:
        """Return what the event says beside its properties and has no place of its own."""
        said: dict[str, object] = {}
        for name in ("$groups", "$user_id"):
            value = self._properties.get(name) or self._fields.get(name)
            if given(value):
                said[name.removeprefix("$")] = value
        more = {name: value for name, value in self._fields.items() if name not in _OF_EVENT}
        return said | ({"more": more} if more else {})

    def _page(self) -> dict[str, object]:
        page: dict[str, object] = {**page_of(plain(self._properties.get("$current_url")))}
        for name, part in (("$pathname", "path"), ("$referrer", "referrer")):
            value = plain(self._properties.get(name))
            if isinstance(value, str) and value and value != "$direct":
                page[part] = value
        return page
