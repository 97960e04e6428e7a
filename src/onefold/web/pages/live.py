"""Live: is a campaign working right now? Figures of the last 60 minutes, told as they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.routing import Route

from onefold import metrics
from onefold.model.errors import BadInput, NotFound, did_you_mean
from onefold.model.records import MARKS, Question
from onefold.model.time import MINUTE, to_datetime, zone_of
from onefold.model.words import plural
from onefold.web import charts, rendering, wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.drawing import interval, round_up, shared_axis
from onefold.web.live import Told, still_allowed, streamed, streams_of
from onefold.web.pages.traffic import LetIn, Traffic, let_in
from onefold.web.wording import better, bold, number, sentence, share, worse

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker, Estimate
    from onefold.runtime import Workspace
    from onefold.store import View
    from onefold.web.drawing import Interval

LONGEST_ID = 200
"""Longer names of campaigns are nobody's."""

PLACES = {
    "home_feed": "Home feed",
    "search_results": "Search results",
    "related_pins": "Related pins",
    "board_suggestions": "Board suggestions",
}
METHOD = (
    "Would come anyway: for each minute the median, over up to 28 former days, of the clicks in "
    "the hour around the same minute. Days before the campaign began do not count."
)


@signed_in()
async def list_page(request: Request) -> Response:
    """Show all campaigns of the last days, the busiest first."""
    chosen, workspace = let_in(request.query_params), request.app.state.workspace
    shown = await ask(request, _list_now, workspace, request.state.asker, live_of(request), chosen)
    left_out = await ask(request, _left_out, workspace, request.state.asker, chosen, "/live")
    return page(
        request,
        "live/list.html",
        here="Live",
        title="Live",
        stream=chosen.address("/live/stream"),
        filters=[Traffic(chosen, "/live").control()],
        left_out=left_out,
        **shown,
    )


@signed_in()
async def campaign_page(request: Request) -> Response:
    """Show one campaign in the minute it is in."""
    campaign_id = named(request.path_params["campaign_id"])
    workspace, asker = request.app.state.workspace, request.state.asker
    chosen = let_in(request.query_params)
    live = live_of(request)
    shown, filters = await ask(request, _campaign_page, workspace, asker, live, campaign_id, chosen)
    path = f"/live/{quote(campaign_id, safe='')}"
    left_out = await ask(request, _left_out, workspace, asker, chosen, path)
    return page(
        request,
        "live/campaign.html",
        here="Live",
        title=f"Live: {campaign_id}",
        stream=chosen.address("/live/stream", campaign=campaign_id),
        filters=filters,
        left_out=left_out,
        **shown,
    )


@signed_in()
async def stream(request: Request) -> Response:
    """Tell a page of every change, until it goes."""
    sight = await ask(request, request.app.state.workspace.sight, request.state.asker)
    told = told_of(request, request.query_params, sight)
    streams = streams_of(request.app)
    streams.check_room()
    allowed = still_allowed(request, sight)
    return streamed(streams.listen(told.key, told.answer, allowed=allowed))


def told_of(request: Request, given: QueryParams, sight: Hashable) -> Told:
    """Return what a page is told of: the campaign that is given, or all."""
    workspace, asker, live = request.app.state.workspace, request.state.asker, live_of(request)
    campaign_id = given.get("campaign", "")
    chosen = let_in(given)

    def answer() -> dict[str, Any]:
        if campaign_id:
            shown, _ = _campaign_now(workspace, asker, live, named(campaign_id), chosen)
            return _told("live/campaign_told.html", shown)
        return _told("live/list_told.html", _list_now(workspace, asker, live, chosen))

    return Told(("live", campaign_id, asker.role, asker.scopes, chosen, sight), answer)


routes = [
    Route("/live", list_page),
    Route("/live/stream", stream),
    Route("/live/{campaign_id:path}", campaign_page),
]


def live_of(request: Request) -> metrics.live.Live:
    """Return the house's live figures, by the click rate that this workspace defines."""
    found: metrics.live.Live | None = getattr(request.app.state, "live", None)
    if found is None:
        defined = metrics.load_metrics(request.app.state.workspace.definitions / "metrics")
        found = request.app.state.live = metrics.live.Live(defined["click_rate"])
    return found


