"""What wraps every answer of the house: security headers, a request id, one line in the log."""

from __future__ import annotations

import logging
import secrets
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from onefold.model.errors import TooLarge
from onefold.model.spans import span
from onefold.model.traces import current, trace_of
from onefold.web.logs import route_of_path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    Failing = Callable[[Request, Exception], Awaitable[Response]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""The content security policy of every page."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

_log = logging.getLogger("onefold.web")


class Shield:
    """ASGI middleware; streams pass through it untouched."""

    def __init__(self, app: ASGIApp, *, on_failure: Failing, most_bytes: int = 64 << 20) -> None:
        """Wrap an app whose request bodies may have `most_bytes`; what breaks is answered too."""
        self._app, self._on_failure, self._most = app, on_failure, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        trace = trace_of(scope["headers"])
        current.set(trace)
        started, status, taken = perf_counter(), 0, 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise TooLarge(f"The body is over {self._most:,} bytes.", "Send it in parts.")
            return message

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["x-request-id"] = request_id
                headers["traceresponse"] = trace.header.decode()
                headers.setdefault("cache-control", cache_of(scope))
            await send(message)

        try:
            with span("page"):
                await self._app(scope, counted, with_headers)
        except Exception as error:
            if status:
                raise
            answer = await self._on_failure(Request(scope, counted), error)
            await answer(scope, counted, with_headers)
        finally:
            if _log.isEnabledFor(logging.INFO):
                told = {
                    "method": scope["method"],
                    "route": route_of(scope),
                    "status": status,
                    "ms": round((perf_counter() - started) * 1000, 1),
                    "trace": trace.id,
                    "request": request_id,
                }
                _log.info("request", extra=told)


def route_of(scope: Scope) -> str:
    """Return the address of a request as its route has it, once it was answered."""
    known = "endpoint" in scope
    return route_of_path(scope["path"], scope.get("path_params", {}), known=known)


def cache_of(scope: Scope) -> str:
    """Return how long an answer may be kept: stamped files for ever, pages not at all."""
    if not scope["path"].startswith(("/static/", "/analytics-next/")):
        return "no-store"
    stamped = b"v=" in scope.get("query_string", b"") or ".bundle." in scope["path"]
    return "public, max-age=31536000, immutable" if stamped else "no-cache"
