"""Whatever is sent to any address of an SDK, the door answers, and never with its own fault."""

import base64
import gzip
import json
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unit.web.test_door import KEY, Place

TP2 = "/com.snowplowanalytics.snowplow/tp2"
PATHS = [
    *(f"/v1/{kind}" for kind in ("track", "identify", "batch", "t", "b", "import", "merge")),
    *("/batch/", "/i/v0/e/", "/e/", "/capture/", "/track/", "/engage/", "/i", TP2, f"/{KEY}{TP2}"),
    *("/beacon/v1/batch", "/pixel/v1/track", "/pixel/v1/page", "/v1/pixel/track", "/v1/pixel/x"),
    *(f"/array/{KEY}/config", "/array/é/config.js", "/flags/", "/decide/", "/s/", "/api/surveys/"),
    *(f"/v1/projects/{KEY}/settings", "/v1/projects/x/settings", "/health", "/health/live"),
]
EXPECTED = {200, 204, 400, 401, 404, 405, 413}

events = st.dictionaries(
    st.sampled_from(["event", "e", "type", "userId", "distinct_id", "aid", "uuid", "properties"]),
    st.sampled_from(["pin_saved", "pv", "track", "u1", KEY, "", 3, None, {}, [], {"token": KEY}]),
)
lists = st.lists(events | st.integers(), max_size=3)
contents = (
    events
    | lists
    | st.fixed_dictionaries(
        {},
        optional={
            "batch": lists | st.integers(),
            "data": lists | st.text(max_size=5),
            "api_key": st.sampled_from([KEY, "x", 3]),
            "writeKey": st.sampled_from([KEY, "x", 3]),
            "sent_at": st.sampled_from(["2026-11-22T08:00:00Z", 3, None, "x"]),
        },
    )
)
texts = contents.map(json.dumps).map(str.encode)
bodies = (
    texts
    | texts.map(gzip.compress)
    | texts.map(lambda text: b"data=" + base64.b64encode(text))
    | st.binary(max_size=60)
)
queries = st.dictionaries(
    st.sampled_from(["writeKey", "token", "data", "v", "aid", "e", "properties", "compression"]),
    st.sampled_from([KEY, "x", "2", "pv", "{}", "{", "e30=", "***", "é", "\x00"]),
    max_size=4,
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "authorization": st.sampled_from(["Basic " + base64.b64encode(f"{KEY}:".encode()).decode()])
        | st.sampled_from(["Basic ???", "Bearer x", ""]),
        "content-type": st.sampled_from(["application/json", "text/plain", "x"]),
        "content-encoding": st.sampled_from(["gzip", "x"]),
        "cookie": st.sampled_from(["sp=n1", "sp", "=;;=", 'sp="é"'.encode().decode("latin-1")]),
        "origin": st.sampled_from(["https://shop.example", "null"]),
        "accept": st.sampled_from(["image/webp,*/*", "*/*"]),
        "sp-anonymous": st.just("*"),
    },
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    found = Place(tmp_path_factory.mktemp("door"))
    yield found
    found.close()


def check_answer(place, method, path, query, body, said):
    """Hold one request to an answer that is none of a failure, and a 200 to a row that stands."""
    before = place.log.last_offset()
    encoded = {name: value.encode("latin-1") for name, value in said.items()}
    answer = place.ask(method, f"{path}?{urlencode(query)}", content=body, headers=encoded)
    assert answer.status_code in EXPECTED, answer.text
    if "accepted" in answer.text and answer.json().get("accepted"):
        assert place.log.last_offset() == before + 1
    if answer.status_code in {400, 401, 413}:
        assert answer.json()["detail"].endswith(".")
        assert place.log.last_offset() == before


asked = {
    "method": st.sampled_from(["POST", "POST", "POST", "GET", "OPTIONS", "PUT"]),
    "path": st.sampled_from(PATHS),
    "query": queries,
    "body": bodies,
    "said": headers,
}
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(patient, max_examples=150)
@given(**asked)
def test_no_request_breaks_the_door(place, method, path, query, body, said):
    check_answer(place, method, path, query, body, said)
    assert path in PATHS


@pytest.mark.soak
@settings(patient, max_examples=2_000)
@given(**asked)
def test_for_long_no_request_breaks_the_door(place, method, path, query, body, said):
    check_answer(place, method, path, query, body, said)
    assert path in PATHS
