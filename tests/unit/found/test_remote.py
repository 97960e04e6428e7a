"""A workspace of a server: what is sent to it, what its answers and refusals become."""

import json
import threading
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import onefold
from onefold import Found
from onefold.model.errors import (
    BadInput,
    MachineFailed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    OnefoldError,
)

TABLE = {"columns": [{"name": "n", "type": "integer", "unit": ""}], "rows": [[3]]}


@contextmanager
def server(said, status=200):
    """A server that says the same to everybody; yields its address and what it heard."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.path, self.headers["authorization"], json.loads(body)))
            told = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}", heard
        finally:
            listening.shutdown()
            thread.join()


def test_each_question_goes_to_the_address_of_its_call():
    with server(TABLE) as (address, heard), onefold.connect(f"{address}/", "of_key") as shop:
        found = shop.metric("saves", from_=date(2026, 11, 1), every="day", by=None)
        assert isinstance(found, Found)
        assert found.rows == [{"n": 3}]
        assert found.asked == "metric(name='saves', from='2026-11-01', every='day')"
        shop.tables()
        shop.funnel("a", "b")
        shop.retention("a", "b")
        assert shop.ask("experiment show", name="x") == TABLE
        assert "of_key" not in repr(shop)
    assert heard[0] == (
        "/api/v1/metric",
        "Bearer of_key",
        {"name": "saves", "from": "2026-11-01", "every": "day"},
    )
    assert [(path, params) for path, _, params in heard[1:]] == [
        ("/api/v1/sql/tables", {}),
        ("/api/v1/funnel", {"events": ["a", "b"]}),
        ("/api/v1/retention", {"start": "a", "return": "b"}),
        ("/api/v1/experiment/show", {"name": "x"}),
    ]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, NotSignedIn),
        (403, NotAllowed),
        (404, NotFound),
        (422, BadInput),
        (429, BadInput),
        (503, MachineFailed),
    ],
)
def test_a_refusal_is_the_error_it_would_be_here(status, kind):
    problem = {"title": "No", "detail": "It may not be.", "fix": "Let it be."}
    with (
        server(problem, status) as (address, _),
        onefold.connect(address, "k") as shop,
        pytest.raises(OnefoldError) as refused,
    ):
        shop.metrics()
    assert type(refused.value) is kind
    assert (refused.value.message, refused.value.fix) == ("It may not be.", "Let it be.")


@pytest.mark.parametrize(("said", "status"), [(b"<html>", 200), (b"[1]", 200), (b"", 302)])
def test_what_is_no_onefold_is_told(said, status):
    with (
        server(said, status) as (address, _),
        onefold.connect(address, "k") as shop,
        pytest.raises(MachineFailed, match=f"answers {status}, and not as Onefold"),
    ):
        shop.metrics()


def test_nobody_there_is_told():
    with server(TABLE) as (address, _):
        pass
    with onefold.connect(address, "k") as shop, pytest.raises(MachineFailed, match=address):
        shop.metrics()


def test_a_key_asks_as_itself():
    with server(TABLE) as (address, heard), onefold.connect(address, "k") as shop:
        with pytest.raises(NotAllowed):
            shop.metrics(as_user="Mia")
        assert not heard


def test_without_address_or_key_it_says_what_to_give(monkeypatch):
    monkeypatch.delenv("ONEFOLD_API_KEY", raising=False)
    wrong = [("http://x", None), ("http://x", "a\nb")]
    wrong += [
        (address, "k") for address in ("shop", "http://", "http://[", "ftp://x", "http://a b")
    ]
    for address, key in wrong:
        with pytest.raises(BadInput) as refused:
            onefold.connect(address, key)
        assert refused.value.fix
    monkeypatch.setenv("ONEFOLD_API_KEY", "from_there")
    with server(TABLE) as (address, heard), onefold.connect(address) as shop:
        shop.metrics()
    assert heard[0][1] == "Bearer from_there"
