"""Who asked what is counted by day, and what nobody asks for is listed with its last use."""

import pytest

from onefold.model.errors import BadInput, NotAllowed
from onefold.model.records import OWNER, Asker
from onefold.model.time import DAY, day_of
from onefold.runtime import call
from onefold.runtime.using import KEPT_DAYS, uses_since
from onefold.runtime.workspace import Workspace
from onefold.store import tables
from readers import Reader
from worlds import World, track

ANA, MAX, VERA = Asker("Ana", "analyst"), Asker("Max", "marketer"), Asker("Vera", "viewer")
METRIC = """\
metric: {name}
label: {name}
description: Something.
owner: Growth
{more}kind: count
numerator:
  count: events
  events: [{event}]
"""


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    for person in range(3):
        found.send(
            *(
                track(event, id=f"{event}-{person}", user=f"u{person}")
                for event in ("pin_viewed", "pin_saved", "pin_lost")
            )
        )
    found.fold()
    found.clock.now += 2 * DAY
    yield found
    found.close()


def define(world, name, event, more=""):
    path = world.folder / "definitions" / "metrics" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(METRIC.format(name=name, event=event, more=more))


def ask(world, which, asker=OWNER, /, **params):
    return call(world.workspace, asker, which, params).body


def named(body):
    names = [column["name"] for column in body["columns"]]
    return [dict(zip(names, row, strict=True)) for row in body["rows"]]


def stale(world, **params):
    return {(row["kind"], row["name"]): row for row in named(ask(world, "stale", **params))}


def today(world):
    return day_of(world.clock(), "UTC").isoformat()


def test_what_is_asked_for_is_not_stale_and_becomes_so_again(world):
    define(world, "saves", "pin_saved")
    define(world, "lost", "pin_lost")
    before = stale(world)
    assert {("metric", "saves"), ("metric", "lost"), ("event", "pin_saved")} <= set(before)
    assert before["metric", "saves"]["why"] == "Nobody asked for it."
    ask(world, "metric", MAX, name="saves")
    day = today(world)
    found = stale(world)
    assert ("metric", "saves") not in found
    # Who asks for a metric uses the events that it reads.
    assert ("event", "pin_saved") not in found
    assert found["event", "pin_lost"]["read_by"] == "metric lost"
    world.clock.now += 40 * DAY
    assert ("metric", "saves") not in stale(world)
    later = stale(world, days=30)
    assert later["metric", "saves"]["last_use_date"] == day
    assert later["metric", "saves"]["why"] == f"Nobody asked for it since {day}."
    assert "None has come since" in later["event", "pin_saved"]["why"]


def test_what_comes_with_onefold_is_listed_only_once_it_was_used(world):
    assert not [key for key in stale(world) if key[0] in {"metric", "dashboard"}]
    ask(world, "dashboard show", name="discovery")
    world.clock.now += 100 * DAY
    found = stale(world)
    assert ("dashboard", "discovery") in found
    # Its questions were asked with it.
    assert [key for key in found if key[0] == "metric"]


def test_events_of_a_funnel_are_used_and_one_that_never_came_is_told(world):
    ask(world, "funnel", MAX, events=("pin_viewed", "pin_lost"))
    found = stale(world)
    assert ("event", "pin_viewed") not in found
    assert ("event", "pin_lost") not in found
    assert ("event", "pin_saved") in found


def test_pages_count_as_questions_and_today_as_a_use(world):
    define(world, "saves", "pin_saved")
    reader = Reader(world, "viewer")
    reader.get("/explore?metric=saves")
    assert ("metric", "saves") not in stale(world)
    reader.get("/")
    world.workspace.uses.write(world.workspace.state, now=world.clock(), every=0)
    uses = uses_since(world.workspace.state)
    assert ("today", "click_rate") in {(one.ask, one.subject) for one in uses}
    rows = named(ask(world, "usage"))
    assert [(row["role"], row["questions"], row["metrics"]) for row in rows] == [("viewer", 1, 1)]


