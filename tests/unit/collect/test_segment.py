"""The decoder of Segment's calls: shapes, faults, times, made ids."""

import json

import pytest

from onefold.collect.dialects.segment import decode, route_of
from onefold.collect.records import Code
from onefold.model.errors import BadInput
from onefold.model.time import DAY, HOUR, MINUTE, SECOND, format_time

NOW = 1_795_000_000_000_000
TRACK = {"type": "track", "event": "pin_saved", "userId": "u1", "messageId": "m1"}


def one(route="track", **fields):
    return decode(route, json.dumps({**TRACK, **fields}).encode(), NOW)[0]


def many(*items, **envelope):
    return decode("batch", json.dumps({"batch": items, **envelope}).encode(), NOW)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/track", "track"),
        ("/v1/t", "track"),
        ("/v1/i", "identify"),
        ("/v1/p", "page"),
        ("/v1/s", "screen"),
        ("/v1/g", "group"),
        ("/v1/a", "alias"),
        ("/v1/batch", "batch"),
        ("/v1/batch/", "batch"),
        ("/v1/b", "batch"),
        ("/v1/import", "batch"),
        ("/v1/nothing", None),
        ("/", None),
    ],
)
def test_every_address_long_and_short(path, route):
    assert route_of(path) == route


def test_a_track_call():
    event = one(properties={"item_id": "i1"}, anonymousId="a1")
    assert (event.kind, event.event, event.user_id, event.anonymous_id, event.message_id) == (
        "track",
        "pin_saved",
        "u1",
        "a1",
        "m1",
    )
    assert json.loads(event.properties) == {"item_id": "i1"}
    assert event.code == Code.ACCEPTED


def test_the_route_says_the_kind_whatever_the_type():
    assert one("identify", type="track", traits={"plan": "pro"}).kind == "identify"
    assert json.loads(one("identify", traits={"plan": "pro"}).properties) == {"plan": "pro"}


def test_explicit_nulls_are_nothing():
    event = one(anonymousId=None, properties=None, timestamp=None, context=None, groupId=None)
    assert event.anonymous_id is None
    assert event.properties == b"{}"
    assert event.code == 0


def test_numbers_as_ids_become_text():
    event = one(userId=4711, anonymousId=7.5, messageId=12)
    assert (event.user_id, event.anonymous_id, event.message_id) == ("4711", "7.5", "12")
    assert event.code == 0


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_id_is_none(blank):
    assert one(userId=blank).code == Code.NO_IDENTIFIER


def test_a_page_keeps_its_name_among_its_properties():
    event = one("page", name="Home", category="Shop", properties={"url": "https://x.test/"})
    assert json.loads(event.properties) == {
        "name": "Home",
        "category": "Shop",
        "url": "https://x.test/",
    }
    assert json.loads(one("page", name="Home").properties) == {"name": "Home"}
    assert json.loads(one("page", name="A", properties={"name": "B"}).properties)["name"] == "B"


@pytest.mark.parametrize(
    ("item", "code", "word"),
    [
        ({**TRACK, "type": "dance"}, Code.UNKNOWN_TYPE, "is unknown"),
        ({k: v for k, v in TRACK.items() if k != "type"}, Code.UNKNOWN_TYPE, "no type"),
        ({**TRACK, "event": " "}, Code.NO_EVENT_NAME, "no event name"),
        ({**TRACK, "userId": None}, Code.NO_IDENTIFIER, "neither userId nor anonymousId"),
        ({**TRACK, "timestamp": "yesterday"}, Code.BAD_TIME, "ISO 8601"),
        ({**TRACK, "timestamp": 1795000000}, Code.BAD_TIME, "ISO 8601"),
        ({**TRACK, "timestamp": "0001-01-01T00:00:00Z"}, Code.BAD_TIME, "before 1970"),
        ({**TRACK, "properties": [1]}, Code.BAD_PROPERTIES, "not an object"),
        ({**TRACK, "messageId": "m" * 101}, Code.LONG_ID, "101 characters"),
        ({**TRACK, "properties": {"x": "y" * 33_000}}, Code.REFUSED, "32,768"),
        ({**TRACK, "userId": {"a": 1}}, Code.MALFORMED, "neither text nor a number"),
        ("just text", Code.MALFORMED, "not a JSON object"),
        (None, Code.MALFORMED, "not a JSON object"),
        ({"type": "group", "userId": "u", "messageId": "g"}, Code.NO_IDENTIFIER, "groupId"),
        ({"type": "alias", "userId": "u", "messageId": "g"}, Code.NO_IDENTIFIER, "previousId"),
    ],
)
def test_a_bad_event_costs_its_batch_nothing(item, code, word):
    good = {**TRACK, "messageId": "m2"}
    first, bad, last = many(good, item, good)
    assert (first.code, last.code) == (0, 0)
    assert bad.code == code
    assert word in bad.reason
    assert bad.reason.endswith(".")


@pytest.mark.parametrize(
    "broken",
    [
        b'{"type":"track","event":"e","userId":"u","properties":{"a":NaN}}',
        b'{"type":"track",}',
        b'{"type":"track","userId":"\xff"}',
        b"{'type': 'track'}",
        b'{"a":' + b"[" * 15_000 + b"]" * 15_000 + b"}",
        b"nul",
    ],
)
def test_broken_json_inside_a_batch_costs_the_others_nothing(broken):
    good = json.dumps(TRACK).encode()
    body = (
        b'{"sentAt":"2026-11-22T08:00:00Z", "batch" : ['
        + good
        + b","
        + broken
        + b","
        + good
        + b"]}"
    )
    first, bad, last = decode("batch", body, NOW)
    assert (first.code, last.code) == (0, 0)
    assert bad.code == Code.MALFORMED