def named(campaign_id: str) -> str:
    """Return the name of a campaign as asked for.

    Raises:
        BadInput: It is longer than any campaign's.
    """
    if len(campaign_id) > LONGEST_ID:
        message = (
            f"A campaign's name has at most {LONGEST_ID} characters, this has {len(campaign_id)}."
        )
        raise BadInput(message, "Choose a campaign from the list.")
    return campaign_id


def _told(template: str, shown: dict[str, Any]) -> dict[str, Any]:
    """Return a reading as a stream tells it: parts of the page, and the chart's new content."""
    html = rendering.render(template, shown)
    told = {"html": html, "now": shown["now"], "fresh_time": shown["fresh_time"]}
    return told | {"chart": shown["chart"]} if "chart" in shown else told


def _left_out(workspace: Workspace, asker: Asker, chosen: LetIn, path: str) -> dict[str, str]:
    view = workspace.view(Question(asker=asker, include=chosen.marks))
    span = metrics.live.window(view.now)
    return Traffic(chosen, path).left_out(view, span, of="all events of the last 60 minutes")


def _list_now(
    workspace: Workspace, asker: Asker, live: metrics.live.Live, chosen: LetIn
) -> dict[str, Any]:
    view = workspace.view(Question(asker=asker, include=chosen.marks))
    found = live.campaigns(view)
    return {
        "now": view.now,
        "fresh_time": view.fresh_time,
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone, label="Live"),
        "question": "Which campaigns are working right now?",
        "answer": list_answer(found),
        "rows": [_list_row(campaign, view.zone, chosen) for campaign in found],
        "demo": (workspace.folder / "demo" / "pinboard.json").is_file(),
    }


def list_answer(found: Sequence[metrics.live.LiveCampaign]) -> list[object]:
    """Return the answer of the list, in pieces."""
    if not found:
        return ["No campaign was seen in the last seven days."]
    working = [campaign for campaign in found if campaign.clicks]
    clicks = sum(campaign.clicks for campaign in working)
    if not working:
        return ["No campaign got a click in the last 60 minutes."]
    count = wording.count_word(len(working))
    campaigns = "campaign" if len(working) == 1 else "campaigns"
    told: list[object] = [
        f"{count} {campaigns} got ",
        better(plural(clicks, "click")),
        " in the last 60 minutes",
    ]
    if len(working) > 1:
        most = working[0]
        told.append(f"; {most.campaign_id} of {most.account_name} got most, {number(most.clicks)}")
    return [*told, "."]


def _list_row(campaign: metrics.live.LiveCampaign, zone: str, chosen: LetIn) -> dict[str, object]:
    seen = campaign.impressions
    path = f"/live/{quote(campaign.campaign_id, safe='')}"
    link = {"href": chosen.address(path), "label": campaign.campaign_id}
    return {
        "cells": [
            link,
            campaign.account_name or None,
            number(seen),
            number(campaign.clicks),
            share(campaign.clicks / seen) if seen else None,
            wording.moment(campaign.last_time, zone),
        ]
    }


def _campaign_now(
    workspace: Workspace,
    asker: Asker,
    live: metrics.live.Live,
    campaign_id: str,
    chosen: LetIn,
) -> tuple[dict[str, Any], View]:
    """Return what changes of a campaign's page, and the view it was asked of."""
    view = workspace.view(Question(asker=asker, include=chosen.marks))
    reading = live.reading(view, campaign_id)
    if not reading.impressions and not reading.clicks:
        # One that only bots or our own people saw is there too; its page says why it is empty.
        whole = workspace.view(Question(asker=asker, include=frozenset(MARKS)))
        if not live.is_known(whole, campaign_id):
            names = [each.campaign_id for each in live.campaigns(view)]
            near = did_you_mean(campaign_id, names)
            message = f"No campaign `{campaign_id}` was ever seen.{near}"
            raise NotFound(
                message, "A campaign has a page from its first view on; see Live for all."
            )
    shown = campaign_shown(
        reading, zone=view.zone, version=live.rate.version, needed=live.rate.minimum_people
    )
    return shown, view


