"""A rebuild from any row equals a whole one, whatever was kept and whatever has come since."""

import itertools
import random

import pytest

from onefold.model.errors import BadInput
from onefold.model.records import OWNER
from onefold.runtime import call, checksum, rebuild
from worlds import World, track

pytestmark = pytest.mark.long


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def send(world, numbers, *, rng=None):
    """Send events of a few people who are found out to be one another, some of them twice."""
    rng = rng or random.Random(5)
    for number in numbers:
        person = rng.randrange(8)
        world.send(track("x", id=f"m{number}", user=f"u{person}", anonymous=f"a{number % 12}"))
        if number % 7 == 0:
            world.send(track("x", id=f"m{number}", user=f"u{person}", anonymous=f"a{number % 12}"))


def sums(world):
    return checksum(world.workspace).rows


def wreck(world, after):
    """Lose what stands after a row, behind everybody's back."""
    facts = world.workspace.folds.generation.facts
    for table in ("events", "sessions", "identifiers"):
        facts._root.execute(
            f"DELETE FROM {table} "
            + (f"WHERE log_offset > {after}" if table == "events" else "WHERE true")
        )


def test_rows_from_anywhere_are_replayed_over_what_was_kept_before_them(world):
    send(world, range(40))
    world.fold()
    kept = world.workspace.keep_prefix()
    send(world, range(30, 90))
    world.fold()
    whole = sums(world)
    end = world.workspace.facts_offset
    for start in (kept + 1, kept + 20, end):
        wreck(world, kept)
        assert sums(world) != whole
        assert rebuild(world.workspace, from_offset=start) == kept
        assert sums(world) == whole
        assert world.workspace.facts_offset == end
    assert rebuild(world.workspace) == 0
    assert sums(world) == whole


def test_without_a_copy_before_the_row_all_is_replayed(world):
    send(world, range(20))
    world.fold()
    whole = sums(world)
    assert rebuild(world.workspace, from_offset=10) == 0
    kept = world.workspace.keep_prefix()
    assert rebuild(world.workspace, from_offset=kept) == 0
    assert sums(world) == whole


def test_a_copy_by_other_rules_is_not_begun_with(world, monkeypatch):
    send(world, range(20))
    world.fold()
    kept = world.workspace.keep_prefix()
    path = world.folder / "definitions" / "events" / "x.yaml"
    path.write_text("event: x\nproperties:\n  item_id: {type: string}\n")
    world.workspace.apply_definitions()
    send(world, range(20, 25))
    world.fold()
    whole = sums(world)
    assert rebuild(world.workspace, from_offset=kept + 1) == 0
    assert sums(world) == whole
    fresh = world.workspace.keep_prefix()
    assert [path.name for path in (world.folder / "facts").glob("kept-*")] == [f"kept-{fresh}"]
    monkeypatch.setattr("onefold.runtime.prefixes.VERSION", 10**6)
    assert rebuild(world.workspace, from_offset=fresh) == 0


def test_an_id_stays_known_over_a_rebuild_from_a_row(world):
    send(world, range(30))
    world.fold()
    kept = world.workspace.keep_prefix()
    send(world, range(30, 50))
    world.fold()
    rebuild(world.workspace, from_offset=kept + 1)
    send(world, range(50), rng=random.Random(5))
    world.fold()
    counted = {row[0]: row for row in sums(world)}["events"]
    assert counted[1] == 50


def test_only_the_last_copies_stay_and_a_broken_one_is_passed_over(world):
    for turn in range(5):
        send(world, range(turn * 10, turn * 10 + 10))
        world.fold()
        kept = world.workspace.keep_prefix()
    copies = sorted((world.folder / "facts").glob("kept-*"))
    assert len(copies) == 3
    (world.folder / "facts" / f"kept-{kept}" / "kept.json").write_text("{")
    send(world, range(50, 60))
    world.fold()
    whole = sums(world)
    began = rebuild(world.workspace, from_offset=kept + 1)
    assert 0 < began < kept
    assert sums(world) == whole


def test_a_row_that_is_not_there_is_refused_and_nothing_changes(world):
    send(world, range(5))
    world.fold()
    with pytest.raises(BadInput, match="no row"):
        rebuild(world.workspace, from_offset=10**6)
    assert not world.workspace.rebuilding


def test_intake_goes_on_while_it_is_rebuilt_and_all_of_it_counts(world, monkeypatch):
    send(world, range(60))
    world.fold()
    seen: list[tuple[bool, float, int]] = []
    # There is always one more: it must end all the same.
    numbers = itertools.count(1000)

    def heard(_what, done, total):
        send(world, [next(numbers)])
        seen.append((world.workspace.rebuilding, world.workspace.rebuilt_share, total - done))

    step = type(world.workspace.folds).step

    def busy(folds, **more):
        send(world, [next(numbers)])
        return step(folds, **more)

    monkeypatch.setattr(type(world.workspace.folds), "step", busy)
    rebuild(world.workspace, heard)
    monkeypatch.undo()
    assert seen
    assert all(going for going, _, _ in seen)
    assert all(0 <= share <= 1 for _, share, _ in seen)
    world.fold()
    after = sums(world)
    rebuild(world.workspace)
    assert sums(world) == after


def test_the_call_says_what_it_replayed(world):
    send(world, range(20))
    world.fold()
    first = call(world.workspace, OWNER, "rebuild", {"keep": True}).body
    assert "All rows were replayed." in first["notes"]
    kept = world.workspace.facts_offset
    send(world, range(20, 30))
    world.fold()
    again = call(world.workspace, OWNER, "rebuild", {"from_offset": kept + 1}).body
    assert again["notes"] == [
        f"Rows after {kept:,} were replayed, those before taken as they were kept."
    ]
    for wrong in (-1, "soon"):
        with pytest.raises(BadInput):
            call(world.workspace, OWNER, "rebuild", {"from_offset": wrong})


def test_pages_say_that_the_facts_are_made_anew():
    from types import SimpleNamespace

    from onefold.web.desk import rebuilding

    workspace = SimpleNamespace(rebuilding=False, rebuilt_share=0.0)
    request = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(workspace=workspace)))
    assert rebuilding(request) is None
    workspace.rebuilding, workspace.rebuilt_share = True, 0.414
    assert "41\N{NO-BREAK SPACE}% so far" in rebuilding(request)["words"]
