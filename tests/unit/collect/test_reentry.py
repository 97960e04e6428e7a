"""Waiting events come in when the schema is mended, as in a run that was right at first."""

import json

import pytest

from onefold.collect import sources
from onefold.model.errors import NotFound
from onefold.model.records import OWNER
from onefold.runtime import rebuild
from onefold.runtime.retrying import let_in, look
from worlds import START, World, track

pytestmark = pytest.mark.long

STRICT = """\
event: pin_saved
properties:
  item_id: {type: string, required: true}
  surface: {type: string, enum: [home]}
"""
MENDED = """\
event: pin_saved
version: 2
properties:
  item_id: {type: string, required: true}
  surface: {type: string, enum: [home, search]}
"""
BOARD = "event: board_made\nproperties: {name: {type: string}, size: {type: integer}}\n"
MINUTE = 60


def sent():
    """Return batches: some of their events fit only after the mend, some never."""
    return [
        [
            track(
                "pin_saved", id="a", at=1, user="u1", anonymous="d1", item_id="i", surface="home"
            ),
            track("pin_saved", id="b", at=2, user="u1", item_id="i", surface="search"),
            track("pin_saved", id="c", at=3, user="u2", surface="search"),
        ],
        [
            track("pin_saved", id="b", at=2, user="u1", item_id="i", surface="search"),
            track(
                "pin_saved", id="d", at=9, user="u3", anonymous="d1", item_id="j", surface="search"
            ),
            track("pin_saved", id="b", at=2, user="u1", item_id="other", surface="home"),
        ],
        [track("pin_opened", id="e", at=50 * MINUTE, user="u1")],
    ]


def world(folder, text, **more):
    return World(folder, definitions={"events/a.yaml": text, **more})


def apply(found, name, text):
    (found.folder / "definitions" / "events" / name).write_text(text)
    found.workspace.apply_definitions()
    found.catalogue = type(found.catalogue).read(found.folder / "definitions" / "events")


@pytest.fixture
def clean(tmp_path):
    """Return the checksums of a run whose schema was right from the start."""
    found = world(tmp_path / "clean", MENDED)
    for batch in sent():
        found.send(*batch)
    sums = found.sums()
    found.close()
    return sums


@pytest.fixture
def mended(tmp_path):
    """Return a world whose schema was mended after the events had come."""
    found = world(tmp_path / "mended", STRICT)
    for batch in sent():
        found.send(*batch)
        found.fold()
    apply(found, "a.yaml", MENDED)
    yield found
    found.close()


def test_the_result_is_that_of_a_clean_run(mended, clean):
    assert mended.sums() != clean
    answer = let_in(mended.workspace, OWNER)
    assert mended.sums() == clean
    assert [row for row in answer.rows if row[1] == "counts now"] == [
        ("pin_saved", "counts now", "", 2)
    ]


def test_what_still_does_not_fit_waits_with_its_reason(mended):
    let_in(mended.workspace, OWNER)
    assert {row["reason"] for row in mended.raw("quarantine")} == {
        "`item_id` is missing.",
        "Another event was sent before under the same message id.",
    }


def test_a_second_retry_lets_nothing_in_twice_and_makes_no_entry(mended, clean):
    let_in(mended.workspace, OWNER)
    offset = mended.workspace.log.last_offset()
    answer = let_in(mended.workspace, OWNER)
    assert mended.workspace.log.last_offset() == offset
    assert answer.notes
    assert mended.sums() == clean


def test_a_rebuild_and_a_restart_repeat_it(mended, clean):
    let_in(mended.workspace, OWNER)
    rebuild(mended.workspace)
    assert mended.sums() == clean
    mended.close()
    mended.open()
    assert mended.sums() == clean


def test_what_was_let_in_counts_once_however_often_it_is_sent_again(mended, clean):
    let_in(mended.workspace, OWNER)
    mended.clock.now = START + 40 * 86_400_000_000
    for batch in sent():
        mended.send(*batch)
    assert {name: mended.sums()[name] for name in ("events", "sessions", "identifiers")} == {
        name: clean[name] for name in ("events", "sessions", "identifiers")
    }


def test_one_that_was_sent_again_after_the_mend_counts_once(mended, clean):
    mended.send(
        track("pin_saved", id="d", at=9, user="u3", anonymous="d1", item_id="j", surface="search")
    )
    let_in(mended.workspace, OWNER)
    assert mended.sums()["events"] == clean["events"]


def test_events_received_after_a_retry_are_judged_by_the_door_alone(mended):
    let_in(mended.workspace, OWNER)
    mended.clock.now += 1_000_000
    apply(mended, "a.yaml", STRICT.replace("event: pin_saved", "event: pin_saved\nversion: 3"))
    mended.send(track("pin_saved", id="late", at=1, user="u1", item_id="i", surface="search"))
    mended.fold()
    rebuild(mended.workspace)
    assert "`surface` is not one of home." in {row["reason"] for row in mended.raw("quarantine")}