def _campaign_page(
    workspace: Workspace,
    asker: Asker,
    live: metrics.live.Live,
    campaign_id: str,
    chosen: LetIn,
) -> tuple[dict[str, Any], list[dict[str, object]]]:
    """Return what a campaign's page shows, and what of it may be chosen."""
    shown, view = _campaign_now(workspace, asker, live, campaign_id, chosen)
    traffic = Traffic(chosen, f"/live/{quote(campaign_id, safe='')}")
    others = live.campaigns(view, most=12)
    return shown, [*_filters(others, campaign_id, chosen), traffic.control()]


def campaign_shown(
    reading: metrics.live.LiveReading, *, zone: str, version: int, needed: int
) -> dict[str, Any]:
    """Return what the page of a campaign shows.

    Args:
        reading: What is known.
        zone: The zone of its times.
        version: Of the definition of the click rate.
        needed: How many people it takes for an interval.
    """
    rows = minute_rows(reading, zone)
    whose = f" of {reading.account[1]}" if reading.account and reading.account[1] else ""
    everything = reading.impressions + reading.clicks
    return {
        "now": reading.now,
        "fresh_time": reading.fresh_time,
        "fresh": wording.freshness(reading.fresh_time, reading.now, zone=zone, label="Live"),
        "quiet": quiet_words(reading, zone),
        "question": f"Is {reading.campaign_id}{whose} working right now?",
        "answer": campaign_answer(reading),
        "lead": campaign_lead(reading),
        "tiles": _tiles(reading, needed),
        "chart": charts.bars_by_minute(rows, unfinished=str(rows[-1]["minute"])),
        "minutes": [_minute_row(row, zone, reading) for row in _latest_first(reading)],
        "method": METHOD if reading.usual.by_minute else usual_missing(reading),
        "places": place_rows(reading),
        "place_axis": _axis_words(reading),
        "just_now": [_click(click, zone) for click in reading.just_now],
        "query": reading.query,
        "badges": {
            "version": version,
            "href": "/explore/metrics/click_rate",
            "seconds": _seconds(reading),
            "n": reading.clicks,
            "left_out": reading.left_out / (reading.left_out + everything) if everything else None,
        },
    }


def campaign_answer(reading: metrics.live.LiveReading) -> list[object]:
    """Return the answer of a campaign's page, in pieces: yes, no, as usual, or cannot tell."""
    more = reading.more
    clicks = plural(reading.clicks, "click")
    if not reading.impressions and not reading.clicks:
        return ["Nothing came in the last 60 minutes."]
    if more.estimate is None or more.low is None or more.high is None:
        return [
            f"It got {clicks} in the last 60 minutes. What would have come anyway is ",
            wording.watch("not known yet"),
            ".",
        ]
    if more.low > 0:
        told = f"about {number(more.estimate, 0)} more clicks an hour"
        return [
            "Yes. It brings ",
            better(told),
            " than this hour would bring anyway",
            _mostly(reading),
            ".",
        ]
    if more.high < 0:
        told = f"about {number(-more.estimate, 0)} fewer clicks an hour"
        return ["No. It brings ", worse(told), " than this hour would bring anyway."]
    anyway = number(reading.clicks - more.estimate, 0)
    return [
        (
            f"As on other days: {clicks} in the last 60 minutes, "
            f"where about {anyway} would come anyway."
        )
    ]


def campaign_lead(reading: metrics.live.LiveReading) -> str:
    """Return the sentence under the answer: by how much it could be otherwise."""
    more = reading.more
    if more.low is None or more.high is None:
        return usual_missing(reading) if reading.impressions or reading.clicks else ""
    low, high = number(more.low, 0), number(more.high, 0)
    return f"Low {low}, high {high}, beside {reading.usual.days} former days."


def usual_missing(reading: metrics.live.LiveReading) -> str:
    """Return why nothing is said of what would come anyway."""
    have, need = reading.usual.days, reading.usual.needed
    return f"Would come anyway: not enough data, {have} of {need} former days with this campaign."


def quiet_words(reading: metrics.live.LiveReading, zone: str) -> str:
    """Return what to say when intake has stopped; empty while it runs."""
    if reading.fresh_time is None:
        return "No event has arrived yet."
    seconds = _seconds(reading) or 0.0
    if seconds <= wording.STALE_SECONDS:
        return ""
    since = wording.moment(reading.fresh_time, zone)
    return (
        f"Intake has been quiet for {wording.lag(seconds)}. Figures stand as of {since} and "
        "catch up by themselves."
    )


