"""The door: what it takes in, whom it refuses, and what it passes on."""

import asyncio
import base64
import gzip
import json
import threading
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from onefold.collect import Source, sources
from onefold.model.errors import DiskFull
from onefold.model.records import OWNER
from onefold.runtime.settings import Settings
from onefold.store import GroupWriter, State
from onefold.store.log_sqlite import SqliteLog
from onefold.web.door import make_door
from onefold.web.sockets import listen

KEY = "wk_testkey"
NOW = 1_795_000_000_000_000
EVENT = {"type": "track", "event": "pin_saved", "userId": "u1", "messageId": "m1"}
BASIC = {"authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}


class Place:
    """A door over a fresh workspace folder, without a house."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "run").mkdir()
        self.log = SqliteLog(folder / "log.sqlite")
        self.state = State(f"sqlite:///{folder / 'state.sqlite'}", lambda: NOW)
        sources.add_source(self.state, OWNER, Source("app", KEY, basis="notice"))
        self.writer = GroupWriter(self.log)
        self.app = make_door(
            folder=folder,
            writer=self.writer,
            log=self.log,
            state=self.state,
            settings=Settings("test"),
            clock=lambda: NOW,
        )

    def ask(self, method, path, **more):
        async def asked():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
                return await client.request(method, path, **more)

        return asyncio.run(asked())

    def post(self, path, content, **more):
        return self.ask("POST", path, content=json.dumps(content).encode(), **more)

    def rows(self):
        return self.log.read(0)

    def close(self):
        self.writer.close()
        self.log.close()
        self.state.close()


@pytest.fixture
def place(tmp_path):
    found = Place(tmp_path)
    yield found
    found.close()


# ---------------------------------------------------------------- taking in


def test_a_country_is_read_from_the_header_of_a_source_that_trusts_it(place):
    trusting = Source("web", "wk_web", basis="notice", country="header:CF-IPCountry")
    sources.add_source(place.state, OWNER, trusting)
    headers = {"CF-IPCountry": "DE", "X-Forwarded-For": "192.0.2.1"}
    for key, name in ((KEY, "m1"), ("wk_web", "m2")):
        event = EVENT | {"messageId": name, "writeKey": key}
        assert place.post("/v1/track", event, headers=headers).status_code == 200
    bodies = [row.body for row in place.rows()]
    assert [json.loads(body).get("context") for body in bodies] == [None, {"country": "DE"}]
    assert b"192.0.2.1" not in b"".join(bodies)


@pytest.mark.parametrize("path", ["/v1/track", "/v1/t", "/v1/identify", "/v1/p", "/v1/s"])
def test_a_200_means_that_the_event_is_in_the_log(place, path):
    answer = place.post(path, EVENT, headers=BASIC)
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "accepted": 1, "quarantined": [], "refused": []}
    (row,) = place.rows()
    assert (row.source, row.received_time, row.dialect) == ("app", NOW, "segment")
    assert json.loads(row.body) == EVENT


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"]
)
def test_any_content_type_and_gzip_by_its_first_bytes(place, kind):
    body = gzip.compress(json.dumps({"batch": [EVENT]}).encode())
    answer = place.ask("POST", "/v1/batch", content=body, headers={**BASIC, "content-type": kind})
    assert answer.json()["accepted"] == 1
    assert json.loads(place.rows()[0].body)["batch"] == [EVENT]


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        (BASIC, None),
        ({"authorization": "Basic " + base64.b64encode(KEY.encode()).decode()}, None),
        (
            {"authorization": "basic " + base64.b64encode(f"{KEY}:".encode()).decode().rstrip("=")},
            None,
        ),
        ({}, KEY),
        ({"authorization": "Bearer something"}, KEY),
        ({"authorization": "Basic ???"}, KEY),
    ],
)
def test_every_form_of_showing_the_key(place, headers, key):
    answer = place.post("/v1/batch", {"batch": [EVENT], "writeKey": key}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("headers", "key"),
    [({}, None), ({}, "wk_other"), ({"authorization": "Basic d2tfb3RoZXI6"}, None)],
)
def test_an_unknown_key_is_refused(place, headers, key):
    answer = place.post("/v1/batch", {"batch": [EVENT], "writeKey": key}, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["success"] is False
    assert place.rows() == []


def test_a_source_added_later_is_known_at_once(place):
    headers = {"authorization": "Basic " + base64.b64encode(b"wk_late:").decode()}
    assert place.post("/v1/track", EVENT, headers=headers).status_code == 401
    sources.add_source(place.state, OWNER, Source("late", "wk_late", basis="notice"))
    assert place.post("/v1/track", EVENT, headers=headers).status_code == 200
    assert place.rows()[0].source == "late"


def test_definitions_in_the_log_come_into_force(place):
    from onefold.store import NewRow

    text = "event: pin_saved\nproperties:\n  item_id: {type: string, required: true}\n"
    body = json.dumps({"files": {"events/pin_saved.yaml": text}, "fold": {}}).encode()
    place.log.append([NewRow(NOW, "", "", "control", "definitions", body, b"")])
    place.post("/v1/track", EVENT, headers={"authorization": "Basic bm9uZTo="})
    answer = place.post("/v1/track", EVENT, headers=BASIC).json()
    assert answer["quarantined"][0]["reason"] == "`item_id` is missing."


def test_what_is_unusable_as_a_whole_is_a_400(place):
    for content in (b"", b"{", b"[]", b'{"batch": 3}', b"\x1f\x8b"):
        answer = place.ask("POST", "/v1/batch", content=content, headers=BASIC)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["fix"]
    assert place.rows() == []


def test_a_request_over_the_limit_is_a_413(place):
    large = b" " * 520_000
    assert place.ask("POST", "/v1/batch", content=large, headers=BASIC).status_code == 413
    assert (
        place.ask("POST", "/v1/batch", content=gzip.compress(large), headers=BASIC).status_code
        == 413
    )

    async def pieces():
        for _ in range(60):
            yield large[:10_000]

    assert place.ask("POST", "/v1/batch", content=pieces(), headers=BASIC).status_code == 413
    alone = {**EVENT, "properties": {"x": "y" * 40_000}}
    assert place.post("/v1/track", alone, headers=BASIC).status_code == 413
    assert place.rows() == []


def test_only_post_takes_events(place):
    answer = place.ask("GET", "/v1/batch", headers={"origin": "https://shop.test"})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert answer.headers["access-control-allow-origin"] == "https://shop.test"
    told = answer.json()
    assert (told["status"], told["success"]) == (405, False)
    assert told["detail"] == "`/v1/batch` does not answer GET."
    assert told["fix"] == "Send it as POST, OPTIONS."


def test_browsers_of_any_origin_may_send(place):
    headers = {"origin": "https://shop.test", "access-control-request-method": "POST"}
    answer = place.ask("OPTIONS", "/v1/t", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.test"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    taken = place.post("/v1/t", EVENT, headers={**BASIC, "origin": "https://shop.test"})
    assert taken.headers["access-control-allow-origin"] == "https://shop.test"
    refused = place.post("/v1/t", EVENT, headers={"origin": "https://shop.test"})
    assert refused.headers["access-control-allow-origin"] == "https://shop.test"


def test_the_browser_sdk_gets_its_settings(place):
    answer = place.ask("GET", f"/v1/projects/{KEY}/settings")
    assert answer.json()["integrations"]["Segment.io"] == {
        "apiKey": KEY,
        "apiHost": "door/v1",
        "protocol": "http",
    }
    assert place.ask("GET", "/v1/projects/wk_other/settings").status_code == 404


def test_the_pixel_takes_an_event(place):
    data = base64.urlsafe_b64encode(json.dumps({**EVENT, "writeKey": KEY}).encode()).decode()
    answer = place.ask("GET", "/v1/pixel/track", params={"data": data.rstrip("=")})
    assert answer.status_code == 200
    assert answer.content[:6] == b"GIF89a"
    assert place.rows()[0].route == "track"
    assert place.ask("GET", "/v1/pixel/track", params={"data": "%%"}).status_code == 400
    assert place.ask("GET", "/v1/pixel/dance", params={"data": data}).status_code == 404


def test_no_room_is_a_503_and_ready_says_so(place, monkeypatch):
    def full(_rows):
        raise DiskFull("The log log.sqlite cannot grow.", "Make room.", retry_seconds=5)

    monkeypatch.setattr(place.log, "append", full)
    monkeypatch.setattr("onefold.web.health._ENOUGH_ROOM", float("inf"))
    answer = place.post("/v1/track", EVENT, headers=BASIC)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    ready = place.ask("GET", "/health/ready")
    assert ready.status_code == 503
    assert "cannot grow" in ready.json()["reason"]
    monkeypatch.undo()
    assert place.post("/v1/track", EVENT, headers=BASIC).status_code == 200


def test_whatever_breaks_the_sender_is_told_to_come_back(place, monkeypatch):
    def broken(_rows):
        raise RuntimeError("something nobody thought of")

    monkeypatch.setattr(place.log, "append", broken)
    answer = place.post("/v1/track", EVENT, headers=BASIC)
    assert (answer.status_code, answer.headers["retry-after"]) == (500, "5")
    monkeypatch.setattr("onefold.web.door.judge", broken)
    answer = place.post("/v1/track", EVENT, headers=BASIC)
    assert answer.status_code == 500
    assert answer.json()["success"] is False


def test_policies_stay_while_the_state_cannot_be_read(place, monkeypatch):
    def unreadable():
        raise DiskFull("The state cannot be read.")

    place.post("/v1/track", EVENT, headers=BASIC)
    monkeypatch.setattr(place.state, "version", unreadable)
    assert place.post("/v1/track", {**EVENT, "messageId": "m2"}, headers=BASIC).status_code == 200
    assert place.post("/v1/track", EVENT).status_code == 401


def test_too_much_at_work_is_a_503(place, monkeypatch):
    monkeypatch.setattr("onefold.web.pressure.MOST_IN_FLIGHT", 10)
    answer = place.post("/v1/track", EVENT, headers=BASIC)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


# ---------------------------------------------------------------- passing on


@contextmanager
def served(app, sockets=None, port=0):
    """Serve an application from a thread; give the server."""
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join()


async def house(scope, receive, send):
    """Echo what came; stream at /live, and wait there until the client has gone."""
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]
    if scope["path"] == "/health/facts":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"facts_offset": 0}'})
        return
    if scope["path"] == "/live":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        house.gone.set()
        return
    told = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "body": body.decode(),
        "headers": [[k.decode(), v.decode()] for k, v in scope["headers"]],
    }
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


def with_house(place):
    return served(house, sockets=[listen(place.folder / "run" / "house.sock")])


def test_everything_else_goes_to_the_house_and_back(place):
    with with_house(place):
        headers = {"x-forwarded-for": "6.6.6.6", "connection": "close", "cookie": "s=1"}
        answer = place.ask("POST", "/a%20b?x=1&y=%2F", content=b"hello", headers=headers)
    assert answer.status_code == 201
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    told = answer.json()
    assert (told["method"], told["path"], told["query"]) == ("POST", "/a b", "x=1&y=%2F")
    assert told["body"] == "hello"
    seen = dict(told["headers"])
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["host"] == "door"
    assert seen["cookie"] == "s=1"


def test_bodies_of_unknown_length_are_passed_on(place):
    async def pieces():
        for _ in range(50):
            yield b"x" * 20_000

    with with_house(place):
        answer = place.ask("POST", "/upload", content=pieces())
    assert len(answer.json()["body"]) == 1_000_000


def test_a_head_that_cannot_be_passed_on_is_refused(place):
    with with_house(place):
        answer = place.ask("GET", "/today", headers=[(b"x-odd", b"a\x00b")])
    assert answer.status_code == 400


def test_a_body_that_is_no_body_does_not_hold_the_door(place):
    with with_house(place):
        answer = place.ask("POST", "/upload", content=b"hello", headers={"content-length": "3"})
    assert answer.status_code in {400, 503}


def test_without_a_house_pages_wait_and_events_do_not(place):
    page = place.ask("GET", "/today", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["retry-after"]) == (503, "1")
    assert "starting" in page.text
    assert place.ask("GET", "/api/v1/status").json()["title"] == "Not ready"
    assert place.ask("GET", "/health/live").json() == {"live": True}
    assert place.ask("GET", "/health/ready").status_code == 503
    assert place.post("/v1/track", EVENT, headers=BASIC).status_code == 200


def test_ready_tells_how_far_the_facts_are(place):
    place.post("/v1/batch", {"batch": [EVENT, EVENT]}, headers=BASIC)
    with with_house(place):
        answer = place.ask("GET", "/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "lag_events": 2,
        "lag_seconds": 0.0,
        "log_offset": 1,
        "facts_offset": 0,
        "rebuilding": False,
    }


def test_a_stream_flows_at_once_and_ends_with_its_client(place):
    house.gone = threading.Event()
    with with_house(place), served(place.app, port=0) as server:
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.stream("GET", f"http://127.0.0.1:{port}/live", timeout=10) as answer:
            assert next(answer.iter_raw()) == b"data: 1\n\n"
        assert house.gone.wait(10)
