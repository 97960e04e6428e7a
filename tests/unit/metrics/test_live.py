"""A live campaign: minutes, places, and what would have come anyway."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.metrics import load_metrics
from onefold.metrics.live import FEWEST_DAYS, Live, Usual, more_than_usual, usual_of, window
from onefold.model.money import Money
from onefold.model.time import DAY, HOUR, MINUTE
from small_facts import DEFAULT_NOW, SmallFacts

pytestmark = pytest.mark.long

RATE = load_metrics()["click_rate"]
NOW = DEFAULT_NOW // MINUTE * MINUTE + 30_000_000


def market(days=10, former=4, today=20):
    """A campaign seen on all days at this hour, with `former` clicks an hour, `today` of late."""
    facts = SmallFacts(
        promoted={"p_campaign_id": "string", "p_revenue": "int64", "p_currency": "string"}, now=NOW
    )
    person = 0
    for day in range(days, -1, -1):
        clicks = former if day else today
        for place in range(50):
            person += 1
            moment = NOW - day * DAY - (58 - place) * MINUTE
            seen = {
                "campaign_id": "c1",
                "account_id": "a1",
                "surface": "home_feed" if place % 2 else "search_results",
            }
            facts.add("ad_viewed", moment, person, **seen)
            if place % (50 // clicks) == 0 and place < 50 // clicks * clicks:
                facts.add(
                    "ad_clicked",
                    moment + 1,
                    person,
                    item_id=f"i{place}",
                    revenue=500_000,
                    currency="USD",
                    **seen,
                )
    facts.add("ad_viewed", NOW - 2 * DAY, 1, campaign_id="c2", account_id="a2")
    return facts


def test_clicks_and_revenue_are_those_of_the_last_sixty_minutes():
    reading = Live(RATE).reading(market().view(), "c1")
    assert (reading.clicks, reading.impressions) == (20, 50)
    assert sum(minute.clicks for minute in reading.minutes) == 20
    assert reading.revenue == (Money(10_000_000, "USD"),)
    assert reading.rate.estimate == 0.4
    assert reading.rate.low < 0.4 < reading.rate.high


def test_sampled_clicks_stand_for_all_and_the_range_is_wider():
    facts = market()
    for row in facts.events:
        row["sample_rate"] = 0.25
    plain = Live(RATE).reading(market().view(), "c1")
    found = Live(RATE).reading(replace(facts.view(), sampled=True), "c1")
    assert (found.clicks, found.impressions) == (80, 200)
    assert found.revenue == (Money(40_000_000, "USD"),)
    assert found.rate.estimate == pytest.approx(0.4)
    assert found.usual.weight == 4.0
    assert found.more.estimate == pytest.approx(4 * plain.more.estimate)
    reach = [one.more.high - one.more.estimate for one in (plain, found)]
    assert reach[1] == pytest.approx(4 * reach[0])
    busiest = Live(RATE).campaigns(replace(facts.view(), sampled=True))
    assert busiest[0].clicks == 80


def test_a_workspace_that_describes_no_revenue_still_shows_its_clicks():
    facts = SmallFacts(now=NOW)
    facts.add("ad_viewed", NOW - 3 * MINUTE, 1, campaign_id="c1")
    facts.add("ad_clicked", NOW - 2 * MINUTE, 1, campaign_id="c1", revenue="0.5", currency="USD")
    reading = Live(RATE).reading(facts.view(), "c1")
    assert (reading.clicks, reading.impressions) == (1, 1)
    assert not any(money.micros for money in reading.revenue)


def test_places_add_up_and_the_last_click_comes_first():
    reading = Live(RATE).reading(market().view(), "c1")
    assert {place.surface for place in reading.places} == {"home_feed", "search_results"}
    assert sum(place.clicks for place in reading.places) == reading.clicks
    assert sum(place.impressions for place in reading.places) == reading.impressions
    times = [click.event_time for click in reading.just_now]
    assert times == sorted(times, reverse=True)
    assert reading.just_now[0].item_id == "i38"


def test_what_would_come_anyway_is_the_median_of_former_days():
    reading = Live(RATE).reading(market().view(), "c1")
    assert reading.usual.days >= FEWEST_DAYS
    assert set(reading.usual.totals) == {4}
    assert abs(sum(reading.usual.by_minute) - 4) < 1.5
    assert reading.more.low > 0


def test_a_young_campaign_has_not_enough_data_to_say():
    reading = Live(RATE).reading(market(days=3).view(), "c1")
    assert reading.more.estimate is None
    assert reading.more.note == "Not enough data: 2 of 7 former days."
    assert {minute.expected for minute in reading.minutes} == {None}


def test_a_campaign_nobody_knows_reads_as_nothing():
    reading = Live(RATE).reading(market(days=1).view(), "nope")
    assert (reading.clicks, reading.impressions, reading.places) == (0, 0, ())
    assert reading.rate.estimate is None


def test_what_changes_slowly_is_asked_once_a_minute():
    view, live = market(days=1).view(), Live(RATE, most=1)
    first = live.reading(view, "c1")
    again = live.reading(view, "c1")
    assert again.usual is first.usual
    live.reading(view, "c2")
    assert live.reading(view, "c1").usual is not first.usual
    assert live.reading(view, "c1") == first


def test_the_list_names_the_busiest_campaign_first():
    found = Live(RATE).campaigns(market(days=3).view())
    assert [campaign.campaign_id for campaign in found] == ["c1", "c2"]
    assert (found[0].clicks, found[0].impressions) == (20, 50)
    assert found[1].clicks == found[1].impressions == 0


def test_days_before_the_campaign_do_not_count_as_days_without_clicks():
    span = window(NOW)
    assert usual_of(None, {}, span) == Usual(days=0)
    assert usual_of(span[0] - 8 * DAY - HOUR, {}, span).days == 8
    assert usual_of(span[0] - 3 * DAY, {}, span).by_minute == ()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=7, max_size=28), st.integers(0, 100))
def test_the_range_always_holds_the_estimate(totals, clicks):
    expected = sorted(totals)[len(totals) // 2] / 60
    found = more_than_usual(clicks, Usual(len(totals), 7, (expected,) * 60, tuple(totals)))
    assert found.low <= found.estimate <= found.high
    assert found.estimate <= clicks
