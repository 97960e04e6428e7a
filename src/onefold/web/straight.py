"""The straight way of a small request: from the socket to the log's writer without a task.

Most requests of SDKs are small and plain: a POST to an address of Segment's whose body has a
length. For these the server's protocol judges the body as soon as it is whole, hands the row to
the log's writer, and writes the answer when the writer says that it is on the disk. Everything
else (other methods and addresses, pieces without a length, `Expect`, a request behind another one
that is not answered yet) goes the common way through ASGI. What is taken, what is refused and what
is answered is the same, since both ways ask the same door.
"""

import logging
from typing import TYPE_CHECKING, Any, cast

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from onefold.collect import wire
from onefold.model.errors import MachineFailed, OnefoldError
from onefold.model.spans import recording
from onefold.model.traces import Trace, current, trace_of
from onefold.web.answers import JSON, cors, is_sound, refusal
from onefold.web.heard import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onefold.web.door import Door
    from onefold.web.passing import Headers, Scope

LARGEST = 65_536
"""Bytes of a body; the server holds back the sender of a larger one until it is read."""

_ADDRESSES: "Mapping[bytes, wire.Address]" = {
    f"/v1/{name}".encode(): address
    for name in ("track", "identify", "page", "screen", "group", "alias", "batch", "t", "b")
    if (address := wire.address_of(f"/v1/{name}")) is not None
}
_CROOKED = frozenset({b"expect", b"transfer-encoding", b"upgrade"})
_log = logging.getLogger("onefold.door")


class Straight(HttpToolsProtocol):
    """One connection; a subclass knows its door."""

    door: "Door"
    _one: "_One | None" = None
    """The request whose body comes, where it goes straight."""

    def on_headers_complete(self) -> None:
        """Choose the way of a request."""
        address = _ADDRESSES.get(self.url)
        self._one = one = None if address is None else self._straight(address)
        if one is None:
            super().on_headers_complete()
        else:
            # The server asks what is at work of its cycle: whether it is answered yet.
            self.cycle = cast("Any", one)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._one is None:
            super().on_body(body)
        else:
            self._one.pieces.append(body)

    def on_message_complete(self) -> None:
        """Judge a request that is whole."""
        one, self._one = self._one, None
        if one is None:
            super().on_message_complete()
        else:
            one.take()

    def _straight(self, address: wire.Address) -> "_One | None":
        """Return the request whose head has come; None where it has to go the common way."""
        cycle: Any = self.cycle
        busy = cycle is not None and not cycle.response_complete
        if busy or self.pipeline or self.flow.write_paused or recording():
            return None
        if self.parser.get_method() != b"POST" or self.parser.get_http_version() != "1.1":
            return None
        size = 0
        for name, value in self.headers:
            if name in _CROOKED or (name == b"origin" and not is_sound(value)):
                return None
            if name == b"content-length":
                if size or not value.isdigit():
                    return None
                size = int(value)
        return _One(self, address, size) if 0 < size <= LARGEST else None


class _One:
    """One request on the straight way; to the server what it calls a cycle."""

    __slots__ = (
        "_address",
        "_began",
        "_key",
        "_left",
        "_protocol",
        "_receipt",
        "_room",
        "_scope",
        "_share",
        "_trace",
        "disconnected",
        "keep_alive",
        "pieces",
        "response_complete",
    )

    def __init__(self, protocol: Straight, address: wire.Address, size: int) -> None:
        self._protocol = protocol
        self._address = address
        self._room = size
        self._share = self._left = 0
        self._key = ""
        self._receipt: wire.Receipt | None = None
        self._trace: Trace | None = None
        self._began = protocol.door.meter.ticks()
        # The server makes a new one for each request, and fills it in on the common way only.
        self._scope = scope = cast("Scope", protocol.scope)
        scope["method"] = "POST"
        scope["path"] = protocol.url.decode("ascii")
        scope["query_string"] = b""
        self.pieces: list[bytes] = []
        self.keep_alive = protocol.parser.should_keep_alive()
        self.response_complete = False
        self.disconnected = False

    @property
    def message_event(self) -> "_One":
        """What the server sets when something happens; nobody waits for it here."""
        return self

    def set(self) -> None:
        """Hear that something happened."""

    def take(self) -> None:
        """Judge the body, which is whole, and hand over what is to be kept of it."""
        self._trace = trace_of(self._scope["headers"])
        token = current.set(self._trace)
        room, self._room = self._room, 0
        try:
            self._protocol.door.pressure.enter(room)
            self._room = room
            self._judge()
        except Exception as error:  # noqa: BLE001 - told to the sender, as on the common way
            self._fail(error)
        finally:
            current.reset(token)

    def _judge(self) -> None:
        door, body = self._protocol.door, b"".join(self.pieces)
        source = door.source_of(self._scope, body, self._address)
        door.pressure.enter_share(source.name, len(body))
        self._key, self._share = source.name, len(body)
        self._receipt = receipt = door.judged(source, self._address, body, self._scope)
        rows = door.rows_of(receipt)
        self._left = len(rows)
        for row in rows:
            door.writer.put(row, self)
        if not rows:
            self._accept()

    def done(self) -> bool:
        """Return whether the request is answered, so that nobody waits for the writer."""
        return self.response_complete

    def set_result(self, _offset: int) -> None:
        """Hear that a row is on the disk."""
        self._left -= 1
        if not self._left:
            try:
                self._accept()
            except Exception as error:  # noqa: BLE001 - others wait behind this one
                self._fail(error)

    def set_exception(self, error: Exception) -> None:
        """Hear that a row is not kept."""
        self._fail(error)

    def _accept(self) -> None:
        receipt = self._receipt
        if receipt is None:
            return
        door = self._protocol.door
        door.taken(self._key, receipt)
        headers = [JSON, *cors(self._scope)]
        self._answer(200, headers, msgspec.json.encode(receipt.answer()))

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, OnefoldError):
            # The text of an exception may quote a value of somebody: the log leaves it out.
            _log.error("A request failed.", exc_info=error)
            error = MachineFailed("The door failed; nothing was taken in.", "Send it again.")
        self._answer(*refusal(self._scope, error))

    def _answer(self, status: int, headers: "Headers", body: bytes) -> None:
        """Write the answer, and let go of what was held for the request."""
        protocol, trace = self._protocol, self._trace
        pressure = protocol.door.pressure
        pressure.leave(self._room)
        pressure.leave_share(self._key, self._share)
        self.response_complete = True
        if trace is not None:
            headers.append((b"traceresponse", trace.header))
            seconds = protocol.door.meter.ticks() - self._began
            count(protocol.door.meter, self._scope, status, seconds, trace)
        if not protocol.transport.is_closing():
            out = [STATUS_LINE[status]]
            for name, value in (*protocol.server_state.default_headers, *headers):
                out += (name, b": ", value, b"\r\n")
            if not self.keep_alive:
                out.append(b"connection: close\r\n")
            out += (b"content-length: ", str(len(body)).encode(), b"\r\n\r\n", body)
            protocol.transport.write(b"".join(out))
            if not self.keep_alive:
                protocol.transport.close()
        protocol.on_response_complete()


def straight_to(door: "Door") -> type[Straight]:
    """Return the protocol of a door's connections."""
    return type("StraightToDoor", (Straight,), {"door": door})
