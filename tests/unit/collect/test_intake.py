"""What one request is worth: verdicts, limits, and the row that goes into the log."""

import gzip
import json
import zlib

import pytest

from onefold.collect import Source, make_catalogue, receive
from onefold.collect.dialects.segment import decode
from onefold.collect.records import Code
from onefold.collect.requests import LARGEST_REQUEST, unpacked
from onefold.model.errors import BadInput, TooLarge

NOW = 1_795_000_000_000_000
CATALOGUE = make_catalogue(
    [("saved.yaml", "event: pin_saved\nproperties:\n  item_id: {type: string, required: true}\n")]
)
YES = {"consent": {"categoryPreferences": {"analytics": True, "advertising": False}}}
NO = {"consent": {"categoryPreferences": {"analytics": False}}}


def event(place=0, **fields):
    return {
        "type": "track",
        "event": "pin_saved",
        "userId": f"person-{place}",
        "messageId": f"m{place}",
        "properties": {"item_id": "i1"},
        "context": YES,
        **fields,
    }


def take(*items, source=None, route="batch", **envelope):
    content = items[0] if route != "batch" else {"batch": list(items), **envelope}
    return receive(
        source or Source("app", "wk"),
        dialect="segment",
        route=route,
        body=json.dumps(content).encode(),
        received_time=NOW,
        catalogue=CATALOGUE,
    )


def test_good_events_are_kept_as_they_came():
    items = [event(0), event(1)]
    receipt = take(*items, sentAt="2026-11-22T08:00:00Z", writeKey="wk")
    assert receipt.accepted == 2
    assert json.loads(receipt.row.body)["batch"] == items
    assert list(receipt.row.verdicts) == [1, 1]
    assert (receipt.row.source, receipt.row.environment, receipt.row.route) == (
        "app",
        "production",
        "batch",
    )
    assert receipt.answer() == {"success": True, "accepted": 2, "quarantined": [], "refused": []}


def test_bad_events_wait_with_their_reasons():
    receipt = take(event(0), event(1, properties={}), event(2, event=""), event(3))
    assert receipt.accepted == 2
    assert receipt.answer()["quarantined"] == [
        {"index": 1, "message_id": "m1", "reason": "`item_id` is missing."},
        {"index": 2, "message_id": "m2", "reason": "The track call has no event name."},
    ]
    assert [verdict >> 4 for verdict in receipt.row.verdicts] == [
        Code.ACCEPTED,
        Code.SCHEMA,
        Code.NO_EVENT_NAME,
        Code.ACCEPTED,
    ]
    assert json.loads(receipt.row.reasons) == {
        "1": "`item_id` is missing.",
        "2": "The track call has no event name.",
    }


def test_refused_events_are_not_kept_and_the_places_close_up():
    receipt = take(event(0), event(1, properties={"x": "y" * 40_000}), event(2, event=""))
    assert receipt.answer()["refused"][0]["index"] == 1
    assert [one.message_id for one in decode("batch", receipt.row.body, NOW)] == ["m0", "m2"]
    assert json.loads(receipt.row.reasons) == {"1": "The track call has no event name."}


def test_a_single_event_that_is_too_large_is_refused_whole():
    with pytest.raises(TooLarge, match="32,768"):
        take(event(properties={"x": "y" * 40_000}), route="track")


def test_a_batch_has_at_most_2500_events():
    receipt = take(
        *[{"type": "page", "anonymousId": f"a{n}", "messageId": f"m{n}"} for n in range(2502)]
    )
    assert receipt.accepted == 2500
    assert [one.index for one in receipt.refused] == [2500, 2501]
    assert len(decode("batch", receipt.row.body, NOW)) == 2500


def test_a_batch_of_nothing_leaves_no_row():
    receipt = take()
    assert receipt.row is None
    assert receipt.answer()["accepted"] == 0


def test_what_is_malformed_is_kept_only_where_the_source_may_keep_persons():
    assert take(event(), "person-7").refused[0].reason.startswith("The event is not a JSON object.")
    notice = take(event(), "person-7", source=Source("app", "wk", basis="notice"))
    assert notice.quarantined[0].reason == "The event is not a JSON object."
    assert len(decode("batch", notice.row.body, NOW)) == 2


