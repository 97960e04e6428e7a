"""Bodies of requests: read up to a limit, or let go of in time to be answered."""

import asyncio
from contextlib import suppress

from onefold.model.errors import BadInput, TooLarge
from onefold.web.passing import Receive, Scope

MOST_DRAINED = 16 * 1024 * 1024
"""Bytes of a refused body that are read and forgotten, so that its sender reads the answer."""

_DRAIN_SECONDS = 10.0


class Body:
    """The body of one request, which comes in pieces."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._more = True

    async def read(self, most: int) -> bytes:
        """Return the whole body.

        Raises:
            TooLarge: It grew over `most` bytes; the rest has not been read.
            BadInput: The sender left before it was whole.
        """
        pieces: list[bytes] = []
        size = 0
        while self._more:
            piece = await self._piece()
            size += len(piece)
            if size > most:
                message = f"The request has more than {most:,} bytes."
                raise TooLarge(message, "Send fewer events a request.")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def drain(self) -> None:
        """Read what is left and forget it, up to a bound of bytes and of time.

        A connection that is closed while its sender still writes is reset, and the sender then
        never reads why. One that waits for leave to send (`Expect: 100-continue`) has sent nothing.
        """
        if any(name == b"expect" for name, _ in self._scope["headers"]):
            return
        left = MOST_DRAINED
        with suppress(TimeoutError, BadInput):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self._more and left > 0:
                    left -= len(await self._piece())

    async def _piece(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._more = False
            raise BadInput("The sender left before the body was whole.", "Send it again.")
        self._more = message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece
