"""The audit of instrumentation over five million events, beside one plain look at all of them.

`python bench/audit.py [events]` sends events of 30 names over 56 days into a workspace, with some
planted defects, and times `onefold audit-instrumentation`. The peer is a single question that reads
the name, the day and the properties of every event once.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from figures import Figure, quantile, report
from onefold.collect import receive, sources
from onefold.model.records import OWNER, Question
from onefold.model.time import DAY, format_time, now
from onefold.runtime import Workspace, create_workspace
from onefold.runtime.auditing import instrumentation

BATCH = 500
NAMES = [f"event_{n:02d}" for n in range(30)]
DAYS = 56
PEOPLE = 50_000


def main() -> None:
    """Build the world, audit it, report."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 5_000_000
    with tempfile.TemporaryDirectory() as folder:
        workspace = _world(Path(folder) / "w", events)
        view = workspace.view(Question(OWNER))
        found = instrumentation(workspace, view)
        audits = [_seconds(lambda: instrumentation(workspace, view)) for _ in range(3)]
        looks = [_seconds(lambda: _look(view)) for _ in range(3)]
        workspace.close()
    figures = [
        Figure(
            f"audit of {events:,} events",
            quantile(audits, 0.5),
            "s",
            bar=30.0,
            peer=quantile(looks, 0.5),
            peer_name="one look at every event",
        ),
        Figure("findings", len(found.findings), "", bar=1, more_is_better=True),
    ]
    report("audit", figures)


def _seconds(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began


def _look(view: object) -> None:
    events = view.events  # type: ignore[attr-defined]
    day = events.received_time.truncate("D")
    asked = events.group_by(events.event, day=day).aggregate(
        events=events.count(), size=events.properties.length().sum()
    )
    view.ask(asked)  # type: ignore[attr-defined]


def _world(folder: Path, events: int) -> Workspace:
    """Return a workspace that holds the events; one property changes its type half-way."""
    create_workspace(folder, basis="contract")
    (folder / "definitions" / "events" / "event_00.yaml").write_text(
        "event: event_00\nowner: Bench\nproperties:\n  n: {type: integer}\n"
    )
    (folder / "definitions" / "events" / "gone.yaml").write_text("event: gone\nowner: Bench\n")
    workspace = Workspace(folder)
    workspace.apply_definitions()
    source = sources.list_sources(workspace.state)[0]
    catalogue, rng, end = workspace.catalogue(), random.Random(7), now()
    for start in range(0, events, BATCH):
        moment = end - DAYS * DAY + int(start / events * DAYS * DAY)
        batch = [_event(rng, start + n, moment) for n in range(min(BATCH, events - start))]
        receipt = receive(
            source,
            dialect="segment",
            route="batch",
            body=msgspec.json.encode({"batch": batch}),
            received_time=moment,
            catalogue=catalogue,
        )
        if receipt.row is not None:
            workspace.log.append([receipt.row])
        if start % (BATCH * 1000) == 0:
            print(f"\rsent {start:,}", end="", file=sys.stderr)
    workspace.catch_up(
        lambda what, done, of: print(f"\r{what} {done:,}/{of:,}", end="", file=sys.stderr)
    )
    print(file=sys.stderr)
    return workspace


def _event(rng: random.Random, number: int, moment: int) -> dict[str, object]:
    late = number % 2
    properties = {"n": number % 50, "surface": rng.choice(("home", "search")), "late": bool(late)}
    return {
        "type": "track",
        "event": NAMES[int(rng.random() ** 2 * len(NAMES))],
        "messageId": f"m{number}",
        "userId": f"u{rng.randrange(PEOPLE)}",
        "timestamp": format_time(moment),
        "properties": properties,
    }


if __name__ == "__main__":
    main()
