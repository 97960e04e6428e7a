"""One request of the door from its head to its answer: its trace, its seconds, its line."""

import logging

from onefold.model.traces import Trace, current, trace_of
from onefold.web.meter import Meter
from onefold.web.passing import Scope, Send

_log = logging.getLogger("onefold.door")
_KNOWN = """
v0 v1 v2 e i b t g s p a track identify page screen group alias batch import merge capture engage
flags decide array config projects pixel beacon health live ready metrics
com.snowplowanalytics.snowplow tp2
"""
_WORDS = frozenset(_KNOWN.split()) | {""}
"""Words of addresses that are ours or a protocol's; any other part may be a key."""
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST"})


class Heard:
    """Sends an answer on with the name of its trace, and remembers what it said."""

    def __init__(self, scope: Scope, send: Send, meter: Meter) -> None:
        """Begin: the trace that the sender named, or a new one, is current from now on."""
        self._scope = scope
        self._send = send
        self._meter = meter
        self._began = meter.ticks()
        self._status = 0
        self.trace = trace_of(scope["headers"])
        current.set(self.trace)

    async def __call__(self, message: Scope) -> None:
        """Send a piece of the answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message["headers"].append((b"traceresponse", self.trace.header))
        await self._send(message)

    def end(self) -> None:
        """Count the request, and log it where requests are logged."""
        seconds = self._meter.ticks() - self._began
        count(self._meter, self._scope, self._status, seconds, self.trace)


def count(meter: Meter, scope: Scope, status: int, seconds: float, trace: Trace) -> None:
    """Count an answered request, and log it where requests are logged."""
    path: str = scope["path"]
    # Scrapers and probes come by themselves; they say nothing about the intake.
    if not path.startswith(("/health/", "/metrics")):
        meter.answered(status, seconds)
    if _log.isEnabledFor(logging.INFO):
        told = {
            "method": _plain(scope["method"]),
            "route": route_of_door(path),
            "status": status,
            "ms": round(seconds * 1000, 2),
            "trace": trace.id,
        }
        _log.info("request", extra=told)


def route_of_door(path: str) -> str:
    """Return an address of the door without what may be a key in it.

    >>> route_of_door("/v1/projects/wk_0123456789/settings"), route_of_door("/v1/batch")
    ('/v1/projects/...', '/v1/batch')
    >>> route_of_door("/wk_0123456789/com.snowplowanalytics.snowplow/tp2")
    '/...'
    """
    parts = path.split("/")
    kept = 0
    while kept < len(parts) and parts[kept] in _WORDS:
        kept += 1
    return path if kept == len(parts) else "/".join([*parts[:kept], "..."])


def _plain(method: str) -> str:
    return method if method in _METHODS else "(other)"
