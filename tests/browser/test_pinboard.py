"""Own clicks on the pinboard, sent by the browser SDK, arrive on the live page as they happen."""

import re

import httpx
import pytest
from playwright.sync_api import expect

CAMPAIGN = re.compile(r"cmp-\d+")
SOON = 5_000
"""Milliseconds: the figure moves within a second; a busy machine gets more."""


@pytest.fixture
def shopping(visiting):
    with visiting(signed_in=False, reduced_motion="no-preference") as visitor:
        assert visitor.open("/pinboard") == 200
        yield visitor


@pytest.fixture
def watching(visiting):
    with visiting(reduced_motion="no-preference") as visitor:
        yield visitor


def clicks(visitor):
    return visitor.page.locator("[data-live=tiles] .tile").first.locator(".figure")


def count(visitor):
    return int(clicks(visitor).inner_text().replace(",", ""))


def first_ad(shopping):
    ad = shopping.page.locator(".pinboard-card.ad").first
    return ad.get_by_role("button"), ad.get_by_role("button").get_attribute("data-campaign")


def agree(shopping, name="Yes, count me"):
    shopping.page.get_by_role("button", name=name, exact=True).click()
    expect(shopping.page.locator("#sent li").first).to_be_visible()


def test_a_click_moves_the_live_page(shopping, watching):
    agree(shopping)
    button, campaign = first_ad(shopping)
    assert CAMPAIGN.fullmatch(campaign)
    watching.open(f"/live/{campaign}")
    expect(watching.page.locator("#fresh")).to_contain_text("Live")
    before = count(watching)
    button.click()
    expect(clicks(watching)).to_have_text(f"{before + 1:,}", timeout=SOON)
    first = watching.page.locator("[data-live=just-now] li").first
    expect(first).to_contain_text("Click on")
    watching.page.get_by_text("The same as a table, a row a minute").click()
    newest = watching.page.locator("#live-minutes tbody tr").first
    expect(newest).to_contain_text("in progress")
    assert shopping.wrongs == watching.wrongs == []


def test_a_page_held_still_does_not_move_until_it_is_let_go(shopping, watching, visiting):
    agree(shopping)
    button, campaign = first_ad(shopping)
    watching.open(f"/live/{campaign}")
    expect(watching.page.locator("#fresh")).to_contain_text("Live")
    watching.page.get_by_role("button", name="Hold still").click()
    expect(watching.page.locator("#fresh")).to_contain_text("Held still")
    before = count(watching)
    with visiting(reduced_motion="no-preference") as moving:
        moving.open(f"/live/{campaign}")
        button.click()
        expect(clicks(moving)).to_have_text(f"{before + 1:,}", timeout=SOON)
    assert count(watching) == before
    watching.page.get_by_role("button", name="Let it move").click()
    expect(clicks(watching)).to_have_text(f"{before + 1:,}", timeout=SOON)


def test_searching_opening_and_saving_are_sent_as_the_catalogue_has_them(shopping):
    agree(shopping)
    with shopping.page.expect_request(lambda sent: event_of(sent) == "search_made") as search:
        shopping.page.get_by_label("Search pins").fill("oak")
        shopping.page.get_by_role("button", name="Search").click()
    assert search.value.post_data_json["properties"]["query"] == "oak"
    with shopping.page.expect_request(lambda sent: event_of(sent) == "pin_opened") as opened:
        shopping.page.locator(".pinboard-way").first.click()
    assert opened.value.post_data_json["properties"]["surface"] == "search_results"
    with shopping.page.expect_response(lambda got: event_of(got.request) == "pin_saved") as saved:
        shopping.page.get_by_role("button", name="Save to board").click()
    assert saved.value.json()["accepted"] == 1
    assert shopping.wrongs == []


def event_of(request):
    if "/v1/t" not in request.url or request.method != "POST":
        return ""
    return (request.post_data_json or {}).get("event", "")


def test_who_refuses_leaves_no_identifier(shopping, served):
    before = rows(served)
    with shopping.page.expect_response(lambda got: event_of(got.request) == "ad_clicked") as got:
        agree(shopping, "No")
        first_ad(shopping)[0].click()
    assert got.value.json()["accepted"] == 1
    caught_up(served)
    after = rows(served)
    assert after["events"] > before["events"]
    assert after["identifiers"] == before["identifiers"]
    assert shopping.context.cookies() == []
    kept = shopping.page.evaluate("Object.keys(localStorage)")
    assert kept == ["pinboard_consent"]


def rows(served):
    told = served.ask("checksum")
    names = [column["name"] for column in told["columns"]]
    return {row[names.index("table")]: row[names.index("rows")] for row in told["rows"]}


def caught_up(served):
    """Return once the facts hold all that the log holds."""
    with httpx.Client(base_url=served.address, timeout=30) as client:
        for _ in range(500):
            ready = client.get("/health/ready").json()
            if ready["log_offset"] == ready["facts_offset"]:
                return
    raise AssertionError(ready)


def test_nothing_is_sent_before_the_choice(visiting):
    with visiting(signed_in=False) as visitor:
        sent = []
        visitor.page.on("request", lambda request: sent.append(request.url))
        visitor.open("/pinboard")
        visitor.page.locator(".pinboard-way").first.click()
        expect(visitor.page.locator(".pinboard-open")).to_be_visible()
        assert not [url for url in sent if "/v1/" in url or "analytics" in url]
