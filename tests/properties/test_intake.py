"""For any event: what the gate lets through tells nobody, and intake and fold read the same."""

import json
import string
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.collect import Source, make_catalogue, receive
from onefold.collect.dialects.segment import decode
from onefold.model.errors import BadInput, OnefoldError

NOW = 1_795_000_000_000_000
NOTHING_DESCRIBED = make_catalogue(())
CONSENT = {"consent": {"categoryPreferences": {"analytics": True}}}

letters = st.sampled_from(string.ascii_letters + string.digits + "äß@. +/=-")
secrets = st.text(letters, min_size=12, max_size=24).map(lambda text: "Q" + text.strip() + "x9Z")
words = st.sampled_from(["home_feed", "blue chairs", "i17", "pro", "Berlin", "2026-11-22"])


def forms(secret):
    raw = secret.encode()
    return [
        form.encode()
        for form in {
            secret,
            quote(secret),
            quote(secret, safe=""),
            quote_plus(secret),
            b64encode(raw).decode().rstrip("="),
            urlsafe_b64encode(raw).decode().rstrip("="),
            json.dumps(secret)[1:-1],
        }
    ]


@st.composite
def hiding_places(draw, secret):
    """A value in which one of the event's identifiers may hide."""
    return draw(
        st.sampled_from(
            [
                secret,
                f"before {secret} after",
                f"https://x.test/p?u={quote(secret, safe='')}&v=1",
                f"https://x.test/{quote(secret, safe='')}/home",
                b64encode(secret.encode()).decode(),
                urlsafe_b64encode(f'{{"u":"{secret}"}}'.encode()).decode(),
                {"deep": [{"er": secret}]},
                {secret: 1},
                [secret, 1],
            ]
        )
    )


@st.composite
def telling_events(draw):
    """An event full of one person's identifiers, and those identifiers."""
    user, anonymous, group, device = (draw(secrets) for _ in range(4))
    email = "mail" + draw(st.text(string.ascii_lowercase, min_size=8, max_size=12)) + "@example.com"
    known = [user, anonymous, group, device, email]
    hidden = st.sampled_from(known).flatmap(hiding_places)
    values = st.one_of(hidden, words, st.integers(0, 9), st.booleans(), st.none())
    keys = st.sampled_from(
        ["item_id", "query", "url", "note", "email", "user_id", "surface", "first name", "x"]
    )
    kind = draw(st.sampled_from(["track", "identify", "page", "screen", "group", "alias"]))
    event = {
        "type": kind,
        "event": draw(st.sampled_from(["pin_saved", f"seen {user}"])),
        "messageId": draw(
            st.sampled_from([f"m-{anonymous}", "0f0e0d0c-1111-4222-8333-444455556666"])
        ),
        "userId": user,
        "anonymousId": anonymous,
        "previousId": draw(st.sampled_from([anonymous, None])),
        "groupId": group,
        "name": draw(st.sampled_from(["Home", f"Page of {user}", None])),
        "traits": {"email": email, "name": draw(secrets), "plan": "pro"},
        "properties": {
            **draw(st.dictionaries(keys, values, max_size=5)),
            "path": draw(hidden),
            "contact": email,
            "phone": "+49 30 1234567",
        },
        "context": {
            "ip": "203.0.113.77",
            "traits": {"email": email},
            "device": {"id": device, "type": "ios", "advertisingId": device},
            "userAgent": "Mozilla/5.0 (Quite Telling)",
            "userAgentData": {"brands": [device]},
            "externalIds": [{"id": device, "type": "x"}],
            "network": {"carrier": "Telling Mobile"},
            "page": {
                "url": f"https://x.test/p?u={quote(user)}#{quote(anonymous)}",
                "referrer": f"https://y.test/?email={quote(email)}",
                "search": f"?u={user}",
                "title": draw(st.sampled_from(["Home", f"{user} at home"])),
                "path": "/p",
            },
            "campaign": {"source": "ads", "term": draw(hidden)},
            "library": {"name": "analytics-python", "version": "2.4.0"},
            "more": draw(hidden),
        },
        "integrations": {"All": True, "Other": {"clientId": device}},
        "extra": draw(hidden),
    }
    known += [event["traits"]["name"], "203.0.113.77", "Telling", "+49 30 1234567"]
    if draw(st.booleans()):
        event["messageId"] = None
    return event, [text for text in known if text]


