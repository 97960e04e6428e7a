"""The unmodified @segment/analytics-next in a real browser."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from protocols import kept

BUNDLES = Path(__file__).parent / "node/node_modules/@segment/analytics-next/dist/umd"
KINDS = {"track": 2, "identify": 1, "page": 1, "screen": 1, "group": 1, "alias": 1}
CONSENT = "{consent: {categoryPreferences: {analytics: true, advertising: false}}}"
PAGE = b"""<!doctype html><title>A shop</title><script src="index.js"></script>"""
LOAD = """async ([key, host]) => {
  const made = AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: host });
  await made.ready();
  window.analytics = made;
}"""
EVERY_KIND = (
    """async () => {
  const context = """
    + CONSENT
    + """;
  await analytics.track("search_made", { query: "oak shelves" }, { context });
  await analytics.identify("u-1", { plan: "free" }, { context });
  await analytics.page("home", "Start", {}, { context });
  await analytics.screen("home", "Boards", {}, { context });
  await analytics.group("advertiser-1", { industry: "furniture" }, { context });
  await analytics.alias("u-1", "a-0", { context });
  await analytics.track("pin_saved", { item_id: "i-1", board_id: null }, { context });
}"""
)

LOSE_THE_FIRST_ANSWER = """() => {
  const real = window.fetch;
  window.answers = 0;
  window.fetch = async (...request) => {
    const answer = await real(...request);
    if (String(request[0]).endsWith("/v1/t") && ++window.answers === 1) {
      throw new TypeError("the answer was lost on its way");
    }
    return answer;
  };
}"""


class Site(SimpleHTTPRequestHandler):
    """Somebody's page and, beside it, the SDK's own bundles."""

    def do_GET(self) -> None:
        if not self.path.startswith("/page.html"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[str]:
    """Return the address of somebody's site, which is not the server's own."""
    assert (BUNDLES / "index.js").is_file(), "`scripts/setup test` installs the SDKs"
    site = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(BUNDLES)))
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://localhost:{site.server_address[1]}"
    site.shutdown()
    thread.join()
    site.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    assert path, "Chromium is missing; `scripts/setup test` installs it"
    quiet = ["gpu", "quic", "background-networking", "component-update", "sync"]
    with sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--no-first-run",
                *(f"--disable-{what}" for what in quiet),
            ],
        )
        yield opened
        opened.close()


def load_sdk(browser: Browser, shop: str, host: str, write_key: str) -> Page:
    """Return a page of the site with the SDK loaded as the documentation says."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{shop}/page.html?utm_source=mail&utm_campaign=spring")
    page.evaluate(LOAD, [write_key, host])
    return page


def test_every_kind_of_call_is_there_once(served, tmp_path, browser, shop):
    server = served()
    page = load_sdk(browser, shop, server.url, server.workspace.write_key)
    page.evaluate(EVERY_KIND)
    page.close()
    server.wait_folded()
    assert server.workspace.checksums()["events"][0] == sum(KINDS.values())
    server.stop()
    rows = kept.events(server.workspace, tmp_path)
    assert kept.kinds(rows) == KINDS
    assert all(row["identifier"] is not None for row in rows)
    assert {row["account_id"] for row in rows if row["kind"] == "group"} == {"advertiser-1"}


def test_an_answer_that_is_lost_counts_once(served, tmp_path, browser, shop):
    server = served()
    page = load_sdk(browser, shop, server.url, server.workspace.write_key)
    page.evaluate(LOSE_THE_FIRST_ANSWER)
    page.evaluate("() => { analytics.track('pin_saved', { item_id: 'i-1' }) }")
    page.wait_for_function("window.answers > 1")
    page.evaluate("async () => { await analytics.track('pin_saved', { item_id: 'i-2' }) }")
    page.close()
    server.wait_folded()
    assert server.workspace.checksums()["events"][0] == 2
    server.stop()
    items = [row["properties"]["item_id"] for row in kept.events(server.workspace, tmp_path)]
    assert sorted(items) == ["i-1", "i-2"]


def test_without_consent_nothing_of_a_visitor_reaches_the_disk(served, tmp_path, browser, shop):
    server = served(basis="opt-in")
    page = load_sdk(browser, shop, server.url, server.workspace.write_key)
    anonymous = page.evaluate("async () => (await analytics.user()).anonymousId()")
    assert len(anonymous) > 20
    page.evaluate(
        """async () => {
          await analytics.identify("visitor-nobody-may-know", { email: "who@example.org" });
          await analytics.track("pin_saved", { item_id: "i-1" });
        }"""
    )
    page.close()
    server.wait_folded()
    server.stop()
    rows = kept.events(server.workspace, tmp_path)
    assert {row["identifier"] for row in rows} == {None}
    held = kept.everything(server.workspace, tmp_path)
    for secret in (anonymous, "visitor-nobody-may-know", "who@example.org"):
        assert secret.encode() not in held
