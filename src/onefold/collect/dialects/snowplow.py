"""Snowplow's tracker protocol, version 2: POST with JSON, GET with a query.

All values are texts under short names. What a name means, and that an event of nobody is fine,
is in Snowplow's public documentation of the protocol.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw

from onefold.collect.dialects.segment import Request, is_utf8
from onefold.collect.dialects.shape import (
    LARGEST_REQUEST,
    Shaped,
    event_of,
    fields_of,
    given,
    iso,
    page_of,
    plain,
    raw,
    request_of,
)
from onefold.collect.dialects.split import mend_surrogates, split_batch
from onefold.collect.records import Code
from onefold.model.errors import BadInput

__all__ = ["LARGEST_REQUEST", "key_in", "read", "route_of"]

_POST = "/com.snowplowanalytics.snowplow/tp2"
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_OWN = frozenset({"com.snowplowanalytics.snowplow", "com.snowplowanalytics.mobile"})
"""Vendors whose entities tell of the tracker and its device."""

# fmt: off
_STRUCTURED = {"se_ca": "category", "se_la": "label", "se_pr": "property", "se_va": "value"}
_ORDER = {
    "tr_id": "order_id", "tr_af": "affiliation", "tr_tt": "total", "tr_tx": "tax",
    "tr_sh": "shipping", "tr_ci": "city", "tr_st": "state", "tr_co": "country",
    "tr_cu": "currency",
}
_ORDER_ITEM = {
    "ti_id": "order_id", "ti_sk": "sku", "ti_nm": "name", "ti_ca": "category", "ti_pr": "price",
    "ti_qu": "quantity", "ti_cu": "currency",
}
_PING = {"pp_mix": "min_x", "pp_max": "max_x", "pp_miy": "min_y", "pp_may": "max_y"}
_NUMBERS = frozenset({"se_va", "tr_tt", "tr_tx", "tr_sh", "ti_pr", "ti_qu", *_PING})
_ACTS = {
    "se": ("", _STRUCTURED), "tr": ("transaction", _ORDER),
    "ti": ("transaction_item", _ORDER_ITEM), "pp": ("page_ping", _PING),
}
"""Kind of event -> name and what its fields are called."""
_PLAIN = {"lang": "locale", "tz": "timezone", "ua": "userAgent", "ip": "ip", "sid": "sessionId"}
"""Parameter -> its name in the context."""
# fmt: on


class _Envelope(msgspec.Struct, gc=False):
    data: list[Raw]


_envelopes = msgspec.json.Decoder(_Envelope)
_SCHEMA = re.compile(r"iglu:([\w.-]+)/([\w-]+)/[\w-]+/(\d{1,9})-\d+-\d+", re.ASCII)
_objects = msgspec.json.Decoder(dict[str, object])


def route_of(path: str) -> tuple[str, str] | None:
    """Return route and write key of an address, the key empty where it names none; or None.

    >>> route_of("/i"), route_of("/wk_1/com.snowplowanalytics.snowplow/tp2")
    (('i', ''), ('tp2', 'wk_1'))
    """
    if path == "/i":
        return "i", ""
    if not path.endswith(_POST):
        return None
    key = path.removesuffix(_POST).removeprefix("/")
    return None if "/" in key else ("tp2", key)


def key_in(text: bytes) -> str:
    """Return the first app id of a request; empty without one."""
    try:
        items = _items(text)[0]
    except BadInput:
        return ""
    for item in items:
        found = plain((fields_of(bytes(item)) or {}).get("aid"))
        if isinstance(found, str) and found:
            return found
    return ""


def read(text: bytes, beside: Mapping[str, str]) -> Request:
    """Return a request taken apart, its events as Segment has them.

    Args:
        text: JSON, or the query of an address.
        beside: What stands beside the body: `nuid`, the network id of a cookie; `ua`, the
            browser's name. Either is taken where an event does not say it itself.

    Raises:
        BadInput: The whole is no JSON object with a list of events.
    """
    items, alone = _items(text)
    shaped = (_shaped(bytes(item), beside) for item in items)
    return request_of(shaped, clean=is_utf8(text), alone=alone)


def _items(text: bytes) -> tuple[list[Raw], bool]:
    """Return the events of a request, and whether it is one event in an address."""
    if text[:1] != b"{":
        pairs = dict(parse_qsl(text.decode("utf-8", "replace")))
        if not pairs:
            raise BadInput("The request holds no event.", "Send Snowplow's parameters.")
        return [raw(pairs)], True
    try:
        return _envelopes.decode(text).data, False
    except _BROKEN as error:
        pieces = split_batch(text, b"data")
        try:
            if pieces is not None:
                _envelopes.decode(mend_surrogates(pieces[0]))
                return [Raw(item) for item in pieces[1]], False
        except _BROKEN:
            pass
        message = "The body is not a JSON object with a list named `data`."
        raise BadInput(message, 'Send {"schema": ..., "data": [...]} as JSON.') from error


def _shaped(item: bytes, beside: Mapping[str, str]) -> Shaped:
    """Return one event as Segment has it, with what is wrong with it."""
    fields = fields_of(item)
    if fields is None:
        return Shaped(item, size=len(item))
    said = {name: _text(value) for name, value in fields.items() if given(value)}
    # A server's own name says nothing of the person's browser.
    heard = {
        name: value for name, value in beside.items() if name != "ua" or said.get("p") == "web"
    }
    shaped = _Event({**heard, **said}).shaped()
    shaped.size = len(item)
    return shaped


def _text(value: Raw) -> str:
    found = plain(value)
    return found if isinstance(found, str) else bytes(value).decode("utf-8", "replace")


class _Event:
    """One event on its way from Snowplow's shape to Segment's."""

    def __init__(self, said: Mapping[str, str]) -> None:
        self._said = said
        self._left = dict(said)
        self._fault: tuple[int, str] = (Code.ACCEPTED, "")
        self._context: dict[str, object] = {}

    def shaped(self) -> Shaped:
        """Return it in Segment's shape."""
        self._device()
        entities = self._entities()
        act = self._act()
        times = self._times()
        device = self._take("duid") or self._take("nuid") or self._session()
        user = self._take("uid")
        event = {**act, **times, "messageId": self._take("eid")}
        event |= {"userId": user, "anonymousId": device}
        event["properties"] = {**act["properties"], **entities}
        for name in ("e", "aid", "duid", "nuid"):
            self._left.pop(name, None)
        if self._left:
            self._context["snowplow"] = self._left
        event["context"] = self._context
        return Shaped(event_of(event), *self._fault, nobody=True)

    def _take(self, name: str) -> str | None:
        """Return a parameter, which then has its place; None where it was not sent."""
        return self._left.pop(name, None)

    def _wrong(self, code: Code, reason: str) -> None:
        if not self._fault[0]:
            self._fault = (code, reason)

    def _times(self) -> dict[str, object]:
        """Return when it was true: `ttm` as it stands, `dtm` by the device's clock."""
        device, sent, true = self._take("dtm"), self._take("stm"), self._take("ttm")
        name, millis = ("dtm", device) if true is None else ("ttm", true)
        if millis is None:
            return {}
        moment = iso(millis)
        if moment is None:
            self._left[name] = millis
            reason = f"`{name}` is no time in milliseconds since 1970."
            self._wrong(Code.BAD_TIME, reason)
            return {}
        if true is None:
            return {"timestamp": moment, "sentAt": iso(sent)}
        if device is not None:
            self._left["dtm"] = device
        return {"timestamp": moment, "originalTimestamp": moment}

    def _act(self) -> dict[str, Any]:
        """Return type, name and properties."""
        kind = self._said.get("e", "")
        if kind == "pv":
            page = self._context.get("page")
            return {"type": "page", "properties": page if isinstance(page, dict) else {}}
        if kind == "ue":
            return self._described()
        if kind not in _ACTS:
            known = "it is one of pv, pp, se, ue, tr, ti"
            said = f"The kind of the event, `{kind[:40]}`, is unknown" if kind else "`e` is missing"
            self._wrong(Code.UNKNOWN_TYPE, f"{said}; {known}.")
            return {"type": kind, "properties": {}}
        name, names = _ACTS[kind]
        name = name or self._take("se_ac") or ""
        if not name:
            self._wrong(Code.NO_EVENT_NAME, "The structured event has no action, `se_ac`.")
        properties = {
            called: _number(value) if field in _NUMBERS else value
            for field, called in names.items()
            if (value := self._take(field)) is not None
        }
        return {"type": "track", "event": name, "properties": properties}

    def _described(self) -> dict[str, Any]:
        """Return a self-describing event; one that cannot be read stays as it came."""
        wrapped = self._json("ue_px", "ue_pr")
        inside = wrapped.get("data")
        if not isinstance(inside, dict):
            inside = {}
        vendor, name, model = _schema(inside.get("schema"))
        data = inside.get("data")
        if not name or not isinstance(data, dict):
            reason = "The self-describing event has no schema or no data that can be read."
            self._wrong(Code.BAD_PROPERTIES, reason)
            self._restore("ue_px", "ue_pr")
            return {"type": "track", "event": name or "unreadable", "properties": {}}
        self._context["schema"] = inside["schema"]
        self._context["protocols"] = {"event_version": model}
        if name == "screen_view" and vendor in _OWN:
            return {"type": "screen", "name": _as_text(data.get("name")), "properties": data}
        return {"type": "track", "event": name, "properties": data}

    def _entities(self) -> dict[str, list[object]]:
        """Return the entities of the event; those of the tracker itself go into the context."""
        found: dict[str, list[object]] = {}
        listed = self._json("cx", "co").get("data", [])
        for entity in listed if isinstance(listed, list) else [None]:
            said = entity if isinstance(entity, dict) else {}
            vendor, name, model = _schema(said.get("schema"))
            data = said.get("data")
            if not name or not isinstance(data, dict):
                self._wrong(Code.BAD_PROPERTIES, "An entity has no schema or no data.")
                self._restore("cx", "co")
            elif "categoryPreferences" in data:
                self._context["consent"] = data
            elif vendor in _OWN:
                self._context[name] = data
            else:
                where = f"{vendor}_{name}_{model}".replace(".", "_").replace("-", "_")
                found.setdefault(f"contexts_{where}", []).append(data)
        return found

    def _json(self, coded: str, written: str) -> dict[str, Any]:
        """Return the object in a parameter, in base64 or as it is; empty without one."""
        base64, text = self._take(coded), self._take(written)
        if base64 is None and text is None:
            return {}
        try:
            body = (text or "").encode() if base64 is None else _from_base64(base64)
            return _objects.decode(body)
        except (binascii.Error, ValueError, RecursionError):
            name = written if base64 is None else coded
            self._wrong(Code.BAD_PROPERTIES, f"`{name}` cannot be read.")
            self._restore(coded, written)
            return {}

    def _restore(self, *names: str) -> None:
        self._left |= {name: self._said[name] for name in names if name in self._said}

    def _device(self) -> None:
        """Write into the context what the tracker tells of page, device and itself."""
        page: dict[str, object] = {**page_of(self._take("url"))}
        page |= {
            called: value
            for field, called in (("page", "title"), ("refr", "referrer"))
            if (value := self._take(field)) is not None
        }
        name, _, version = (self._take("tv") or "").partition("-")
        if name:
            self._context["library"] = {"name": f"snowplow-{name}", "version": version}
        if page:
            self._context["page"] = page
        for field, called in _PLAIN.items():
            value = self._take(field)
            if value is not None:
                self._context[called] = value
        size = (self._left.get("res") or "").split("x")
        if len(size) == 2 and all(part.isdecimal() and len(part) < 9 for part in size):
            self._take("res")
            self._context["screen"] = {"width": int(size[0]), "height": int(size[1])}

    def _session(self) -> str | None:
        """Return the device's id as a phone tells it, in an entity of its session."""
        session = self._context.get("client_session")
        return _as_text(session.get("userId")) if isinstance(session, dict) else None


def _schema(uri: object) -> tuple[str, str, int]:
    """Return vendor, name and model of a schema's address; empty where it is none.

    >>> _schema("iglu:com.acme/pin_saved/jsonschema/2-0-1")
    ('com.acme', 'pin_saved', 2)
    """
    found = _SCHEMA.fullmatch(uri) if isinstance(uri, str) else None
    return (found[1], found[2], int(found[3])) if found else ("", "", 0)


def _from_base64(text: str) -> bytes:
    plain_text = text.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    return b64decode(plain_text + "=" * (-len(plain_text) % 4), validate=True)


def _number(text: str) -> object:
    """Return a number where a text is one; else the text."""
    try:
        value = float(text)
    except ValueError:
        return text
    return value if isfinite(value) else text


def _as_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
