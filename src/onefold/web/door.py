"""The door: takes events in, tells whether it is well, passes all else on to the house.

A raw ASGI application without any framework or engine: an event's way from the socket to the
disk is as short as it can be, and nothing that the house does can hold it up.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from onefold.collect import receive as judge
from onefold.collect import wire
from onefold.model.errors import (
    Busy,
    MachineFailed,
    NotFound,
    NotSignedIn,
    OnefoldError,
    TooLarge,
    TooMany,
)
from onefold.model.limits import Limits
from onefold.model.spans import span
from onefold.model.time import Clock
from onefold.model.traces import current
from onefold.web.answers import (
    answer,
    answer_bytes,
    answer_image,
    basic_key,
    cors,
    from_base64,
    header,
    preflight,
    query,
    refuse,
    refuse_method,
)
from onefold.web.bodies import Body
from onefold.web.courtesies import courtesy_of
from onefold.web.health import Health
from onefold.web.heard import Heard
from onefold.web.meter import METRICS, Meter, measured
from onefold.web.network_id import network_cookie, said_beside
from onefold.web.openmetrics import MEDIA_TYPE
from onefold.web.passing import Receive, Scope, Send, pass_on
from onefold.web.policies import Policies
from onefold.web.pressure import Pressure

if TYPE_CHECKING:
    from onefold.collect import Source
    from onefold.store import GroupWriter, Log, NewRow, State

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("onefold.door")
_SETTINGS, _PIXEL = "/v1/projects/", "/v1/pixel/"
_KINDS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
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
    def country_database(self) -> Path | None:
        """Tells the country of an address."""
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
    alone: bool = False,
) -> "Door":
    """Return the door's ASGI application.

    Args:
        folder: The workspace; the house listens at `run/house.sock` in it.
        writer: Appends to the log; an answer waits for it.
        log: The same log, to read.
        state: Whose sources and keys are in force.
        settings: The workspace's consent categories.
        clock: Tells received times.
        alone: Whether no house belongs to it.
    """
    policies = Policies(
        state=state,
        log=log,
        clock=clock,
        categories=settings.categories,
        country_database=settings.country_database,
        vault=folder / "vault.sqlite",
    )
    health = Health(folder=folder, writer=writer, log=log, clock=clock, alone=alone)
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
        self.writer = writer
        self._policies = policies
        self._health = health
        self.pressure = pressure
        self._clock = clock
        self._house = house
        self.meter = Meter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the life of the server."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        here = self._handler(scope["path"])
        if here is None:
            await self._pass_on(scope, receive, send)
            return
        heard = Heard(scope, send, self.meter)
        try:
            with span("intake"):
                await here(scope, receive, heard)
        except OnefoldError as error:
            await refuse(scope, heard, error)
        except Exception:  # noqa: BLE001 - logged, and told to the sender
            # Whatever broke, the sender has to hear that nothing was taken, and come back.
            _log.exception("A request failed.")
            failed = MachineFailed("The door failed; nothing was taken in.", "Send it again.")
            await refuse(scope, heard, failed)
        finally:
            heard.end()

    def _handler(self, path: str) -> Handler | None:
        """Return what answers a path here; None for the house's."""
        if (address := wire.address_of(path)) is not None:
            return partial(self._intake, address)
        if path.startswith(_SETTINGS) and path.endswith("/settings"):
            return self._settings
        if path.startswith(_PIXEL):
            return self._pixel
        own = {
            "/health/live": _alive,
            "/health/ready": self._ready,
            METRICS: self._measured,
        }.get(path)
        return own or (_be_courteous if courtesy_of(path, "") is not None else None)

    async def _ready(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        ready, told = await self._health.ready()
        await answer(send, 200 if ready else 503, told)

    async def _measured(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        lines = self.meter.lines(self.pressure, self.writer.waiting_bytes)
        told = await measured(self._house, lines)
        await answer_bytes(send, 200, told, [(b"content-type", MEDIA_TYPE.encode())])

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await pass_on(scope, receive, send, self._house)
        except OnefoldError as error:
            if not isinstance(error, Busy) or b"text/html" not in header(scope, b"accept"):
                await refuse(scope, send, error)
                return
            headers = [(b"content-type", b"text/html"), (b"cache-control", b"no-store")]
            retry = (b"retry-after", str(error.retry_seconds).encode())
            await answer_bytes(send, 503, _PAGE, [*headers, retry])

    async def _intake(
        self, address: "wire.Address", scope: Scope, receive: Receive, send: Send
    ) -> None:
        method = scope["method"]
        if method == "OPTIONS":
            await answer_bytes(send, 204, b"", preflight(scope))
            return
        if method != "POST" and not (method == "GET" and address.by_query):
            allow = b"GET, POST, OPTIONS" if address.by_query else b"POST, OPTIONS"
            await refuse_method(scope, send, allow)
            return
        body = Body(scope, receive)
        try:
            size = _size(scope, address.largest)
            with self.pressure.room(size):
                content = await body.read(size)
                if method == "GET":
                    content = scope["query_string"]
                source = self.source_of(scope, content, address)
                receipt = await self._take(source, address, content, scope)
        except (Busy, TooLarge) as error:
            await body.drain()
            if isinstance(error, TooMany) and not address.hears_429:
                # Its browser SDK forgets events at a 429; at a 503 it sends them again.
                raise Busy(error.message, error.fix, retry_seconds=error.retry_seconds) from error
            raise
        headers = cors(scope) + network_cookie(scope, address, receipt)
        if method == "GET" and b"image/" in header(scope, b"accept"):
            await answer_image(send, headers)
            return
        told = receipt.answer()
        await answer(send, 200, {"status": 1} | told if address.says_status else told, headers)

    async def _take(
        self, source: "Source", address: "wire.Address", body: bytes, scope: Scope
    ) -> "wire.Receipt":
        """Return the verdicts on a request, once all that is kept of it is durable."""
        with self.pressure.share(source.name, len(body)):
            receipt = self.judged(source, address, body, scope)
            for row in self.rows_of(receipt):
                await self.writer.append(row)
            self.taken(source.name, receipt)
        return receipt

    def judged(
        self, source: "Source", address: "wire.Address", body: bytes, scope: Scope
    ) -> "wire.Receipt":
        """Return the verdicts on a request, of which nothing is kept yet."""
        return judge(
            source,
            dialect=address.dialect,
            route=address.route,
            body=body,
            received_time=self._clock(),
            catalogue=self._policies.catalogue,
            gate=self._policies.gate,
            sampling_key=self._policies.sampling_key,
            whence=self._whence(source, address, scope),
            suppressed=self._policies.suppressed,
        )

    def rows_of(self, receipt: "wire.Receipt") -> "list[NewRow]":
        """Return what is to be kept of a request, with the trace that its sender named."""
        trace = current.get()
        if trace is None or not trace.given:
            return [*receipt.rows]
        return [replace(row, trace=trace.id) for row in receipt.rows]

    def taken(self, key: str, receipt: "wire.Receipt") -> None:
        """Count what was taken in, once it is durable."""
        for row in receipt.rows:
            self.pressure.spend(key, len(row.verdicts) or receipt.held_events)
        self.meter.judged(receipt)

    def _whence(self, source: "Source", address: "wire.Address", scope: Scope) -> "wire.Whence":
        return self._policies.countries.whence(
            source,
            scope["headers"],
            client=_client(scope),
            beside=said_beside(scope, address),
        )

    def source_of(self, scope: Scope, body: bytes, address: "wire.Address") -> "Source":
        """Return the source whose key a request carries: Basic first, then body and address."""
        basic = basic_key(scope)
        source = self._policies.source(basic) if basic else None
        if source is None:
            written = wire.write_key_in(body, address) or query(scope).get(address.key_name, "")
            source = self._policies.source(written) if written else None
        if source is None:
            message = "The write key is not known." if basic else "There is no known write key."
            raise NotSignedIn(message, "Send the key of a source; see `onefold source list`.")
        return source

    async def _settings(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Tell the browser SDK where to send; it does not start without."""
        if scope["method"] == "OPTIONS":
            await answer_bytes(send, 204, b"", preflight(scope))
            return
        key = scope["path"].removeprefix(_SETTINGS).removesuffix("/settings")
        if self._policies.source(key) is None:
            raise NotFound("The write key is not known.", "See `onefold source list`.")
        host = header(scope, b"host").decode("latin-1")
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
        await answer(send, 200, told, cors(scope))

    async def _pixel(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Take one event in the address of an image."""
        kind = scope["path"].removeprefix(_PIXEL).rstrip("/")
        if kind not in _KINDS:
            raise NotFound(f"No pixel `{kind[:40]}`.", f"Use one of: {', '.join(sorted(_KINDS))}.")
        body = from_base64(query(scope).get("data", ""))
        if len(body) > wire.LARGEST_REQUEST:
            raise TooLarge("The pixel's data is too large.", "Send it with POST.")
        with self.pressure.room(len(body)):
            address = wire.Address("segment", kind)
            await self._take(self.source_of(scope, body, address), address, body, scope)
        await answer_image(send, cors(scope))


async def _be_courteous(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what an SDK asks beside sending."""
    if scope["method"] == "OPTIONS":
        await answer_bytes(send, 204, b"", preflight(scope))
        return
    await Body(scope, receive).drain()
    found = courtesy_of(scope["path"], query(scope).get("v", ""))
    kind, told = found or (b"application/json", b"{}")
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), *cors(scope)]
    await answer_bytes(send, 200, told, headers)


async def _alive(_scope: Scope, _receive: Receive, send: Send) -> None:
    await answer(send, 200, {"live": True})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _size(scope: Scope, most: int) -> int:
    """Return how many bytes a request may come to."""
    given = header(scope, b"content-length")
    size = int(given) if given.isdigit() else min(most, wire.LARGEST_REQUEST)
    if size > most:
        message = f"The request has {size:,} bytes; at most {most:,} are taken."
        raise TooLarge(message, "Send fewer events a request.")
    return size