def test_undescribed_events_come_in_when_they_are_described(tmp_path):
    found = world(tmp_path / "w", BOARD)
    found.source = sources.set_source(found.workspace.state, OWNER, "app", unplanned="quarantine")
    found.send(
        track("board_made", id="1", user="u1", name="oak", more=1),
        track("board_gone", id="2", user="u1", name="oak"),
    )
    found.fold()
    assert len(found.raw("quarantine")) == 2
    apply(found, "b.yaml", "event: board_gone\nproperties: {name: {type: string}}\n")
    assert let_in(found.workspace, OWNER, "board_gone").rows[0][3] == 1
    assert [row["event"] for row in found.raw("events")] == ["board_gone"]
    sources.set_source(found.workspace.state, OWNER, "app", unplanned="strip")
    let_in(found.workspace, OWNER)
    assert not found.raw("quarantine")
    kept = {row["event"]: json.loads(row["properties"]) for row in found.raw("events")}
    assert kept == {"board_gone": {"name": "oak"}, "board_made": {"name": "oak"}}
    found.close()


def test_a_stripping_retry_ends_as_a_source_that_stripped_from_the_start(tmp_path):
    events = [
        track("board_made", id="1", user="u1", name="oak", size="big"),
        track("board_made", id="2", user="u1", name="oak", size=2, more=1),
    ]
    sums = []
    for name, policies in (("late", ("quarantine", "strip")), ("early", ("strip",))):
        found = world(tmp_path / name, BOARD)
        for place, policy in enumerate(policies):
            source = sources.set_source(found.workspace.state, OWNER, "app", unplanned=policy)
            if not place:
                found.source = source
                found.send(*events)
                found.fold()
        if name == "late":
            assert len(found.raw("quarantine")) == 2
            let_in(found.workspace, OWNER)
        sums.append(found.sums())
        found.close()
    assert sums[0] == sums[1]


def test_only_looking_changes_nothing(mended):
    before = mended.sums()
    _, outlook = look(mended.workspace)
    assert outlook.mended == {"pin_saved": 2}
    assert outlook.waiting == {("pin_saved", "`item_id` is missing."): 1}
    assert mended.sums() == before


def test_an_event_that_does_not_wait_is_told(mended):
    with pytest.raises(NotFound, match="waiting event"):
        let_in(mended.workspace, OWNER, "pin_saved_")


def test_what_arrives_while_it_is_let_in_is_not_lost(mended, clean):
    mended.workspace.on_commit(lambda _: None)
    let_in(mended.workspace, OWNER)
    mended.send(track("pin_saved", id="z", at=60, user="u9", item_id="i", surface="search"))
    assert mended.sums()["events"][0] == clean["events"][0] + 1


def answering(found):
    """Return which generation of the facts answers."""
    return (found.folder / "facts" / "current").resolve().name


def waiting_alone(folder):
    """Return a world in which one event waits, and nothing was sent twice."""
    found = world(folder, STRICT)
    found.send(track("pin_saved", id="a", at=1, user="u1", item_id="i", surface="home"))
    found.send(
        track("pin_saved", id="b", at=2, user="u1", anonymous="d1", item_id="i", surface="search"),
        track("pin_opened", id="c", at=3, user="u1"),
    )
    found.fold()
    return found


def test_what_waited_alone_is_let_in_without_a_rebuild(tmp_path):
    found = waiting_alone(tmp_path / "w")
    apply(found, "a.yaml", MENDED)
    before = answering(found)
    let_in(found.workspace, OWNER)
    assert answering(found) == before
    assert found.raw("quarantine") == []
    appended = found.sums()
    # It is known for good: sent again it counts once, also after a restart.
    found.close()
    found.open()
    assert answering(found) == before
    found.send(track("pin_saved", id="b", at=2, user="u1", item_id="i", surface="search"))
    assert found.sums()["events"] == appended["events"]
    rebuild(found.workspace)
    assert answering(found) != before
    assert found.sums()["events"] == appended["events"]
    assert found.sums()["sessions"] == appended["sessions"]
    assert found.sums()["identifiers"] == appended["identifiers"]
    found.close()


def test_what_was_sent_again_and_counts_already_is_built_anew(tmp_path):
    found = waiting_alone(tmp_path / "w")
    found.send(track("pin_saved", id="b", at=2, user="u1", item_id="i", surface="home"))
    found.fold()
    apply(found, "a.yaml", MENDED)
    before = answering(found)
    let_in(found.workspace, OWNER)
    assert answering(found) != before
    appended = found.sums()
    rebuild(found.workspace)
    assert found.sums() == appended
    found.close()


def test_a_full_disk_while_letting_in_builds_the_facts_anew(tmp_path, monkeypatch):
    found = waiting_alone(tmp_path / "w")
    apply(found, "a.yaml", MENDED)
    before = answering(found)
    monkeypatch.setattr(type(found.workspace.folds._collect), "kept", lambda _self: False)
    let_in(found.workspace, OWNER)
    monkeypatch.undo()
    assert answering(found) != before
    appended = found.sums()
    rebuild(found.workspace)
    assert found.sums() == appended
    assert appended["quarantine"][0] == 0
    found.close()


def test_ended_before_the_facts_are_kept_it_is_let_in_at_the_next_start(tmp_path, monkeypatch):
    found = waiting_alone(tmp_path / "w")
    apply(found, "a.yaml", MENDED)

    def died(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(found.workspace.folds.generation), "note_rules", died)
    with pytest.raises(KeyboardInterrupt):
        let_in(found.workspace, OWNER)
    monkeypatch.undo()
    found.workspace.close()
    found.open()
    appended = found.sums()
    assert appended["quarantine"][0] == 0
    found.send(track("pin_saved", id="b", at=2, user="u1", item_id="i", surface="search"))
    assert found.sums()["events"] == appended["events"]
    rebuild(found.workspace)
    assert found.sums()["events"] == appended["events"]
    found.close()
