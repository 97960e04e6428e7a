"""Whether a server that runs for long stays as it was: memory flat, lag flat.

Ten minutes at half of what it takes at most. `--seconds N` and `--rate EVENTS_A_SECOND` change
the load; without a rate it is measured first. The peer of the last third is the second: the first
fills what is kept at hand.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from figures import Figure, quantile, report
from freshness import Watch
from sender import Plan, begin, finish
from serving import Server, Workspace, memory

BATCH = 100
CONNECTIONS = 16
EVERY_SECONDS = 0.5


@dataclass
class Memory:
    """Resident bytes of door and house over time, and the ids that the workspace knows."""

    server: Server
    times: list[float] = field(default_factory=list)
    door: list[int] = field(default_factory=list)
    house: list[int] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Look twice a second until told to end."""
        while not self.end.wait(EVERY_SECONDS):
            house = sum(memory(pid) for pid in self.server.houses)
            self.times.append(time.perf_counter())
            self.door.append(memory(self.server.door))
            self.house.append(house)


def most(server: Server, seconds: float) -> float:
    """Return how many events a second the server takes and folds, measured over a while."""
    plan = Plan(
        server.port,
        server.workspace.write_key,
        seconds,
        batch=BATCH,
        connections=CONNECTIONS,
        run="most",
    )
    began = time.perf_counter()
    seen = finish(begin(plan))
    server.wait_folded()
    return seen.events / (time.perf_counter() - began)


def third(values: Sequence[float], number: int) -> Sequence[float]:
    """Return one third of values in order of time: 0, 1 or 2."""
    size = len(values) // 3
    return values[number * size : (number + 1) * size]


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.make(Path(folder) / "kept")
        with Server(workspace) as server:
            rate = wanted.rate or most(server, 20) / 2
            plan = Plan(
                server.port,
                workspace.write_key,
                wanted.seconds,
                batch=BATCH,
                connections=CONNECTIONS,
                rate=rate,
                run="steady",
            )
            looks, watch = Memory(server), Watch(server.url)
            threads = [threading.Thread(target=one.run) for one in (looks, watch)]
            for thread in threads:
                thread.start()
            seen = finish(begin(plan))
            server.wait_folded()
            for one in (looks, watch):
                one.end.set()
            for thread in threads:
                thread.join()
    report("steady", figures(rate, seen.refused, looks, watch))


def figures(rate: float, refused: int, looks: Memory, watch: Watch) -> list[Figure]:
    """Return what the looks and the watch saw."""
    delays = watch.delays()
    middle, last = third(delays, 1), third(delays, 2)
    door = [statistics.median(third(looks.door, n)) / 1e6 for n in (1, 2)]
    house = [statistics.median(third(looks.house, n)) / 1e6 for n in (1, 2)]
    lag = [quantile(some, 0.99) for some in (middle, last)]
    second = "the second third (bar: at most 1.1)"
    return [
        Figure("events a second, half of the most", rate, "events/s"),
        Figure("requests refused", refused, "requests", 0),
        Figure("door, resident, last third", door[1], "MB", 1.1 * door[0], False, door[0], second),
        Figure(
            "house, resident, last third", house[1], "MB", 1.1 * house[0], False, house[0], second
        ),
        Figure("event to queryable, p50", quantile(last, 0.5), "s"),
        Figure("event to queryable, p99, last third", lag[1], "s", 1, False, lag[0], second),
        Figure(
            "most ever resident, both",
            max(map(sum, zip(looks.door, looks.house, strict=False))) / 1e6,
            "MB",
        ),
    ]


if __name__ == "__main__":
    main()
