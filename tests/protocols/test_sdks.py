"""Ten unmodified SDKs through the same faults: what was acknowledged is there once.

Each run has a source of its own, so that what it sent can be told from all the rest. The last test
reads what came of all of them.
"""

import json
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from onefold import open_folder
from onefold.collect import Source, sources
from onefold.model.records import OWNER
from protocols import kept
from protocols.between import FAULTS, Between, between
from serving import Server, Workspace

HERE = Path(__file__).parent
TRACKS = 4
"""Acts that each run sends, numbered from 0."""
LIKE_SEGMENT = {"track": TRACKS, "identify": 1, "page": 1, "screen": 1, "group": 1, "alias": 1}
LIKE_SNOWPLOW = {"track": TRACKS + 2, "page": 1, "screen": 1}
KINDS = {
    "segment-python": LIKE_SEGMENT,
    "segment-node": LIKE_SEGMENT,
    "segment-browser": LIKE_SEGMENT,
    "rudder-python": LIKE_SEGMENT,
    "rudder-node": LIKE_SEGMENT,
    "posthog-python": LIKE_SEGMENT,
    "posthog-node": LIKE_SEGMENT,
    "posthog-browser": LIKE_SEGMENT,
    "snowplow-python": LIKE_SNOWPLOW,
    "snowplow-node": LIKE_SNOWPLOW,
}
"""SDK -> how many events of each kind a run of it sends."""

PAGES = {
    "/segment-browser.html": "@segment/analytics-next/dist/umd/index.js",
    "/posthog-browser.html": "posthog-js/dist/array.full.js",
}
SEND_SEGMENT = """async ([key, host, tracks]) => {
  const place = { apiHost: host.replace(/^https?:\\/\\//, "") + "/v1", protocol: "http" };
  const analytics = AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: key, cdnURL: host },
    { integrations: { "Segment.io": place } },
  );
  await analytics.ready();
  for (let number = 0; number < tracks; number++) {
    analytics.track("pin_saved", { number });
  }
  analytics.identify("u-1", { plan: "free" });
  analytics.page("home", "Start");
  analytics.screen("home", "Boards");
  analytics.group("advertiser-1", { industry: "furniture" });
  analytics.alias("u-1", "a-0");
}"""
SEND_POSTHOG = """([key, host, tracks]) => {
  // The option for tests in browsers without a head, which it takes for bots.
  const quiet = { autocapture: false, capture_pageleave: false };
  posthog.init(key, { api_host: host, opt_out_useragent_filter: true, ...quiet });
  for (let number = 0; number < tracks; number++) {
    posthog.capture("pin_saved", { number });
  }
  posthog.identify("u-1", { plan: "free" });
  posthog.capture("$screen", { $screen_name: "Boards" });
  posthog.group("company", "advertiser-1", { industry: "furniture" });
  posthog.alias("a-0");
}"""
SENDS = {"segment-browser": SEND_SEGMENT, "posthog-browser": SEND_POSTHOG}


@dataclass
class Ledger:
    """What was sent over the life of the module.

    Attributes:
        server: Takes it.
        runs: Names of runs that ended well.
    """

    server: Server
    runs: list[str] = field(default_factory=list)

    def restart(self) -> None:
        """Kill door and house, and wait until events are taken again."""
        self.server.kill()
        self.server.start()
        self.server.wait_live()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    workspace = Workspace.make(tmp_path_factory.mktemp("sdks") / "shop", basis="contract")
    with open_folder(workspace.folder) as opened:
        for sdk in KINDS:
            for fault in FAULTS:
                run = f"{sdk}-{fault}"
                made = Source(run, f"wk_{run}", basis="contract")
                sources.add_source(opened.workspace.state, OWNER, made)
    server = Server(workspace)
    server.start()
    try:
        server.wait_live()
        yield Ledger(server)
    finally:
        server.stop()


