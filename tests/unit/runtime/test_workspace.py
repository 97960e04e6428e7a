"""A workspace: made once, held by one, the same after a crash, a rebuild, new definitions."""

import pytest

from onefold.model.errors import BadInput, Conflict, MachineFailed, NotFound
from onefold.runtime import Workspace, create_workspace, rebuild
from onefold.runtime.definitions import drift
from worlds import World, track

EVENT = """
event: pin_saved
version: 1
owner: Boards
description: A pin was saved.
kind: action
discovery: true
purpose: analytics
properties:
  item_id: {type: string}
"""


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def test_it_is_made_once_and_only_in_an_empty_folder(tmp_path) -> None:
    create_workspace(tmp_path / "w")
    with pytest.raises(Conflict, match="already"):
        create_workspace(tmp_path / "w")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "letter.txt").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        create_workspace(tmp_path / "x")


def test_bad_wishes_are_refused(tmp_path) -> None:
    with pytest.raises(BadInput, match="basis"):
        create_workspace(tmp_path / "w", basis="maybe")
    with pytest.raises(BadInput, match="hex"):
        create_workspace(tmp_path / "w", identity_key="xyz")
    with pytest.raises(NotFound, match="no workspace"):
        Workspace(tmp_path)


def test_one_process_holds_it(world) -> None:
    with pytest.raises(MachineFailed, match="held by another"):
        Workspace(world.folder)


def test_a_fold_that_dies_midway_leaves_no_half(world, monkeypatch) -> None:
    def die(*_args) -> None:
        raise RuntimeError("killed")

    world.send(track("x", id="1", user="u1"))
    monkeypatch.setattr(type(world.workspace.folds._sessions), "fold", die)
    with pytest.raises(RuntimeError):
        world.fold()
    assert world.raw("events") == []
    assert world.workspace.facts_offset == 0
    monkeypatch.undo()
    world.fold()
    assert len(world.raw("events")) == 1


def test_definitions_in_force_are_those_of_the_log(world) -> None:
    world.send(track("pin_saved", id="1", user="u1", item_id="i1"))
    world.fold()
    path = world.folder / "definitions" / "events" / "pin_saved.yaml"
    path.write_text(EVENT)
    assert drift(world.folder, world.workspace.log) == [("events/pin_saved.yaml", "new")]
    assert world.workspace.apply_definitions()
    assert not world.workspace.apply_definitions()
    (event,) = world.raw("events")
    assert event["p_item_id"] == "i1"
    assert [row["discoveries"] for row in world.raw("sessions")] == [1]


def test_a_broken_definition_changes_nothing(world) -> None:
    path = world.folder / "definitions" / "events" / "pin_saved.yaml"
    path.write_text("event: pin_saved\nkind: nonsense\n")
    with pytest.raises(BadInput, match=r"pin_saved\.yaml"):
        world.workspace.apply_definitions()
    assert world.workspace.log.last_offset() == 0


def test_a_rebuild_swaps_under_a_view_that_goes_on_asking(world) -> None:
    world.send(track("x", id="1", user="u1"))
    view = world.view()
    rebuild(world.workspace)
    assert len(world.rows(view.events)) == 1
    assert view.ask(view.events).num_rows == 1
    assert len(list((world.folder / "facts").glob("gen-*"))) == 1


def test_a_message_sent_again_after_a_rebuild_counts_once(world) -> None:
    world.send(track("x", id="1", user="u1"))
    world.fold()
    rebuild(world.workspace)
    world.send(track("x", id="1", user="u1"))
    world.fold()
    assert len(world.raw("events")) == 1


def test_listeners_hear_of_commits_until_they_leave(world) -> None:
    heard: list[int] = []
    leave = world.workspace.on_commit(heard.append)
    world.send(track("x", id="1", user="u1"))
    world.fold()
    leave()
    world.send(track("x", id="2", user="u1"))
    world.fold()
    assert heard == [1]


def test_facts_of_other_folds_are_built_anew_before_anything_is_folded(world, monkeypatch) -> None:
    world.send(track("x", id="1", user="u1"))
    before = world.sums()
    world.close()
    monkeypatch.setattr("onefold.runtime.generation.VERSION", 1_000)
    world.open()
    assert world.workspace.folds.stale
    world.send(track("x", id="2", user="u2"))
    assert world.sums()["events"][0] == before["events"][0] + 1
    assert world.workspace.folds.generation.version == 1_000


def test_deleted_facts_come_back_from_the_log(world) -> None:
    import shutil

    world.send(track("x", id="1", user="u1"))
    before = world.sums()
    world.close()
    shutil.rmtree(world.folder / "facts")
    world.open()
    assert world.sums() == before


def test_a_lost_plane_is_told_and_nothing_is_made_anew(world) -> None:
    world.close()
    (world.folder / "log.sqlite").rename(world.folder / "kept")
    with pytest.raises(MachineFailed, match="has lost its log"):
        Workspace(world.folder)
    (world.folder / "kept").rename(world.folder / "log.sqlite")
    world.open()
    assert world.raw("events") == []


def test_the_spacing_of_json_is_no_difference(tmp_path) -> None:
    from onefold.store import NewRow

    found = []
    for place, gap in enumerate((b"", b" ")):
        other = World(tmp_path / f"s{place}")
        body = (
            b'{"batch":[{"type":"track","event":"x","messageId":"1","userId":"u1",'
            b'"properties":{"a":' + gap + b"1}}]}"
        )
        row = NewRow(1, "app", "production", "segment", "batch", body, b"\x0f")
        other.workspace.log.append([row])
        found.append(other.sums())
        other.close()
    assert found[0] == found[1]


def test_what_may_name_somebody_is_for_its_owner_alone(tmp_path) -> None:
    world = World(tmp_path / "w")
    world.send(track("opened", id="1", user="u1"))
    world.fold()
    private = {"log.sqlite", "log.sqlite-wal", "log.sqlite-shm", "vault.sqlite", "state.sqlite"}
    modes = {path.name: path.stat().st_mode & 0o777 for path in world.folder.iterdir()}
    world.close()
    assert {modes[name] for name in private} == {0o600}
    assert modes["facts"] == 0o700
