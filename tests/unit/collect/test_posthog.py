"""PostHog's events become the one shape, and nothing of them is lost on the way."""

import base64
import gzip
import json

import pytest

from onefold.collect import Source, make_catalogue, receive
from onefold.collect.dialects.posthog import key_in, route_of
from onefold.model.errors import BadInput, TooLarge

NOW = 1_795_347_800_000_000
MINUTE = 60_000_000


def taken(body, *, route="batch", basis="notice"):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return receive(
        Source("app", "wk", basis=basis),
        dialect="posthog",
        route=route,
        body=sent,
        received_time=NOW,
        catalogue=make_catalogue(()),
    )


def shaped(event, **envelope):
    receipt = taken({"api_key": "wk", "batch": [event], **envelope})
    assert receipt.row.dialect == "posthog"
    assert receipt.row.route == "batch"
    return json.loads(receipt.row.body)["batch"][0]


def event(**fields):
    return {
        "event": "pin_saved",
        "distinct_id": "u1",
        "uuid": "id-1",
        "timestamp": "2026-11-22T11:00:00Z",
        "properties": {"item_id": "i1", "$is_identified": True},
        **fields,
    }


def with_properties(**properties):
    return event(properties={"item_id": "i1", **properties})


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/batch/", "batch"),
        ("/batch", "batch"),
        ("/i/v0/e/", "event"),
        ("/e/", "event"),
        ("/capture/", "event"),
        ("/track/", "event"),
        ("/engage/", "engage"),
        ("/events", None),
    ],
)
def test_routes(path, route):
    assert route_of(path) == route


def test_an_event_has_name_id_time_and_properties():
    told = shaped(event())
    assert told["type"] == "track"
    assert told["event"] == "pin_saved"
    assert told["messageId"] == "id-1"
    assert told["userId"] == "u1"
    assert told["properties"] == {"item_id": "i1"}
    assert told["timestamp"] == "2026-11-22T11:00:00Z"


@pytest.mark.parametrize(
    ("marks", "user", "anonymous"),
    [
        ({"$is_identified": False, "$device_id": "d1"}, None, "u1"),
        ({"$is_identified": True, "$device_id": "d1"}, "u1", "d1"),
        ({"$user_id": "u1", "$device_id": "d1"}, "u1", "d1"),
        ({"$device_id": "u1"}, None, "u1"),
        ({"$process_person_profile": False}, None, "u1"),
        ({"$is_identified": True, "$process_person_profile": False}, "u1", None),
        ({"$anon_distinct_id": "a1"}, "u1", "a1"),
        ({"$device_id": "d1"}, "u1", "d1"),
        ({}, "u1", None),
    ],
)
def test_who_is_known_and_who_is_not(marks, user, anonymous):
    told = shaped(with_properties(**marks))
    assert (told.get("userId"), told.get("anonymousId")) == (user, anonymous)


def test_the_id_may_stand_in_the_properties():
    sent = with_properties(distinct_id="u9", token="wk")
    del sent["distinct_id"]
    told = shaped(sent)
    assert told["userId"] == "u9"
    assert "token" not in told["properties"]


def test_identify_carries_traits_and_the_former_id():
    told = shaped(
        event(
            event="$identify",
            properties={"$anon_distinct_id": "a1", "$set": {"plan": "pro"}, "more": 1},
            **{"$set": {"email": "a@b.test"}, "$set_once": {"first_seen": "mail"}},
        )
    )
    assert told["type"] == "identify"
    assert (told["userId"], told["anonymousId"]) == ("u1", "a1")
    assert told["traits"] == {
        "email": "a@b.test",
        "plan": "pro",
        "$set_once": {"first_seen": "mail"},
    }
    assert told["context"]["properties"] == {"more": 1}


def test_set_and_unset_alone_are_traits_too():
    told = shaped(event(event="$set", **{"$set": {"plan": "pro"}}))
    assert (told["type"], told["traits"]) == ("identify", {"plan": "pro"})
    told = shaped(with_properties(**{"$unset": ["plan"]}) | {"event": "$unset"})
    assert told["traits"] == {"plan": None}


@pytest.mark.parametrize("name", ["$create_alias", "$merge_dangerously"])
def test_an_alias_joins_all_that_the_two_ids_may_be(name):
    told = shaped(event(event=name, properties={"distinct_id": "u1", "alias": "a1"}))
    assert told["type"] == "alias"
    assert (told["userId"], told["anonymousId"], told["previousId"]) == ("u1", "u1", "a1")


