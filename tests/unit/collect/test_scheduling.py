"""Imports that come by themselves: when, how often after a failure, never two at once."""

import threading
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from onefold.collect.schedule import every_of
from onefold.model.errors import BadInput, Conflict
from onefold.model.records import OWNER
from onefold.model.time import DAY, HOUR, MINUTE, parse_time, to_datetime
from onefold.runtime import call, loops
from onefold.runtime.import_calls import bring_scheduled
from onefold.runtime.schedules import Stopped, alone, bring_next
from worlds import START, Clock, World

pytestmark = pytest.mark.long

MAPPING = """\
import: crm
table: accounts
file: crm.csv
every: {every}
columns: {{account_id: id, name: name}}
"""


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w", clock=Clock())
    yield found
    found.close()


def plan(world, every="1h", *, content="id,name\na1,Acme\n", name="crm"):
    folder = world.folder / "imports"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(MAPPING.format(every=every))
    if content is not None:
        (folder / "crm.csv").write_text(content)


def turn(world):
    """Let the house look once; return what it brought in."""

    def bring(file, progress):
        return bring_scheduled(world.workspace, file, progress)

    found = bring_next(world.workspace, bring)
    return found and found.name


def listed(world):
    answer = call(world.workspace, OWNER, "imports", {}).body
    names = [column["name"] for column in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]


def names(world):
    return {row["account_id"]: row["name"] for row in world.raw("accounts")}


def test_an_import_comes_at_once_and_then_every_hour(world) -> None:
    plan(world)
    assert turn(world) == "crm"
    assert names(world) == {"a1": "Acme"}
    assert turn(world) is None
    world.clock.now += HOUR - 1
    assert turn(world) is None
    (world.folder / "imports" / "crm.csv").write_text("id,name\na1,Acme Ltd\n")
    world.clock.now += 1
    assert turn(world) == "crm"
    assert names(world) == {"a1": "Acme Ltd"}
    (one,) = listed(world)
    assert (one["state"], one["every"], one["tries"]) == ("done", "1h", 0)
    assert parse_time(one["next_time"]) == world.clock.now + HOUR
    trail = call(world.workspace, OWNER, "audit show", {}).body["rows"]
    assert [row[2] for row in trail if row[3] == "import.run"] == ["schedule", "schedule"]


def test_a_clock_that_goes_on_meanwhile_delays_nothing(world, monkeypatch) -> None:
    plan(world)

    def ticking() -> int:
        world.clock.now += 1
        return world.clock.now

    monkeypatch.setattr(world.workspace, "clock", ticking)
    assert turn(world) == "crm"
    assert turn(world) is None


def test_a_restart_forgets_no_try(world) -> None:
    plan(world)
    turn(world)
    world.close()
    world.open()
    assert turn(world) is None
    assert listed(world)[0]["state"] == "done"
    world.clock.now += HOUR
    assert turn(world) == "crm"


