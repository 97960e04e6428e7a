"""RudderStack's events become the one shape, and Segment's stay what they were."""

import json
from urllib.parse import urlencode

import pytest

from onefold.collect import Source, make_catalogue, receive
from onefold.collect.dialects.rudder import route_of, speaks
from onefold.collect.dialects.segment import decode
from onefold.model.errors import BadInput, TooLarge

NOW = 1_795_347_800_000_000


def taken(body, *, dialect="segment", route="batch", basis="notice"):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return receive(
        Source("app", "wk", basis=basis),
        dialect=dialect,
        route=route,
        body=sent,
        received_time=NOW,
        catalogue=make_catalogue(()),
    )


def event(**fields):
    return {
        "type": "track",
        "event": "pin_saved",
        "userId": "u1",
        "messageId": "id-1",
        "channel": "server",
        "originalTimestamp": "2026-11-22T11:00:00Z",
        **fields,
    }


def shaped(one, **envelope):
    receipt = taken({"batch": [one], **envelope})
    assert (receipt.row.dialect, receipt.row.route) == ("rudder", "batch")
    return json.loads(receipt.row.body)["batch"][0]


def test_its_sdks_are_known_by_their_channel():
    assert shaped(event())["context"] == {"channel": "server"}
    mine = event()
    del mine["channel"]
    mine["properties"] = {"channel": "mail"}
    body = json.dumps({"batch": [mine]}).encode()
    receipt = taken(body)
    assert receipt.row.dialect == "segment"
    assert receipt.row.body == body
    assert not speaks(b'{"batch": 3, "channel')


def test_a_single_event_too():
    receipt = taken(event(), route="track")
    assert (receipt.row.dialect, receipt.row.route) == ("rudder", "batch")
    assert json.loads(receipt.row.body)["batch"][0]["type"] == "track"
    with pytest.raises(TooLarge):
        taken(event(properties={"x": "y" * 300_000}), route="track")


def test_traits_of_identify_stand_in_its_context():
    told = shaped(event(type="identify", context={"traits": {"plan": "pro"}}))
    assert told["traits"] == {"plan": "pro"}
    own = shaped(event(type="identify", traits={"a": 1}, context={"traits": {"plan": "pro"}}))
    assert own["traits"] == {"a": 1}


@pytest.mark.parametrize(
    ("times", "skewed", "basis"),
    [
        ({"originalTimestamp": "2026-11-22T11:00:00Z"}, True, "corrected"),
        ({"timestamp": "2026-11-22T11:00:00Z", "originalTimestamp": None}, False, "sent"),
    ],
)
def test_only_the_original_timestamp_is_corrected(times, skewed, basis):
    receipt = taken({"batch": [event(**times)], "sentAt": "2026-11-22T11:10:00Z"})
    (read,) = decode("batch", receipt.row.body, NOW, b"app")
    expected = 1_795_345_200_000_000 + (NOW - 1_795_345_800_000_000 if skewed else 0)
    assert (read.event_time, read.time_basis) == (expected, basis)


def test_consent_management_is_consent():
    management = {"allowedConsentIds": ["analytics"], "deniedConsentIds": ["advertising"]}
    receipt = taken({"batch": [event(context={"consentManagement": management})]}, basis="opt-in")
    (told,) = json.loads(receipt.row.body)["batch"]
    assert told["context"]["consent"] == {
        "categoryPreferences": {"analytics": True, "advertising": False}
    }
    assert receipt.row.verdicts == bytes([1])


def test_an_address_that_is_passed_on_is_not_kept():
    assert b"203.0.113.9" not in taken({"batch": [event(request_ip="203.0.113.9")]}).row.body


def test_a_merge_is_an_alias_where_it_joins_two_ids():
    pairs = [{"type": "userId", "value": "u1"}, {"type": "anonymousId", "value": "a1"}]
    receipt = taken(
        {"type": "merge", "mergeProperties": pairs, "messageId": "m"},
        dialect="rudder",
        route="merge",
    )
    (told,) = json.loads(receipt.row.body)["batch"]
    assert (told["type"], told["userId"], told["previousId"]) == ("alias", "u1", "a1")
    mails = [{"type": "email", "value": "x"}, {"type": "email", "value": "y"}]
    told = shaped(event(type="merge", mergeProperties=mails))
    assert (told["type"], told["event"]) == ("track", "merge")
    assert told["properties"] == {"mergeProperties": mails}


def test_beacon_and_pixel():
    assert route_of("/beacon/v1/batch") == "batch"
    assert route_of("/pixel/v1/page/") == "pixel page"
    assert route_of("/v1/batch") is None
    query = {
        "writeKey": "wk",
        "anonymousId": "a1",
        "event": "mail_opened",
        "properties": '{"n": 1}',
    }
    receipt = taken(urlencode(query).encode(), dialect="rudder", route="pixel track")
    (told,) = json.loads(receipt.row.body)["batch"]
    assert told["event"] == "mail_opened"
    assert told["properties"] == {"n": 1}
    assert "writeKey" not in told
    with pytest.raises(BadInput):
        taken(b"properties=%7B", dialect="rudder", route="pixel track")


def test_a_bad_event_costs_its_batch_nothing():
    batch = [event(), "no object", event(event=None), event(properties={"x": "y" * 300_000})]
    receipt = taken({"batch": batch})
    assert receipt.accepted == 1
    apart = {one.index: one.reason for one in (*receipt.quarantined, *receipt.refused)}
    assert sorted(apart) == [1, 2, 3]
    assert "at most 262,144" in apart[3]


def test_one_broken_event_in_broken_json_costs_its_batch_nothing():
    good = json.dumps(event()).encode()
    receipt = taken(b'{"batch":[' + good + b',{"x":NaN},' + good + b"]}")
    assert (receipt.row.dialect, receipt.accepted, len(receipt.quarantined)) == ("rudder", 2, 1)


def test_its_batches_may_be_larger_than_segments():
    many = [event(messageId=str(number), properties={"x": "y" * 900}) for number in range(700)]
    assert taken({"batch": many}).accepted == 700
    for one in many:
        del one["channel"]
    with pytest.raises(TooLarge):
        taken({"batch": many})


def test_a_dialect_that_nobody_speaks():
    with pytest.raises(BadInput, match="No dialect `other`"):
        taken({}, dialect="other")