def test_consent_is_judged_event_by_event():
    receipt = take(event(0), event(1, context=NO), event(2, context={}))
    assert list(receipt.row.verdicts) == [1, 0, 0]
    assert receipt.accepted == 3
    first, second, _ = json.loads(receipt.row.body)["batch"]
    assert first == event(0)
    assert "userId" not in second
    assert second["properties"] == {"item_id": "i1"}
    assert b"person-2" not in receipt.row.body


def test_the_batchs_context_survives_a_stripped_neighbour():
    receipt = take(
        event(0, context={}),
        event(1, context=NO),
        context={**YES, "ip": "203.0.113.7", "locale": "de"},
    )
    assert list(receipt.row.verdicts) == [1, 0]
    assert b"203.0.113.7" not in receipt.row.body
    first, second = json.loads(receipt.row.body)["batch"]
    assert first["context"] == {**YES, "locale": "de"}
    assert second["context"]["locale"] == "de"


def test_the_properties_of_a_kept_event_stay_byte_for_byte():
    spaced = b'{ "item_id" :  "i1", "n": 1.50e1 }'
    body = (
        b'{"batch":[{"type":"track","event":"pin_saved","userId":"u1","messageId":"m",'
        b'"context":{"ip":"203.0.113.7"},"properties":' + spaced + b"}]}"
    )
    source = Source("app", "wk", basis="notice")
    row = receive(
        source, dialect="segment", route="batch", body=body, received_time=NOW, catalogue=CATALOGUE
    ).row
    assert b"203.0.113.7" not in row.body
    assert decode("batch", row.body, NOW)[0].properties == spaced


def test_an_id_made_at_intake_is_written_down():
    item = {key: value for key, value in event().items() if key != "messageId"}
    row = take(item, item).row
    made = [one.message_id for one in decode("batch", row.body, NOW, b"another salt")]
    assert made == [one.message_id for one in decode("batch", take(item, item).row.body, NOW)]
    assert len(set(made)) == 2


def test_undescribed_events_by_the_sources_policy():
    unknown = event(1, event="pin_opened", properties={"a": 1})
    half_known = event(2, properties={"item_id": "i", "more": 2})
    assert take(unknown).accepted == 1
    waiting = take(unknown, source=Source("app", "wk", unplanned="quarantine"))
    assert waiting.row.verdicts[0] >> 4 == Code.UNPLANNED
    stripped = take(unknown, half_known, source=Source("app", "wk", unplanned="strip")).row
    kept = [json.loads(one.properties) for one in decode("batch", stripped.body, NOW)]
    assert kept == [{}, {"item_id": "i"}]


def test_a_number_out_of_range_waits():
    body = b'{"type":"track","event":"e","userId":"u","properties":{"a":1e999}}'
    source = Source("app", "wk", basis="notice")
    receipt = receive(
        source, dialect="segment", route="track", body=body, received_time=NOW, catalogue=CATALOGUE
    )
    assert receipt.row.verdicts[0] >> 4 == Code.BAD_PROPERTIES


def test_no_other_dialect_is_known():
    with pytest.raises(BadInput, match="dialect"):
        receive(
            Source("app", "wk"),
            dialect="morse",
            route="batch",
            body=b"{}",
            received_time=NOW,
            catalogue=CATALOGUE,
        )


# ---------------------------------------------------------------- bodies


def test_gzip_is_known_by_its_first_bytes():
    assert unpacked(gzip.compress(b'{"a":1}')) == b'{"a":1}'
    assert unpacked(b'\xef\xbb\xbf{"a":1}') == b'{"a":1}'
    assert unpacked(b"") == b""


def test_a_request_over_the_limit_is_refused_however_it_is_packed():
    assert len(unpacked(b"x" * LARGEST_REQUEST)) == LARGEST_REQUEST
    for body in (b"x" * (LARGEST_REQUEST + 1), gzip.compress(bytes(LARGEST_REQUEST + 1))):
        with pytest.raises(TooLarge):
            unpacked(body)


def test_a_bomb_is_not_unpacked():
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()
    assert len(bomb) < 250_000
    with pytest.raises(TooLarge):
        unpacked(bomb)


@pytest.mark.parametrize(
    "broken", [b"\x1f\x8b", b"\x1f\x8bnothing", gzip.compress(b"hello", mtime=0)[:-6]]
)
def test_broken_gzip_is_said(broken):
    with pytest.raises(BadInput, match="gzip"):
        unpacked(broken)
