"""How many events a second are taken: decoded, judged against their schemas, and on the disk.

The peer is a bare collector, which decodes, appends and syncs and looks at nothing. Both commit
as many requests at once. Over HTTP the sender runs on the same machine and takes its share.
"""

import argparse
import gc
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

from figures import Figure, report
from onefold.collect import Source, make_catalogue, receive
from onefold.store.log_sqlite import SqliteLog
from sender import Plan, begin, body, finish
from serving import Server, Workspace

BATCH = 100
GROUP = 64
EVENTS = 640_000
ROUNDS = 5
SCHEMA = """
event: pin_opened
version: 1
owner: Discovery
description: A person opened a pin.
kind: action
discovery: true
purpose: analytics
properties:
  item_id: {type: string, required: true, description: The pin.}
  creator_id: {type: string, required: true, description: Who made it.}
  surface:
    type: string
    required: true
    enum: [home_feed, search_results, related_pins, board_suggestions]
    description: Where it happened.
  query: {type: string, required: false, description: What was asked for.}
examples:
  - {item_id: i1, creator_id: c1, surface: home_feed}
"""


class Speed(NamedTuple):
    """Events a second: by the clock on the wall, and by processor time alone."""

    wall: float
    cpu: float


class Clocks(NamedTuple):
    """Both clocks at one moment."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Self:
        """Read them."""
        return cls(time.perf_counter(), time.process_time())

    def speed(self, events: int) -> Speed:
        """Return the speed since then."""
        now = Clocks.now()
        return Speed(events / (now.wall - self.wall), events / (now.cpu - self.cpu))


def requests() -> list[bytes]:
    """Return the bodies of a run, made before the clock starts."""
    plan = Plan(0, "", 0, batch=BATCH)
    return [body(plan, first) for first in range(0, EVENTS // ROUNDS, BATCH)]


def judged(folder: Path, bodies: list[bytes]) -> Speed:
    """Return the speed through Onefold's own intake and log, in one thread."""
    source = Source("app", "key", basis="contract")
    catalogue = make_catalogue([("pin_opened.yaml", SCHEMA)])
    log = SqliteLog(folder / "log.sqlite")
    accepted = 0
    start = Clocks.now()
    for first in range(0, len(bodies), GROUP):
        now = time.time_ns() // 1000
        receipts = [
            receive(
                source,
                dialect="segment",
                route="batch",
                body=sent,
                received_time=now,
                catalogue=catalogue,
            )
            for sent in bodies[first : first + GROUP]
        ]
        log.append([receipt.row for receipt in receipts if receipt.row])
        accepted += sum(receipt.accepted for receipt in receipts)
    speed = start.speed(len(bodies) * BATCH)
    log.close()
    assert accepted == len(bodies) * BATCH
    return speed


def bare(folder: Path, bodies: list[bytes]) -> Speed:
    """Return the speed where nothing is looked at."""
    decode = msgspec.json.Decoder().decode
    events = 0
    start = Clocks.now()
    with (folder / "bare.log").open("ab", buffering=0) as log:
        for first in range(0, len(bodies), GROUP):
            group = bodies[first : first + GROUP]
            events += sum(len(decode(sent)["batch"]) for sent in group)
            log.write(b"\n".join(group))
            os.fsync(log.fileno())
    return start.speed(events)


def one_core() -> tuple[Speed, Speed]:
    """Return the best of a few rounds of each, taken in turn."""
    bodies = requests()
    ours, theirs = [], []
    gc.disable()
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            theirs.append(bare(Path(folder), bodies))
            ours.append(judged(Path(folder), bodies))
    gc.enable()
    return best(ours), best(theirs)


def best(speeds: list[Speed]) -> Speed:
    """Return the best by either clock."""
    return Speed(max(one.wall for one in speeds), max(one.cpu for one in speeds))


def over_http(seconds: float) -> list[Figure]:
    """Return what one server takes through its door: batches, then single events."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.make(Path(folder) / "kept")
        with Server(workspace) as server:

            def run(name: str, batch: int, *, rate: float = 0, connections: int = 32) -> Plan:
                return Plan(
                    server.port,
                    workspace.write_key,
                    seconds,
                    batch=batch,
                    rate=rate,
                    run=name,
                    connections=connections,
                )

            finish(begin(run("warm", BATCH, rate=5000)))
            batches = finish(begin(run("batches", BATCH, connections=16)))
            server.wait_folded()
            most = finish(begin(run("singles", 1, connections=64)))
            server.wait_folded()
            steady = finish(begin(run("steady", 1, rate=5000, connections=64)))
            server.wait_folded()
    refused = batches.refused + most.refused + steady.refused
    return [
        Figure("batches of 100 over HTTP", batches.events / batches.seconds, "events/s"),
        Figure("single events over HTTP, most", most.events / most.seconds, "req/s", 5000, True),
        Figure("single events at 5,000/s, taken", steady.events / steady.seconds, "req/s"),
        Figure("single events at 5,000/s, p50", steady.p50_ms, "ms"),
        Figure("single events at 5,000/s, p99", steady.p99_ms, "ms", 25),
        Figure("requests refused", refused, "requests", 0),
    ]


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    ours, theirs = one_core()
    report(
        "intake",
        [
            Figure(
                "durable, judged, batches of 100, one core",
                ours.wall,
                "events/s",
                100_000,
                more_is_better=True,
                peer=theirs.wall,
                peer_name="a bare collector (bar: at least 0.25)",
            ),
            Figure(
                "the same by processor time alone",
                ours.cpu,
                "events/s",
                peer=theirs.cpu,
                peer_name="a bare collector",
            ),
            *over_http(wanted.seconds),
        ],
    )


if __name__ == "__main__":
    main()
