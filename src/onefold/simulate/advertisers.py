"""Advertisers: what each would spend on every day with and without what happens to it.

Days count from `history_days` before the first day of the market, so that every account has a
full history before anything happens to it. Every effect multiplies the day's spend or adds to
it, so both potential outcomes of an account are known exactly.
"""

from dataclasses import dataclass

import numpy as np

from onefold.simulate.records import Bools, Floats, Ints, MarketPlan

LEAST_DAYS = 80
"""Days of spend that are needed: 28 before and 28 after all that happens."""
HISTORY = 40
"""Days of spend before the first day of a market that is long enough."""
AHEAD = 28
"""Days over which an effect on spend is counted."""
MEASUREMENT_EFFECT = 0.03
CREATIVE_MICROS = 10_000_000
"""What creative help adds to each day's spend: the same for all, large or small."""
SERVICE_DAYS = 28
FRICTION_FACTOR = 0.55
"""Spend of a day on which a conversion tag fails, as a share of what it would have been."""
BILLING_PATIENCE = 5
"""Days that a billing ticket may stay open before the account thinks of leaving."""
STOP_SHARE = 0.30
"""Chance that it then stops spending within two weeks."""
STOP_HAZARD = 0.002
"""Chance of any account to stop on any day."""
STOP_SEEN = 21
"""An account has stopped if it spends nothing from this day after the index day on."""
AT_RISK = 14

MEASUREMENT_WAVE = 35
CREATIVE_WAVE = 32
WAVE_DAYS = 3
NEVER = 1 << 40

INDUSTRIES = ("retail", "food", "travel", "crafts", "home")
OWNERS = ("Ida Holm", "Marc Toth", "Priya Nair", "Tom Weber")


@dataclass(frozen=True, slots=True)
class Advertisers:
    """One row an account; days in the count of this file, `NEVER` where it does not happen.

    Attributes:
        industry: Place in `INDUSTRIES`; country and owner likewise places.
        created: Day on which it was made; may be below 0.
        young: In its implement phase while the market runs.
        fresh: Began in the last weeks of the market.
        spend: Shape (accounts, days), micros; 0 before it begins and after it stops.
        campaigns: How many campaigns each runs.
        measurement: Day of its measurement help; creative: of its creative help.
        tag_opened: Day on which its conversion tag failed; tag_closed: mended (exclusive).
        billing_opened: Day of its billing ticket; billing_closed: when it was closed.
        stop: First day without spend for ever.
        measured_gain: Micros that measurement help added in its 28 days, per account.
        creative_gain: Likewise creative help.
        tag_loss: Micros that the failing tag cost in the 28 days from its opening (negative).
        measured_without: Spend of those 28 days had there been none; likewise the others.
    """

    industry: Ints
    country: Ints
    owner: Ints
    created: Ints
    young: Bools
    fresh: Bools
    spend: Ints
    campaigns: Ints
    measurement: Ints
    creative: Ints
    tag_opened: Ints
    tag_closed: Ints
    billing_opened: Ints
    billing_closed: Ints
    stop: Ints
    measured_gain: Floats
    measured_without: Floats
    creative_gain: Floats
    creative_without: Floats
    tag_loss: Floats
    tag_without: Floats


def spend_days(plan: MarketPlan) -> int:
    """Return how many days of spend there are: the last one is the day before the end."""
    return max(plan.days + HISTORY, LEAST_DAYS)


def history_days(plan: MarketPlan) -> int:
    """Return how many days of spend there are before the market's first day."""
    return spend_days(plan) - plan.days


