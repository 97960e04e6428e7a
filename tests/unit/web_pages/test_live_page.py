"""The live page's words: yes, no, as on other days, not known yet, quiet."""

from dataclasses import replace

import pytest

from onefold import metrics
from onefold.model.money import Money
from onefold.model.records import Estimate
from onefold.model.time import MINUTE
from onefold.web import rendering
from onefold.web.pages import live

NOW = 1_770_000_030_000_000
SPAN = metrics.live.window(NOW)
RATE = Estimate(0.05, 0.03, 0.07, 400)


def reading(**changed):
    starts = range(SPAN[0], SPAN[1], MINUTE)
    usual = metrics.live.Usual(10, 7, (0.5,) * 60, (30,) * 10)
    found = metrics.live.LiveReading(
        campaign_id="cmp-1",
        account=("acc-1", "Maple Posters"),
        span=SPAN,
        minutes=tuple(metrics.live.LiveMinute(start, 1, 0.5) for start in starts),
        clicks=60,
        impressions=1200,
        rate=RATE,
        former_rate=Estimate(0.02, 0.01, 0.03, 4000),
        revenue=(Money(12_000_000, "USD"), Money(3_000_000, "EUR")),
        usual=usual,
        more=metrics.live.more_than_usual(60, usual),
        places=(
            metrics.live.LivePlace("search_results", 1000, 55, RATE),
            metrics.live.LivePlace("", 200, 5, Estimate(0.02, None, None, 9, note="Too few.")),
        ),
        just_now=(metrics.live.LiveClick(NOW - 5, "home_feed", "i<1>", None),),
        now=NOW,
        fresh_time=NOW - 600_000,
        left_out=140,
        query="SELECT 1",
    )
    return replace(found, **changed)


def words(pieces):
    return "".join(str(piece) for piece in pieces)


def shown(**changed):
    return live.campaign_shown(reading(**changed), zone="UTC", version=1, needed=30)


def test_more_than_anyway_is_a_yes_that_says_where():
    told = words(live.campaign_answer(reading()))
    assert told.startswith("Yes. It brings ")
    assert "about 30 more clicks an hour" in told
    assert "nearly all of them in search results" in told


def test_fewer_is_a_no():
    fewer = reading(clicks=2, more=Estimate(-28.0, -35.0, -21.0, 10))
    assert "28 fewer clicks" in words(live.campaign_answer(fewer))


def test_within_what_days_do_is_as_on_other_days():
    same = reading(clicks=31, more=Estimate(1.0, -6.0, 8.0, 10))
    assert words(live.campaign_answer(same)).startswith("As on other days: 31 clicks")


def test_a_young_campaign_is_not_known_yet():
    young = reading(usual=metrics.live.Usual(3), more=Estimate(None, None, None, 3))
    assert "not known yet" in words(live.campaign_answer(young))
    assert "3 of 7 former days" in live.campaign_lead(young)


def test_nothing_is_said_to_be_nothing():
    none = reading(clicks=0, impressions=0, places=(), just_now=())
    assert words(live.campaign_answer(none)) == "Nothing came in the last 60 minutes."


@pytest.mark.parametrize(
    ("fresh_time", "said"),
    [
        (NOW - 600_000, ""),
        (NOW - 12 * MINUTE, "Intake has been quiet for 12\xa0min."),
        (None, "No event has arrived yet."),
    ],
)
def test_a_page_says_when_intake_has_stopped(fresh_time, said):
    assert live.quiet_words(reading(fresh_time=fresh_time), "UTC").startswith(said)


def test_the_minute_in_progress_is_drawn_half_as_strong():
    chart = shown()["chart"]
    rows = chart["data"]["values"]
    assert [row["unfinished"] for row in rows] == [False] * 59 + [True]
    assert shown()["minutes"][0][0].endswith("in progress")
    assert len(shown()["minutes"]) == 60


def test_currencies_stand_apart():
    tile = shown()["tiles"][3]
    assert tile["figure"] == "$12.00"
    assert "€3.00" in tile["note"]


def test_the_share_left_out_by_consent_is_of_all_that_came():
    assert shown()["badges"]["left_out"] == pytest.approx(140 / (140 + 1260))


def test_what_a_visitor_sent_is_escaped_and_places_are_named():
    html = rendering.render("live/campaign_told.html", shown())
    assert "i&lt;1&gt;" in html
    assert "i<1>" not in html
    assert "Unknown place" in html


def test_the_chart_keeps_the_clock_of_the_zone():
    rows = live.minute_rows(reading(), "Asia/Kolkata")
    utc = live.minute_rows(reading(), "UTC")
    assert rows[0]["minute"] != utc[0]["minute"]
    assert rows[0]["minute"].endswith("Z")


def test_the_list_names_the_busiest():
    campaign = metrics.live.LiveCampaign("cmp-1", "a", "Maple Posters", 9, 100, NOW)
    quiet = replace(campaign, campaign_id="cmp-2", clicks=0)
    other = replace(campaign, campaign_id="cmp-3", clicks=3)
    told = words(live.list_answer([campaign, other, quiet]))
    assert told.startswith("Two campaigns got ")
    assert "12 clicks" in told
    assert "cmp-1 of Maple Posters got most, 9" in told
    assert "No campaign" in words(live.list_answer([quiet]))
