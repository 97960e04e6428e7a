"""Events held before consent: sealed, let in after a yes, nobody's when the key ends."""

import json
from contextlib import closing

import pytest

from onefold.collect import sources
from onefold.model.errors import BadInput
from onefold.model.records import OWNER, Question
from onefold.model.time import DAY
from onefold.runtime import Workspace, call, rebuild, restore
from onefold.runtime.holding import Holding, Settled
from worlds import AGREED, SECOND, START, World, iso, track

pytestmark = pytest.mark.long

HELD = {"consent.yaml": "before: held\nheld_days: 3\n"}
REFUSED = {"consent": {"categoryPreferences": {"analytics": False}}}
HIDDEN = ("anna@example.com", "dev-4711", "YW5uYUBleGFtcGxlLmNvbQ")


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w", basis="opt-in", definitions=HELD)
    found.clock.now = START + 3600 * SECOND
    yield found
    found.close()


def before(message, **fields):
    """An event that says nothing of consent."""
    return track("saved", id=message, agreed=False, **fields)


def settle(world):
    return call(world.workspace, OWNER, "consent settle", {}).body


def named(world):
    found = world.view().person_events
    return sorted(row["message_lo"] for row in world.rows(found.select("message_lo")))


def total(world):
    return len(world.raw("events"))


def files_hold(folder, words):
    texts = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return [word for word in words if any(word.encode() in text for text in texts)]


def agree(world, who="u1", message="yes"):
    world.send(
        {"type": "track", "event": "agreed", "userId": who, "messageId": message} | AGREED_IN
    )


AGREED_IN = {"context": AGREED}


def test_nothing_that_tells_of_somebody_reaches_the_disk_before_a_yes(world):
    who = {"userId": "anna@example.com", "anonymousId": "dev-4711"}
    receipt = world.send(
        {"type": "track", "event": "saved", "messageId": "m-anna@example.com", **who},
        {"type": "identify", "messageId": "2", "traits": {"email": "anna@example.com"}, **who},
    )
    assert (receipt.accepted, receipt.held_events) == (0, 2)
    assert receipt.answer()["held"] == 2
    world.fold()
    assert settle(world) == {"let_in": 0, "unnamed": 0, "waiting": 2, "keys_destroyed": 0}
    assert total(world) == 0
    assert files_hold(world.folder, HIDDEN) == []
    bodies = b"".join(row.body for row in world.workspace.log.read(0))
    assert not [word for word in HIDDEN if word.encode() in bodies], "nor in what is packed"
    agree(world, "anna@example.com")
    assert settle(world)["let_in"] == 2
    assert len(named(world)) == 3
    assert files_hold(world.folder, HIDDEN[:2]) == list(HIDDEN[:2]), "in log and vault, as ever"


def test_whoever_says_yes_in_time_has_the_same_facts_in_any_order(tmp_path):
    sums = []
    for first in (True, False):
        world = World(tmp_path / f"w{first}", basis="opt-in", definitions=HELD)
        world.clock.now = START + 3600 * SECOND
        steps = [lambda w=world: w.send(before("1", user="u1", at=30)), lambda w=world: agree(w)]
        for step in steps if first else reversed(steps):
            step()
            settle(world)
        assert settle(world)["waiting"] == 0
        rows = world.rows(world.view().person_events.select("event", "event_time", "person_id"))
        sums.append(sorted(map(str, rows)))
        before_rebuild = world.sums()
        rebuild(world.workspace)
        assert world.sums() == before_rebuild
        world.close()
    assert sums[0] == sums[1]
    assert len(sums[0]) == 2


def test_a_key_that_ends_leaves_an_event_that_is_nobodys(world):
    world.send(before("1", user="u1"), before("1", user="u1"))
    world.clock.now += 3 * DAY
    assert settle(world)["waiting"] == 2, "the day's key stands to the end of the third day after"
    world.clock.now += DAY
    assert settle(world) == {"let_in": 0, "unnamed": 2, "waiting": 0, "keys_destroyed": 1}
    assert [row["identifier"] for row in world.raw("events")] == [None], "sent twice, counted once"
    agree(world)
    assert settle(world)["let_in"] == 0
    assert len(named(world)) == 1
    sums = world.sums()
    rebuild(world.workspace)
    assert world.sums() == sums
    notes = call(world.workspace, OWNER, "consent summary", {}).body["notes"]
    assert "held for a yes: 1, of which 0" in notes[2]


def test_a_refusal_is_not_held_and_a_withdrawal_lets_nothing_in(world):
    refusing = before("1", user="u1") | {"context": REFUSED}
    assert world.send(refusing).held_events == 0
    world.send(before("2", user="u2"))
    call(world.workspace, OWNER, "consent grant", {"id": "u2", "purpose": "analytics"})
    world.clock.now += SECOND
    call(world.workspace, OWNER, "consent withdraw", {"id": "u2"})
    assert settle(world)["let_in"] == 0
    world.clock.now += SECOND
    call(world.workspace, OWNER, "consent grant", {"id": "u2", "purpose": "analytics"})
    assert settle(world)["let_in"] == 1
    assert len(named(world)) == 1
    view = world.workspace.view(Question(OWNER, purpose="advertising"))
    assert world.rows(view.person_events.select("event")) == [], "analytics alone"


