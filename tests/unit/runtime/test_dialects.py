"""What the facts make of each dialect: one person from the first visit on, and nobody's acts."""

import json

import pytest

from onefold import create
from onefold.collect import make_catalogue, receive, sources
from onefold.model.records import OWNER, Question

pytestmark = pytest.mark.long


def track(event, **who):
    return {"type": "track", "event": event, "channel": "web", **who}


SIGNED_IN = {
    "rudder": (
        "segment",
        "batch",
        {
            "batch": [
                track("seen", anonymousId="a1", messageId="1"),
                track("seen", anonymousId="a1", userId="u1", messageId="2"),
                track("bought", userId="u1", messageId="3"),
            ]
        },
    ),
    "posthog": (
        "posthog",
        "batch",
        {
            "batch": [
                {
                    "event": "seen",
                    "uuid": "1",
                    "distinct_id": "a1",
                    "properties": {"$device_id": "a1", "$is_identified": False},
                },
                {
                    "event": "$identify",
                    "uuid": "2",
                    "distinct_id": "u1",
                    "properties": {"$anon_distinct_id": "a1"},
                },
                {"event": "bought", "uuid": "3", "distinct_id": "u1", "properties": {}},
            ]
        },
    ),
    "posthog, by an alias": (
        "posthog",
        "batch",
        {
            "batch": [
                {
                    "event": "seen",
                    "uuid": "1",
                    "distinct_id": "a1",
                    "properties": {"$process_person_profile": False},
                },
                {
                    "event": "$create_alias",
                    "uuid": "2",
                    "distinct_id": "a1",
                    "properties": {"alias": "u1"},
                },
                {"event": "bought", "uuid": "3", "distinct_id": "u1"},
            ]
        },
    ),
    "snowplow": (
        "snowplow",
        "tp2",
        {
            "data": [
                {"e": "se", "se_ca": "x", "se_ac": "seen", "eid": "1", "duid": "a1"},
                {"e": "pv", "eid": "2", "duid": "a1", "uid": "u1"},
                {"e": "se", "se_ca": "x", "se_ac": "bought", "eid": "3", "uid": "u1"},
            ]
        },
    ),
}


@pytest.fixture
def opened(tmp_path):
    with create(tmp_path / "shop", basis="contract") as made:
        yield made


def send(opened, dialect, route, body):
    workspace = opened.workspace
    (source,) = sources.list_sources(workspace.state)
    receipt = receive(
        source,
        dialect=dialect,
        route=route,
        body=json.dumps(body).encode(),
        received_time=workspace.clock(),
        catalogue=make_catalogue(()),
    )
    workspace.log.append([receipt.row])
    workspace.catch_up()
    return receipt


def known(opened):
    """Return name and person of every event that has one, in the order of the log."""
    table = opened.workspace.view(Question(asker=OWNER)).person_events
    return ordered(opened, table.select("event", "person_id", "log_offset", "place"))


def all_of(opened):
    """Return the name of every event."""
    table = opened.workspace.view(Question(asker=OWNER)).events
    return ordered(opened, table.select("event", "kind", "log_offset", "place"))


def ordered(opened, table):
    view = opened.workspace.view(Question(asker=OWNER))
    asked = view.ask(table.order_by(["log_offset", "place"])).to_pylist()
    return [tuple(row.values())[:2] for row in asked]


@pytest.mark.parametrize("name", SIGNED_IN)
def test_a_visitor_who_signs_in_is_one_person(opened, name):
    receipt = send(opened, *SIGNED_IN[name])
    assert receipt.accepted == 3
    assert receipt.quarantined == ()
    events = known(opened)
    assert [event for event, _ in events][0::2] == ["seen", "bought"]
    assert len({person for _, person in events}) == 1


NOBODY = {
    "snowplow": ("snowplow", "tp2", {"data": [{"e": "se", "se_ac": "seen", "eid": "1"}]}),
    "posthog": (
        "posthog",
        "event",
        {"event": "seen", "uuid": "1", "distinct_id": "$posthog_cookieless", "properties": {}},
    ),
    "posthog, a group": (
        "posthog",
        "event",
        {
            "event": "$groupidentify",
            "uuid": "1",
            "distinct_id": "$company_c1",
            "properties": {"$group_type": "company", "$group_key": "c1"},
        },
    ),
}


@pytest.mark.parametrize("name", NOBODY)
def test_an_event_of_nobody_counts_and_makes_no_person(opened, name):
    assert send(opened, *NOBODY[name]).accepted == 1
    assert len(all_of(opened)) == 1
    assert known(opened) == []


@pytest.mark.parametrize("name", SIGNED_IN)
def test_a_batch_sent_again_counts_once(opened, name):
    send(opened, *SIGNED_IN[name])
    before = all_of(opened)
    assert len(before) == 3
    send(opened, *SIGNED_IN[name])
    assert all_of(opened) == before
