"""Whatever comes in any dialect: no failure of ours, and every event has exactly one verdict."""

import gzip
import json
from base64 import urlsafe_b64encode
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.collect import Source, make_catalogue, receive, wire
from onefold.collect.dialects.segment import decode
from onefold.model.errors import BadInput

NOW = 1_795_000_000_000_000
NOTHING_DESCRIBED = make_catalogue(())
FORMS = {
    "segment": ("batch", "batch"),
    "rudder": ("batch", "batch"),
    "posthog": ("batch", "batch"),
    "snowplow": ("tp2", "data"),
}
"""Dialect -> a route of it and what its list of events is called."""
ROUTES = [
    ("segment", "batch"),
    ("segment", "track"),
    ("rudder", "batch"),
    ("rudder", "merge"),
    ("rudder", "pixel track"),
    ("posthog", "batch"),
    ("posthog", "event"),
    ("posthog", "engage"),
    ("snowplow", "tp2"),
    ("snowplow", "i"),
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
# fmt: off
NAMES = {
    "segment": ["type", "event", "userId", "anonymousId", "messageId", "timestamp", "properties"],
    "rudder": ["type", "event", "userId", "messageId", "timestamp", "originalTimestamp", "traits",
               "context", "channel", "mergeProperties", "request_ip", "sentAt", "previousId"],
    "posthog": ["event", "distinct_id", "properties", "timestamp", "uuid", "$set", "$set_once",
                "offset", "sent_at", "token", "$groups", "$unset", "alias"],
    "snowplow": ["e", "eid", "aid", "dtm", "stm", "ttm", "uid", "duid", "nuid", "ue_px", "ue_pr",
                 "cx", "co", "url", "page", "refr", "se_ac", "se_va", "res", "tv", "tr_tt", "p"],
}
INNER = {
    "segment": ["a"],
    "rudder": ["traits", "consentManagement", "consent", "library", "ip"],
    "posthog": ["$device_id", "$is_identified", "$user_id", "$anon_distinct_id", "$groups", "$set",
                "$current_url", "$pathname", "$referrer", "$lib", "$ip", "$consent", "alias",
                "$group_type", "$group_key", "$group_set", "$ignore_sent_at", "distinct_id",
                "$process_person_profile", "utm_source", "$session_id", "title", "$screen_name"],
    "snowplow": ["schema", "data"],
}
WORDS = st.sampled_from([
    "track", "identify", "merge", "alias", "group", "$identify", "$set", "$create_alias",
    "$groupidentify", "$pageview", "$screen", "$snapshot", "pv", "pp", "se", "ue", "tr", "ti",
    "2026-11-22T08:00:00Z", "1795347734129", "true", "u1", "https://x.test/p?a=b#c", "800x600",
    "iglu:com.acme/pin/jsonschema/1-0-0", "$posthog_cookieless", "http://[", "", " ", "\x00",
])
# fmt: on


def coded(value):
    return urlsafe_b64encode(json.dumps(value).encode()).decode()


@st.composite
def wild_events(draw, dialect):
    """An event with the dialect's own names, and anything under them."""
    inner = st.dictionaries(st.sampled_from(INNER[dialect]), json_values | WORDS, max_size=6)
    entity = st.fixed_dictionaries({"schema": WORDS | json_values, "data": inner | json_values})
    wrapped = st.fixed_dictionaries(
        {"schema": WORDS, "data": entity | st.lists(entity, max_size=2)}
    )
    values = json_values | WORDS | inner | wrapped.map(coded) | wrapped.map(json.dumps)
    return draw(st.dictionaries(st.sampled_from(NAMES[dialect]), values, max_size=9))


def taken(dialect, route, body, basis="notice"):
    return receive(
        Source("app", "wk", basis=basis),
        dialect=dialect,
        route=route,
        body=body,
        received_time=NOW,
        catalogue=NOTHING_DESCRIBED,
    )


def verdicts(receipt):
    """Return how many verdicts a receipt gives; each place has at most one."""
    apart = [one.index for one in (*receipt.quarantined, *receipt.refused)]
    assert len(apart) == len(set(apart))
    assert all(one.reason.endswith(".") for one in (*receipt.quarantined, *receipt.refused))
    return receipt.accepted + len(apart)


def check_batch(dialect, items, basis):
    """Hold a batch of anything to one verdict an event, and to what the log gives back."""
    route, named = FORMS[dialect]
    body = json.dumps({named: items, "channel": "server"}).encode()
    receipt = taken(dialect, route, body, basis)
    assert verdicts(receipt) == len(items)
    kept = len(items) - len(receipt.refused)
    if receipt.row is None:
        assert kept == 0
        return
    assert len(receipt.row.verdicts) == kept
    read = decode(receipt.row.route, receipt.row.body, NOW, b"app")
    assert len(read) == kept
    for event, verdict in zip(read, receipt.row.verdicts, strict=True):
        if verdict < 16:
            assert event.message_id
            assert isinstance(msgspec.json.decode(event.properties), dict)
    assert taken(dialect, route, body, basis) == receipt


def check_bytes(dialect, route, body):
    """Hold any bytes at all to a verdict, or to a refusal that says what would be right."""
    refused: BadInput | None = None
    try:
        receipt = taken(dialect, route, body)
    except BadInput as error:
        refused = error
    if refused is None:
        assert verdicts(receipt) >= 0
    else:
        assert refused.message.endswith(".")
        assert refused.fix


def batches(dialect):
    return st.lists(wild_events(dialect) | json_values, max_size=5)


bodies = (
    st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | st.text(max_size=60).map(lambda text: gzip.compress(text.encode()))
    | json_values.map(lambda value: json.dumps(value).encode())
    | json_values.map(lambda value: b"data=" + quote(json.dumps(value)).encode())
    | json_values.map(lambda value: b"data=" + coded(value).encode())
)
bases = st.sampled_from(["notice", "opt-in", "contract"])
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("dialect", FORMS)
@settings(patient, max_examples=60)
@given(data=st.data(), basis=bases)
def test_every_event_of_a_batch_has_one_verdict(dialect, data, basis):
    check_batch(dialect, data.draw(batches(dialect)), basis)
    assert dialect in NAMES


@pytest.mark.parametrize(("dialect", "route"), ROUTES)
@settings(patient, max_examples=60)
@given(body=bodies)
def test_any_bytes_are_judged_or_refused_with_a_sentence(dialect, route, body):
    check_bytes(dialect, route, body)
    assert isinstance(wire.write_key_in(body, wire.Address(dialect, route)), str)


@pytest.mark.soak
@pytest.mark.parametrize("dialect", FORMS)
@settings(patient, max_examples=1_500)
@given(data=st.data(), basis=bases)
def test_for_long_every_event_of_a_batch_has_one_verdict(dialect, data, basis):
    check_batch(dialect, data.draw(batches(dialect)), basis)
    assert dialect in NAMES


@pytest.mark.soak
@pytest.mark.parametrize(("dialect", "route"), ROUTES)
@settings(patient, max_examples=1_000)
@given(body=bodies)
def test_for_long_any_bytes_are_judged_or_refused(dialect, route, body):
    check_bytes(dialect, route, body)
    assert isinstance(wire.write_key_in(body, wire.Address(dialect, route)), str)
