"""The touchpoint inventory: what there is, whose it is, what can only be influenced."""

import pytest

from guarded_worlds import HIDDEN, SHOWN, guarded, named
from onefold.collect import questions
from onefold.model.errors import BadInput
from onefold.model.facts import RECORD_TABLES
from onefold.model.records import OWNER, Asker
from onefold.runtime import call

pytestmark = pytest.mark.long

SAID = """\
touchpoints:
  - {kind: mention, name: "zqshow*", owner: Community}
  - {kind: mention, owner: Nobody yet}
  - {kind: event, name: "ad_*", owner: Ads, control: influenceable}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = guarded(tmp_path_factory.mktemp("touch") / "w")
    found.clock.now += 2 * 86_400_000_000
    yield found
    found.close()


def rows(world, asker=OWNER, **params):
    body = call(world.workspace, asker, "touchpoints", params).body
    names = [column["name"] for column in body["columns"]]
    return [dict(zip(names, row, strict=True)) for row in body["rows"]]


def test_every_kind_has_its_volume_and_its_last_use(world):
    found = rows(world)
    kinds = {row["kind"] for row in found}
    assert kinds >= {"event", "campaign", "service", "interaction", "survey", "mention", "store"}
    clicked = next(row for row in found if row["name"] == "ad_clicked")
    assert (clicked["volume"], clicked["former"], clicked["total"]) == (4, 0, 4)
    assert clicked["last_time"].startswith("2025-10-09")
    assert len(RECORD_TABLES) > 10


def test_what_people_say_of_us_is_apart_from_what_is_ours(world):
    found = rows(world)
    assert {row["control"] for row in found if row["kind"] == "mention"} == {"influenceable"}
    assert {row["control"] for row in found if row["kind"] == "service"} == {"controllable"}
    only = rows(world, control="influenceable")
    assert {row["kind"] for row in only} <= {"mention", "channel"}


def test_the_file_says_owners_and_what_can_be_controlled(world):
    path = world.workspace.definitions / "touchpoints.yaml"
    path.write_text(SAID)
    try:
        found = {(row["kind"], row["name"]): row for row in rows(world)}
        assert found["mention", f"{SHOWN}channel"]["owner"] == "Community"
        assert found["mention", f"{HIDDEN}channel"]["owner"] == "Nobody yet"
        assert found["event", "ad_clicked"]["control"] == "influenceable"
        assert found["event", "pin_saved"]["owner"] == ""
        path.write_text("touchpoints:\n  - {kind: poster}\n")
        with pytest.raises(BadInput, match="cannot be `poster`"):
            call(world.workspace, OWNER, "apply", {})
    finally:
        path.unlink()


def test_it_obeys_policies(world):
    found = rows(world, Asker(named("viewer"), "viewer"))
    assert HIDDEN not in repr(found)
    assert any(SHOWN in row["name"] for row in found)


def test_without_a_file_nobody_owns_anything(tmp_path):
    assert questions.read_said(tmp_path) == ()