def test_a_group_is_described_by_its_people_and_by_servers():
    about = {"$group_type": "company", "$group_key": "c1", "$group_set": {"size": 3}}
    told = shaped(event(event="$groupidentify", properties={**about, "$is_identified": True}))
    assert (told["type"], told["groupId"], told["userId"]) == ("group", "c1", "u1")
    assert told["traits"] == {"size": 3, "group_type": "company"}
    for marks in ({"$is_server": True}, {}):
        sent = event(event="$groupidentify", distinct_id="$company_c1", properties=about | marks)
        receipt = taken({"batch": [sent]})
        (kept,) = json.loads(receipt.row.body)["batch"]
        assert receipt.accepted == 1
        assert not {"userId", "anonymousId"} & kept.keys()


def test_groups_of_an_event_name_its_account():
    told = shaped(with_properties(**{"$groups": {"company": "c1", "team": "t1"}}))
    assert told["groupId"] == "c1"
    assert told["context"]["posthog"]["groups"] == {"company": "c1", "team": "t1"}


def test_a_page_and_a_screen():
    page = {
        "$current_url": "https://x.test/p?a=1",
        "title": "A shop",
        "$referrer": "https://r.test",
    }
    told = shaped(with_properties(**page) | {"event": "$pageview"})
    assert told["type"] == "page"
    expected = {"url": "https://x.test/p?a=1", "path": "/p", "search": "?a=1", "title": "A shop"}
    assert told["context"]["page"] == expected | {"referrer": "https://r.test"}
    assert told["properties"] == {"item_id": "i1", **told["context"]["page"]}
    told = shaped(with_properties(**{"$screen_name": "Boards"}) | {"event": "$screen"})
    assert (told["type"], told["name"]) == ("screen", "Boards")


def test_what_the_sdk_says_of_itself_goes_into_the_context():
    said = {
        "$lib": "web",
        "$lib_version": "1.2",
        "$os": "Linux",
        "$raw_user_agent": "Mozilla",
        "$screen_width": 800,
        "$session_id": "s1",
        "$sdk_debug_retry_queue_size": 0,
        "$ip": "203.0.113.7",
        "utm_source": "mail",
        "utm_medium": None,
        "gclid": None,
        "$feature/new": "test",
    }
    told = shaped(with_properties(**said) | {"strange": 7})
    context = told["context"]
    assert context["library"] == {"name": "web", "version": "1.2"}
    assert context["campaign"] == {"source": "mail"}
    assert context["userAgent"] == "Mozilla"
    assert context["sessionId"] == "s1"
    assert context["posthog"] == {"more": {"strange": 7}, "sdk_debug_retry_queue_size": 0}
    assert "ip" not in context
    assert told["properties"] == {"item_id": "i1", "$feature/new": "test"}


def test_traits_beside_an_act_stay_apart_from_it():
    told = shaped(with_properties(**{"$set": {"name": "Jo"}}))
    assert told["context"]["traits"] == {"name": "Jo"}
    assert told["properties"] == {"item_id": "i1"}


def decoded(body):
    from onefold.collect.dialects.segment import decode

    receipt = taken(body)
    return decode("batch", receipt.row.body, NOW, b"app")[0]


def test_times():
    late = {"sent_at": "2026-11-22T11:10:00Z"}
    sent = decoded({"batch": [event()], **late})
    ahead = NOW - 1_795_345_800_000_000
    assert sent.time_basis == "corrected"
    assert sent.event_time == 1_795_345_200_000_000 + ahead
    ignored = event(properties={"$ignore_sent_at": True, "$is_identified": True})
    assert decoded({"batch": [ignored], **late}).event_time == 1_795_345_200_000_000
    offset = event(offset=90_000)
    del offset["timestamp"]
    assert decoded({"batch": [offset]}).event_time == NOW - 90_000_000
    future = decoded({"batch": [event(timestamp="2027-11-22T11:00:00Z")]})
    assert (future.event_time, future.time_basis) == (NOW, "future")
    assert decoded({"batch": [event(timestamp=1_795_345_200_000)]}).event_time == (
        1_795_345_200_000_000
    )


def test_without_uuid_the_id_is_made_of_the_content():
    sent = event(offset=5)
    del sent["uuid"], sent["timestamp"]
    first, again = (taken({"batch": [sent]}) for _ in range(2))
    ids = {json.loads(one.row.body)["batch"][0]["messageId"] for one in (first, again)}
    assert len(ids) == 1
    assert ids.pop().startswith("made-")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(event()).encode(),
        json.dumps([event()]).encode(),
        gzip.compress(json.dumps({"batch": [event()]}).encode()),
        b"data=" + base64.b64encode(json.dumps(event()).encode()),
        b"compression=base64&data=" + base64.b64encode(json.dumps([event()]).encode()),
        b"data=" + base64.urlsafe_b64encode(gzip.compress(json.dumps(event()).encode())),
        b"ip=1&data=%7B%22event%22%3A%22pin_saved%22%2C%22distinct_id%22%3A%22u1%22%7D",
    ],
)
def test_every_form_of_body(body):
    receipt = taken(body, route="event")
    assert receipt.accepted == 1
    assert json.loads(receipt.row.body)["batch"][0]["event"] == "pin_saved"


