"""The straight way answers, keeps and refuses what the common way does, however bytes come."""

import gzip
import json
import socket
import threading
from contextlib import contextmanager

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.model.errors import DiskFull
from onefold.web import straight
from onefold.web.pressure import MOST_IN_FLIGHT
from onefold.web.straight import LARGEST, straight_to
from serving import until
from unit.web.test_door import BASIC, EVENT, KEY, Place

SECONDS = 10.0


@contextmanager
def listening(place, *, common=False):
    """Serve a door from a thread, on the straight way or on the common one alone; give its port."""
    way = "httptools" if common else straight_to(place.app)
    config = uvicorn.Config(
        place.app, port=0, http=way, log_config=None, lifespan="off", server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def place(tmp_path):
    found = Place(tmp_path)
    yield found
    found.close()


@pytest.fixture
def taken(monkeypatch):
    """Return the addresses of the requests that go straight."""
    seen = []
    take = straight._One.take

    def noted(one):
        seen.append(one._scope["path"])
        take(one)

    monkeypatch.setattr(straight._One, "take", noted)
    return seen


def request(path="/v1/track", event=EVENT, body=None, **said):
    """Return a request as bytes; headers that are None are left out."""
    content = json.dumps(event).encode() if body is None else body
    headers = {"Host": "door", "Content-Length": str(len(content)), **BASIC}
    headers |= {name.replace("_", "-"): value for name, value in said.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None)
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + content


def answers(port, *pieces, count=1):
    """Return (status, headers, body) of so many answers to bytes sent piece by piece."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        file = connection.makefile("rb")
        return [read(file) for _ in range(count)]


def read(file):
    status = int(file.readline().split()[1])
    headers = {}
    while line := file.readline().strip():
        name, _, value = line.decode("latin-1").partition(": ")
        headers[name.lower()] = value
    return status, headers, file.read(int(headers.get("content-length", 0)))


def test_a_small_request_goes_straight_and_is_in_the_log_when_answered(place, taken):
    with listening(place) as port:
        ((status, headers, body),) = answers(
            port, request(traceparent=f"00-{'ab' * 16}-{'c' * 16}-01")
        )
    assert (status, json.loads(body)["accepted"], taken) == (200, 1, ["/v1/track"])
    assert headers["traceresponse"].startswith(f"00-{'ab' * 16}-")
    (row,) = place.rows()
    assert (json.loads(row.body), row.trace) == (EVENT, "ab" * 16)
    assert place.app.pressure.in_flight == 0
    assert 'onefold_intake_requests_total{status="200"} 1' in place.ask("GET", "/metrics").text


@pytest.mark.parametrize("size", [1, 7, 100])
def test_bytes_may_come_in_any_pieces(place, taken, size):
    whole = request()
    with listening(place) as port:
        ((status, _, _),) = answers(
            port, *(whole[at : at + size] for at in range(0, len(whole), size))
        )
    assert (status, len(place.rows()), len(taken)) == (200, 1, 1)


def test_requests_behind_each_other_are_answered_in_order(place):
    sent = [request(event=EVENT | {"messageId": f"m{n}"}) for n in range(6)]
    sent[2] = request(event={"batch": 3}, path="/v1/batch")
    sent[4] = request(authorization="Basic " + "x" * 8)
    with listening(place) as port:
        found = answers(port, b"".join(sent), count=6)
    assert [status for status, _, _ in found] == [200, 200, 400, 200, 401, 200]
    kept = [json.loads(row.body)["messageId"] for row in place.rows()]
    assert kept == ["m0", "m1", "m3", "m5"]


def test_a_connection_is_kept_until_its_sender_wants_it_closed(place, taken):
    with listening(place) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(SECONDS)
        file = connection.makefile("rb")
        for turn in range(5):
            connection.sendall(request(event=EVENT | {"messageId": f"m{turn}"}))
            status, headers, _ = read(file)
            assert (status, headers.get("connection")) == (200, None)
        connection.sendall(request(Connection="close"))
        status, headers, _ = read(file)
        assert (status, headers["connection"]) == (200, "close")
        assert file.read() == b""
    assert len(taken) == 6


@pytest.mark.parametrize(
    "sent",
    [
        request(path="/v1/track?x=1"),
        request(path="/batch/"),
        request(Transfer_Encoding="chunked", Content_Length=None, body=b"").replace(
            b"\r\n\r\n", b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        ),
        request(body=b" " * (LARGEST + 1)),
        request(origin="https://x.example\x7f"),
        request().replace(b"HTTP/1.1", b"HTTP/1.0"),
        request().replace(b"POST", b"PUT"),
    ],
    ids=["query", "other dialect", "pieces", "large", "origin", "old", "method"],
)
def test_what_is_not_plain_goes_the_common_way(place, taken, sent):
    with listening(place) as port:
        ((status, _, _),) = answers(port, sent)
    assert 200 <= status <= 500
    assert taken == []


def test_who_waits_for_leave_to_send_gets_it(place, taken):
    head, _, body = request(Expect="100-continue").partition(b"\r\n\r\n")
    with listening(place) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(SECONDS)
        connection.sendall(head + b"\r\n\r\n")
        file = connection.makefile("rb")
        assert read(file)[0] == 100
        connection.sendall(body)
        assert read(file)[0] == 200
    assert taken == []


def test_a_log_that_takes_nothing_is_a_503_and_is_tried_again(place, monkeypatch):
    def full(_rows):
        raise DiskFull("The disk is full.", "Make room.", retry_seconds=5)

    with listening(place) as port:
        with monkeypatch.context() as failing:
            failing.setattr(place.log, "append", full)
            ((status, headers, body),) = answers(port, request())
        assert (status, headers["retry-after"]) == (503, "5")
        assert json.loads(body)["success"] is False
        ((status, _, _),) = answers(port, request())
    assert (status, len(place.rows()), place.app.pressure.in_flight) == (200, 1, 0)
    assert place.writer.waiting_bytes == 0


def test_whatever_breaks_is_a_500_and_the_next_is_taken(place, monkeypatch):
    def broken(*_, **__):
        raise ValueError

    with listening(place) as port:
        with monkeypatch.context() as failing:
            failing.setattr(type(place.app), "judged", broken)
            ((status, _, body),) = answers(port, request())
        assert (status, json.loads(body)["success"]) == (500, False)
        assert [one[0] for one in answers(port, request() * 2, count=2)] == [200, 200]
    assert place.app.pressure.in_flight == 0


def test_too_much_at_work_is_a_503(place, taken):
    with listening(place) as port, place.app.pressure.room(MOST_IN_FLIGHT):
        ((status, headers, _),) = answers(port, request())
    assert (status, headers["retry-after"], taken) == (503, "1", ["/v1/track"])
    assert place.rows() == []


def test_who_leaves_before_the_answer_costs_nothing(place, monkeypatch):
    append, go = place.log.append, threading.Event()
    monkeypatch.setattr(place.log, "append", lambda rows: go.wait(SECONDS) and append(rows))
    with listening(place) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request())
            until(lambda: place.writer.waiting_bytes)
        go.set()
        until(lambda: not place.app.pressure.in_flight)
        ((status, _, _),) = answers(port, request(event=EVENT | {"messageId": "m2"}))
    assert (status, len(place.rows())) == (200, 2)


def test_what_is_at_work_is_answered_before_the_server_ends(place, monkeypatch):
    append, never = place.log.append, threading.Event()
    monkeypatch.setattr(place.log, "append", lambda rows: never.wait(0.3) or append(rows))
    with listening(place) as port:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.settimeout(SECONDS)
        connection.sendall(request())
        until(lambda: place.writer.waiting_bytes)
    status, headers, _ = read(connection.makefile("rb"))
    connection.close()
    assert (status, headers["connection"]) == (200, "close")


# ---------------------------------------------------------------- both ways say the same

events = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "identify", "x"])},
    optional={
        "event": st.sampled_from(["pin_saved", "", 3]),
        "userId": st.sampled_from(["u1", 3, None]),
        "messageId": st.sampled_from(["m1", "u1-m", "", 3]),
        "properties": st.dictionaries(st.sampled_from(["a", "email"]), st.sampled_from([1, "x"])),
        "writeKey": st.sampled_from([KEY, "x", 3]),
        "timestamp": st.sampled_from(["2026-11-22T08:00:00Z", "x"]),
    },
)
bodies = (
    events.map(json.dumps).map(str.encode)
    | st.lists(events, max_size=3).map(lambda some: json.dumps({"batch": some}).encode())
    | st.binary(min_size=1, max_size=40)
)
requests = st.builds(
    request,
    path=st.sampled_from(["/v1/track", "/v1/identify", "/v1/batch", "/v1/t", "/v1/b", "/v1/x"]),
    body=bodies | bodies.map(gzip.compress) | st.just(gzip.compress(bytes(5_000_000))),
    authorization=st.sampled_from([BASIC["authorization"], "Basic ???", "", None]),
    origin=st.sampled_from([None, "https://shop.example", "null", "é"]),
    content_type=st.sampled_from([None, "application/json", "text/plain"]),
    connection=st.sampled_from([None, "close", "keep-alive"]),
)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return two doors over like workspaces: one with the straight way, one without."""
    places = [Place(tmp_path_factory.mktemp(name)) for name in ("straight", "common")]
    with listening(places[0]) as port, listening(places[1], common=True) as other:
        yield list(zip(places, (port, other), strict=True))
    for one in places:
        one.close()


def told(place, port, sent, cut):
    """Return an answer less what tells one request from another, and what was kept for it."""
    before = place.log.last_offset()
    ((status, headers, body),) = answers(port, sent[:cut], sent[cut:])
    headers.pop("date")
    headers |= {name: "a name" for name in headers if name == "traceresponse"}
    kept = place.log.read(before)
    return status, headers, body, [(row.route, row.body, row.verdicts, row.reasons) for row in kept]


ways = given(sent=requests, cut=st.integers(1, 60))
patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@settings(patient, max_examples=80)
@ways
def test_both_ways_answer_and_keep_the_same(both, sent, cut):
    straight_way, common_way = (told(*one, sent, cut) for one in both)
    assert straight_way == common_way


@pytest.mark.soak
@settings(patient, max_examples=1_500)
@ways
def test_for_long_both_ways_answer_and_keep_the_same(both, sent, cut):
    straight_way, common_way = (told(*one, sent, cut) for one in both)
    assert straight_way == common_way
