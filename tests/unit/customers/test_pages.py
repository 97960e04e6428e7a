"""Today and the customers' pages over a small market, as a browser without scripts sees them."""

import asyncio
import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import httpx
import pytest
from argon2 import PasswordHasher

from onefold.advice import decisions
from onefold.customers import account, standings
from onefold.governance import add_user, people, sign_in
from onefold.model.records import OWNER
from onefold.runtime import Workspace as Opened
from onefold.store import State, Vault
from onefold.store.log_sqlite import SqliteLog
from onefold.web import app as web_app
from onefold.web.pages.customer_shown import account_shown
from small_market import (
    KEY,
    NOW,
    empty_facts,
    key,
    many_accounts,
    micros,
    put,
    spend_rows,
    told_account,
    view_of,
)

pytestmark = pytest.mark.long

PASSWORD = "a long and quiet evening"


class Workspace:
    """Just what the pages ask of a workspace."""

    sight, vault_of, gate = Opened.sight, Opened.vault_of, Opened.gate

    def __init__(self, folder, facts, state, fresh):
        self.folder, self.definitions, self.state = folder, folder / "definitions", state
        self.facts, self.identity_key, self.fresh = facts, KEY, fresh
        self.vault = Vault(folder / "vault.sqlite")
        self.settings = SimpleNamespace(name="Pinmarket", zone="UTC", categories={})
        self.log = SqliteLog(folder / "log.sqlite")
        self.uses = SimpleNamespace(note=lambda *_told, **_named: None)

    def clock(self):
        return micros(NOW)

    def view(self, question):
        view = view_of(self.facts, question)
        return view if self.fresh else replace(view, fresh_time=None)


class Browser:
    """Keeps a cookie and follows redirects."""

    def __init__(self, app, token, csrf):
        self.csrf, self._loop = csrf, asyncio.new_event_loop()
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        self._client.cookies.set("onefold_visit", token)

    def get(self, url):
        return self._loop.run_until_complete(self._client.get(url, follow_redirects=True))

    def post(self, url, **fields):
        sent = self._client.post(url, data={"csrf": self.csrf} | fields, follow_redirects=True)
        return self._loop.run_until_complete(sent)

    def close(self):
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()


@pytest.fixture(scope="module")
def facts():
    made = empty_facts()
    many_accounts(made)
    told_account(made)
    yield made
    made.close()


@pytest.fixture
def state(tmp_path, monkeypatch):
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(sign_in, "_hasher", lambda: quick)
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: micros(NOW))
    for name, role in (("Ines", "owner"), ("Vera", "viewer")):
        add_user(made, name, role, asker=OWNER, now=micros(NOW))
        people.choose_password(made, name, PASSWORD, asker=OWNER)
    yield made
    made.close()


@pytest.fixture
def house(tmp_path, state, monkeypatch):
    monkeypatch.setattr(web_app, "OPTIONAL", ())
    opened = []

    def enter(facts, name="Ines", *, fresh=True):
        workspace = Workspace(tmp_path, facts, state, fresh)
        app = web_app.make_app(workspace)
        token = people.sign_in(state, name, PASSWORD, now=micros(NOW))
        browser = Browser(app, token, people.visit_of(state, token, now=micros(NOW)).csrf)
        browser.workspace = workspace
        opened.append((browser, app, workspace))
        return browser

    yield enter
    for browser, app, workspace in opened:
        browser.close()
        app.state.questions.shutdown()
        workspace.vault.close()
        workspace.log.close()


def heading(answer):
    return unescape(re.sub(r"<[^>]+>", "", re.search(r"<h1>(.*?)</h1>", answer.text, re.DOTALL)[1]))


def test_today_advises_and_a_dismissed_one_stays_away(facts, house, state):
    browser = house(facts)
    page = browser.get("/")
    assert page.status_code == 200
    assert "would come anyway" in page.text
    first = re.search(r'name="id" value="([^"]+)"', page.text)[1]
    what = unescape(re.search(r"<h3>(.*?)</h3>", page.text)[1])
    after = browser.post("/advice", id=unescape(first), verdict="dismiss", back="/", what=what)
    assert after.status_code == 200
    assert f"Dismissed: {what}" in unescape(after.text)
    assert first not in [unescape(i) for i in re.findall(r'name="id" value="([^"]+)"', after.text)]
    kept = decisions(state)[0]
    assert (kept.recommendation_id, kept.verdict) == (unescape(first), "dismiss")
    assert kept.detail["what"] == what


def test_a_decision_needs_the_token_of_the_visit_and_a_known_verdict(facts, house, state):
    browser = house(facts)
    assert browser.post("/advice", csrf="x", id="a:b", verdict="accept").status_code == 403
    assert browser.post("/advice", id="a:b", verdict="maybe").status_code == 422
    assert decisions(state) == ()


def test_a_viewer_sees_advice_without_its_buttons_and_no_single_person(facts, house):
    browser = house(facts, "Vera")
    page = browser.get("/")
    assert page.status_code == 200
    assert "would come anyway" in page.text
    assert 'action="/advice"' not in page.text
    assert browser.post("/advice", id="a:b", verdict="accept").status_code == 403
    assert browser.get(f"/customers/people/{key('user_id', 'u1')}").status_code == 403
    assert "Viewers cannot see single people" in browser.get("/customers").text