def _mostly(reading: metrics.live.LiveReading) -> str:
    first = reading.places[0] if reading.places else None
    if first is None or not first.surface or first.clicks <= reading.clicks * 0.6:
        return ""
    amount = "nearly all" if first.clicks > reading.clicks * 0.9 else "most"
    return f", {amount} of them in {place_name(first.surface).lower()}"


def place_name(surface: str) -> str:
    """Return how a page calls a surface.

    >>> place_name("home_feed"), place_name("shop_window"), place_name("")
    ('Home feed', 'Shop window', 'Unknown place')
    """
    return PLACES.get(surface) or surface.replace("_", " ").capitalize() or "Unknown place"


def minute_rows(reading: metrics.live.LiveReading, zone: str) -> list[charts.Row]:
    """Return a row a minute for the chart; minutes are of the zone, so that it shows its clock."""
    place = zone_of(zone)
    return [
        {
            "minute": f"{to_datetime(each.start_time).astimezone(place):%Y-%m-%dT%H:%M:%SZ}",
            "count": each.clicks,
            "expected": each.expected,
        }
        for each in reading.minutes
    ]


def _latest_first(reading: metrics.live.LiveReading) -> list[int]:
    return list(range(len(reading.minutes) - 1, -1, -1))


def _minute_row(place: int, zone: str, reading: metrics.live.LiveReading) -> list[object]:
    each = reading.minutes[place]
    began = wording.clock(each.start_time, zone)[:5]
    in_progress = each.start_time + MINUTE > reading.now
    expected = each.expected
    return [
        f"{began}, in progress" if in_progress else began,
        number(each.clicks),
        None if expected is None else number(expected, 2),
        None if expected is None else number(each.clicks - expected, 2, signed=True),
    ]


def _tiles(reading: metrics.live.LiveReading, needed: int) -> list[dict[str, object]]:
    tiles = (
        _clicks_tile(reading),
        _seen_tile(reading),
        _rate_tile(reading, needed),
        _revenue_tile(reading),
    )
    return [{"values": None} | tile for tile in tiles]


def _clicks_tile(reading: metrics.live.LiveReading) -> dict[str, object]:
    more = reading.more
    tile: dict[str, object] = {"name": "Clicks, last 60 minutes", "figure": number(reading.clicks)}
    if more.estimate is None or more.low is None or more.high is None:
        return tile | {
            "note": f"Anyway: {reading.usual.days} of {reading.usual.needed} former days"
        }
    bar = interval(
        more.estimate,
        more.low,
        more.high,
        axis=shared_axis([(more.low, more.high)]),
        unit="clicks",
        decimals=0,
    )
    said = "Cannot tell" if bar.tone == "even" else f"{number(more.estimate, 0, signed=True)}"
    of = f"{number(more.low, 0)} to {number(more.high, 0)}"
    words = of if bar.tone == "even" else f"over anyway, {of}"
    return tile | {"change": said, "tone": _tone(bar), "range": words, "bar": bar}


def _seen_tile(reading: metrics.live.LiveReading) -> dict[str, object]:
    figure, unit = wording.figure(reading.impressions)
    places = len([place for place in reading.places if place.impressions])
    note = f"in {plural(places, 'place')}" if places else "not seen"
    return {"name": "Impressions, last 60 minutes", "figure": figure, "unit": unit, "note": note}


def _rate_tile(reading: metrics.live.LiveReading, needed: int) -> dict[str, object]:
    rate, former = reading.rate, reading.former_rate
    tile: dict[str, object] = {"name": "Click rate"}
    if rate.estimate is None or rate.low is None or rate.high is None:
        return tile | {"figure": "–", "too_few": {"have": rate.n, "need": needed}}
    bar = rate_bar(rate, former.estimate, top=_top([rate], former.estimate))
    text, unit = share(rate.estimate, 2).split(wording.NO_BREAK)
    said = {"better": "Better", "worse": "Worse", "even": "Cannot tell"}[bar.tone]
    words = f"{share(rate.low, 2)} to {share(rate.high, 2)}"
    before = "" if former.estimate is None else f"; seven days before {share(former.estimate, 2)}"
    if former.estimate is None:
        return tile | {"figure": text, "unit": unit, "range": words, "bar": bar}
    return tile | {
        "figure": text,
        "unit": unit,
        "change": said,
        "tone": _tone(bar),
        "range": words + before,
        "bar": bar,
    }


