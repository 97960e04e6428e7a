"""Simulated worlds whose truth is known, one a method: does the interval hold the truth?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onefold.model.records import Estimate
from onefold.stats.compare import change, difference, lift
from onefold.stats.intervals import mean, quantile, time_quantile, total, wilson
from onefold.stats.matched import matched_effect
from onefold.stats.moments import Moments
from onefold.stats.resampling import bootstrap
from onefold.stats.several import contrast, holm, p_value

Floats = NDArray[np.float64]
PEOPLE = 1500
RARE_PEOPLE = 200
_SAVES = 0.4


@dataclass(frozen=True, slots=True)
class Trial:
    """A method in a world of known truth.

    Attributes:
        title: The method in words.
        design: The world in words.
        effect: The planted effect.
        compares: Whether it compares, so that zero can be planted too.
        run: From chance and the planted effect: did the interval hold it?
    """

    title: str
    design: str
    effect: float
    compares: bool
    run: Callable[[np.random.Generator, float], bool]


def _holds(estimate: Estimate, truth: float) -> bool:
    if estimate.low is None or estimate.high is None:
        return False
    return estimate.low <= truth <= estimate.high


def _visits(rng: np.random.Generator, n: int, *, factor: float = 1.0) -> tuple[Floats, Floats]:
    """Return saves and sessions of each person; eager people save more and come more often."""
    eager = rng.gamma(2.0, 0.5, n)
    sessions = np.asarray(1.0 + rng.poisson(2.0 * eager), dtype=np.float64)
    saves = rng.poisson(_SAVES * factor * eager * sessions).astype(np.float64)
    return saves, sessions


def _expected_ratio() -> float:
    """Return expected saves by expected sessions of `_visits`: E[g(1 + 2g)] / E[1 + 2g]."""
    first, second = 1.0, 1.5  # moments of gamma(2, 1/2)
    return _SAVES * (first + 2 * second) / (1 + 2 * first)


def _mean(rng: np.random.Generator, _effect: float) -> bool:
    return _holds(mean(Moments.of(rng.exponential(1.0, PEOPLE))), 1.0)


def _share(rng: np.random.Generator, _effect: float) -> bool:
    return _holds(wilson(int(rng.binomial(400, 0.1)), 400), 0.1)


def _total(rng: np.random.Generator, _effect: float) -> bool:
    amounts = 1.0 + rng.poisson(1.0, rng.poisson(PEOPLE))
    return _holds(total(Moments.of(amounts)), PEOPLE * 2.0)


def _ratio(rng: np.random.Generator, _effect: float) -> bool:
    return _holds(mean(Moments.of(*_visits(rng, PEOPLE))), _expected_ratio())


def _difference(rng: np.random.Generator, effect: float) -> bool:
    pair = rng.exponential(1.0 + effect, PEOPLE), rng.exponential(1.0, PEOPLE)
    return _holds(difference(Moments.of(pair[0]), Moments.of(pair[1])), effect)


def _arms(rng: np.random.Generator, effect: float, base: float) -> tuple[Moments, Moments]:
    treated = rng.random(PEOPLE) < base + effect
    return Moments.of(treated), Moments.of(rng.random(PEOPLE) < base)


def _conversion_difference(rng: np.random.Generator, effect: float) -> bool:
    return _holds(difference(*_arms(rng, effect, 0.3)), effect)


def _conversion_lift(rng: np.random.Generator, effect: float) -> bool:
    return _holds(lift(*_arms(rng, effect * 0.3, 0.3), method="fieller"), effect)


def _rare_lift(rng: np.random.Generator, effect: float) -> bool:
    base = 0.09
    treated = rng.random(RARE_PEOPLE) < base * (1 + effect)
    control = rng.random(RARE_PEOPLE) < base
    return _holds(lift(Moments.of(treated), Moments.of(control), method="fieller"), effect)


def _ratio_lift(rng: np.random.Generator, effect: float) -> bool:
    treated = Moments.of(*_visits(rng, PEOPLE, factor=1 + effect))
    return _holds(lift(treated, Moments.of(*_visits(rng, PEOPLE))), effect)


def _change(rng: np.random.Generator, effect: float) -> bool:
    eager = rng.gamma(2.0, 0.5, PEOPLE)
    columns = []
    for factor in (1 + effect, 1.0):
        here = rng.random(PEOPLE) < 0.7
        sessions = here * (1.0 + rng.poisson(2.0 * eager))
        columns += [rng.poisson(_SAVES * factor * eager * sessions).astype(float), sessions]
    return _holds(change(Moments.of(*columns)), effect)


def five_changes(rng: np.random.Generator, effect: float) -> list[Estimate]:
    """Return the changes of five figures of the same people; only the first really moved.

    They hang together, as figures of one week do: who is eager saves, clicks and comes more.
    """
    eager = rng.gamma(2.0, 0.5, PEOPLE)
    periods = []
    for factor in (1 + effect, 1.0):
        sessions = (rng.random(PEOPLE) < 0.7) * (1.0 + rng.poisson(2.0 * eager))
        rates = (_SAVES * factor, 0.8, 0.15, 0.3)
        deeds = [rng.poisson(rate * eager * sessions).astype(float) for rate in rates]
        periods.append((sessions, deeds))
    (now, deeds), (before, former) = periods
    pairs = [
        change(Moments.of(this, now, that, before))
        for this, that in zip(deeds, former, strict=True)
    ]
    return [*pairs, change(Moments.of(now, before))]


def _several(rng: np.random.Generator, effect: float) -> bool:
    """Return whether none of the figures that stood still is told to have moved."""
    changes = five_changes(rng, effect)
    told = [p is not None and p <= 0.05 for p in holm([p_value(each) for each in changes])]
    return not any(told[1:] if effect else told)


def _contrast(rng: np.random.Generator, effect: float) -> bool:
    """Two surfaces, and the same people on both."""
    eager = rng.gamma(2.0, 0.5, PEOPLE)
    columns = []
    for rate in (0.2 + effect, 0.2):
        views = 1.0 + rng.poisson(6.0 * eager)
        columns += [rng.binomial(views.astype(int), rate).astype(float), views]
    return _holds(contrast(Moments.of(*columns)), effect)


def _quantile(rng: np.random.Generator, _effect: float) -> bool:
    return _holds(quantile(rng.exponential(1.0, PEOPLE)), float(np.log(2)))


def _time(rng: np.random.Generator, _effect: float) -> bool:
    """People begin on different days and are seen until one; a fifth never gets there."""
    until = rng.uniform(2.0, 4.0, PEOPLE)
    takes = np.where(rng.random(PEOPLE) < 0.2, np.inf, rng.exponential(1.0, PEOPLE))
    found = time_quantile(np.minimum(takes, until), takes <= until)
    return _holds(found, float(-np.log(1 - 0.5 / 0.8)))


def _bootstrap(rng: np.random.Generator, _effect: float) -> bool:
    values = rng.exponential(1.0, 200)
    result = bootstrap(values, lambda rows: float(rows.mean()), rng=rng, resamples=400)
    return _holds(result, 1.0)


def _matched(rng: np.random.Generator, effect: float) -> bool:
    """Help goes to those who do well anyway; what made them do well is known."""
    n = 300
    covariates = rng.normal(size=(n, 2))
    stratum = rng.integers(0, 3, n)
    pull = -1.2 + 0.8 * covariates[:, 0] - 0.4 * covariates[:, 1] + 0.3 * stratum
    helped = rng.random(n) < 1 / (1 + np.exp(-pull))
    base = 1 + covariates @ np.array([1.0, 0.5]) + 0.7 * stratum + 0.2 * covariates[:, 0] ** 2
    luck = np.exp(rng.normal(size=n) * 0.8) - np.exp(0.32)
    outcome = base + luck + helped * effect
    result = matched_effect(outcome, helped, covariates, strata=stratum, rng=rng, resamples=400)
    return _holds(result.effect, effect)


_VISITS = (
    f"{PEOPLE:,} people an arm; eager people come more often and save more each time they come"
)

TRIALS = {
    "mean": Trial(
        "Mean, Student's t", f"{PEOPLE:,} exponential amounts", 0.0, compares=False, run=_mean
    ),
    "share": Trial(
        "Share, Wilson's score interval", "400 people, share 10 %", 0.0, compares=False, run=_share
    ),
    "total": Trial(
        "Total, compound Poisson",
        f"about {PEOPLE:,} people arrive at random, each brings 1 plus Poisson(1)",
        0.0,
        compares=False,
        run=_total,
    ),
    "ratio": Trial("Ratio, delta method over people", _VISITS, 0.0, compares=False, run=_ratio),
    "difference": Trial(
        "Difference of means, Welch",
        f"{PEOPLE:,} exponential amounts an arm, effect 0.1",
        0.1,
        compares=True,
        run=_difference,
    ),
    "conversion_difference": Trial(
        "Difference of shares, Welch",
        f"{PEOPLE:,} people an arm, share 30 %, effect 4 points",
        0.04,
        compares=True,
        run=_conversion_difference,
    ),
    "conversion_lift": Trial(
        "Lift of shares, Fieller's interval",
        f"{PEOPLE:,} people an arm, share 30 %, lift 10 %",
        0.1,
        compares=True,
        run=_conversion_lift,
    ),
    "rare_conversion_lift": Trial(
        "Lift of shares, Fieller's interval, few conversions",
        f"{RARE_PEOPLE:,} people an arm, share 9 %, lift 50 %",
        0.5,
        compares=True,
        run=_rare_lift,
    ),
    "ratio_lift": Trial(
        "Lift of ratios, delta method over people",
        f"{_VISITS}; lift 10 %",
        0.1,
        compares=True,
        run=_ratio_lift,
    ),
    "change": Trial(
        "Change of the same people, paired delta method",
        f"{PEOPLE:,} people, each there in a period with 70 %; change 10 %",
        0.1,
        compares=True,
        run=_change,
    ),
    "several": Trial(
        "The ones that moved of five figures, Holm",
        f"{PEOPLE:,} people of whom the five figures are; the first changes by 10 %. Held: no "
        "figure that stood still is told to have moved",
        0.1,
        compares=True,
        run=_several,
    ),
    "contrast": Trial(
        "Difference of two groups in which the same people are, delta method",
        f"{PEOPLE:,} people, each in both groups; shares 20 % and 22 %",
        0.02,
        compares=True,
        run=_contrast,
    ),
    "quantile": Trial(
        "Median, binomial ranks",
        f"{PEOPLE:,} exponential amounts",
        0.0,
        compares=False,
        run=_quantile,
    ),
    "time_quantile": Trial(
        "Median time, Kaplan and Meier",
        f"{PEOPLE:,} people who begin on different days; a fifth never gets there",
        0.0,
        compares=False,
        run=_time,
    ),
    "bootstrap": Trial(
        "Bootstrap, BCa", "mean of 200 exponential amounts", 0.0, compares=False, run=_bootstrap
    ),
    "matched_effect": Trial(
        "Difference of comparable ones, weighted bootstrap",
        "300 of whom about a third are helped, more of those who do well anyway; skewed luck",
        0.5,
        compares=True,
        run=_matched,
    ),
}