def kept(source, body, route="batch"):
    return receive(
        source,
        dialect="segment",
        route=route,
        body=body,
        received_time=NOW,
        catalogue=NOTHING_DESCRIBED,
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(telling=telling_events(), alone=st.booleans(), shared=st.booleans(), strange=st.booleans())
def test_without_consent_no_identifier_reaches_the_disk(telling, alone, shared, strange):
    event, known = telling
    if strange and (shared or not alone):
        event["type"] = known[0]
    if shared:
        context = event.pop("context")
        envelope = {"batch": [event], "context": context, "userId": known[0]}
    else:
        envelope = {"batch": [event]}
    route = event["type"] if alone and not shared else "batch"
    body = json.dumps(event if route != "batch" else envelope).encode()
    receipt = kept(Source("app", "wk"), body, route)
    assert receipt.row is not None
    assert len(receipt.row.verdicts) == 1
    disk = receipt.row.body + receipt.row.reasons + receipt.row.verdicts
    for secret in known:
        for form in forms(secret):
            assert form.lower() not in disk.lower(), (secret, disk)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(telling=telling_events())
def test_what_is_stored_decodes_to_the_same_acts(telling):
    event, _ = telling
    body = json.dumps({"batch": [event], "sentAt": "2026-11-22T08:00:00Z"}).encode()
    (sent,) = decode("batch", body, NOW, b"app")
    receipt = kept(Source("app", "wk"), body)
    (read,) = decode("batch", receipt.row.body, NOW, b"app")
    assert read.kind == sent.kind
    assert read.event_time == sent.event_time
    again = kept(Source("app", "wk"), body)
    assert again == receipt
    for gone in (read.user_id, read.anonymous_id, read.previous_id, read.group_id):
        assert gone is None


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(telling=telling_events())
def test_with_consent_an_event_is_kept_as_it_came_less_its_address(telling):
    event, _ = telling
    event["context"] |= CONSENT
    body = json.dumps({"batch": [event]}).encode()
    (stored,) = json.loads(kept(Source("app", "wk"), body).row.body)["batch"]
    del event["context"]["ip"]
    if event["messageId"] is None:
        event["messageId"] = stored["messageId"]
    assert stored == event


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
wire_names = st.sampled_from(
    [
        "type",
        "event",
        "userId",
        "anonymousId",
        "messageId",
        "timestamp",
        "sentAt",
        "properties",
        "traits",
        "context",
        "groupId",
        "previousId",
        "name",
        "originalTimestamp",
    ]
)
wild_events = st.dictionaries(
    wire_names, json_values | st.sampled_from(["track", "page"]), max_size=9
)


@settings(max_examples=300, deadline=None)
@given(
    items=st.lists(wild_events | json_values, max_size=6),
    basis=st.sampled_from(["opt-in", "notice"]),
    shared=json_values,
)
def test_any_json_in_a_batch_gets_a_verdict_and_reads_back(items, basis, shared):
    body = json.dumps({"batch": items, "context": shared, "sentAt": shared}).encode()
    receipt = kept(Source("app", "wk", basis=basis), body)
    told = receipt.accepted + len(receipt.quarantined) + len(receipt.refused)
    assert told == len(items)
    if receipt.row is not None:
        read = decode("batch", receipt.row.body, NOW, b"app")
        assert len(read) == len(receipt.row.verdicts)
        for event, verdict in zip(read, receipt.row.verdicts, strict=True):
            assert verdict >> 4 or json.loads(event.properties) is not None


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
@pytest.mark.parametrize("route", ["batch", "track"])
def test_any_bytes_are_judged_or_refused_with_a_sentence(route, body):
    try:
        said = kept(Source("app", "wk"), body, route).answer()
    except OnefoldError as error:
        said = {"success": isinstance(error, BadInput) and error.message.endswith(".")}
    assert said["success"] is True
