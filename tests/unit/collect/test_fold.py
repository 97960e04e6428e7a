"""The fold: each message once, names to the vault, described properties to columns."""

import json
import random
from hashlib import blake2b

import pytest

from onefold.collect.dialects.segment import decode
from onefold.collect.gate import stripped
from onefold.model.records import OWNER
from onefold.runtime import call, rebuild
from worlds import AGREED, IDENTITY_KEY, START, World, iso, track

CLICK = """
event: ad_clicked
version: 1
owner: Ads
description: A click on an ad.
kind: action
discovery: false
purpose: analytics
properties:
  campaign_id: {type: string}
  revenue: {type: money}
  card_holder: {type: string, pii: name}
"""


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w", definitions={"events/ad_clicked.yaml": CLICK})
    yield found
    found.close()


def test_a_message_counts_once_however_often_it_is_sent(world) -> None:
    event = track("ad_clicked", id="1", user="u1", campaign_id="c1")
    world.send(event, event)
    world.fold()
    world.send(event)
    world.fold()
    assert len(world.raw("events")) == 1
    assert sum(row["events"] for row in world.raw("duplicates")) == 2


def test_a_message_counts_once_after_the_facts_are_opened_again(world) -> None:
    world.send(track("ad_clicked", id="1", user="u1"))
    world.fold()
    world.close()
    world.open()
    world.send(track("ad_clicked", id="1", user="u1"))
    world.fold()
    assert len(world.raw("events")) == 1


def test_another_body_under_a_known_id_waits_as_a_conflict(world) -> None:
    world.send(track("ad_clicked", id="1", user="u1", campaign_id="c1"))
    world.fold()
    world.send(track("ad_clicked", id="1", user="u1", campaign_id="c2"))
    world.fold()
    assert len(world.raw("events")) == 1
    assert "same message id" in world.raw("quarantine")[0]["reason"]


def test_described_properties_get_columns_and_money_is_micros(world) -> None:
    world.send(track("ad_clicked", id="1", user="u1", campaign_id="c1", revenue=0.42))
    world.send(track("ad_clicked", id="2", user="u1", campaign_id="c1", revenue="1.5"))
    world.fold()
    rows = sorted(world.raw("events"), key=lambda row: row["p_revenue"])
    assert [row["p_revenue"] for row in rows] == [420_000, 1_500_000]
    assert rows[0]["p_campaign_id"] == "c1"


def test_personal_fields_stand_in_the_vault_alone(world) -> None:
    world.send(
        track("ad_clicked", id="1", user="u1", card_holder="Jo Doe"),
        track("other", id="2", user="u1", note="write to jo@example.com", size=3),
        {
            "type": "identify",
            "messageId": "3",
            "userId": "u1",
            "context": AGREED,
            "traits": {"email": "jo@example.com", "name": "Jo Doe", "plan": "pro"},
        },
    )
    world.fold()
    kept = json.dumps([row["properties"] for row in world.raw("events")])
    assert "jo@example.com" not in kept
    assert "Jo Doe" not in kept
    assert "pro" in kept
    keys = {row["user_key"] for row in world.raw("events")}
    fields = {field.field: field.value for field in world.workspace.vault.fields(keys)}
    assert fields["card_holder"] == "Jo Doe"
    assert fields["email"] == "jo@example.com"


def test_what_waits_at_intake_stands_in_quarantine_with_its_reason(world) -> None:
    world.send(track("", id="1", user="u1"), track("ok", id="2", user="u1"))
    world.fold()
    assert [row["event"] for row in world.raw("events")] == ["ok"]
    assert "event name" in world.raw("quarantine")[0]["reason"]


def test_sessions_are_spans_of_thirty_minutes_however_late_events_come(world) -> None:
    minute = 60
    world.send(track("x", id="1", user="u1", at=0), track("x", id="2", user="u1", at=50 * minute))
    world.fold()
    assert len(world.raw("sessions")) == 2
    world.send(track("x", id="3", user="u1", at=25 * minute))
    world.fold()
    (session,) = world.raw("sessions")
    assert session["events"] == 3
    assert session["actions"] == 3