def make_advertisers(plan: MarketPlan, rng: np.random.Generator) -> Advertisers:
    """Return the accounts of a market, their spend, what happened to them and what it did."""
    n, days = plan.account_count, spend_days(plan)
    young = rng.random(n) < 0.45
    fresh = rng.random(n) < 0.06
    # Young enough to implement, old enough for 28 days of spend before anything happens.
    since = days - LEAST_DAYS - rng.integers(0, 30, n)
    created = np.where(young, since, -rng.integers(60, 500, n))
    created = np.where(fresh, days - rng.integers(6, 26, n), created)
    industry = rng.integers(0, len(INDUSTRIES), n)
    tag_opened, tag_closed = _tags(days, young & ~fresh, fresh, rng)
    billing_opened, billing_closed = _billing(days, ~fresh, rng)
    stop = _stops(days, billing_opened, billing_closed, rng)
    day = np.arange(days)[None, :]
    alive = (day >= created[:, None]) & (day < stop[:, None])
    tag = np.where((day >= tag_opened[:, None]) & (day < tag_closed[:, None]), FRICTION_FACTOR, 1.0)
    plain = _plain_spend(plan, industry, rng) * alive
    observed = plain * tag
    eligible = ~fresh & (observed[:, days - MEASUREMENT_WAVE - AT_RISK : days - 35].sum(1) > 0)
    measurement = _wave(
        observed, industry, days - MEASUREMENT_WAVE, eligible, slopes=(-0.95, 1.15, 0.6), rng=rng
    )
    measured = _helped(day, measurement, MEASUREMENT_EFFECT)
    eligible &= observed[:, days - CREATIVE_WAVE - AT_RISK : days - CREATIVE_WAVE].sum(1) > 0
    creative = _wave(
        observed * measured,
        industry,
        days - CREATIVE_WAVE,
        eligible,
        slopes=(-0.9, 0.35, 0.15),
        rng=rng,
    )
    added = np.where(alive, CREATIVE_MICROS * (_helped(day, creative, 1.0) - 1.0), 0.0)
    spend = np.rint((plain * tag * measured + added) / 10_000) * 10_000
    plainly = spend - added
    return Advertisers(
        industry=industry,
        country=rng.integers(0, 6, n),
        owner=rng.integers(0, len(OWNERS), n),
        created=created,
        young=young,
        fresh=fresh,
        spend=spend.astype(np.int64),
        campaigns=rng.integers(1, 4, n),
        measurement=measurement,
        creative=creative,
        tag_opened=tag_opened,
        tag_closed=tag_closed,
        billing_opened=billing_opened,
        billing_closed=billing_closed,
        stop=stop,
        measured_gain=_within(plainly - plainly / measured, measurement),
        measured_without=_within(plainly / measured + added, measurement),
        creative_gain=_within(added, creative),
        creative_without=_within(plainly, creative),
        tag_loss=_within(plainly - plainly / tag, tag_opened),
        tag_without=_within(plainly / tag + added, tag_opened),
    )


def _plain_spend(plan: MarketPlan, industry: Ints, rng: np.random.Generator) -> Floats:
    """Return what every account would spend each day if nothing ever happened to it, micros."""
    n, days = len(industry), spend_days(plan)
    size = np.log(42.0) + np.clip(rng.normal(0, 0.6, n), -1.2, 1.2)
    size += np.array([0.15, 0.05, 0.0, -0.15, -0.05])[industry]
    growth = rng.normal(0.001, 0.002, n)[:, None] * np.arange(days)[None, :]
    drift = rng.normal(0, 0.014, (n, days)).cumsum(axis=1)
    noise = rng.normal(0, 0.18, (n, days))
    first = plan.start_date.toordinal() - history_days(plan)
    weekend = (first + np.arange(days) - 1) % 7 >= 5
    week = np.where(weekend, np.log(0.8), 0.0)[None, :]
    return np.asarray(np.exp(size[:, None] + growth + drift + noise + week) * 1e6, np.float64)


