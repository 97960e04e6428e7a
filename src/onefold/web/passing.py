"""Pass a request on to the house and its answer back, piece by piece as they come.

HTTP/1.1 over the house's unix socket, one connection a request; so a page's live stream flows
at once, and the door needs no knowledge of what it carries.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import h11

from onefold.model.errors import BadInput, Busy
from onefold.model.sockets import short_path

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_PIECE = 65_536
_OF_ONE_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade x-forwarded-for x-forwarded-proto x-forwarded-host".split()
)
"""Headers that end here: those of one connection, and those that only a proxy may say."""


async def pass_on(scope: Scope, receive: Receive, send: Send, house: Path) -> None:
    """Send a request to the house and its answer to the client.

    Raises:
        Busy: The house does not answer; nothing was sent to the client yet.
        BadInput: Its head is none that HTTP/1.1 allows.
    """
    upstream = h11.Connection(h11.CLIENT, max_incomplete_event_size=_PIECE)
    try:
        head = upstream.send(_request(scope)) or b""
    except h11.LocalProtocolError as error:
        raise BadInput(f"The request cannot be passed on: {error}.", "Mend its head.") from error
    try:
        with short_path(house) as path:
            reader, writer = await asyncio.open_unix_connection(path)
    except OSError as error:
        raise Busy("The house is starting.", "Try again in a second.") from error
    pump = asyncio.create_task(_pump(receive, upstream, writer, head))
    try:
        await _answer(send, upstream, reader)
    finally:
        pump.cancel()
        with suppress(asyncio.CancelledError, OSError, h11.LocalProtocolError):
            await pump
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _request(scope: Scope) -> h11.Request:
    target = scope["raw_path"] or b"/"
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    return h11.Request(method=scope["method"], target=target, headers=_onward(scope))


async def _pump(
    receive: Receive, upstream: h11.Connection, writer: asyncio.StreamWriter, head: bytes
) -> None:
    """Write the request; when the client goes, or it breaks, take the connection down.

    The head goes out with the first of the body: the house may answer a head alone and hang up,
    and a write after that would lose its answer.
    """
    out = head
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if body := message.get("body", b""):
                out += upstream.send(h11.Data(data=body)) or b""
            if not message.get("more_body", False) and upstream.our_state is h11.SEND_BODY:
                out += upstream.send(h11.EndOfMessage()) or b""
            if out:
                writer.write(out)
                out = b""
            with suppress(ConnectionError):
                await writer.drain()
    finally:
        # So the answer's side hears an end too, and waits for nothing.
        writer.close()


def _onward(scope: Scope) -> Headers:
    """Return the client's headers as the house should see them."""
    headers = [(name, value) for name, value in scope["headers"] if name not in _OF_ONE_HOP]
    names = {name for name, _ in headers}
    if b"content-length" not in names and scope["method"] not in {"GET", "HEAD", "OPTIONS"}:
        headers.append((b"transfer-encoding", b"chunked"))
    if b"host" not in names:
        headers.append((b"host", b"localhost"))
    client = scope.get("client")
    if client:
        headers.append((b"x-forwarded-for", str(client[0]).encode()))
    headers.append((b"x-forwarded-proto", scope["scheme"].encode()))
    headers.append((b"connection", b"close"))
    return headers


async def _answer(send: Send, upstream: h11.Connection, reader: asyncio.StreamReader) -> None:
    """Send the client what the house answers."""
    started = False
    while True:
        try:
            event = upstream.next_event()
            if event is h11.NEED_DATA:
                upstream.receive_data(await reader.read(_PIECE))
                continue
        except (h11.RemoteProtocolError, OSError) as error:
            if not started:
                raise Busy("The house ended before it answered.", "Try again.") from error
            # What was promised cannot come any more; the server closes the connection.
            return
        if isinstance(event, h11.Response):
            headers = [pair for pair in event.headers if pair[0] not in _OF_ONE_HOP]
            started = True
            await send(
                {"type": "http.response.start", "status": event.status_code, "headers": headers}
            )
        elif isinstance(event, h11.Data):
            await send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
        elif isinstance(event, h11.EndOfMessage):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        elif not isinstance(event, h11.InformationalResponse):
            return


async def fetch(house: Path, path: str) -> bytes:
    """Return the body of what the house answers at a path.

    Raises:
        Busy: The house does not answer, or with an error.
    """
    pieces: list[bytes] = []
    status = 0

    async def take(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        pieces.append(message.get("body", b""))

    async def nothing() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: Scope = {
        "method": "GET",
        "scheme": "http",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await pass_on(scope, _once(nothing), take, house)
    if status != 200:
        raise Busy(f"The house answers {status}.", "Try again in a second.")
    return b"".join(pieces)


def _once(receive: Receive) -> Receive:
    """Return a way to receive that gives one message, then waits for ever."""
    given = False

    async def once() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            await asyncio.Event().wait()
        given = True
        return await receive()

    return once
