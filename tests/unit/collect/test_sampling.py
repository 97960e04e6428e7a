"""Sources that sample: a person or nobody, the rate on each event, figures of everybody."""

import json
from dataclasses import replace

import pytest

from onefold.collect import make_catalogue, receive, sources
from onefold.collect.records import Source
from onefold.collect.sampling import is_drawn, sampling_key, with_rate
from onefold.metrics import measure
from onefold.metrics.define import parse_metric
from onefold.model.errors import BadInput
from onefold.model.records import OWNER
from onefold.model.time import DAY
from onefold.runtime import call
from worlds import AGREED, IDENTITY_KEY, START, World, track

KEY = sampling_key(bytes.fromhex(IDENTITY_KEY))
SAVES = """
metric: saves
label: Saves
description: Pins saved.
owner: Growth
kind: count
numerator: {count: events, events: [pin_saved]}
minimum_people: 2
"""


def taken(source, *events):
    return receive(
        source,
        dialect="segment",
        route="batch",
        body=json.dumps({"batch": events}).encode(),
        received_time=START,
        catalogue=make_catalogue(()),
        sampling_key=KEY,
    )


def source(rate=1.0):
    return Source("app", "wk", basis="notice", sample=rate)


def of_people(people, each=3):
    return [
        track("pin_saved", id=f"{person}-{turn}", user=f"u{person}", at=turn)
        for person in range(people)
        for turn in range(each)
    ]


def users_in(receipt):
    return [item["userId"] for item in json.loads(receipt.row.body)["batch"]]


def test_a_person_is_kept_whole_or_not_at_all():
    receipt = taken(source(0.5), *of_people(200))
    users = users_in(receipt)
    assert all(users.count(user) == 3 for user in users)
    assert 60 < len(set(users)) < 140
    assert receipt.accepted + receipt.sampled_out == 600
    assert receipt.answer()["sampled_out"] == receipt.sampled_out
    assert len(receipt.row.verdicts) == receipt.accepted


def test_samples_are_nested_and_drawn_by_the_key():
    few, many = (set(users_in(taken(source(rate), *of_people(300)))) for rate in (0.2, 0.6))
    assert few < many
    event = taken(source(), *of_people(1)).row
    assert event is not None
    from onefold.collect.dialects.segment import decode

    events = decode("batch", json.dumps({"batch": of_people(400, each=1)}).encode(), START)
    ours, theirs = (
        [is_drawn(one, 0.5, sampling_key(bytes([n]) * 32)) for one in events] for n in (1, 2)
    )
    assert ours != theirs


def test_who_signs_in_keeps_what_came_before():
    before = [track("x", id=f"a{n}", anonymous=f"d{n}") for n in range(100)]
    after = [track("x", id=f"b{n}", anonymous=f"d{n}", user=f"u{n}") for n in range(100)]
    receipt = taken(source(0.4), *before, *after)
    devices = [item["anonymousId"] for item in json.loads(receipt.row.body)["batch"]]
    assert all(devices.count(device) == 2 for device in devices)


def test_a_source_that_keeps_all_leaves_the_body_as_it_came():
    body = json.dumps({"batch": of_people(2)}).encode()
    assert taken(source(), *of_people(2)).row.body == body
    assert "sampled_out" not in taken(source(), *of_people(2)).answer()


def test_nothing_is_stored_of_whom_the_sample_leaves_out():
    receipt = taken(source(1e-12), *of_people(3))
    assert (receipt.row, receipt.accepted, receipt.sampled_out) == (None, 0, 9)


def test_bad_events_wait_whoever_sent_them():
    receipt = taken(source(1e-12), {"type": "track", "messageId": "1", "userId": "u1"})
    assert (len(receipt.quarantined), receipt.sampled_out) == (1, 0)


def test_an_event_without_consent_has_its_rate_too():
    quiet = replace(source(0.999999), basis="opt-in")
    receipt = taken(quiet, track("x", id="1", anonymous="a1", agreed=False))
    (item,) = json.loads(receipt.row.body)["batch"]
    assert item["context"]["sample_rate"] == 0.999999
    assert "anonymousId" not in item


@pytest.mark.parametrize(
    ("item", "rate"),
    [
        (b'{"type":"track"}', 0.5),
        (b'{"context":null}', 0.5),
        (b'{"context":{"sample_rate":0.1}}', 0.05),
        (b'{"context":{"sample_rate":7}}', 0.5),
        (b'{"context":{"sample_rate":"half"},"event":"\\ud83d"}', 0.5),
    ],
)
def test_the_rate_stands_on_the_event_and_counts_a_senders_own(item, rate):
    assert json.loads(with_rate(item, 0.5))["context"]["sample_rate"] == pytest.approx(rate)


def test_figures_are_of_everybody(tmp_path):
    world = World(tmp_path / "w")
    rated = [
        {**event, "context": {**AGREED, "sample_rate": 0.25}} for event in of_people(60, each=2)
    ]
    world.send(*rated, track("pin_saved", id="x", user="whole"))
    world.send({**track("pin_saved", id="y", user="odd"), "context": {"sample_rate": 4}})
    view = world.view()
    metric = parse_metric(SAVES, "saves.yaml")
    answer = measure(view, metric, from_time=START - DAY, to_time=START + DAY)
    rates = {row["sample_rate"] for row in world.raw("events")}
    sessions = {row["sample_rate"] for row in world.raw("sessions")}
    world.close()
    assert answer.rows[0][0] == pytest.approx(60 * 2 * 4 + 2)
    assert answer.rows[0][4] == 62
    assert rates == sessions == {0.25, None}
    assert any("one over its rate" in note for note in answer.notes)


def test_a_source_is_told_to_sample(tmp_path):
    world = World(tmp_path / "w")
    shown = call(world.workspace, OWNER, "source set", {"name": "app", "sample": 0.1}).body
    (found,) = sources.list_sources(world.workspace.state)
    key = sources.sampling_key(world.workspace.state)
    with pytest.raises(BadInput, match="sample"):
        call(world.workspace, OWNER, "source set", {"name": "app", "sample": 0})
    with pytest.raises(BadInput, match="A sample of 2"):
        sources.set_source(world.workspace.state, OWNER, "app", sample=2.0)
    world.close()
    assert found.sample == 0.1
    names = [column["name"] for column in shown["columns"]]
    assert shown["rows"][0][names.index("sample")] == 0.1
    assert key == KEY
