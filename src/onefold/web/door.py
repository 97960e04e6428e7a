"""The door: takes events in, tells whether it is well, passes all else on to the house.

A raw ASGI application without any framework or engine: an event's way from the socket to the
disk is as short as it can be, and nothing that the house does can hold it up.
"""

import logging
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

import msgspec

from onefold.collect import receive as judge
from onefold.collect import wire
from onefold.model.errors import (
    BadInput,
    Busy,
    MachineFailed,
    NotFound,
    NotSignedIn,
    OnefoldError,
    TooLarge,
)
from onefold.model.limits import Limits
from onefold.model.time import Clock
from onefold.web.bodies import Body
from onefold.web.health import Health
from onefold.web.passing import Headers, Receive, Scope, Send, pass_on
from onefold.web.policies import Policies
from onefold.web.pressure import Pressure

if TYPE_CHECKING:
    from onefold.collect import Source
    from onefold.store import GroupWriter, Log, State

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("onefold.door")
_SETTINGS, _PIXEL = "/v1/projects/", "/v1/pixel/"
_KINDS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
_GIF = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_JSON = (b"content-type", b"application/json")
_PAGE = (
    b"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
    b"content='width=device-width'><title>Onefold is starting</title><h1>Onefold is starting.</h1>"
    b"<p>Events are taken in meanwhile. Load this page again in a few seconds.</p></html>"
)


class Settings(Protocol):
    """What the door needs of a workspace's settings."""

    @property
    def categories(self) -> dict[str, str]:
        """Consent category as sent -> purpose."""
        ...

    @property
    def limits(self) -> Limits:
        """What is taken at most."""
        ...


def make_door(
    *,
    folder: Path,
    writer: "GroupWriter",
    log: "Log",
    state: "State",
    settings: Settings,
    clock: Clock,
) -> "Door":
    """Return the door's ASGI application.

    Args:
        folder: The workspace; the house listens at `run/house.sock` in it.
        writer: Appends to the log; an answer waits for it.
        log: The same log, to read.
        state: Whose sources and keys are in force.
        settings: The workspace's consent categories.
        clock: Tells received times.
    """
    policies = Policies(state=state, log=log, clock=clock, categories=settings.categories)
    health = Health(folder=folder, writer=writer, log=log, clock=clock)
    pressure = Pressure(folder, writer, settings.limits, behind=health.behind)
    health.pressure = pressure
    house = folder / "run" / "house.sock"
    return Door(writer, policies, health, pressure=pressure, clock=clock, house=house)


