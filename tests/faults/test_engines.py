"""Kafka for the log, PostgreSQL for the state: the same promises, the same checksums."""

import random

import httpx
import pytest

from kafka import Broker
from load import Load
from onefold.model.errors import Conflict
from onefold.model.records import OWNER
from onefold.runtime import Workspace as RunningWorkspace
from onefold.runtime import call, restore
from postgres import Postgres
from serving import Server, Workspace, until
from worlds import World, track


@pytest.fixture
def planes(tmp_path):
    """Return the options of a workspace whose log and state stand on servers of our own."""
    broker = Broker.start(tmp_path / "broker")
    state = Postgres.start()
    yield ("--log", f"{broker.new_url()}?partitions=3", "--state", state.new_database())
    state.stop()
    broker.stop()


def send_all(server: Server, events: list[dict[str, object]]) -> None:
    for first in range(0, len(events), 500):
        answer = server.send(events[first : first + 500])
        assert answer.status_code == httpx.codes.OK, answer.text


@pytest.mark.timeout(900)
def test_several_intakes_and_one_fold_lose_nothing_and_count_once(tmp_path, planes):
    workspace = Workspace.make(tmp_path / "kept", planes=planes)
    assert not list(workspace.folder.glob("log.sqlite*"))
    assert not list(workspace.folder.glob("state.sqlite*"))
    main, beside = Server(workspace), Server(workspace, options=("--intake",))
    loads = [Load(seed, workspace.write_key, senders=2) for seed in (1, 2)]
    for number, load in enumerate(loads):
        # Numbers of their own, so that the ids of two loads differ.
        load._next = number * 1_000_000
    with main:
        beside.start()
        beside.wait_ready()
        loads[0].start(main.url)
        loads[1].start(beside.url)
        until(lambda: all(len(load.acknowledged) > 200 for load in loads), seconds=150)
        main.kill(door=False)
        until(lambda: all(len(load.acknowledged) > 400 for load in loads), seconds=150)
        beside.kill(house=False)
        loads[1].end()
        beside.start()
        beside.wait_ready()
        loads[1].start(beside.url)
        until(lambda: len(loads[1].acknowledged) > 500, seconds=150)
        for load in loads:
            load.end()
        everything = [one for load in loads for one in load.attempted.values()]
        random.Random(3).shuffle(everything)
        send_all(beside, everything)
        beside.stop()
        main.wait_ready()
        # The log's end is what all have written: the fold has read it once nothing more comes.
        until(
            lambda: workspace.checksums()["events"][0] == len(everything),
            seconds=150,
            every=0.3,
            what=lambda: f"{workspace.checksums()} of {len(everything)}: {main.readiness()}",
        )
        found = workspace.checksums()
        rebuilt = workspace.ask("rebuild")
        assert {row[0]: (row[1], row[2]) for row in rebuilt["rows"]} == found
        assert workspace.ask("audit", "verify")["whole"] is True
    clean = Workspace.make(tmp_path / "clean")
    with Server(clean) as once:
        send_all(once, everything)
        once.wait_folded()
        expected = clean.checksums()
    same = {"events", "sessions", "identifiers", "edges", "persons"} & set(expected)
    assert {table: found[table] for table in same} == {table: expected[table] for table in same}


def test_an_export_comes_to_stand_on_other_engines_with_equal_checksums(tmp_path, planes) -> None:
    log, state = planes[1], planes[3]
    world = World(tmp_path / "w")
    try:
        world.send(*(track("seen", id=f"m{n}", user=f"u{n % 3}") for n in range(9)))
        world.fold()
        call(world.workspace, OWNER, "export", {"folder": str(tmp_path / "out")})
    finally:
        world.close()
    folder = tmp_path / "again"

    def silent(*_said: object) -> None:
        return None

    made = restore(tmp_path / "out", folder, log=log, state=state, progress=silent)
    assert made.equal
    assert not [*folder.glob("log.sqlite*"), *folder.glob("state.sqlite*")]
    opened = RunningWorkspace(folder)
    try:
        assert (opened.settings.log, opened.settings.state) == (log, state)
        assert call(opened, OWNER, "audit verify", {}).body["whole"]
    finally:
        opened.close()
    # What holds something already is never written over.
    for engine in ({"log": log}, {"state": state}):
        with pytest.raises(Conflict):
            restore(tmp_path / "out", tmp_path / "third", **engine, progress=silent)
