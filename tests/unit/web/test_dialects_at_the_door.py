"""The door in every dialect: addresses, keys, answers, and what SDKs ask beside sending."""

import base64
import gzip
import json
from urllib.parse import urlencode

import pytest

from onefold.collect import Source, sources
from onefold.model.limits import Limits
from onefold.model.records import OWNER
from onefold.web.courtesies import courtesy_of
from unit.web.test_door import BASIC, KEY, Place

TP2 = "/com.snowplowanalytics.snowplow/tp2"
POSTHOG = {"event": "pin_saved", "distinct_id": "u1", "uuid": "m1", "properties": {}}
SNOWPLOW = {"e": "pv", "aid": KEY, "eid": "m1", "uid": "u1"}
RUDDER = {"type": "track", "event": "pin_saved", "userId": "u1", "messageId": "m1"}


@pytest.fixture
def place(tmp_path):
    found = Place(tmp_path)
    yield found
    found.close()


SENT = [
    ("/batch/", {"api_key": KEY, "batch": [POSTHOG]}, "posthog"),
    ("/i/v0/e/", {"api_key": KEY, **POSTHOG}, "posthog"),
    ("/e/", {"api_key": KEY, "batch": [POSTHOG]}, "posthog"),
    ("/capture/", {"token": KEY, **POSTHOG}, "posthog"),
    ("/track/", [POSTHOG | {"properties": {"token": KEY}}], "posthog"),
    ("/engage/", {"$token": KEY, "$distinct_id": "u1", "$set": {}}, "posthog"),
    (TP2, {"schema": "x", "data": [SNOWPLOW]}, "snowplow"),
    (f"/{KEY}{TP2}", {"data": [SNOWPLOW | {"aid": "shop"}]}, "snowplow"),
    ("/i", {"data": [SNOWPLOW]}, "snowplow"),
    (f"/beacon/v1/batch?writeKey={KEY}", {"batch": [RUDDER]}, "rudder"),
    ("/v1/batch", {"writeKey": KEY, "batch": [RUDDER | {"channel": "web"}]}, "rudder"),
    ("/v1/merge", {"writeKey": KEY, **RUDDER, "type": "track"}, "rudder"),
    ("/v1/import", {"writeKey": KEY, "batch": [RUDDER]}, "segment"),
]