def test_usage_tells_what_was_self_served_and_by_whom(world):
    define(world, "saves", "pin_saved")
    for asker, times in ((ANA, 1), (MAX, 2), (VERA, 1), (Asker("key:app", "owner", ("read",)), 5)):
        for _ in range(times):
            ask(world, "metric", asker, name="saves")
    with pytest.raises(BadInput):
        ask(world, "metric", MAX, name="saves", by="nonsense")
    told = ask(world, "usage", ANA)
    rows = {row["by"]: (row["self_served"], row["questions"]) for row in named(told)}
    assert rows == {
        "key:app": ("no person", 5),
        "Max": ("yes", 2),
        "Ana": ("no", 1),
        "Vera": ("yes", 1),
    }
    assert told["notes"] == ["Self-served: 3 of 4 questions of people, 75%, over the last 28 days."]
    with pytest.raises(NotAllowed):
        ask(world, "usage", MAX)
    world.clock.now += 40 * DAY
    assert ask(world, "usage", ANA)["notes"] == ["No person asked anything over the last 28 days."]


def test_counts_add_up_over_writes_and_survive_an_end(world):
    define(world, "saves", "pin_saved")
    for _ in range(3):
        ask(world, "metric", MAX, name="saves")
        world.workspace.uses.write(world.workspace.state, now=world.clock(), every=0)
    ask(world, "metric", MAX, name="saves")
    world.workspace.close()
    world.workspace = Workspace(world.folder, world.clock)
    found = uses_since(world.workspace.state)
    assert [(one.by, one.subject, one.times) for one in found if one.is_question] == [
        ("Max", "saves", 4)
    ]


def test_a_write_waits_a_minute_and_old_counts_go(world):
    state, uses = world.workspace.state, world.workspace.uses
    uses.note(MAX, "metric", ("saves",), now=world.clock())
    uses.write(state, now=world.clock())
    uses.note(MAX, "metric", ("saves",), now=world.clock())
    uses.write(state, now=world.clock())
    assert [one.times for one in uses_since(state)] == [1]
    world.clock.now += (KEPT_DAYS + 1) * DAY
    uses.note(VERA, "metric", ("lost",), now=world.clock())
    uses.write(state, now=world.clock())
    assert [(one.by, one.subject) for one in uses_since(state)] == [("Vera", "lost")]


def test_of_whom_one_asks_is_not_kept(world):
    ask(world, "person show", MAX, id="user_id:u1")
    world.workspace.uses.write(world.workspace.state, now=world.clock(), every=0)
    rows = world.workspace.state.rows(tables.uses.select())
    assert [(row["ask"], row["subject"]) for row in rows] == [("person show", "")]


def test_metrics_and_experiments_without_a_key_result_stand_apart(world):
    define(world, "saves", "pin_saved", more="moves: More saved pins\n")
    define(world, "lost", "pin_lost")
    rows = named(ask(world, "key results"))
    assert rows[0]["key_result"] == "More saved pins"
    assert rows[0]["name"] == "saves"
    without = {row["name"] for row in rows if row["key_result"] is None}
    assert "lost" in without
    assert "saves" not in without
    page = Reader(world, "viewer").get("/explore/metrics").text
    assert "More saved pins" in page
    apart = page.split('id="without"')[1]
    assert "/explore/metrics/lost" in apart
    assert '/explore/metrics/saves"' not in apart


def test_the_page_of_what_nobody_uses(world):
    define(world, "lost", "pin_lost")
    text = Reader(world, "analyst").get("/explore/stale").text
    assert "Since uses are counted nobody used 3 events and 1 metric" in text
    assert "No person asked anything" in text
    reader = Reader(world, "marketer")
    assert "Who asks" not in reader.get("/explore/stale?days=30").text
    assert reader.get("/explore/stale?days=31").status_code == 422
