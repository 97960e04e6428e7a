"""RudderStack's HTTP API: Segment's, but for where traits stand and whose clock is trusted.

Its SDKs call the addresses that Segment's call; what tells them apart is the `channel` that each
of their events has at its top.
"""

from dataclasses import replace
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw

from onefold.collect.dialects import segment
from onefold.collect.dialects.segment import BATCH, Request
from onefold.collect.dialects.shape import (
    LARGEST_EVENT,
    LARGEST_REQUEST,
    Fields,
    fields_of,
    given,
    inner,
    plain,
    raw,
    too_large,
)
from onefold.collect.dialects.split import split_batch
from onefold.model.errors import BadInput

__all__ = ["LARGEST_REQUEST", "read", "route_of", "speaks"]

MERGE = "merge"
PIXEL = "pixel "
"""How the route of a single event in an address begins."""
_ROUTES = {
    "/beacon/v1/batch": BATCH,
    "/v1/merge": MERGE,
    "/pixel/v1/track": f"{PIXEL}track",
    "/pixel/v1/page": f"{PIXEL}page",
}
_MARK = b'"channel"'
_LOOKED_AT = segment.LARGEST_EVENT + 2048
"""Bytes among which the mark of a first event stands; the rest is not looked at."""
_OBJECTS = ("properties", "traits", "context")
_MOST_ASKED = 3
"""Events of a batch that are asked whose they are."""


class _Sent(msgspec.Struct, gc=False):
    batch: list[Raw] | None = None
    channel: object = None


_sent = msgspec.json.Decoder(_Sent)


def route_of(path: str) -> str | None:
    """Return the route of an address that only RudderStack has; None for any other."""
    return _ROUTES.get(path.rstrip("/"))


def speaks(text: bytes) -> bool:
    """Return whether a request to an address of Segment's comes from one of RudderStack's SDKs.

    >>> speaks(b'{"batch":[{"type":"track","channel":"server"}]}')
    True
    >>> speaks(b'{"batch":[{"type":"track","properties":{"channel":"mail"}}]}')
    False
    """
    if text.find(_MARK, 0, _LOOKED_AT) < 0:
        return False
    try:
        sent = _sent.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pieces = split_batch(text)
        sent = _Sent(batch=[Raw(item) for item in pieces[1]] if pieces else [])
    if sent.batch is None:
        return sent.channel is not None
    return any("channel" in (fields_of(bytes(item)) or {}) for item in sent.batch[:_MOST_ASKED])


def read(route: str, text: bytes) -> Request:
    """Return a request taken apart, its events as Segment has them.

    Raises:
        BadInput: The whole is no JSON object, or a batch without a list of events.
    """
    if route.startswith(PIXEL):
        request = segment.read(route.removeprefix(PIXEL), _from_query(text))
    else:
        request = segment.read("" if route == MERGE else route, text)
    faults = {
        place: too_large(len(item))
        for place, item in enumerate(request.items)
        if len(item) > LARGEST_EVENT
    }
    return replace(
        request,
        kind="",
        items=[_event(bytes(item), request.kind) for item in request.items],
        translated=True,
        alone=route != BATCH,
        largest=2 * LARGEST_REQUEST,
        faults=faults,
    )


def _event(item: bytes, kind: str) -> bytes:
    """Return an event as Segment has it; as it came where it is no JSON object."""
    fields = fields_of(item)
    if fields is None:
        return item
    if kind:
        fields["type"] = raw(kind)
    context = inner(fields.get("context"))
    if plain(fields.get("type")) == "merge":
        _merge(fields)
    if bytes(fields.get("type", b"")) == b'"identify"' and not given(fields.get("traits")):
        fields["traits"] = context.get("traits", Raw(b"{}"))
    if given(fields.get("timestamp")) and not given(fields.get("originalTimestamp")):
        # Its gateway trusts a `timestamp`, and corrects an `originalTimestamp` only.
        fields["originalTimestamp"] = fields["timestamp"]
    for name, place in (("channel", "channel"), ("request_ip", "ip")):
        value = fields.pop(name, None)
        if value is not None:
            context.setdefault(place, value)
    management = inner(context.get("consentManagement"))
    if management and "consent" not in context:
        context["consent"] = raw({"categoryPreferences": _answers(management)})
    if context:
        fields["context"] = raw(context)
    return msgspec.json.encode(fields)


def _answers(management: Fields) -> dict[str, bool]:
    """Return category -> yes or no; what is on both lists is refused."""
    answers: dict[str, bool] = {}
    for name, answer in (("allowedConsentIds", True), ("deniedConsentIds", False)):
        listed = plain(management.get(name))
        if isinstance(listed, list):
            answers |= {str(one): answer for one in listed}
    return answers


def _merge(fields: Fields) -> None:
    """Make a merge of two ids the alias that it is; any other one an act of that name."""
    pairs = plain(fields.get("mergeProperties"))
    known: dict[str, object] = {}
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, dict):
            kind = str(pair.get("type", "")).lower().replace("_", "").replace("-", "")
            known[kind] = pair.get("value")
    if known.keys() == {"userid", "anonymousid"}:
        fields |= {"type": raw("alias"), "userId": raw(known["userid"])}
        fields["previousId"] = raw(known["anonymousid"])
        return
    fields |= {"type": raw("track"), "event": raw("merge")}
    fields.setdefault("properties", raw({"mergeProperties": pairs}))


def _from_query(query: bytes) -> bytes:
    """Return the event in an image's address as JSON."""
    event: dict[str, object] = {}
    for name, value in parse_qsl(query.decode("utf-8", "replace")):
        if name == "writeKey":
            continue
        if name in _OBJECTS:
            try:
                event[name] = msgspec.json.decode(value)
            except msgspec.DecodeError as error:
                raise BadInput(f"`{name}` is not JSON.", "Send it as a JSON object.") from error
        else:
            event[name] = value
    return msgspec.json.encode(event)
