"""A hostile sender finds no way to bring a name, a key or an address into the logs."""

import base64
import gzip
import json

import httpx

from serving import Server, Workspace, until

EMAIL, PHONE, ADDRESS = "ada.lovelace@example.org", "+49 30 12345678", "203.0.113.77"
PLANTED = [EMAIL, "ada.lovelace", PHONE, ADDRESS, "2001:db8::7334", "s3cret-passw0rd"]


def requests(url: str, key: str):
    """Yield method, address, body and headers of requests that carry what must not be logged."""
    event = {
        "type": "track",
        "event": f"pin {EMAIL}",
        "userId": EMAIL,
        "messageId": f"{EMAIL}-1",
        "properties": {"email": EMAIL, "phone": PHONE, "ip": ADDRESS, "password": PLANTED[-1]},
        "context": {"ip": ADDRESS},
    }
    good = json.dumps({"batch": [event], "writeKey": key}).encode()
    basic = base64.b64encode(f"{EMAIL}:{PLANTED[-1]}".encode()).decode()
    yield "POST", "/v1/batch", good, {"x-forwarded-for": ADDRESS, "user-agent": EMAIL}
    yield "POST", f"/v1/batch?writeKey={key}&email={EMAIL}", good, {}
    yield "POST", "/v1/batch", good, {"authorization": f"Basic {basic}"}
    yield "POST", "/v1/track", json.dumps({**event, "writeKey": EMAIL}).encode(), {}
    yield "POST", "/v1/batch", f'{{"batch": [{{"userId": "{EMAIL}"'.encode(), {}
    yield "POST", "/v1/batch", gzip.compress(good)[:40] + EMAIL.encode(), {}
    yield "POST", "/v1/batch", (EMAIL * 40_000).encode(), {}
    yield "GET", f"/v1/projects/{key}/settings", b"", {}
    yield "GET", f"/v1/projects/{EMAIL}/settings", b"", {}
    yield "GET", f"/v1/pixel/{EMAIL}?data={EMAIL}", b"", {}
    yield "GET", f"/customers/{EMAIL}?q={EMAIL}&ip={ADDRESS}", b"", {"cookie": f"a={EMAIL}"}
    yield "GET", f"/{EMAIL}/2001:db8::7334", b"", {"traceparent": EMAIL}
    yield "GET", f"/sign-in/link/{PLANTED[-1]}", b"", {}
    yield "GET", f"/api/v1/person/show?id={EMAIL}", b"", {"authorization": f"Bearer {EMAIL}"}
    yield "GET", f"/api/v1/{EMAIL}", b"", {}
    yield "POST", "/sign-in", f"name={EMAIL}&password={PLANTED[-1]}".encode(), {}


def test_no_hostile_request_leaves_anything_of_anybody_in_the_logs(tmp_path):
    workspace = Workspace.make(tmp_path / "kept")
    server = Server(workspace, options=("--log", "json"))
    with server:
        statuses = [
            httpx.request(method, server.url + path, content=body, headers=headers).status_code
            for method, path, body, headers in requests(server.url, workspace.write_key)
        ]
        assert statuses[0] == 200
        until(lambda: server.said.read_text().count('"request"') > len(statuses))
        server.wait_folded()
    text = server.said.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert len(lines) >= len(statuses)
    found = [secret for secret in [*PLANTED, workspace.write_key] if secret in text]
    assert found == []
    assert {"/v1/batch", "/v1/projects/..."} <= {line.get("route") for line in lines}
