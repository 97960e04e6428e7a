"""A campaign in the minute it is in, beside what this hour would bring anyway."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import pi, sqrt
from statistics import median
from threading import Lock
from typing import TYPE_CHECKING, Any

from onefold.metrics import live_queries as queries
from onefold.metrics.compile import Ask, Span
from onefold.metrics.queries import cells
from onefold.metrics.records import Metric, Term
from onefold.model.money import Money
from onefold.model.records import Estimate
from onefold.model.time import DAY, MINUTE
from onefold.stats import Moments, mean

if TYPE_CHECKING:
    from onefold.store import View

MINUTES = 60
FORMER_DAYS = 28
FEWEST_DAYS = 7
SMOOTH_MINUTES = 30
JUST_NOW = 8


@dataclass(frozen=True, slots=True)
class LiveMinute:
    """A minute: when it began, its clicks, and what it would bring anyway (None: unknown)."""

    start_time: int
    clicks: int
    expected: float | None


@dataclass(frozen=True, slots=True)
class LivePlace:
    """A surface: impressions, clicks and the click rate of its people."""

    surface: str
    impressions: int
    clicks: int
    rate: Estimate


@dataclass(frozen=True, slots=True)
class LiveClick:
    """One click, without anything of the person who made it."""

    event_time: int
    surface: str
    item_id: str
    revenue: Money | None


@dataclass(frozen=True, slots=True)
class Usual:
    """What the same hour of former days brought: the part of the answer that changes slowly.

    Attributes:
        days: Former days on which the campaign was already there.
        needed: From how many days on it is told.
        by_minute: Expected clicks a minute, in order of the window; empty below `needed`.
        totals: Clicks of the same window on each former day.
        weight: How many clicks one stands for where a source samples.
    """

    days: int
    needed: int = FEWEST_DAYS
    by_minute: tuple[float, ...] = ()
    totals: tuple[int, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class LiveReading:
    """A campaign over the last 60 minutes, the one in progress included.

    Attributes:
        campaign_id: Which campaign.
        account: `account_id` and name of its advertiser, or None.
        span: From (inclusive) and to (exclusive), whole minutes, microseconds UTC.
        minutes: One a minute; the last is in progress.
        clicks: Clicks in the window.
        impressions: Times its ads were seen in the window.
        rate: Clicks by impressions, delta method over people.
        former_rate: The same over the seven days before the window.
        revenue: What the clicks paid, a currency each.
        usual: What would come anyway.
        more: Clicks above (or below) it, with the range in which they are not chance.
        places: By surface, most clicks first.
        just_now: The last clicks, latest first.
        now: When it was read, microseconds UTC.
        fresh_time: Received time of the last event folded.
        left_out: Events that consent left out of the window.
        query: The query of the minutes.
    """

    campaign_id: str
    account: tuple[str, str] | None
    span: Span
    minutes: tuple[LiveMinute, ...]
    clicks: int
    impressions: int
    rate: Estimate
    former_rate: Estimate
    revenue: tuple[Money, ...]
    usual: Usual
    more: Estimate
    places: tuple[LivePlace, ...]
    just_now: tuple[LiveClick, ...]
    now: int
    fresh_time: int | None
    left_out: int
    query: str


@dataclass(frozen=True, slots=True)
class LiveCampaign:
    """A campaign of the list: its last 60 minutes and when it was last seen."""

    campaign_id: str
    account_id: str
    account_name: str
    clicks: int
    impressions: int
    last_time: int


@dataclass(frozen=True, slots=True)
class Slow:
    """What of a reading changes at most once a minute, kept between two readings."""

    usual: Usual
    former_rate: Estimate
    account: tuple[str, str] | None


class Live:
    """Campaigns as they stand this minute; what changes slowly is kept from reading to reading."""

    def __init__(self, rate: Metric, *, most: int = 64) -> None:
        """Ask by this metric of the click rate; keep the slow parts of so many readings."""
        self.rate = rate
        self._most = most
        self._kept: dict[tuple[object, ...], Slow] = {}
        self._keeping = Lock()

    def campaigns(self, view: "View", *, most: int = 50) -> tuple[LiveCampaign, ...]:
        """Return the campaigns of the last seven days, those with most clicks just now first."""
        rows = view.ask(queries.campaigns(view, window(view.now), most=most)).to_pylist()
        return tuple(
            LiveCampaign(
                campaign_id=row["campaign_id"],
                account_id=row["account_id"] or "",
                account_name=row["account_name"] or row["account_id"] or "",
                clicks=row["clicks"],
                impressions=row["impressions"],
                last_time=_micros(row["last_time"]),
            )
            for row in rows
        )

    def reading(self, view: "View", campaign_id: str) -> LiveReading:
        """Return a campaign over the last 60 minutes beside what would have come anyway."""
        span = window(view.now)
        slow = self._slow(view, campaign_id, span)
        question = queries.by_minute(view, campaign_id, span)
        rows = view.ask(question).to_pylist()
        minutes = _minutes(rows, slow.usual, span)
        clicks = sum(minute.clicks for minute in minutes)
        return LiveReading(
            campaign_id=campaign_id,
            account=slow.account,
            span=span,
            minutes=minutes,
            clicks=clicks,
            impressions=_impressions(rows),
            rate=_rate(view, self.rate, campaign_id, span),
            former_rate=slow.former_rate,
            revenue=_revenue(rows),
            usual=slow.usual,
            more=more_than_usual(clicks, slow.usual, elapsed_share=_elapsed(view.now, span)),
            places=_places(view, self.rate, campaign_id, span, rows),
            just_now=_just_now(view, campaign_id, span),
            now=view.now,
            fresh_time=view.fresh_time,
            left_out=view.left_out(*span),
            query=view.sql(question),
        )

    def is_known(self, view: "View", campaign_id: str) -> bool:
        """Return whether a campaign was ever seen."""
        ever = (0, view.now + DAY)
        (row,) = view.ask(queries.first_seen(view, campaign_id, ever)).to_pylist()
        return row["first_time"] is not None

    def _slow(self, view: "View", campaign_id: str, span: Span) -> Slow:
        key = (campaign_id, span[0], view.question, view.sight)
        found = self._kept.get(key)
        if found is None:
            found = _slow(view, campaign_id, self.rate, span)
            with self._keeping:
                while len(self._kept) >= self._most:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = found
        return found


def window(now: int) -> Span:
    """Return the last 60 whole minutes, the one in progress the last of them.

    >>> window(3 * MINUTE + 5) == (-56 * MINUTE, 4 * MINUTE)
    True
    """
    end = now // MINUTE * MINUTE + MINUTE
    return end - MINUTES * MINUTE, end


def more_than_usual(clicks: int, usual: Usual, *, elapsed_share: float = 1.0) -> Estimate:
    """Return clicks less what would come anyway, and the range in which that is not chance.

    Anyway is the median of former days; one more day like them differs from that median by their
    own spread (at least that of a Poisson count) and by the error of the median itself, whose
    variance is pi/2 times that of the mean (Kenney & Keeping 1962): an interval of prediction, t.

    Args:
        clicks: Clicks in the window.
        usual: What former days brought.
        elapsed_share: Share of the minute in progress that has passed.

    >>> found = more_than_usual(60, Usual(9, 7, (0.5,) * 60, (30, 28, 33, 31, 27, 30, 32, 29, 30)))
    >>> round(found.estimate, 1), found.low > 15, found.high < 45
    (30.0, True, True)
    """
    days = len(usual.totals)
    if not usual.by_minute or days < 2:
        note = f"Not enough data: {usual.days} of {usual.needed} former days."
        return Estimate(None, None, None, usual.days, 0.95, note)
    anyway = sum(usual.by_minute[:-1]) + usual.by_minute[-1] * elapsed_share
    around = mean(Moments.of([float(total) for total in usual.totals]))
    spread = (around.high or 0.0) - (around.estimate or 0.0)
    chance = 2.0 * sqrt(max(anyway * usual.weight, 1.0) / days)
    reach = max(spread, chance) * sqrt(days + pi / 2)
    return Estimate(clicks - anyway, clicks - anyway - reach, clicks - anyway + reach, days)


def usual_of(first_time: int | None, clicks: Mapping[int, int], span: Span) -> Usual:
    """Return what former days brought in the same minutes.

    Each former day says of each minute how many clicks the hour around it brought, by 61; the
    expected value is the median of the days. Days before the campaign was first seen do not count.

    Args:
        first_time: When the campaign was first seen; None if never.
        clicks: Clicks by minute (microseconds) of the former days.
        span: The window of today.
    """
    if first_time is None:
        return Usual(days=0)
    margin = SMOOTH_MINUTES * MINUTE
    days = [
        day * DAY for day in range(1, FORMER_DAYS + 1) if span[0] - day * DAY - margin >= first_time
    ]
    if len(days) < FEWEST_DAYS:
        return Usual(days=len(days))
    smooth = [_smoothed(clicks, span, back) for back in days]
    return Usual(
        days=len(days),
        by_minute=tuple(median(day[place] for day in smooth) for place in range(MINUTES)),
        totals=tuple(
            sum(clicks.get(start - back, 0) for start in range(span[0], span[1], MINUTE))
            for back in days
        ),
    )


def _weight(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return by how much sampling widens a count: the mean weight of a click, by weight."""
    squares = sum(row.get("squares", 0.0) for row in rows)
    clicks = sum(row["clicks"] for row in rows)
    return max(squares / clicks, 1.0) if squares and clicks else 1.0