def test_a_killed_settling_lets_everything_in_once(world, monkeypatch):
    world.send(before("1", user="u1"), before("2", user="u9"))
    agree(world)
    world.fold()
    append = world.workspace.log.append

    def die(rows):
        append(rows)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(world.workspace.log, "append", die)
        with pytest.raises(KeyboardInterrupt):
            settle(world)
    assert settle(world)["waiting"] == 1
    assert len(named(world)) == 2


def test_a_lost_key_or_a_sent_again_event_costs_nothing(world):
    world.send(before("1", user="u1"))
    world.workspace.vault.end_keys(world.clock.now + 9 * DAY)
    world.send(before("2", user="u1"))
    agree(world)
    assert settle(world) == {"let_in": 1, "unnamed": 1, "waiting": 0, "keys_destroyed": 0}
    world.send(before("2", user="u1", at=7))
    assert settle(world)["waiting"] == 0, "it counts already"
    assert total(world) == 3


def test_what_cannot_be_held_is_said(world):
    for text, word in (("before: held\nheld_days: 0\n", "0 days"), ("before: hidden\n", "hidden")):
        (world.folder / "definitions" / "consent.yaml").write_text(text)
        with pytest.raises(BadInput, match=word):
            world.workspace.apply_definitions()
    assert iso(0)


def test_a_holding_that_looks_again_and_again_asks_of_what_is_new_alone(world):
    holding = Holding(world.workspace)
    world.send(before("1", anonymous="a1"), before("2", user="u2"), before("3", user="u2"))
    assert (holding.settle().waiting, holding.settle().waiting) == (3, 3)
    world.send(track("agreed", id="4", user="u1", anonymous="a1"))
    assert (holding.settle().let_in, holding.settle().waiting) == (1, 2)
    call(world.workspace, OWNER, "consent grant", {"id": "u2", "purpose": "analytics"})
    assert holding.settle() == Settled(let_in=2)
    world.send(before("5", user="u2"))
    assert holding.settle() == Settled(let_in=1), "who agreed before is let in likewise"
    call(world.workspace, OWNER, "consent withdraw", {"id": "a1"})
    world.send(before("6", anonymous="a1"))
    world.clock.now += 5 * DAY
    assert holding.settle() == Settled(unnamed=1, keys=1)
    assert holding.settle() == Settled()


def test_who_was_erased_is_let_in_as_nobody(world):
    agree(world)
    world.fold()
    world.send(before("1", user="u1"))
    call(world.workspace, OWNER, "person erase", {"id": "u1"})
    agree(world, message="again")
    assert settle(world)["let_in"] == 0
    world.clock.now += 9 * DAY
    settle(world)
    assert named(world) == []


def copies(world, word):
    """Sealed copies in the log that stand, and how many of them tell a word."""
    keys, found = world.workspace.vault.sealing_keys(world.clock.now), []
    for row in world.workspace.log.read(0):
        if row.route == "held":
            entry = sources.held_in(row)
            found += [sources.opened(one, keys[entry.day]) for one in entry.items if one.sealed]
    return len(found), sum(word in one for one in found)


def test_no_key_reads_a_sealed_copy_of_who_was_erased(world):
    agree(world, who="anna@example.com")
    world.fold()
    world.send(before("1", user="anna@example.com"), before("2", user="u2"))
    world.send(before("3", user="anna@example.com", props={"note": "anna@example.com"}))
    world.fold()
    settle(world)
    world.send(before("4", user="anna@example.com"), before("5", user="u2"))
    assert copies(world, b"anna@example.com") == (5, 3)
    sealed = {
        one.sealed
        for row in world.workspace.log.read(0)
        if row.route == "held"
        for one in sources.held_in(row).items
    }
    done = call(world.workspace, OWNER, "person erase", {"id": "user_id:anna@example.com"}).body
    assert ["sealed copies", 3] in done["rows"]
    assert copies(world, b"anna@example.com") == (2, 0), "those of others stay"
    left = [path.read_bytes() for path in world.folder.rglob("*") if path.is_file()]
    lost = [one for one in sealed if not any(one in text for text in left)]
    assert len(lost) >= 3, "no file holds the bytes of them"
    assert files_hold(world.folder, ["anna@example.com"]) == []
    sums = world.sums()
    rebuild(world.workspace)
    assert world.sums() == sums
    agree(world, who="u2", message="late")
    assert settle(world) == {"let_in": 2, "unnamed": 1, "waiting": 0, "keys_destroyed": 0}
    assert call(world.workspace, OWNER, "audit verify", {}).good


def test_an_export_says_how_many_events_it_cannot_open(world, tmp_path):
    world.send(before("1", user="u1"), before("2", user="u2"))
    agree(world)
    assert settle(world)["waiting"] == 1
    out = tmp_path / "out"
    told = call(world.workspace, OWNER, "export", {"folder": str(out), "with_secrets": True}).body
    assert any(note.startswith("1 event held for a yes") for note in told["notes"])
    assert json.loads((out / "manifest.json").read_bytes())["held_without_keys"] == 1
    done = restore(out, tmp_path / "again", progress=lambda *_: None, clock=world.clock)
    assert done.equal
    assert any(note.startswith("1 event held for a yes") for note in done.answer.notes)
    with closing(Workspace(tmp_path / "again", world.clock)) as again:
        assert again.vault.sealing_keys(world.clock.now) == {}
        assert call(again, OWNER, "consent settle", {}).body["unnamed"] == 1
