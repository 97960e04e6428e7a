"""Visitors of now: the real SDK, a bounded rate, an end."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from onefold.collect import Source, receive
from onefold.model.errors import BadInput
from onefold.model.time import now, parse_time
from onefold.simulate import MarketPlan, live_traffic, make_market
from onefold.simulate.arms import shipped_arms
from onefold.simulate.load import market_catalogue

pytestmark = pytest.mark.long


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies = []
        self.enough = threading.Event()

    @property
    def events(self):
        return [event for body in list(self.bodies) for event in json.loads(body)["batch"]]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/batch"
        self.server.bodies.append(body)
        if len(self.server.events) >= 400:
            self.server.enough.set()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture(scope="module")
def sent():
    """Return events of a short run, and how many it said it had sent."""
    collector = Collector()
    serving = threading.Thread(target=collector.serve_forever)
    serving.start()
    stop, told = threading.Event(), []

    def run():
        url = f"http://127.0.0.1:{collector.server_port}"
        told.append(live_traffic(url, "wk_live", stop=stop, per_second=200, seed=7))

    running = threading.Thread(target=run)
    running.start()
    assert collector.enough.wait(60)
    stop.set()
    running.join(20)
    assert not running.is_alive()
    collector.shutdown()
    serving.join()
    collector.server_close()
    return collector.events, told[0], list(collector.bodies)


def test_all_that_is_said_to_be_sent_arrives(sent):
    events, told, _ = sent
    assert len(events) == told >= 400
    assert len({event["messageId"] for event in events}) == told


def test_several_people_browse_and_click_on_campaigns(sent):
    events, _, _ = sent
    assert len({event["anonymousId"] for event in events}) >= 6
    clicks = [event for event in events if event.get("event") == "ad_clicked"]
    shown = [event for event in events if event.get("event") == "ad_viewed"]
    assert 0.02 < len(clicks) / len(shown) < 0.25
    assert all(event["properties"]["revenue"] > 0 for event in clicks)


def test_arms_are_those_of_the_experiments(sent):
    events, _, _ = sent
    arm = shipped_arms()
    shown = [event for event in events if event.get("event") == "Experiment Viewed"]
    assert shown
    for event in shown:
        seen = event["properties"]
        assert seen["variation_id"] == arm(seen["experiment_id"], event["anonymousId"])


def test_everything_fits_the_catalogue(sent):
    _, _, bodies = sent
    market = make_market(
        MarketPlan(end_time=parse_time("2026-11-22"), people=100), assign=lambda *_: "control"
    )
    catalogue = market_catalogue(market)
    source = Source(name="app", write_key="wk_live")
    for body in bodies:
        receipt = receive(
            source,
            dialect="segment",
            route="batch",
            body=body,
            received_time=now(),
            catalogue=catalogue,
        )
        assert not receipt.quarantined
        assert not receipt.refused


def test_a_stopped_run_sends_nothing():
    stop = threading.Event()
    stop.set()
    assert live_traffic("http://127.0.0.1:9", "wk", stop=stop) == 0


@pytest.mark.parametrize(("url", "rate"), [("nowhere", 8.0), ("http://127.0.0.1:9", 0.0)])
def test_what_cannot_be_is_refused(url, rate):
    with pytest.raises(BadInput):
        live_traffic(url, "wk", stop=threading.Event(), per_second=rate)