def test_engage_sets_what_is_known_of_a_person():
    receipt = taken({"$distinct_id": "u1", "$set": {"plan": "pro"}}, route="engage")
    (told,) = json.loads(receipt.row.body)["batch"]
    assert (told["type"], told["userId"], told["traits"]) == ("identify", "u1", {"plan": "pro"})


@pytest.mark.parametrize("body", [b"", b"x", b"3", b'{"batch": 3}', b"data=***", b"[", b'{"a"'])
def test_what_is_no_event_at_all_is_refused_as_a_whole(body):
    with pytest.raises(BadInput):
        taken(body)


def test_a_bad_event_costs_its_batch_nothing():
    bad = [
        event(event=None),
        event(distinct_id=None),
        event(distinct_id={"a": 1}),
        event(properties=3),
        "no object",
        event(event="$snapshot"),
        event(timestamp="yesterday"),
        event(properties={"x": "y" * 300_000}),
    ]
    receipt = taken({"batch": [event(), *bad, event(uuid="id-2")]})
    assert receipt.accepted == 2
    reasons = {one.index: one.reason for one in (*receipt.quarantined, *receipt.refused)}
    assert sorted(reasons) == list(range(1, 9))
    assert reasons[1] == "The event has no name."
    assert reasons[2] == "The event has no `distinct_id`."
    assert reasons[3] == "`distinct_id` is neither text nor a number."
    assert reasons[4] == "`properties` is not an object."
    assert reasons[6] == "Recordings of sessions are not taken."
    assert "at most 262,144" in reasons[8]
    assert len(receipt.row.verdicts) == 8


def test_one_broken_event_in_broken_json_costs_its_batch_nothing():
    good = json.dumps(event()).encode()
    body = b'{"api_key":"wk","batch":[' + good + b',{"event":NaN},' + good + b"]}"
    receipt = taken(body)
    assert (receipt.accepted, len(receipt.quarantined)) == (2, 1)
    assert key_in(body) == "wk"


def test_a_single_event_that_is_too_large_is_a_413():
    with pytest.raises(TooLarge):
        taken(event(properties={"x": "y" * 300_000}), route="event")


@pytest.mark.parametrize(
    "body",
    [
        {"api_key": "wk", "batch": []},
        {"token": "wk", "event": "x"},
        {"event": "x", "properties": {"token": "wk"}},
        [{"event": "x", "properties": {"token": "wk"}}],
        {"batch": [3, {"properties": {"token": "wk"}}]},
        {"$token": "wk", "$set": {}},
    ],
)
def test_the_key_wherever_it_stands(body):
    assert key_in(json.dumps(body).encode()) == "wk"


def test_no_key_is_no_key():
    for body in (b"", b"{", b"[3]", b'{"api_key": 3}', b"data=%%"):
        assert key_in(body) == ""


def test_consent_comes_as_a_property():
    consent = {"categoryPreferences": {"analytics": True, "advertising": False}}
    receipt = taken({"batch": [with_properties(**{"$consent": consent})]}, basis="opt-in")
    (told,) = json.loads(receipt.row.body)["batch"]
    assert told["userId"] == "u1"
    assert receipt.row.verdicts == bytes([1])


def test_without_consent_nothing_that_tells_of_a_person_is_kept():
    secrets = [
        "u-4711",
        "d-4712",
        "s-4713",
        "who@nobody.test",
        "Nobodyson",
        "c-4714",
        "203.0.113.9",
    ]
    user, device, session, email, name, company, address = secrets
    sent = with_properties(
        **{
            "$device_id": device,
            "$session_id": session,
            "$window_id": session,
            "$user_id": user,
            "$anon_distinct_id": device,
            "$ip": address,
            "$groups": {"company": company},
            "$set": {"email": email, "name": name},
            "$set_once": {"name": name},
            "note": f"by {user}",
            "$current_url": f"https://x.test/?u={user}",
        }
    ) | {"distinct_id": user, "$set": {"email": email}}
    for kind in ("pin_saved", "$identify", "$groupidentify", "$create_alias", "$pageview"):
        receipt = taken({"batch": [sent | {"event": kind}]}, basis="opt-in")
        held = receipt.row.body + receipt.row.reasons
        assert [secret for secret in secrets if secret.encode() in held] == []