def test_events_without_consent_are_left_out_and_counted(tmp_path) -> None:
    world = World(tmp_path / "o", basis="opt-in")
    world.send(
        track("x", id="1", user="u1", agreed=False), track("x", id="2", user="u2", agreed=True)
    )
    view = world.view()
    assert len(world.rows(view.events)) == 1
    assert view.left_out(START, START + 1_000_000) == 1
    assert {name.value for name in _names(world)} == {"u2"}
    world.close()


def _names(world: World):
    rows = world.raw("identifiers")
    return world.workspace.vault.names(row["key"] for row in rows).values()


def test_a_view_as_of_a_time_holds_only_what_was_true_then(world) -> None:
    world.send(track("x", id="1", user="u1", at=0), track("x", id="2", user="u1", at=3600))
    assert len(world.rows(world.view(as_of_time=START + 1).events)) == 1
    assert len(world.rows(world.view().events)) == 2


def test_checksums_do_not_know_our_clock(tmp_path) -> None:
    found = []
    for place, late in enumerate((0, 7_000_000_000)):
        world = World(tmp_path / f"c{place}")
        plain = {"type": "track", "event": "x", "messageId": "1", "userId": "u1"}
        skewed = plain | {"messageId": "2", "timestamp": iso(0), "sentAt": iso(90)}
        joined = {"type": "identify", "messageId": "3", "userId": "u1", "anonymousId": "a1"}
        world.send(plain, skewed, joined, received=START + late)
        found.append(world.sums())
        world.close()
    assert found[0] == found[1]


def test_a_bad_event_sent_again_waits_once(world) -> None:
    bad = track("", id="1", user="u1")
    world.send(bad, bad)
    world.fold()
    world.send(bad)
    assert world.sums()["quarantine"][0] == 1


def test_what_is_sent_again_is_held_to_its_first_rows_each_read_once(world, monkeypatch) -> None:
    events = [track("pin_saved", id=f"m{n}", user=f"u{n % 9}", at=n, size=n) for n in range(300)]
    for start in range(0, 300, 3):
        world.send(*events[start : start + 3])
    world.fold()
    read: list[int] = []
    rows = world.workspace.log.rows
    monkeypatch.setattr(
        world.workspace.log, "rows", lambda offsets: read.extend(offsets) or rows(offsets)
    )
    random.Random(4).shuffle(events)
    events[0] = events[0] | {"properties": {"size": -1}}
    world.send(*events)
    world.fold()
    assert len(world.raw("events")) == 300
    assert sum(row["events"] for row in world.raw("duplicates")) == 299
    assert [row["message_hi"] is not None for row in world.raw("quarantine")] == [True]
    assert sorted(read) == sorted(set(read))
    assert read == sorted(read)


def test_an_id_that_names_somebody_is_hidden_under_the_key_and_counts_once(tmp_path):
    world = World(tmp_path / "w", basis="opt-in")
    try:
        telling = track("pin_saved", id="person-17-a", user="person-17", agreed=False)
        plain = track("pin_saved", id="m1", user="person-17", agreed=False)
        world.send(telling, plain)
        world.close()
        world.open()
        world.send(plain, telling, telling)
        before = world.sums()
        assert before["events"][0] == 2
        rebuild(world.workspace)
        assert world.sums() == before
        rows = world.workspace.log.read(0)
        kept = [one for row in rows if b"pin_saved" in row.body for one in ids_in(row.body)]
        hidden = {one for one in kept if one != "m1"}
        assert (len(kept), kept.count("m1"), len(hidden)) == (5, 2, 1)
        (found,) = hidden
        guessed = blake2b(b"person-17-a", digest_size=16).hexdigest()
        assert found.startswith("sealed:")
        assert guessed not in found
        keyed = {gate_id(key) for key in (b"", b"a" * 32, bytes.fromhex(IDENTITY_KEY))}
        assert len(keyed) == 3
        assert found in keyed
    finally:
        world.close()