def _smoothed(clicks: Mapping[int, int], span: Span, back: int) -> list[float]:
    """Return clicks a minute around each minute of the window, so many days ago."""
    first = span[0] - back - SMOOTH_MINUTES * MINUTE
    length = MINUTES + 2 * SMOOTH_MINUTES
    found = [clicks.get(first + place * MINUTE, 0) for place in range(length)]
    wide = 2 * SMOOTH_MINUTES + 1
    return [sum(found[place : place + wide]) / wide for place in range(MINUTES)]


def _slow(view: "View", campaign_id: str, rate: Metric, span: Span) -> Slow:
    before = (span[1] - (FORMER_DAYS + 1) * DAY, span[0])
    first = view.ask(queries.first_seen(view, campaign_id, before)).to_pylist()[0]["first_time"]
    margin = SMOOTH_MINUTES * MINUTE
    spans = [
        (span[0] - day * DAY - margin, span[1] - day * DAY + margin)
        for day in range(1, FORMER_DAYS + 1)
    ]
    rows = view.ask(queries.former_clicks(view, campaign_id, spans)).to_pylist()
    clicks = {_micros(row["minute"]): row["clicks"] for row in rows}
    first_time = None if first is None else _micros(first)
    owners = view.ask(queries.advertiser(view, campaign_id, (before[0], span[1]))).to_pylist()
    account = (owners[0]["account_id"], owners[0]["name"] or "") if owners else None
    return Slow(
        usual=replace(usual_of(first_time, clicks, span), weight=_weight(rows)),
        former_rate=_rate(view, rate, campaign_id, (span[0] - 7 * DAY, span[0])),
        account=account,
    )