def test_half_an_emoji_does_not_lose_the_event():
    body = rb'{"batch":[{"type":"track","event":"\ud83d","userId":"u","messageId":"m"}]}'
    (event,) = decode("batch", body, NOW)
    assert event.code == 0
    assert event.event == "�"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"batch":{}}', b"hello", b'{"batch":[', b"\x00"]
)
def test_a_body_that_is_no_batch_is_refused_whole(body):
    with pytest.raises(BadInput):
        decode("batch", body, NOW)


def test_the_batchs_consent_counts_where_the_event_has_none():
    shared = {"consent": {"categoryPreferences": {"analytics": True}}}
    own = {**TRACK, "context": {"consent": {"categoryPreferences": {"analytics": False}}}}
    first, second = many(TRACK, own, context=shared)
    assert json.loads(first.sent_consent) == shared["consent"]
    assert json.loads(second.sent_consent)["categoryPreferences"] == {"analytics": False}


# ---------------------------------------------------------------- times


def sent(micros):
    return format_time(micros)


def test_without_timestamp_the_received_time_stands():
    event = one()
    assert (event.event_time, event.time_basis) == (NOW, "received")


def test_a_timestamp_without_sent_at_stands():
    event = one(timestamp=sent(NOW - 400 * DAY))
    assert (event.event_time, event.time_basis) == (NOW - 400 * DAY, "sent")


def test_a_wrong_clock_is_corrected_once():
    behind = NOW - 3 * HOUR
    event = one(timestamp=sent(behind - 5 * SECOND), sentAt=sent(behind))
    assert (event.event_time, event.time_basis) == (NOW - 5 * SECOND, "corrected")


def test_a_skew_under_a_minute_is_the_network():
    event = one(timestamp=sent(NOW - 90 * SECOND), sentAt=sent(NOW - 59 * SECOND))
    assert (event.event_time, event.time_basis) == (NOW - 90 * SECOND, "sent")
    event = one(timestamp=sent(NOW - 90 * SECOND), sentAt=sent(NOW - MINUTE))
    assert (event.event_time, event.time_basis) == (NOW - 30 * SECOND, "corrected")


def test_more_than_a_day_ahead_is_no_time():
    event = one(timestamp=sent(NOW + DAY + SECOND))
    assert (event.event_time, event.time_basis) == (NOW, "future")
    assert one(timestamp=sent(NOW + DAY)).time_basis == "sent"


def test_the_batchs_sent_at_counts_where_the_event_has_none():
    behind = NOW - HOUR
    (event,) = many({**TRACK, "timestamp": sent(behind)}, sentAt=sent(behind))
    assert (event.event_time, event.time_basis) == (NOW, "corrected")
    (event,) = many({**TRACK, "timestamp": sent(behind), "sentAt": sent(NOW)}, sentAt=sent(behind))
    assert (event.event_time, event.time_basis) == (behind, "sent")


def test_original_timestamp_is_corrected_and_a_corrected_timestamp_is_not():
    behind = NOW - HOUR
    assert one(originalTimestamp=sent(behind), sentAt=sent(behind)).event_time == NOW
    both = one(originalTimestamp=sent(behind), timestamp=sent(NOW - MINUTE), sentAt=sent(behind))
    assert (both.event_time, both.time_basis) == (NOW - MINUTE, "sent")


def test_a_sent_at_that_is_no_time_corrects_nothing():
    event = one(timestamp=sent(NOW - HOUR), sentAt="now")
    assert (event.event_time, event.time_basis, event.code) == (NOW - HOUR, "sent", 0)


@pytest.mark.parametrize(
    "text", ["2026-11-22", "2026-11-22T08:00:00", "2026-11-22 08:00:00.5+01:00", "20261122T080000Z"]
)
def test_iso_times_of_other_shapes(text):
    assert one(timestamp=text).code == 0


# ---------------------------------------------------------------- made ids


def without_id(**fields):
    return {k: v for k, v in {**TRACK, **fields}.items() if k != "messageId"}


def test_an_event_without_id_gets_one_from_its_content():
    (first,) = many(without_id(), sentAt="2026-11-22T08:00:00Z")
    (again,) = many(without_id(), sentAt="2026-11-22T09:00:00Z", writeKey="k")
    (single,) = decode("track", json.dumps(without_id(sentAt="x")).encode(), NOW)
    (other,) = many(without_id(event="pin_opened"))
    assert first.message_id == again.message_id == single.message_id
    assert first.message_id != other.message_id


def test_equals_within_a_request_are_told_apart_by_their_place():
    ids = [event.message_id for event in many(without_id(), without_id(), without_id())]
    assert len(set(ids)) == 3
    assert ids == [event.message_id for event in many(without_id(), without_id(), without_id())]


def test_two_sources_make_different_ids():
    body = json.dumps(without_id()).encode()
    assert decode("track", body, NOW, b"app") != decode("track", body, NOW, b"web")


def test_decoding_is_a_function_of_its_arguments():
    body = json.dumps({"batch": [TRACK, without_id(), {"type": 3}, None]}).encode()
    assert decode("batch", body, NOW) == decode("batch", body, NOW)