def gate_id(key):
    item = json.dumps(track("pin_saved", id="person-17-a", user="person-17")).encode()
    (event,) = decode("batch", b'{"batch":[' + item + b"]}", START)
    return json.loads(stripped(item, event, b"", key))["messageId"]


def ids_in(body):
    return [one["messageId"] for one in json.loads(body)["batch"]]


def asked_and_agreed(**properties):
    """Return one message under an id that tells its person: before a yes, and with it."""
    return [
        track(
            "pin_saved", id="person-17-a", user="person-17", agreed=agreed, item="i", **properties
        )
        for agreed in (False, True)
    ]


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
@pytest.mark.parametrize("first", [0, 1], ids=["without first", "with first"])
@pytest.mark.parametrize("personal", [{}, {"email": "jo@example.com", "n": 1}])
def test_a_message_without_consent_and_with_it_counts_once(tmp_path, first, together, personal):
    world = World(tmp_path / "w", basis="opt-in")
    sent = asked_and_agreed(**personal)
    try:
        if together:
            world.send(sent[first], sent[1 - first])
        for one in () if together else (first, 1 - first):
            world.send(sent[one])
            world.fold()
        before = world.sums()
        assert before["events"][0] == 1
        assert world.raw("quarantine") == []
        (event,) = world.raw("events")
        assert (event["user_key"] is None) == (first == 0), "the first that came stands"
        rebuild(world.workspace)
        assert world.sums() == before
        world.send(*sent)
        assert world.sums()["events"] == before["events"]
    finally:
        world.close()


def test_a_message_that_says_something_else_with_consent_waits_as_a_conflict(tmp_path):
    world = World(tmp_path / "w", basis="opt-in")
    try:
        without, with_ = asked_and_agreed(email="jo@example.com")
        world.send(without)
        world.send(with_ | {"properties": {"item": "other", "email": "jo@example.com"}})
        world.fold()
        assert len(world.raw("events")) == 1
        assert len(world.raw("quarantine")) == 1
    finally:
        world.close()


def test_nothing_in_the_log_lets_an_id_be_tried_before_consent(tmp_path):
    world = World(tmp_path / "w", basis="opt-in")
    unnamed = {**asked_and_agreed()[0], "messageId": None}
    try:
        world.send(asked_and_agreed()[0], unnamed)
        made = decode("batch", json.dumps({"batch": [unnamed]}).encode(), START, b"app")[0]
        world.fold()
        (row,) = world.workspace.log.read(0)[-1:]
        tried = [
            made.message_id.removeprefix("made-"),
            blake2b(b"person-17-a", digest_size=16).hexdigest(),
            "person-17",
        ]
        assert all(one.startswith("sealed:") for one in ids_in(row.body))
        assert not [one for one in tried if one.encode() in row.body]
        high = {row["message_hi"] for row in world.raw("events")}
        assert not [
            one
            for one in tried[:2]
            if int.from_bytes(bytes.fromhex(one)[:8], "big", signed=True) in high
        ]
    finally:
        world.close()


@pytest.mark.parametrize("first", [0, 1], ids=["without first", "with first"])
def test_a_message_that_is_erased_counts_once_whichever_way_it_comes_again(tmp_path, first):
    world = World(tmp_path / "w", basis="opt-in")
    sent = asked_and_agreed(email="jo@example.com")
    try:
        world.send(sent[first], sent[1 - first])
        world.send(track("pin_saved", id="m2", user="person-17", at=3))
        world.fold()
        call(world.workspace, OWNER, "person erase", {"id": "user_id:person-17"})
        before = world.sums()
        assert before["events"][0] == 1 - first, "what is nobody's stays"
        for one in sent:
            world.send(one)
            world.fold()
        assert world.sums()["events"] == before["events"]
        rebuild(world.workspace)
        assert world.sums()["events"] == before["events"]
        kept = [row.body for row in world.workspace.log.read(0) if row.dialect != "control"]
        assert not [body for body in kept if b"person-17" in body]
    finally:
        world.close()