def _rate(view: "View", metric: Metric, campaign_id: str, span: Span) -> Estimate:
    ask = Ask((span,), "none", None, view.zone)
    found = next(iter(cells(view, _of_campaign(metric, campaign_id), ask)), None)
    return _told(metric, found.moments if found else None)


def _told(metric: Metric, moments: Moments | None) -> Estimate:
    if moments is None:
        return Estimate(None, None, None, 0, 0.95, "Nobody saw it.")
    value = mean(moments)
    if moments.n < metric.minimum_people:
        note = f"Not enough data: {moments.n:,} of {metric.minimum_people:,} people."
        return Estimate(value.estimate, None, None, value.n, value.level, note)
    return value


def _of_campaign(metric: Metric, campaign_id: str) -> Metric:
    """Return the metric of one campaign alone."""

    def narrowed(term: Term) -> Term:
        return replace(term, where=(*term.where, ("campaign_id", (campaign_id,))))

    below = metric.denominator
    return replace(
        metric, numerator=narrowed(metric.numerator), denominator=narrowed(below) if below else None
    )


def _minutes(rows: Sequence[Mapping[str, Any]], usual: Usual, span: Span) -> tuple[LiveMinute, ...]:
    clicks: dict[int, int] = defaultdict(int)
    for row in rows:
        if row["event"] == queries.CLICK:
            clicks[_micros(row["minute"])] += row["rows"]
    starts = range(span[0], span[1], MINUTE)
    expected = usual.by_minute or (None,) * MINUTES
    return tuple(
        LiveMinute(start, clicks[start], value)
        for start, value in zip(starts, expected, strict=True)
    )


def _impressions(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(row["rows"] for row in rows if row["event"] == queries.IMPRESSION)


def _revenue(rows: Sequence[Mapping[str, Any]]) -> tuple[Money, ...]:
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        if row["event"] == queries.CLICK and row["currency"]:
            found[row["currency"]] += int(row["revenue"] or 0)
    return tuple(Money(found[name], name) for name in sorted(found, key=lambda name: -found[name]))


def _places(
    view: "View", metric: Metric, campaign_id: str, span: Span, rows: Sequence[Mapping[str, Any]]
) -> tuple[LivePlace, ...]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        counts[row["surface"] or ""][row["event"] == queries.CLICK] += row["rows"]
    ask = Ask((span,), "none", "surface", view.zone)
    found = {
        cell.dimension or "": cell for cell in cells(view, _of_campaign(metric, campaign_id), ask)
    }
    places = [
        LivePlace(
            surface,
            seen,
            clicked,
            _told(metric, found[surface].moments if surface in found else None),
        )
        for surface, (seen, clicked) in counts.items()
    ]
    return tuple(
        sorted(places, key=lambda place: (-place.clicks, -place.impressions, place.surface))
    )


def _just_now(view: "View", campaign_id: str, span: Span) -> tuple[LiveClick, ...]:
    rows = view.ask(queries.just_now(view, campaign_id, span, most=JUST_NOW)).to_pylist()
    return tuple(
        LiveClick(
            event_time=_micros(row["event_time"]),
            surface=row["surface"] or "",
            item_id=row["item_id"] or "",
            revenue=Money(int(row["revenue"]), row["currency"]) if row["currency"] else None,
        )
        for row in rows
    )


def _elapsed(now: int, span: Span) -> float:
    return (now - (span[1] - MINUTE)) / MINUTE


def _micros(moment: datetime) -> int:
    return round(moment.replace(tzinfo=UTC).timestamp() * 1_000_000)
