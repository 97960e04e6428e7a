"""Segments through the calls: listed, shown over time, and as a filter of every question."""

import pytest

from onefold.model.errors import BadInput, NotFound
from onefold.model.records import OWNER
from onefold.model.time import DAY, day_of
from onefold.runtime import call
from worlds import World, track

SEGMENT = """segment: buyers
label: Buyers
description: Who paid once.
owner: Shop
all:
- did: order_paid
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("segments") / "w")
    for person in range(9):
        for hour, step in enumerate(("article_viewed", "order_paid")[: 1 + (person < 4)]):
            found.send(track(step, id=f"{person}-{hour}", user=f"u{person}", at=hour - 9000))
    found.fold()
    folder = found.workspace.definitions / "segments"
    folder.mkdir(parents=True)
    (folder / "buyers.yaml").write_text(SEGMENT, encoding="utf-8")
    yield found
    found.close()


def ask(world, which, **params):
    now = world.workspace.clock()
    days = {"from": str(day_of(now - 9 * DAY, "UTC")), "to": str(day_of(now + 2 * DAY, "UTC"))}
    return call(world.workspace, OWNER, which, {**days, **params}).body


def test_a_segment_is_listed_and_shown_over_time(world):
    listed = call(world.workspace, OWNER, "segment list", {}).body
    told = ["buyers", "Buyers", "Who did order_paid", 4, "Shop", 1, "analytics", "definitions"]
    assert listed["rows"] == [told]
    shown = ask(world, "segment show", name="buyers", every="day")
    assert shown["rows"][-1][1] == 4
    assert sum(row[3] for row in shown["rows"]) == 4
    with pytest.raises(NotFound, match="Did you mean `buyers`"):
        ask(world, "segment show", name="buyer")


def test_every_question_may_be_of_a_segment(world):
    steps = ["article_viewed", "order_paid"]
    funnel = ask(world, "funnel", events=steps, segment="buyers")
    assert [row[2] for row in funnel["rows"]] == [4, 4]
    assert "Only people of the segment buyers" in funnel["definition"]
    back = ask(world, "retention", start=steps[0], **{"return": steps[1]}, segment="buyers")
    assert sum(row[1] for row in back["rows"] if row[2] == 0) == 4
    for name in ("lifecycle", "stickiness"):
        told = ask(world, name, event="article_viewed", every="week", segment="buyers")
        assert max(row[1] for row in told["rows"]) == 4
    metric = ask(world, "metric", name="weekly_active_people", segment="buyers")
    assert metric["rows"][0][0] == 4


def test_what_is_not_of_people_cannot_be_of_a_segment(world):
    for name in ("time_to_resolution", "acquisition_cost", "ad_cost"):
        with pytest.raises(BadInput, match="not of people"):
            ask(world, "metric", name=name, segment="buyers")


def test_a_wrong_definition_is_told_by_plan_and_doctor(world):
    path = world.workspace.definitions / "segments" / "bad.yaml"
    path.write_text("segment: bad\n", encoding="utf-8")
    try:
        with pytest.raises(BadInput, match=r"segments/bad\.yaml:1:1"):
            call(world.workspace, OWNER, "apply", {})
        found = call(world.workspace, OWNER, "doctor", {}).body
        assert any("segments/bad.yaml" in str(one) for one in found["rows"])
    finally:
        path.unlink()


def test_what_was_closed_over_everybody_is_not_told_of_a_segment(world):
    before = ask(world, "metric", name="weekly_active_people", every="day", segment="buyers")
    moment = world.clock.now
    world.clock.now = moment + 9 * DAY
    call(world.workspace, OWNER, "period close", {})
    world.clock.now = moment
    whole = ask(world, "metric", name="weekly_active_people", every="day")
    assert "recomputed" in [column["name"] for column in whole["columns"]]
    told = ask(world, "metric", name="weekly_active_people", every="day", segment="buyers")
    assert told["rows"] == before["rows"]
    assert max(row[1] for row in told["rows"]) == 4
    assert max(row[1] for row in whole["rows"]) == 9
