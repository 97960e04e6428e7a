"""Nothing acknowledged is lost and nothing is counted twice, whoever dies and whenever.

The processes are ended with SIGKILL at moments of a load that a seed draws; a house that is
stopped for a while before lets the folds lag. Then all that was ever attempted is sent again.
"""

import os
import random
import shutil
import signal
import threading
from pathlib import Path

import duckdb
import httpx
import pytest

from faults.load import Load
from serving import Server, Workspace, until

TARGETS = ("door", "house", "both", "lagging house", "lagging both")
STEADY = {"events", "sessions", "identifiers", "edges", "memberships", "persons"}
"""Tables that say what happened, not how often it was sent."""


def kept_numbers(workspace: Workspace, copy: Path) -> list[int]:
    """Return the number each event carries, read from a copy of the facts with no server."""
    shutil.copytree(workspace.folder / "facts", copy, symlinks=True)
    with duckdb.connect(str(copy / "current" / "facts.duckdb")) as facts:
        rows = facts.sql("select cast(properties->>'number' as bigint) from events").fetchall()
    return [row[0] for row in rows]


def strike(server: Server, target: str, load: Load, rng: random.Random) -> None:
    """Let the load run for a moment, then end who is named; the door is started again."""
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


def rounds_of_death(tmp_path: Path, *, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    struck = Workspace.make(tmp_path / "struck")
    load = Load(seed, struck.write_key)
    server = Server(struck)
    with server:
        for turn in range(rounds):
            if rng.random() < 0.5:
                server.wait_ready()
            load.start(server.url)
            try:
                strike(server, TARGETS[turn % len(TARGETS)], load, rng)
            finally:
                load.end()
        server.wait_ready()
        server.wait_folded()
    before = kept_numbers(struck, tmp_path / "before")
    acknowledged = {int(name[2:]) for name in load.acknowledged}
    assert acknowledged, "the load was never answered"
    assert acknowledged <= set(before), "an acknowledged event is lost"
    assert len(before) == len(set(before)), "an event is counted twice"

    everything = list(load.attempted.values())
    rng.shuffle(everything)
    with server:
        send_all(server, everything)
        server.wait_folded()
        after = struck.checksums()
    clean = Workspace.make(tmp_path / "clean")
    with Server(clean) as once:
        send_all(once, list(load.attempted.values()))
        once.wait_folded()
        expected = clean.checksums()
    assert after["events"][0] == len(load.attempted)
    assert set(expected) >= STEADY - {"persons"}
    same = STEADY & set(expected)
    assert {table: after[table] for table in same} == {table: expected[table] for table in same}


def send_all(server: Server, events: list[dict[str, object]]) -> None:
    for first in range(0, len(events), 500):
        answer = server.send(events[first : first + 500])
        assert answer.status_code == httpx.codes.OK, answer.text


@pytest.mark.timeout(900)
def test_each_event_counts_once_after_six_deaths(tmp_path):
    rounds_of_death(tmp_path, rounds=6, seed=11)
    assert (tmp_path / "struck").is_dir()


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_each_event_counts_once_after_twenty_five_deaths(tmp_path):
    rounds_of_death(tmp_path, rounds=25, seed=12)
    assert (tmp_path / "struck").is_dir()


@pytest.mark.timeout(600)
def test_the_death_of_the_house_refuses_no_request(tmp_path):
    workspace = Workspace.make(tmp_path / "kept")
    with Server(workspace) as server:
        load = Load(3, workspace.write_key)
        load.start(server.url)
        try:
            for _ in range(2):
                (house,) = server.houses
                server.kill(door=False)
                until(lambda old=house: server.houses not in ([], [old]), seconds=20)
                server.wait_ready()
        finally:
            load.end()
        assert len(load.answers) > 20
        assert set(load.answers) == {httpx.codes.OK}
        server.wait_folded()
        assert workspace.checksums()["events"][0] == len(load.attempted)
