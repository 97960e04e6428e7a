"""A small demo world, served, and a browser that tells of everything it does not like."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from onefold.cli.demo_serving import free_port, serving
from onefold.cli.demo_world import make_world
from serving import until

AXE = Path(__file__).parents[1] / "protocols/node/node_modules/axe-core/axe.min.js"
QUIET = ("gpu", "quic", "background-networking", "component-update", "sync")
SIZES = {"people": 400, "days": 40, "seed": 7}
WATCH_POLICY = """addEventListener("securitypolicyviolation",
  (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""


@dataclass(frozen=True)
class Sizes:
    people: int = SIZES["people"]
    days: int = SIZES["days"]
    seed: int = SIZES["seed"]


@dataclass
class Served:
    """A world that is served."""

    address: str
    folder: Path
    api_key: str
    write_key: str
    samples: dict[str, str]
    counts: dict[str, int]
    visit: dict[str, Any] = field(default_factory=dict)

    def ask(self, *words: str) -> Any:
        """Return what the command line answers, as JSON."""
        told = subprocess.run(
            [sys.executable, "-m", "onefold", *words, "-w", str(self.folder), "--json"],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return json.loads(told.stdout)

    def link(self, name: str = "owner") -> str:
        """Return a path that signs somebody in once."""
        answer = self.ask("user", "link", name)
        found = json.dumps(answer)
        start = found.index("/sign-in/link/")
        return found[start:].split('"')[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the browser's tests out where there is none, and say so."""
    if chromium() is None:
        missing = pytest.mark.skipif(True, reason="Chromium is missing; scripts/setup installs it")
        for item in items:
            if "browser" in item.path.parts:
                item.add_marker(missing)


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[Served]:
    """Return a small demo world behind both processes, without live traffic."""
    folder = tmp_path_factory.mktemp("demo") / "world"
    world = make_world(folder, Sizes(), lambda *_: None)
    with serving(folder, free_port(0)) as serves:
        found = Served(
            serves.address,
            folder,
            world.api_key,
            world.write_key,
            world.samples,
            world.counts,
        )
        with httpx.Client(base_url=found.address) as visitor:
            visitor.get(world.sign_in_path)
            found.visit = {
                "cookies": [
                    {"name": name, "value": value, "url": found.address}
                    for name, value in visitor.cookies.items()
                ]
            }
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--no-first-run", *(f"--disable-{what}" for what in QUIET)],
        )
        yield opened
        opened.close()


@dataclass
class Visitor:
    """A page of a browser that keeps what went wrong on it."""

    page: Page
    context: BrowserContext
    wrongs: list[str]

    def open(self, path: str) -> int:
        """Open a page of the house; return its status."""
        answer = self.page.goto(path, wait_until="load")
        return answer.status if answer else 0

    def drawn(self) -> None:
        """Return once every chart is drawn."""
        for chart in self.page.locator(".chart").all():
            chart.locator("svg.marks").wait_for()

    def until(self, true: str) -> None:
        """Return once an expression is true; asked from outside, as its policy lets nobody in."""
        until(lambda: self.page.evaluate(true), seconds=30, what=lambda: true)

    def axe(self) -> list[str]:
        """Return what axe finds, an entry a rule and element."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{rule['id']}: {node['html'][:160]}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]


@pytest.fixture
def visiting(browser, served):
    """Return a way to open a page as somebody: signed in unless told otherwise."""

    @contextmanager
    def visit(*, signed_in: bool = True, **terms: Any) -> Iterator[Visitor]:
        terms = {"reduced_motion": "reduce", "viewport": {"width": 1280, "height": 900}} | terms
        context = browser.new_context(base_url=served.address, **terms)
        if signed_in:
            context.add_cookies(served.visit["cookies"])
        context.add_init_script(WATCH_POLICY)
        context.set_default_timeout(float(os.environ.get("ONEFOLD_BROWSER_TIMEOUT", "30000")))
        page = context.new_page()
        wrongs: list[str] = []
        page.on(
            "console",
            lambda said: wrongs.append(said.text) if said.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: wrongs.append(str(error)))
        try:
            yield Visitor(page, context, wrongs)
        finally:
            context.close()

    return visit