class Door:
    """The application; one for the life of the process."""

    def __init__(
        self,
        writer: "GroupWriter",
        policies: Policies,
        health: Health,
        *,
        pressure: Pressure,
        clock: Clock,
        house: Path,
    ) -> None:
        self._writer = writer
        self._policies = policies
        self._health = health
        self._pressure = pressure
        self._clock = clock
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the life of the server."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        here = self._handler(scope["path"])
        try:
            if here is None:
                await self._pass_on(scope, receive, send)
            else:
                await here(scope, receive, send)
        except OnefoldError as error:
            await _refuse(scope, send, error)
        except Exception:
            if here is None:
                raise
            # Whatever broke, the sender has to hear that nothing was taken, and come back.
            _log.exception("A request to %s failed.", scope["path"])
            failed = MachineFailed("The door failed; nothing was taken in.", "Send it again.")
            await _refuse(scope, send, failed)

    def _handler(self, path: str) -> Handler | None:
        """Return what answers a path here; None for the house's."""
        if (route := wire.route_of(path)) is not None:
            return partial(self._intake, route)
        if path.startswith(_SETTINGS) and path.endswith("/settings"):
            return self._settings
        if path.startswith(_PIXEL):
            return self._pixel
        return {"/health/live": _alive, "/health/ready": self._ready}.get(path)

    async def _ready(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        ready, told = await self._health.ready()
        await _answer(send, 200 if ready else 503, told)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await pass_on(scope, receive, send, self._house)
        except Busy as error:
            if b"text/html" not in _header(scope, b"accept"):
                raise
            headers = [(b"content-type", b"text/html"), (b"cache-control", b"no-store")]
            retry = (b"retry-after", str(error.retry_seconds).encode())
            await _send(send, 503, _PAGE, [*headers, retry])

    async def _intake(self, route: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await _send(send, 204, b"", _preflight(scope))
            return
        if scope["method"] != "POST":
            await _send(send, 405, b"", [(b"allow", b"POST, OPTIONS")])
            return
        body = Body(scope, receive)
        try:
            with self._pressure.room(_size(scope)):
                content = await body.read(wire.LARGEST_REQUEST)
                source = self._source_of(scope, content)
                told = await self._take(source, route, content)
        except (Busy, TooLarge):
            await body.drain()
            raise
        await _answer(send, 200, told, _cors(scope))

    async def _take(self, source: "Source", route: str, body: bytes) -> dict[str, object]:
        """Return the answer to a request, once all that is kept of it is durable."""
        with self._pressure.share(source.name, len(body)):
            receipt = judge(
                source,
                dialect="segment",
                route=route,
                body=body,
                received_time=self._clock(),
                catalogue=self._policies.catalogue,
                categories=self._policies.categories,
            )
            if receipt.row is not None:
                await self._writer.append(receipt.row)
                self._pressure.spend(source.name, len(receipt.row.verdicts))
        return receipt.answer()

    def _source_of(self, scope: Scope, body: bytes) -> "Source":
        """Return the source whose key a request carries: Basic first, then its body."""
        basic = _basic_key(scope)
        source = self._policies.source(basic) if basic else None
        if source is None:
            written = wire.write_key_in(body) or _query(scope).get("writeKey", "")
            source = self._policies.source(written) if written else None
        if source is None:
            message = "The write key is not known." if basic else "There is no known write key."
            raise NotSignedIn(message, "Send the key of a source; see `onefold source list`.")
        return source

    async def _settings(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Tell the browser SDK where to send; it does not start without."""
        if scope["method"] == "OPTIONS":
            await _send(send, 204, b"", _preflight(scope))
            return
        key = scope["path"].removeprefix(_SETTINGS).removesuffix("/settings")
        if self._policies.source(key) is None:
            raise NotFound("The write key is not known.", "See `onefold source list`.")
        host = _header(scope, b"host").decode("latin-1")
        destination = {"apiKey": key, "apiHost": f"{host}/v1", "protocol": scope["scheme"]}
        everything = {"__default": {"enabled": True, "integrations": {}}}
        told: dict[str, object] = {
            "integrations": {"Segment.io": destination},
            "plan": {"track": everything, "identify": everything, "group": everything},
            "edgeFunction": {},
            "analyticsNextEnabled": True,
            "middlewareSettings": {},
            "enabledMiddleware": {},
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
        }
        await _answer(send, 200, told, _cors(scope))

    async def _pixel(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Take one event in the address of an image."""
        kind = scope["path"].removeprefix(_PIXEL).rstrip("/")
        if kind not in _KINDS:
            raise NotFound(f"No pixel `{kind[:40]}`.", f"Use one of: {', '.join(sorted(_KINDS))}.")
        body = _from_base64(_query(scope).get("data", ""))
        if len(body) > wire.LARGEST_REQUEST:
            raise TooLarge("The pixel's data is too large.", "Send it with POST.")
        with self._pressure.room(len(body)):
            await self._take(self._source_of(scope, body), kind, body)
        headers = [(b"content-type", b"image/gif"), (b"cache-control", b"no-store"), *_cors(scope)]
        await _send(send, 200, _GIF, headers)


async def _alive(_scope: Scope, _receive: Receive, send: Send) -> None:
    await _answer(send, 200, {"live": True})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _size(scope: Scope) -> int:
    """Return how many bytes a request may come to."""
    given = _header(scope, b"content-length")
    size = int(given) if given.isdigit() else wire.LARGEST_REQUEST
    if size > wire.LARGEST_REQUEST:
        message = f"The request has {size:,} bytes; at most {wire.LARGEST_REQUEST:,} are taken."
        raise TooLarge(message, "Send fewer events a request.")
    return size


def _header(scope: Scope, name: bytes) -> bytes:
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return b""


def _query(scope: Scope) -> dict[str, str]:
    found = parse_qs(scope["query_string"].decode("latin-1"))
    return {name: values[0] for name, values in found.items()}


def _basic_key(scope: Scope) -> str:
    """Return the key in `Authorization: Basic`, with or without colon; empty without one."""
    kind, _, coded = _header(scope, b"authorization").partition(b" ")
    if kind.lower() != b"basic":
        return ""
    try:
        text = b64decode(coded.strip() + b"==")
    except (Base64Error, ValueError):
        return ""
    return text.decode("utf-8", "replace").partition(":")[0]


def _from_base64(data: str) -> bytes:
    # A plus sign comes as a space out of a query; both alphabets are in use.
    plain = data.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (Base64Error, ValueError) as error:
        raise BadInput("The pixel's data is not base64.", "Send ?data=base64(JSON).") from error


def _cors(scope: Scope) -> Headers:
    origin = _header(scope, b"origin")
    if not origin:
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"origin"),
    ]


def _preflight(scope: Scope) -> Headers:
    return [
        *_cors(scope),
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", b"content-type, authorization, x-retry-count"),
        (b"access-control-max-age", b"86400"),
    ]


async def _answer(
    send: Send, status: int, content: dict[str, Any], headers: Headers | None = None
) -> None:
    await _send(send, status, msgspec.json.encode(content), [_JSON, *(headers or ())])


async def _refuse(scope: Scope, send: Send, error: OnefoldError) -> None:
    """Answer with an RFC 9457 problem; the server's own faults ask to come back."""
    status = error.status
    headers = _cors(scope)
    if status == 422:
        status = 400
    if status >= 500 or isinstance(error, Busy):
        retry = error.retry_seconds if isinstance(error, Busy) else 5
        headers.append((b"retry-after", str(retry).encode()))
    headers.append((b"content-type", b"application/problem+json"))
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="write key"'))
    told = {"success": False, **error.to_problem(), "status": status}
    await _send(send, status, msgspec.json.encode(told), headers)


async def _send(send: Send, status: int, body: bytes, headers: Headers) -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