@pytest.mark.parametrize(("path", "content", "dialect"), SENT)
@pytest.mark.parametrize("zipped", [False, True])
def test_every_address_takes_its_events(place, path, content, dialect, zipped):
    body = json.dumps(content).encode()
    answer = place.ask("POST", path, content=gzip.compress(body) if zipped else body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == 1
    (row,) = place.rows()
    assert (row.dialect, row.source) == (dialect, "app")


@pytest.mark.parametrize(("path", "content", "dialect"), SENT)
def test_an_unknown_key_is_a_401_in_every_dialect(place, path, content, dialect):
    body = json.dumps(content).replace(KEY, "other").encode()
    answer = place.ask("POST", path.replace(KEY, "other"), content=body)
    assert answer.status_code == 401, dialect
    assert place.rows() == []


def test_posthog_hears_its_own_status_and_our_verdicts(place):
    batch = [POSTHOG, POSTHOG | {"uuid": "m2", "event": ""}]
    told = place.post("/batch/", {"api_key": KEY, "batch": batch}).json()
    assert told["status"] == 1
    assert (told["accepted"], told["quarantined"][0]["index"]) == (1, 1)


def test_events_in_addresses(place):
    data = base64.b64encode(json.dumps(POSTHOG | {"api_key": KEY}).encode()).decode()
    asked = [
        ("/e/", {"data": data, "compression": "base64"}),
        ("/i", SNOWPLOW),
        ("/pixel/v1/track", {"writeKey": KEY, "userId": "u1", "event": "mail_opened"}),
        ("/pixel/v1/page", {"writeKey": KEY, "anonymousId": "a1", "name": "Start"}),
    ]
    for number, (path, query) in enumerate(asked, start=1):
        accept = {"accept": "image/avif,image/webp,*/*"}
        answer = place.ask("GET", f"{path}?{urlencode(query)}", headers=accept)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/gif"
        assert len(place.rows()) == number
    told = place.ask("GET", f"/i?{urlencode(SNOWPLOW)}").json()
    assert told["accepted"] == 1
    assert place.ask("GET", "/v1/batch").status_code == 405


def test_a_page_of_another_site_may_send_in_every_dialect(place):
    for path in ("/e/", "/i/v0/e/", TP2, "/flags/", "/array/x/config", "/v1/batch"):
        answer = place.ask("OPTIONS", path, headers={"origin": "https://shop.example"})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert "sp-anonymous" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "path",
    [
        f"/array/{KEY}/config",
        "/array/nobody-s/config",
        "/flags/?v=2",
        "/flags/?v=2&config=true",
        "/decide/?v=3",
        "/s/",
        "/api/surveys/?token=x",
        "/api/early_access_features/",
        "/api/web_experiments/",
        "/api/feature_flag/local_evaluation?token=x",
        "/health",
        "/version",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_sdks_ask_beside_sending_gets_a_harmless_answer(place, path, method):
    answer = place.ask(method, path, headers={"origin": "https://shop.example"})
    assert answer.status_code == 200
    assert isinstance(answer.json(), dict)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert place.rows() == []


def test_no_flag_is_on_in_the_shape_that_was_asked_for():
    def told(path, version):
        return json.loads(courtesy_of(path, version)[1])

    assert told("/flags/", "2") == {"flags": {}, "errorsWhileComputingFlags": False}
    assert told("/decide/", "1")["featureFlags"] == []
    assert told("/decide/", "3")["featureFlags"] == {}
    assert told("/array/wk/config", "")["sessionRecording"] is False
    assert courtesy_of("/array/wk/other", "") is None


def test_a_key_cannot_break_out_of_the_script_of_a_browser():
    key = '"];alert(1)</script>'
    kind, script = courtesy_of(f"/array/{key.replace('/', '')}/config.js", "")
    named = script.partition(b"||{})[")[2].partition(b"]={")[0]
    assert kind == b"text/javascript"
    assert b"<" not in script
    assert json.loads(named) == key.replace("/", "")


def test_a_network_id_is_given_where_consent_allows_it(place):
    sources.add_source(place.state, OWNER, Source("shy", "wk_shy", basis="opt-in"))

    def asked(key=KEY, **headers):
        event = SNOWPLOW | {"aid": key, "p": "web"}
        answer = place.post(TP2, {"data": [event]}, headers=headers)
        assert answer.status_code == 200
        return answer.headers.get("set-cookie", "")

    given = asked()
    assert given.startswith("sp=")
    assert "HttpOnly" in given
    assert "Secure" not in given
    assert "SameSite=None; Secure" in asked(**{"x-forwarded-proto": "https"})
    assert asked(cookie="sp=known-one") == ""
    assert asked(**{"sp-anonymous": "*"}) == ""
    assert asked("wk_shy") == ""
    nobody = {"data": [{"e": "pv", "aid": KEY, "p": "web"}]}
    place.post(TP2, nobody, headers={"cookie": "sp=network-1", "user-agent": "Mozilla"})
    (kept,) = json.loads(place.rows()[-1].body)["batch"]
    assert kept["anonymousId"] == "network-1"
    assert kept["context"]["userAgent"] == "Mozilla"


@pytest.mark.parametrize("path", ["/v1/batch", "/batch/", "/e/", TP2, "/i", "/beacon/v1/batch"])
def test_a_gzip_bomb_is_a_413_and_harms_nothing(place, path):
    bomb = gzip.compress(b'{"batch":[' + b" " * 40_000_000)
    answer = place.ask("POST", path, content=bomb, headers=BASIC)
    assert answer.status_code == 413
    assert place.post("/v1/track", RUDDER, headers=BASIC).status_code == 200


@pytest.mark.parametrize(
    ("path", "named", "event"),
    [("/batch/", "batch", POSTHOG), (TP2, "data", SNOWPLOW), ("/v1/batch", "batch", RUDDER)],
)
def test_a_batch_over_the_limit_is_taken_up_to_it(place, path, named, event):
    answer = place.post(path, {named: [event] * 2510}, headers=BASIC)
    told = answer.json()
    assert answer.status_code == 200
    assert told["accepted"] == 2500
    assert [one["index"] for one in told["refused"]] == list(range(2500, 2510))
    (row,) = place.rows()
    assert len(row.verdicts) == 2500
    assert place.ask("POST", path, content=b" " * 6_300_000, headers=BASIC).status_code == 413


@pytest.mark.parametrize(("path", "status"), [("/v1/track", 429), ("/i/v0/e/", 503)])
def test_a_key_over_its_rate_hears_what_its_sdk_understands(place, path, status):
    place.app.pressure._limits = Limits(events_per_second=0.1)
    event = {**RUDDER, "distinct_id": "u1"}
    assert place.post("/v1/batch", {"batch": [event] * 3}, headers=BASIC).status_code == 200
    answer = place.post(path, event, headers=BASIC)
    assert answer.status_code == status
    assert int(answer.headers["retry-after"]) >= 1
    assert len(place.rows()) == 1
