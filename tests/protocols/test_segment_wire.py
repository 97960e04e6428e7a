"""What the SDKs and curl put on the wire, form by form."""

import base64
import gzip
import json

import httpx
import pytest

from protocols import kept
from serving import Server

SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}


def event(number: int, **fields) -> dict:
    return {
        "messageId": f"m-{number}",
        "anonymousId": "a-1",
        "event": "pin_saved",
        "timestamp": "2026-05-01T12:00:00Z",
        "properties": {"number": number},
        **fields,
    }


def post(server: Server, path: str, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", content=body, headers=headers, timeout=20)


def test_short_and_long_routes_are_the_same(served, tmp_path):
    server = served()
    key = server.workspace.write_key
    for number, path in enumerate([*SHORT, *SHORT.values()]):
        one = event(number, userId="u-1", groupId="g-1", previousId="a-0", name="n", writeKey=key)
        answer = post(server, f"/v1/{path}", json.dumps(one).encode())
        assert answer.status_code == 200
        assert answer.json()["accepted"] == 1, answer.text
    server.wait_folded()
    server.stop()
    rows = kept.events(server.workspace, tmp_path)
    assert kept.kinds(rows) == dict.fromkeys(SHORT.values(), 2)


def test_any_content_type_any_key_form_and_null_ids(served, tmp_path):
    server = served()
    key = server.workspace.write_key
    basic = base64.b64encode(f"{key}:".encode()).decode()
    bare = base64.b64encode(key.encode()).decode()
    nulls = {"userId": None, "anonymousId": "a-1", "context": None, "integrations": None}
    forms = [
        ("text/plain", {}, {"writeKey": key}, False),
        ("application/x-www-form-urlencoded", {"authorization": f"Basic {basic}"}, {}, True),
        ("application/json", {"authorization": f"Basic {bare}"}, nulls, False),
        ("application/octet-stream", {"authorization": f"Basic {basic}"}, nulls, True),
    ]
    for number, (content, headers, fields, zipped) in enumerate(forms):
        body = json.dumps({"batch": [event(number, type="track", **fields)], **fields}).encode()
        body = gzip.compress(body) if zipped else body
        answer = post(server, "/v1/batch", body, **{"content-type": content}, **headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["accepted"] == 1, answer.text
    server.wait_folded()
    server.stop()
    rows = kept.events(server.workspace, tmp_path)
    assert sorted(row["properties"]["number"] for row in rows) == [0, 1, 2, 3]


def test_a_bad_event_costs_its_batch_nothing(served, tmp_path):
    server = served()
    good, nameless = event(1, type="track"), event(2, type="track", event=None)
    nobody = event(3, type="track", anonymousId=None)
    answer = server.send([good, nameless, nobody, "no object", event(4, type="track")])
    told = answer.json()
    assert answer.status_code == 200
    assert told["accepted"] == 2
    apart = [*told["quarantined"], *told["refused"]]
    assert sorted(one["index"] for one in apart) == [1, 2, 3]
    assert all(one["reason"] for one in apart)
    server.wait_folded()
    server.stop()
    rows = kept.events(server.workspace, tmp_path)
    assert sorted(row["properties"]["number"] for row in rows) == [1, 4]


def test_an_unknown_key_is_told_so(served):
    server = served()
    body = json.dumps({"batch": [event(1, type="track")], "writeKey": "nobody-s"}).encode()
    assert post(server, "/v1/batch", body).status_code == 401
    assert post(server, "/v1/batch", b"{not json").status_code in {400, 401}


def test_the_browser_asks_before_it_sends(served):
    server = served()
    answer = httpx.options(
        f"{server.url}/v1/t",
        headers={
            "origin": "https://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,authorization",
        },
    )
    assert answer.status_code in {200, 204}
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    settings = httpx.get(f"{server.url}/v1/projects/{server.workspace.write_key}/settings").json()
    assert settings["integrations"]["Segment.io"]["apiKey"] == server.workspace.write_key


@pytest.mark.parametrize("zipped", [False, True])
def test_without_consent_no_identifier_reaches_the_disk(served, tmp_path, zipped):
    server = served(basis="opt-in")
    secrets = ["u-nobody-4711", "a-nobody-4712", "who@nobody.example", "203.0.113.77", "Nobodyson"]
    person = {
        "userId": secrets[0],
        "anonymousId": secrets[1],
        "context": {"ip": secrets[3], "traits": {"email": secrets[2]}},
    }
    traits = {"email": secrets[2], "name": secrets[4], "plan": "free"}
    batch = [
        event(1, type="track", **person),
        event(2, type="identify", traits=traits, **person),
        event(3, type="alias", previousId=secrets[1], userId=secrets[0]),
        event(4, type="track", **(person | {"context": {"consent": {}}})),
        event(5, type="track", userId="u-known", context=granted(analytics=True)),
        event(6, type="track", userId=secrets[0], context=granted(analytics=False)),
    ]
    batch[4].pop("anonymousId")
    batch[5]["anonymousId"] = secrets[1]
    assert server.send(batch, zipped=zipped).status_code == 200
    server.wait_folded()
    server.stop()
    rows = kept.events(server.workspace, tmp_path)
    named = [row["properties"]["number"] for row in rows if row["identifier"] is not None]
    assert named == [5]
    held = kept.everything(server.workspace, tmp_path)
    assert b"u-known" in held
    assert [secret for secret in secrets if secret.encode() in held] == []


def granted(**purposes: bool) -> dict:
    return {"consent": {"categoryPreferences": purposes}}
