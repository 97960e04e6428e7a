"""How fast the facts are built anew from the log.

`--events N` changes how many. The peer is what the log costs by itself: its rows read and their
JSON decoded, nothing else, in the same run.
"""

import argparse
import tempfile
import time
from pathlib import Path

import msgspec

from figures import Figure, report
from intake import SCHEMA
from onefold.collect import make_catalogue, receive, sources
from onefold.runtime import Workspace, create_workspace, rebuild
from onefold.store import Log
from sender import Plan, body

BATCH = 100
AT_ONCE = 64
APART = 50_000
"""Microseconds between requests."""


def fill(workspace: Workspace, events: int) -> None:
    """Put events into the log as intake does, batch by batch."""
    source = sources.list_sources(workspace.state)[0]
    catalogue = make_catalogue([("pin_opened.yaml", SCHEMA)])
    plan = Plan(0, "", 0, batch=BATCH)
    now = time.time_ns() // 1000 - events // BATCH * APART
    for first in range(0, events, BATCH * AT_ONCE):
        rows = []
        for at in range(first, min(first + BATCH * AT_ONCE, events), BATCH):
            now += APART
            receipt = receive(
                source,
                dialect="segment",
                route="batch",
                body=body(plan, at),
                received_time=now,
                catalogue=catalogue,
            )
            rows += [receipt.row] if receipt.row else []
        workspace.log.append(rows)


def read_through(log: Log) -> float:
    """Return the seconds it takes to read the log and decode its bodies."""
    decode = msgspec.json.Decoder().decode
    began, after = time.perf_counter(), 0
    while rows := log.read(after):
        for row in rows:
            decode(row.body)
        after = rows[-1].offset
    return time.perf_counter() - began


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        create_workspace(Path(folder) / "kept", basis="contract")
        workspace = Workspace(Path(folder) / "kept")
        (workspace.definitions / "events" / "pin_opened.yaml").write_text(SCHEMA)
        workspace.apply_definitions()
        fill(workspace, wanted.events)
        read = read_through(workspace.log)
        began = time.perf_counter()
        rebuild(workspace)
        seconds = time.perf_counter() - began
        workspace.close()
    report(
        "rebuild",
        [
            Figure(
                "facts built anew",
                wanted.events / seconds,
                "events/s",
                100_000,
                more_is_better=True,
                peer=wanted.events / read,
                peer_name="the log read and decoded",
            )
        ],
    )


if __name__ == "__main__":
    main()
