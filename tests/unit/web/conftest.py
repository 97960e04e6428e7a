"""A house over a real state, without facts: enough for frame, sign-in and settings."""

import asyncio
from types import SimpleNamespace

import httpx
import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette

from onefold.collect import Source, sources
from onefold.governance import add_user, people, sign_in
from onefold.model.records import OWNER
from onefold.store import State
from onefold.web import app as web_app

PASSWORD = "a long and quiet evening"


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.time = 1_795_423_320_000_000

    def __call__(self) -> int:
        return self.time


class Browser:
    """A browser without scripts: keeps cookies, follows redirects, asks the app in-process."""

    def __init__(self, app: Starlette) -> None:
        self.csrf = ""
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def get(self, url: str, *, follow_redirects: bool = True, **more) -> httpx.Response:
        asked = self._client.get(url, follow_redirects=follow_redirects, **more)
        return self._loop.run_until_complete(asked)

    def post(self, url: str, *, follow_redirects: bool = True, **more) -> httpx.Response:
        asked = self._client.post(url, follow_redirects=follow_redirects, **more)
        return self._loop.run_until_complete(asked)

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch):
    """Argon2 with the least cost: these tests are not of its strength."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(sign_in, "_hasher", lambda: hasher)


@pytest.fixture
def state(tmp_path, clock):
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}", clock)
    add_user(made, "Ines", "owner", asker=OWNER, now=clock())
    add_user(made, "Vera", "viewer", asker=OWNER, now=clock())
    people.choose_password(made, "Ines", PASSWORD, asker=OWNER)
    people.choose_password(made, "Vera", PASSWORD, asker=OWNER)
    sources.add_source(made, OWNER, Source(name="app", write_key="wk_1", basis="notice"))
    yield made
    made.close()


@pytest.fixture
def house(state, clock, monkeypatch) -> Starlette:
    monkeypatch.setattr(web_app, "OPTIONAL", ())
    settings = SimpleNamespace(name="Pinmarket", zone="UTC")
    return web_app.make_app(
        SimpleNamespace(state=state, clock=clock, settings=settings, identity_key=b"k")
    )


@pytest.fixture
def visitor(house):
    browser = Browser(house)
    yield browser
    browser.close()
    house.state.questions.shutdown()


@pytest.fixture
def owner(visitor, state, clock):
    token = people.sign_in(state, "Ines", PASSWORD, now=clock())
    visitor.cookies.set("onefold_visit", token)
    visitor.csrf = people.visit_of(state, token, now=clock()).csrf
    return visitor


@pytest.fixture
def viewer(visitor, state, clock):
    token = people.sign_in(state, "Vera", PASSWORD, now=clock())
    visitor.cookies.set("onefold_visit", token)
    visitor.csrf = people.visit_of(state, token, now=clock()).csrf
    return visitor