def test_a_failure_is_told_with_its_reason_and_comes_again_later_and_later(world) -> None:
    plan(world, "1d", content="id;name\na1;Acme\n")
    waits = []
    for tries in (1, 2, 3):
        assert turn(world) == "crm"
        (one,) = listed(world)
        assert (one["state"], one["tries"]) == ("failed", tries)
        assert "has no column `id`" in one["reason"]
        waits.append((parse_time(one["next_time"]) - world.clock.now) // MINUTE)
        assert turn(world) is None
        world.clock.now = parse_time(one["next_time"])
    assert waits == [1, 2, 4]
    (world.folder / "imports" / "crm.csv").write_text("id,name\na1,Acme\n")
    assert turn(world) == "crm"
    (one,) = listed(world)
    assert (one["state"], one["tries"], one["reason"]) == ("done", 0, "")


def test_what_goes_wrong_otherwise_is_told_without_its_words(world, monkeypatch) -> None:
    plan(world)

    def broken(_file, _progress):
        raise RuntimeError("jo@example.com")

    assert bring_next(world.workspace, broken).name == "crm"
    assert listed(world)[0]["reason"] == "It broke off: RuntimeError."


def test_a_mapping_that_cannot_be_read_is_told_and_costs_the_others_nothing(world) -> None:
    plan(world)
    (world.folder / "imports" / "a.yaml").write_text("table: nothing\n")
    (world.folder / "imports" / "b.yaml").write_text(MAPPING.format(every="1h"))
    (world.folder / "imports" / "by_hand.yaml").write_text(
        MAPPING.format(every="1h").replace("every: 1h\n", "")
    )
    assert turn(world) == "crm"
    assert turn(world) is None
    rows = {row["file"]: row for row in listed(world)}
    assert set(rows) == {"imports/a.yaml", "imports/b.yaml", "imports/crm.yaml"}
    assert "cannot be `nothing`" in rows["imports/a.yaml"]["reason"]
    assert rows["imports/a.yaml"]["next_time"] is None
    assert "Another mapping is called `crm`" in rows["imports/crm.yaml"]["reason"]


def test_one_that_was_broken_off_comes_again_at_once(world) -> None:
    plan(world, "1d")

    def stopped(_file, _progress):
        raise Stopped

    with pytest.raises(Stopped):
        bring_next(world.workspace, stopped)
    world.close()
    world.open()
    assert listed(world)[0]["state"] == "broken off"
    assert turn(world) == "crm"
    assert names(world) == {"a1": "Acme"}


def test_never_two_of_an_import_at_once(world) -> None:
    plan(world)
    with alone(world.workspace, "crm"):
        assert turn(world) is None
        mapping = world.folder / "imports" / "crm.yaml"
        with pytest.raises(Conflict, match="goes on already"):
            call(world.workspace, OWNER, "import", {"mapping": str(mapping)})
    assert turn(world) == "crm"


def test_the_loop_of_the_house_brings_it_in_and_ends(world) -> None:
    plan(world)
    done = threading.Event()
    forget = world.workspace.on_commit(lambda _offset: done.set())
    loop = loops.schedule_loop(world.workspace)
    loop.start()
    assert done.wait(20)
    loop.stop()
    forget()
    assert names(world) == {"a1": "Acme"}


@pytest.mark.parametrize(
    ("text", "after", "coming"),
    [
        ("15 3 * * *", "2026-11-22T03:15:00Z", "2026-11-23T02:15:00Z"),
        ("15 3 * * *", "2026-11-22T02:14:00Z", "2026-11-22T02:15:00Z"),
        ("*/30 * * * *", "2026-11-22T10:29:59Z", "2026-11-22T10:30:00Z"),
        ("0 9-17/4 * * 1-5", "2026-11-20T16:00:00Z", "2026-11-23T08:00:00Z"),
        ("0 0 1 * *", "2026-11-22T00:00:00Z", "2026-11-30T23:00:00Z"),
        ("0 0 29 2 *", "2026-11-22T00:00:00Z", "2028-02-28T23:00:00Z"),
        ("0 0 1 * 7", "2026-11-23T00:00:00Z", "2026-11-28T23:00:00Z"),
        ("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),
        ("1h", "2026-11-22T10:29:59Z", "2026-11-22T11:29:59Z"),
        ("2 d", "2026-11-22T10:00:00Z", "2026-11-24T10:00:00Z"),
    ],
)
def test_times_that_come_in_berlin(text, after, coming) -> None:
    assert every_of(text).after(parse_time(after), "Europe/Berlin") == parse_time(coming)


@given(st.integers(START, START + 400 * DAY), st.integers(0, 59), st.integers(0, 23))
def test_a_daily_line_comes_next_where_the_calendar_says(moment, minute, hour) -> None:
    found = every_of(f"{minute} {hour} * * *").after(moment, "UTC")
    told = to_datetime(found)
    assert (told.minute, told.hour) == (minute, hour)
    assert 0 < found - moment <= DAY
    assert told > datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "often", "0h", "1y", "* * * *", "60 * * * *", "5-1 * * * *", "0 0 30 2 *", "x/2 * * * *"],
)
def test_a_schedule_that_is_none_is_refused(text) -> None:
    with pytest.raises(BadInput) as caught:
        every_of(text)
    assert "15 3 * * *" in caught.value.fix
