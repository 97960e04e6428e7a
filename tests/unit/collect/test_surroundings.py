"""Contexts in the facts: each once, of the events that count; and metrics split by them."""

import json

import pytest

from onefold.metrics import load_metrics, measure
from onefold.metrics.define import parse_metric
from onefold.model.errors import BadInput
from onefold.model.time import DAY
from worlds import AGREED, START, World, track

pytestmark = pytest.mark.long

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/128.0.0.0 Safari/537.36"
)
SAVES = """
metric: saves
label: Saves
description: Pins saved.
owner: Growth
kind: count
numerator: {count: events, events: [pin_saved]}
minimum_people: 2
"""
CHANNELS = """
rules:
  - {channel: leaflets, source: [leaflet]}
"""


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def around(call, **context):
    """Return a call with something said around it."""
    return {**call, "context": {**AGREED, **context}}


def saves_by(world, dimension):
    answer = measure(
        world.view(),
        parse_metric(SAVES, "saves.yaml"),
        from_time=START - DAY,
        to_time=START + DAY,
        by=dimension,
    )
    return {row[0]: row[1] for row in answer.rows}


def test_a_context_stands_once_and_events_have_its_key(world):
    german, french = {"locale": "de-DE"}, {"locale": "fr-FR", "userAgent": CHROME}
    for turn in range(3):
        world.send(
            around(track("x", id=f"{turn}-1", user="u1"), **german),
            around(track("x", id=f"{turn}-2", user="u2"), **french),
            track("x", id=f"{turn}-3", user="u3"),
        )
        world.fold()
    contexts = {row["key"]: row["language"] for row in world.raw("contexts")}
    assert sorted(contexts.values()) == ["de", "fr"]
    told = {contexts.get(row["context_key"]) for row in world.raw("events")}
    assert told == {"de", "fr", None}


def test_a_rebuild_gives_the_same_contexts(world):
    world.send(around(track("x", id="1", user="u1"), userAgent=CHROME, locale="de"))
    world.send(around(track("x", id="1", user="u1"), userAgent=CHROME, locale="fr"))
    first = world.sums()
    from onefold.runtime import rebuild

    rebuild(world.workspace)
    assert world.sums() == first
    assert first["contexts"][0] == 1


def test_the_context_of_a_batch_counts_for_each_event(world):
    body = {
        "batch": [
            track("x", id="1", user="u1"),
            around(track("x", id="2", user="u2"), locale="it-IT"),
        ],
        "context": {"locale": "de-DE", "library": {"name": "kiosk"}},
    }
    from onefold.collect import receive

    receipt = receive(
        world.source,
        dialect="segment",
        route="batch",
        body=json.dumps(body).encode(),
        received_time=START,
        catalogue=world.catalogue,
    )
    world.workspace.log.append([receipt.row])
    world.fold()
    found = {(row["language"], row["library"]) for row in world.raw("contexts")}
    assert found == {("de", "kiosk"), ("it", "kiosk")}


def test_without_consent_the_agent_stays_unknown_and_the_campaign_is_known(tmp_path):
    world = World(tmp_path / "w", basis="opt-in")
    call = track("x", id="1", anonymous="a1", agreed=False)
    call["context"] = {"userAgent": CHROME, "campaign": {"source": "fb", "medium": "social"}}
    world.send(call)
    world.fold()
    (row,) = world.raw("contexts")
    world.close()
    assert (row["browser"], row["device"]) == (None, None)
    assert (row["utm_source"], row["channel"]) == ("fb", "social")


def test_metrics_are_split_by_what_surrounds_events(world):
    page = {"url": "https://shop.example/", "referrer": "https://www.google.com/"}
    world.send(
        around(track("pin_saved", id="1", user="u1"), page=page, userAgent=CHROME),
        around(track("pin_saved", id="2", user="u2"), page=page),
        around(track("pin_saved", id="3", user="u2"), page={"url": "https://shop.example/"}),
        track("pin_saved", id="4", user="u3"),
    )
    assert saves_by(world, "channel") == {"organic search": 2, "direct": 1, None: 1}
    assert saves_by(world, "browser") == {"Chrome": 1, None: 3}
    assert saves_by(world, "referrer") == {"google.com": 2, None: 2}


def test_a_described_property_goes_before_a_surrounding_of_its_name(tmp_path):
    described = (
        "event: pin_saved\nversion: 1\nowner: Growth\ndescription: A save.\nkind: action\n"
        "properties:\n  channel: {type: string}\n"
    )
    world = World(tmp_path / "w", definitions={"events/pin_saved.yaml": described})
    page = {"url": "https://shop.example/"}
    world.send(around(track("pin_saved", id="1", user="u1", channel="kiosk"), page=page))
    found = saves_by(world, "channel")
    world.close()
    assert found == {"kiosk": 1}


def test_a_metric_may_ask_for_a_surrounding(world):
    mobile = SAVES.replace("[pin_saved]", "[pin_saved], where: {language: [de]}")
    world.send(
        around(track("pin_saved", id="1", user="u1"), locale="de-DE"),
        around(track("pin_saved", id="2", user="u2"), locale="fr-FR"),
    )
    answer = measure(
        world.view(), parse_metric(mobile, "m.yaml"), from_time=START - DAY, to_time=START + DAY
    )
    assert answer.rows[0][0] == 1


def test_a_metric_of_sessions_is_split_by_nothing():
    assert load_metrics()["saves_per_session"].splits == ()
    assert load_metrics()["save_rate"].splits[0] == "source"


def test_an_edited_table_holds_once_it_is_applied(world):
    world.send(
        around(track("x", id="1", user="u1"), campaign={"source": "leaflet", "medium": "email"})
    )
    world.fold()
    assert [row["channel"] for row in world.raw("contexts")] == ["email"]
    path = world.folder / "definitions" / "channels.yaml"
    path.write_text(CHANNELS, "utf-8")
    assert world.workspace.apply_definitions()
    assert [row["channel"] for row in world.raw("contexts")] == ["leaflets"]
    path.write_text("rules: 3", "utf-8")
    with pytest.raises(BadInput, match=r"channels.yaml:1:8"):
        world.workspace.apply_definitions()
    assert [row["channel"] for row in world.raw("contexts")] == ["leaflets"]


def test_the_shipped_table_needs_no_applying(world):
    assert (world.folder / "definitions" / "channels.yaml").exists()
    assert not world.workspace.apply_definitions()
    assert world.workspace.log.last_offset() == 0