def _revenue_tile(reading: metrics.live.LiveReading) -> dict[str, object]:
    tile: dict[str, object] = {"name": "Ad revenue, last 60 minutes"}
    if not reading.revenue:
        return tile | {"figure": "–", "note": "No click has paid yet"}
    first, *others = reading.revenue
    note = (
        "from these clicks"
        if not others
        else "and apart from it "
        + ", ".join(wording.money(each.micros, each.currency) for each in others)
    )
    return tile | {"figure": wording.money(first.micros, first.currency, decimals=2), "note": note}


def _tone(bar: Interval) -> str:
    return {"better": "better", "worse": "worse", "even": ""}[bar.tone]


def rate_bar(rate: Estimate, reference: float | None, *, top: float) -> Interval:
    """Return a click rate on an axis from zero, beside the rate of the days before."""
    return interval(
        rate.estimate or 0.0,
        max(rate.low or 0.0, 0.0),
        rate.high or 0.0,
        axis=(0.0, top),
        reference=reference,
        unit="%",
        scale=100.0,
        decimals=2,
    )


def _top(rates: Sequence[Estimate], reference: float | None) -> float:
    highest = [rate.high for rate in rates if rate.high is not None]
    return round_up(max([*highest, reference or 0.0, 0.001]))


def place_rows(reading: metrics.live.LiveReading) -> list[dict[str, object]]:
    """Return the table by place; the last row is all of them."""
    reference = reading.former_rate.estimate
    top = _top([place.rate for place in reading.places] + [reading.rate], reference)

    def row(name: str, seen: int, clicks: int, rate: Estimate) -> list[object]:
        known = rate.low is not None
        return [
            name,
            number(seen),
            number(clicks),
            share(rate.estimate, 2) if rate.estimate is not None else None,
            rate_bar(rate, reference, top=top) if known else rate.note.rstrip("."),
        ]

    def cells(place: metrics.live.LivePlace) -> dict[str, object]:
        return {
            "cells": row(place_name(place.surface), place.impressions, place.clicks, place.rate)
        }

    total = {"cells": row("All", reading.impressions, reading.clicks, reading.rate), "total": True}
    return [*(cells(place) for place in reading.places), total] if reading.places else []


def _axis_words(reading: metrics.live.LiveReading) -> str:
    rates = [place.rate for place in reading.places] + [reading.rate]
    if all(rate.low is None for rate in rates):
        return ""
    former = reading.former_rate.estimate
    beside = "" if former is None else f"; line: the seven days before, {share(former, 2)}"
    return f"The axis goes from 0 to {share(_top(rates, former), 2)}{beside}"


def _click(click: Any, zone: str) -> dict[str, object]:
    paid = (
        ""
        if click.revenue is None
        else f" · {wording.money(click.revenue.micros, click.revenue.currency, decimals=2)}"
    )
    return {
        "shape": "ribbon",
        "time": wording.clock(click.event_time, zone),
        "stamp": wording.stamp(click.event_time),
        "words": sentence("Click on ", bold(click.item_id or "an item")),
        "quiet": place_name(click.surface) + paid,
    }


def _filters(
    campaigns: Sequence[metrics.live.LiveCampaign], campaign_id: str, chosen: LetIn
) -> list[dict[str, object]]:
    options = [
        {
            "label": each.campaign_id + (f", {each.account_name}" if each.account_name else ""),
            "href": chosen.address(f"/live/{quote(each.campaign_id, safe='')}"),
            "current": each.campaign_id == campaign_id,
        }
        for each in campaigns
    ]
    options.append({"label": "All campaigns", "href": chosen.address("/live"), "current": False})
    return [
        {"label": "Campaign", "value": campaign_id, "options": options},
        {"label": "Window", "value": "last 60 minutes"},
    ]


def _seconds(reading: metrics.live.LiveReading) -> float | None:
    if reading.fresh_time is None:
        return None
    return max((reading.now - reading.fresh_time) / 1_000_000, 0.0)
