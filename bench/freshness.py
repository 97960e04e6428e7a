"""How soon an event can be asked about, while events keep coming at a steady rate.

`--seconds N` and `--rate EVENTS_A_SECOND` change the load; the bar is of 300 seconds at 50,000.
The sender runs on the same machine and takes its share of the cores.
"""

import argparse
import bisect
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from figures import Figure, quantile, report
from page import delays as page_delays
from sender import Plan, Seen, begin, finish
from serving import Server, Workspace

EVERY_SECONDS = 0.01


@dataclass
class Watch:
    """What readiness told over time: when, how far the log was, how far the facts were."""

    url: str
    times: list[float] = field(default_factory=list)
    log_offsets: list[int] = field(default_factory=list)
    facts_offsets: list[int] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Look every few milliseconds until told to end."""
        with httpx.Client(base_url=self.url, timeout=10) as client:
            while not self.end.wait(EVERY_SECONDS):
                told = client.get("/health/ready").json()
                self.times.append(time.perf_counter())
                self.log_offsets.append(told["log_offset"])
                self.facts_offsets.append(told["facts_offset"])

    def delays(self) -> list[float]:
        """Return, for each moment the log had grown, the seconds until the facts had too."""
        delays = []
        last = 0
        for place, offset in enumerate(self.log_offsets):
            if offset == last:
                continue
            last = offset
            caught_up = bisect.bisect_left(self.facts_offsets, offset, lo=place)
            if caught_up < len(self.times):
                delays.append(self.times[caught_up] - self.times[place])
        return delays


def sustain(server: Server, plan: Plan) -> tuple[Seen, list[float]]:
    """Return what the sender saw and the delays until its events could be asked about."""
    watch = Watch(server.url)
    watcher = threading.Thread(target=watch.run)
    watcher.start()
    try:
        seen = finish(begin(plan))
        server.wait_folded()
        watch.end.wait(0.2)
    finally:
        watch.end.set()
        watcher.join()
    return seen, watch.delays()


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=float, default=50_000)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.make(Path(folder) / "kept")
        with Server(workspace) as server:
            key, port = workspace.write_key, server.port
            sustain(server, Plan(port, key, 3, batch=100, rate=5_000, run="warm"))
            plan = Plan(
                port, key, wanted.seconds, batch=100, connections=16, rate=wanted.rate, run="hot"
            )
            seen, delays = sustain(server, plan)
            slow = Plan(port, key, 5, batch=1, connections=4, rate=200, run="slow")
            _, calm = sustain(server, slow)
            shown = page_delays(server)
    rate = seen.events / seen.seconds
    least = 0.95 * wanted.rate
    report(
        "freshness",
        [
            Figure("events durable and queryable", rate, "events/s", least, more_is_better=True),
            Figure("event to queryable, p50", quantile(delays, 0.5), "s"),
            Figure("event to queryable, p99", quantile(delays, 0.99), "s", 1),
            Figure("event to queryable at 200/s, p99", quantile(calm, 0.99), "s", 1),
            Figure("click to live page, p50", quantile(shown, 0.5), "s"),
            Figure("click to live page, most", max(shown), "s", 1),
            Figure("requests refused", seen.refused, "requests", 0),
        ],
    )


if __name__ == "__main__":
    main()