class _Site(SimpleHTTPRequestHandler):
    """Somebody's page for each browser SDK and, beside it, the SDK's own bundle."""

    def do_GET(self) -> None:
        bundle = PAGES.get(self.path)
        if bundle is None:
            super().do_GET()
            return
        page = f"<!doctype html><title>A shop</title><script src='/{bundle}'></script>".encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    folder = HERE / "node/node_modules"
    assert all((folder / bundle).is_file() for bundle in PAGES.values())
    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Site, directory=str(folder)))
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://localhost:{served.server_address[1]}"
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture(scope="module")
def browsers() -> Iterator[Callable[[], Browser]]:
    """Return what opens the browser, once and only if it is needed."""
    with ExitStack() as stack:
        opened: list[Browser] = []

        def browser() -> Browser:
            if not opened:
                names = ("chromium", "chromium-browser", "google-chrome")
                path = next(filter(None, map(shutil.which, names)), None)
                assert path, "Chromium is missing; `scripts/setup test` installs it"
                driver = stack.enter_context(sync_playwright())
                made = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
                stack.callback(made.close)
                opened.append(made)
            return opened[0]

        yield browser


def from_process(sdk: str, door: Between, key: str) -> list[str]:
    """Send with an SDK in a process of its own; return what it says that it lost."""
    vendor, _, language = sdk.partition("-")
    program, folder, script = {
        "python": (sys.executable, HERE / "python", "send.py"),
        "node": (shutil.which("node"), HERE / "node", "send.mjs"),
    }[language]
    assert program, "Node is missing; `scripts/setup test` installs it"
    done = subprocess.run(
        [program, script, vendor, door.url, key],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lost: list[str] = json.loads(done.stdout.splitlines()[-1])["failed"]
    return lost


def from_browser(browser: Browser, site: str, sdk: str, door: Between, key: str) -> list[str]:
    """Send with an SDK in a page; return what it did not bring through in a minute."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    taken: list[str] = []

    def answered(response) -> None:
        if response.request.method == "POST" and response.status == 200:
            taken.extend(names_in(response))

    page.on("response", answered)
    page.goto(f"{site}/{sdk}.html")
    page.evaluate(SENDS[sdk], [key, door.url, TRACKS])
    events = sum(KINDS[sdk].values())
    for _ in range(600):
        if len(taken) >= events:
            break
        page.wait_for_timeout(100)
    page.close()
    return [] if len(taken) >= events else [f"{events - len(taken)} events were not taken"]


def names_in(response) -> list[str]:
    """Return a name for each event that an answer accepts."""
    told = response.json()
    return ["taken"] * told.get("accepted", 0)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("sdk", KINDS)
def test_an_sdk_brings_all_of_it_through(sdk, fault, ledger, site, browsers):
    run = f"{sdk}-{fault}"
    with between(ledger.server.url, fault, ledger.restart) as door:
        if sdk.endswith("browser"):
            lost = from_browser(browsers(), site, sdk, door, f"wk_{run}")
        else:
            lost = from_process(sdk, door, f"wk_{run}")
    assert lost == []
    assert not door.left, "the fault did not happen"
    assert door.seen[-1] == 200
    ledger.runs.append(run)


def test_all_that_was_acknowledged_is_there_once(ledger, tmp_path):
    server = ledger.server
    server.stop()
    with open_folder(server.workspace.folder) as opened:
        opened.workspace.catch_up()
    rows = kept.events(server.workspace, tmp_path)
    assert ledger.runs
    wrong = {}
    for run in ledger.runs:
        mine = [row for row in rows if row["source"] == run]
        numbers = sorted(row["properties"]["number"] for row in mine if row["event"] == "pin_saved")
        expected = KINDS[run.rpartition("-")[0]]
        if numbers != list(range(TRACKS)) or Counter(row["kind"] for row in mine) != expected:
            wrong[run] = (numbers, Counter(row["kind"] for row in mine))
    assert wrong == {}