def test_an_account_s_page_tells_its_whole_story(facts, house):
    page = house(facts).get("/customers/accounts/hollis")
    assert page.status_code == 200
    assert heading(page).startswith("Hollis & Wren spent $5,600 in 28 days, 366.7")
    assert "an answer to ticket 4471" in heading(page)
    text = unescape(page.text)
    for words in (
        "Conversions missing for two shops",
        "Creative review",
        "First seen",
        "30 days before the account was made",
        "Spend by day, USD",
        "Spend by day, EUR",
        "€7",
    ):
        assert words in text


def test_as_of_an_earlier_day_the_page_is_of_that_day(facts, house):
    browser = house(facts)
    page = browser.get("/customers/accounts/hollis?as_of=2026-11-01")
    assert "As of 2026-11-01" in page.text
    assert "Creative review" not in page.text
    assert browser.get("/customers/accounts/hollis?as_of=2027-01-01").status_code == 422
    assert browser.get("/customers/accounts/hollis?as_of=soon").status_code == 422


def test_several_people_of_one_beginning_are_links(facts, house):
    browser = house(facts)
    vault = browser.workspace.vault
    rows = facts.ask(facts.tables()["identifiers"].limit(2)).to_pylist()
    persons = sorted({row["person_id"] for row in rows})
    for place, row in enumerate(rows):
        vault.remember([(row["key"], "user_id", f"jo{place}@example.com")], [])
    shown = browser.get("/customers?q=jo")
    assert shown.status_code == 200
    assert "People that begin with" in shown.text
    for person in persons:
        assert f'href="/customers/people/{person}"' in shown.text
    assert "Not found" not in shown.text


def test_the_list_finds_pages_and_orders(facts, house):
    browser = house(facts)
    page = browser.get("/customers")
    assert page.status_code == 200
    assert "Next page" in page.text
    assert browser.get("/customers?page=2&order=change").status_code == 200
    assert "Hollis & Wren" in unescape(browser.get("/customers?q=hollis").text)
    person = browser.get("/customers?q=user_id:u1")
    assert person.url.path == f"/customers/people/{key('user_id', 'u1')}"
    missing = browser.get("/customers?q=user_id:nobody")
    assert missing.status_code == 200
    assert "No customer <code>user_id:nobody</code>" in missing.text
    assert '<a href="/customers">Show all customers</a>' in missing.text
    near = browser.get("/customers?q=hollos").text
    assert '<a href="/customers?q=hollis">Find hollis</a>' in near
    assert browser.get("/customers?order=size").status_code == 422
    assert browser.get("/customers?page=x").status_code == 422


def test_a_person_s_page_begins_before_the_sign_up(facts, house):
    page = house(facts).get(f"/customers/people/{key('user_id', 'u1')}")
    assert page.status_code == 200
    assert "Came 20 days before signing up." in heading(page)


def test_what_is_not_there_is_said_with_its_mend(facts, house):
    browser = house(facts)
    missing = browser.get("/customers/accounts/holis")
    assert missing.status_code == 404
    assert "Did you mean <code>hollis</code>?" in missing.text
    assert browser.get("/customers/people/77").status_code == 404


def test_effects_stand_beside_what_a_plain_comparison_would_say(facts, house):
    page = house(facts).get("/customers/effects")
    assert page.status_code == 200
    assert "1 service of 2 raised spend" in heading(page)
    assert page.text.count("Plain comparison") == 4
    assert "standard deviations" in page.text


def test_an_empty_workspace_says_what_to_do_next(house):
    nothing = empty_facts()
    nothing_yet = house(nothing)
    for path in ("/customers", "/customers/effects"):
        page = nothing_yet.get(path)
        assert page.status_code == 200
        assert "Import a CSV" in page.text
    nothing.close()


def test_today_without_events_leads_to_the_first_one(house):
    nothing = empty_facts()
    page = house(nothing, fresh=None).get("/")
    assert page.status_code == 200
    assert 'href="/connect"' in page.text
    assert heading(page) == "No event has come yet."
    nothing.close()


def test_an_account_that_is_invoiced_is_not_told_it_never_spent(tmp_path):
    facts = empty_facts()
    rows = [{**row, "kind": "invoice"} for row in spend_rows("billed", [50.0] * 30)]
    put(facts, "spend", rows)
    put(facts, "accounts", [{"account_id": "billed", "name": "Billed Ltd"}])
    view = view_of(facts)
    (standing,) = standings(view)
    assert standing.level is not None
    assert (standing.level.kind, standing.level.now) == ("invoice", 28 * 50_000_000)
    vault = Vault(tmp_path / "vault.sqlite")
    shown = account_shown(view, account(view, vault, "billed"), {})
    vault.close()
    facts.close()
    said = "".join(str(getattr(piece, "text", piece)) for piece in shown["answer"])
    assert "Billed Ltd was invoiced" in said
    assert shown["facts"][0]["name"] == "Invoices, 28 days"
    assert shown["spend"][0]["name"] == "Invoices by day, USD"
    assert not any("has not spent" in str(piece) for piece in shown["answer"])
    assert "Invoice of 50.00 USD" in str(shown["timeline"])
