"""What the door has done since it started: requests, events, seconds."""

import asyncio
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.model.errors import Busy
from onefold.web.openmetrics import END, counters, gauge, histogram
from onefold.web.passing import fetch

if TYPE_CHECKING:
    from onefold.collect import wire
    from onefold.web.pressure import Pressure

METRICS = "/metrics"
"""Where a scraper asks; the house tells its part there, and the door adds its own."""

_PATIENCE_SECONDS = 2.0
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Meter:
    """Counts in memory; they begin at zero with the process."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self.ticks = ticks
        self._requests: Counter[int] = Counter()
        self._events: Counter[str] = Counter(accepted=0, quarantined=0, refused=0, unnamed=0)
        self._seconds = [0] * (len(_BOUNDS) + 1)
        self._spent = 0.0

    def answered(self, status: int, seconds: float) -> None:
        """Count one request of the intake."""
        self._requests[status] += 1
        self._seconds[bisect_left(_BOUNDS, seconds)] += 1
        self._spent += seconds

    def judged(self, receipt: "wire.Receipt") -> None:
        """Count the events of one request by their verdict."""
        self._events["accepted"] += receipt.accepted
        self._events["quarantined"] += len(receipt.quarantined)
        self._events["refused"] += len(receipt.refused)
        self._events["unnamed"] += receipt.unnamed

    def lines(self, pressure: "Pressure", waiting_bytes: int) -> list[str]:
        """Return the counts as families of OpenMetrics."""
        why = pressure.refusing()
        return [
            *counters(
                "onefold_intake_requests",
                "Requests to the intake by the status of the answer.",
                [({"status": str(status)}, n) for status, n in sorted(self._requests.items())],
            ),
            *counters(
                "onefold_intake_events",
                "Events that the intake judged.",
                [({"verdict": verdict}, n) for verdict, n in self._events.items()],
            ),
            *histogram(
                "onefold_intake_seconds",
                "From the head of a request to its answer.",
                _BOUNDS,
                self._seconds,
                self._spent,
            ),
            *gauge(
                "onefold_intake_in_flight_bytes",
                "Bytes of requests at work.",
                pressure.in_flight,
                unit="bytes",
            ),
            *gauge(
                "onefold_intake_waiting_bytes",
                "Bytes that wait to be on disk.",
                waiting_bytes,
                unit="bytes",
            ),
            *gauge("onefold_intake_refusing", "Whether nothing is taken now.", why is not None),
        ]


async def measured(house: Path, lines: list[str]) -> bytes:
    """Return what the house tells of itself, as far as it answers, and the door's lines."""
    told = b""
    try:
        told = await asyncio.wait_for(fetch(house, METRICS), _PATIENCE_SECONDS)
    except (Busy, TimeoutError):
        up = False
    else:
        up = True
    own = [*gauge("onefold_house_up", "Whether the house answers.", up), *lines]
    return told.removesuffix(END.encode()) + "\n".join(own).encode() + b"\n" + END.encode()
