"""What the death of a process costs, at any moment of a load: nothing.

Door, house or both are ended with SIGKILL, also while the folds lag; then all that was ever
attempted is sent again. `--rounds N` and `--seed S` change how often and when. The limit is
arithmetic: each event once.
"""

import argparse
import os
import random
import shutil
import signal
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import httpx

from figures import Figure, report
from load import Load
from serving import Server, Workspace

TARGETS = ("door", "house", "both", "lagging house", "lagging both")
STEADY = ("events", "sessions", "identifiers", "edges", "memberships", "persons")
"""Tables that say what happened, not how often it was sent."""


@dataclass(frozen=True)
class Deaths:
    """What came of some rounds.

    Attributes:
        acknowledged: Events whose sender heard a 200.
        attempted: Events that were ever sent.
        lost: Acknowledged events that are not in the facts.
        twice: Events that are in the facts more than once.
        refused: Answers other than 200 while only the house was dead.
        unlike: Tables that differ from a workspace in which nobody died.
    """

    acknowledged: int
    attempted: int
    lost: int
    twice: int
    refused: int
    unlike: tuple[str, ...]


def rounds_of_death(folder: Path, *, rounds: int, seed: int) -> Deaths:
    """Return what some rounds of load and death in a folder came to."""
    rng = random.Random(seed)
    struck = Workspace.make(folder / "struck")
    load = Load(seed, struck.write_key)
    server = Server(struck)
    refused = 0
    with server:
        for turn in range(rounds):
            if rng.random() < 0.5:
                server.wait_ready()
            target = TARGETS[turn % len(TARGETS)]
            heard = len(load.answers)
            load.start(server.url)
            try:
                strike(server, target, rng)
            finally:
                load.end()
            if target.endswith("house"):
                refused += sum(one != httpx.codes.OK for one in load.answers[heard:])
        server.wait_ready()
        server.wait_folded()
    before = kept_numbers(struck, folder / "before")
    acknowledged = {int(name[2:]) for name in load.acknowledged}
    everything = list(load.attempted.values())
    rng.shuffle(everything)
    with server:
        send_all(server, everything)
        server.wait_folded()
        after = struck.checksums()
    clean = Workspace.make(folder / "clean")
    with Server(clean) as once:
        send_all(once, list(load.attempted.values()))
        once.wait_folded()
        expected = clean.checksums()
    return Deaths(
        acknowledged=len(acknowledged),
        attempted=len(load.attempted),
        lost=len(acknowledged - set(before)),
        twice=len(before) - len(set(before)),
        refused=refused,
        unlike=tuple(name for name in STEADY if after.get(name) != expected.get(name)),
    )


def strike(server: Server, target: str, rng: random.Random) -> None:
    """Let a load run for a moment, then end who is named; the door is started again."""
    moment = threading.Event()
    moment.wait(rng.uniform(0.05, 0.5))
    if target.startswith("lagging"):
        for house in server.houses:
            os.kill(house, signal.SIGSTOP)
        moment.wait(rng.uniform(0.2, 0.6))
    door = target.endswith(("door", "both"))
    server.kill(door=door, house=not target.endswith("door"))
    moment.wait(rng.uniform(0.0, 0.3))
    if door:
        server.start()
        server.wait_live()
    moment.wait(rng.uniform(0.0, 0.3))


def kept_numbers(workspace: Workspace, copy: Path) -> list[int]:
    """Return the number each event carries, read from a copy of the facts with no server."""
    shutil.copytree(workspace.folder / "facts", copy, symlinks=True)
    with duckdb.connect(str(copy / "current" / "facts.duckdb")) as facts:
        rows = facts.sql("select cast(properties->>'number' as bigint) from events").fetchall()
    return [row[0] for row in rows]


def send_all(server: Server, events: list[dict[str, Any]]) -> None:
    """Send events in batches, all of which are to be taken."""
    for first in range(0, len(events), 500):
        answer = server.send(events[first : first + 500])
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(answer.text)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        came = rounds_of_death(Path(folder), rounds=wanted.rounds, seed=wanted.seed)
    report(
        "kill",
        [
            Figure("deaths under load", wanted.rounds, "deaths"),
            Figure("events acknowledged meanwhile", came.acknowledged, "events"),
            Figure("acknowledged and lost", came.lost, "events", 0),
            Figure("counted twice", came.twice, "events", 0),
            Figure("refused while the house was dead", came.refused, "requests", 0),
            Figure("tables unlike those of a quiet life", len(came.unlike), "tables", 0),
        ],
    )


if __name__ == "__main__":
    main()
