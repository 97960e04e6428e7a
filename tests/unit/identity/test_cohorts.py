"""Frozen cohorts keep their members through merges; what changed stands beside."""

import pytest

from onefold.model.errors import BadInput, Conflict, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.runtime import call, rebuild
from worlds import World, track

pytestmark = pytest.mark.long

SPAN = {"from": "2025-10-09", "to": "2025-10-10"}


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    for place in range(4):
        found.send(
            track("pin_saved", id=f"{place}", user=f"u{place}", anonymous=f"a{place}", at=place)
        )
    found.fold()
    yield found
    found.close()


def ask(world, what, asker=OWNER, **params):
    return call(world.workspace, asker, what, params).body


def freeze(world, **more):
    asked = {"name": "savers", "event": "pin_saved"} | SPAN | more
    return ask(world, "cohort freeze", **asked)


def cohort(world) -> dict[str, int]:
    body = ask(world, "cohort list")
    names = [column["name"] for column in body["columns"]]
    row = dict(zip(names, body["rows"][0], strict=True))
    return {name: row[name] for name in ("members", "merged", "split", "gone")}


def test_members_stay_through_merge_and_unmerge_with_changes_beside(world) -> None:
    assert freeze(world)["members"] == 4
    frozen = world.sums()
    assert cohort(world) == {"members": 4, "merged": 0, "split": 0, "gone": 0}
    ask(world, "person merge", one="u0", other="u1")
    ask(world, "person unmerge", one="u2", other="anonymous_id:a2")
    assert cohort(world) == {"members": 4, "merged": 2, "split": 1, "gone": 0}
    told = {row[2] for row in ask(world, "cohort show", name="savers")["rows"]}
    assert told == {"merged", "split", ""}
    first = ask(world, "cohort show", name="savers", last=1)
    assert first["rows"][0][2]
    assert ":" in first["rows"][0][1]
    assert first["notes"] == ["3 more are not shown."]
    with pytest.raises(NotFound):
        ask(world, "cohort show", name="saver")
    now = world.sums()
    assert {n: now[n] for n in ("cohorts", "members")} == {
        n: frozen[n] for n in ("cohorts", "members")
    }
    world.send(track("pin_saved", id="late", user="u9", at=9))
    world.fold()
    assert cohort(world)["members"] == 4
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before
    ask(world, "person unmerge", one="u0", other="u1")
    ask(world, "person merge", one="u2", other="anonymous_id:a2")
    assert cohort(world) == {"members": 4, "merged": 0, "split": 0, "gone": 0}


def test_a_cohort_taken_back_was_never_there(world) -> None:
    never = world.sums()
    freeze(world)
    with pytest.raises(Conflict, match="savers"):
        freeze(world)
    assert ask(world, "cohort dissolve", name="savers")["dissolved"]
    assert world.sums() == never
    with pytest.raises(NotFound):
        ask(world, "cohort dissolve", name="savers")


@pytest.mark.parametrize(
    "odd",
    [
        {"name": ""},
        {"name": "x" * 200},
        {"name": "a\x00b"},
        {"event": "never_came"},
        {"from": "2025-10-10"},
        {"to": "soon"},
    ],
)
def test_what_cannot_be_frozen_is_said(world, odd) -> None:
    before = world.sums()
    with pytest.raises(BadInput):
        freeze(world, **odd)
    assert world.sums() == before


def test_who_may_not_define_may_not_freeze(world) -> None:
    with pytest.raises(NotAllowed):
        call(
            world.workspace,
            Asker("Vi", "viewer"),
            "cohort freeze",
            {"name": "x", "event": "pin_saved"} | SPAN,
        )
    with pytest.raises(NotAllowed):
        ask(world, "cohort list", Asker("Vi", "viewer"))