def _tags(days: int, young: Bools, fresh: Bools, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return when conversion tags fail: by chance alone, among those who implement."""
    n = len(young)
    hit = young & (rng.random(n) < 0.5)
    opened = np.where(hit, days - rng.integers(29, 50, n), NEVER)
    closed = np.where(hit, opened + rng.integers(7, 25, n), NEVER)
    late = fresh & (rng.random(n) < 0.4)
    return np.where(late, days - rng.integers(2, 5, n), opened), closed


def _billing(days: int, settled: Bools, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return when billing tickets open: by chance alone; some wait for longer than others."""
    n = len(settled)
    chance = rng.random(n)
    long, short, now = chance < 0.24, (chance >= 0.24) & (chance < 0.38), chance > 0.97
    opened = np.where(long | short, days - rng.integers(34, 56, n), NEVER)
    closed = opened + np.where(long, rng.integers(8, 22, n), rng.integers(1, 5, n))
    opened = np.where(now, days - rng.integers(2, 10, n), opened)
    closed = np.where(long | short, closed, NEVER)
    return np.where(settled, opened, NEVER), np.where(settled, closed, NEVER)


def _stops(days: int, opened: Ints, closed: Ints, rng: np.random.Generator) -> Ints:
    """Return the first day for ever without spend, `NEVER` if it goes on."""
    n = len(opened)
    by_itself = rng.geometric(STOP_HAZARD, n).astype(np.int64)
    waited = (opened < NEVER) & (np.minimum(closed, days) - opened > BILLING_PATIENCE)
    angry = waited & (rng.random(n) < STOP_SHARE)
    then = np.where(angry, opened + BILLING_PATIENCE + rng.integers(1, 15, n), NEVER)
    stop = np.minimum(by_itself, then)
    return np.where(stop < days, stop, NEVER)


def _wave(
    observed: Floats,
    industry: Ints,
    start: int,
    eligible: Bools,
    *,
    slopes: tuple[float, float, float],
    rng: np.random.Generator,
) -> Ints:
    """Return who is helped and when: by size and growth as they were seen before, by industry."""
    before = np.log(observed[:, start - AHEAD : start].sum(1) + 1.0)
    recent = np.log(observed[:, start - 14 : start].sum(1) + 1.0)
    growth = recent - np.log(observed[:, start - 28 : start - 14].sum(1) + 1.0)
    score = slopes[0] + slopes[1] * _standard(before, eligible)
    score += slopes[2] * _standard(growth, eligible)
    score += np.array([0.3, 0.1, 0.0, -0.3, -0.1])[industry]
    helped = eligible & (rng.random(len(industry)) < 1 / (1 + np.exp(-score)))
    return np.where(helped, start + rng.integers(0, WAVE_DAYS, len(industry)), NEVER)


def _standard(values: Floats, among: Bools) -> Floats:
    spread = values[among].std() or 1.0
    return np.asarray(np.clip((values - values[among].mean()) / spread, -2.2, 2.2), np.float64)


def _helped(day: Ints, start: Ints, effect: float) -> Floats:
    inside = (day >= start[:, None]) & (day < start[:, None] + SERVICE_DAYS)
    return np.where(inside, 1.0 + effect, 1.0)


def _within(values: Floats, start: Ints) -> Floats:
    """Return for every account the sum of the 28 days from its start on; NaN without a start."""
    days = values.shape[1]
    sums = np.concatenate([np.zeros((len(start), 1)), values.cumsum(axis=1)], axis=1)
    low = np.minimum(start, days)
    high = np.minimum(start + AHEAD, days)
    rows = np.arange(len(start))
    total = sums[rows, high] - sums[rows, low]
    return np.where(start + AHEAD <= days, total, np.nan)


def at_risk(spend: Ints, day: Ints) -> Bools:
    """Mark the accounts that spent something in the 14 days before their day."""
    days = spend.shape[1]
    sums = np.concatenate([np.zeros((len(day), 1), np.int64), spend.cumsum(axis=1)], axis=1)
    rows = np.arange(len(day))
    until = np.clip(day, 0, days)
    known = sums[rows, until] - sums[rows, np.maximum(until - AT_RISK, 0)]
    marked: Bools = (day < days) & (known > 0)
    return marked
