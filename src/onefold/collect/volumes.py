"""Days on which more or less came of an event than its own past leads to expect.

Counts are taken to the square root (Anscombe 1948, Biometrika 35:246), so that their spread does
not hang on their size; the effect of the weekday is taken out by medians; the level follows by
robust exponential smoothing (Gelper, Fried & Croux 2010, Journal of Forecasting 29:285), so that
one odd day does not bend what is expected of the next. A day is as odd as its one-step error is
against the spread of former errors (MAD, never under that of pure chance), by Student's t.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST_DAYS = 21
"""Days of history before a day can be called odd."""
TESTED_DAYS = 7
_WEEK = 7
_FOLLOW = 0.2
_CLIP = 2.0
_TO_SIGMA = 1.4826
_MAD_EFFICIENCY = 0.37
"""Of the median absolute deviation at the normal distribution (Rousseeuw & Croux 1993)."""
_CHANCE = float(np.sqrt(1 + _FOLLOW / (2 - _FOLLOW)))
"""Spread of a one-step error where only chance moves the counts."""


@dataclass(frozen=True, slots=True)
class OddDay:
    """How odd one day is.

    Attributes:
        place: Its place in the counts.
        count: What came; expected: what was to be expected.
        chance: The chance of a day at least as odd where nothing has changed.
    """

    place: int
    count: int
    expected: float
    chance: float


def judged_days(counts: Sequence[int], *, tested: int = TESTED_DAYS) -> tuple[OddDay, ...]:
    """Return how odd each of the last days is; nothing where there is too little history.

    Args:
        counts: One a day, oldest first, whole days only; the days before the first event are
            left out.
        tested: How many days at the end to judge.

    >>> judged_days([20] * 20)
    ()
    >>> day = judged_days([100, 90, 104, 98, 101, 95, 99] * 5 + [3], tested=1)[0]
    >>> day.chance < 1e-6, round(day.expected)
    (True, 100)
    """
    first = next((place for place, count in enumerate(counts) if count), len(counts))
    history = len(counts) - first - tested
    if history < LEAST_DAYS:
        return ()
    roots = 2 * np.sqrt(np.asarray(counts[first:], dtype=np.float64) + 3 / 8)
    weekdays = _weekday_effects(roots, history)
    errors, expected = _one_step_errors(roots - weekdays)
    from scipy.special import stdtr

    judged = []
    for spot in range(history, len(roots)):
        former = errors[_WEEK:spot]
        # Of a growing count the level lags behind by what the errors have in common.
        usual = float(np.median(former))
        oddness = abs(errors[spot] - usual) / _spread(former - usual)
        root = max(0.0, expected[spot] + weekdays[spot] + usual)
        judged.append(
            OddDay(
                place=first + spot,
                count=int(counts[first + spot]),
                expected=max(0.0, root**2 / 4 - 3 / 8),
                chance=2 * float(stdtr(max(4.0, _MAD_EFFICIENCY * len(former)), -oddness)),
            )
        )
    return tuple(judged)


def silence_chance(active: int, days: int, silent: int) -> float:
    """Return the chance of so many silent days after so many active ones of some days.

    The predictive chance of a Bernoulli day under Jeffreys' prior (Bernardo & Smith 1994, 5.4).

    >>> round(silence_chance(28, 28, 3), 6)
    7e-05
    """
    chance = 1.0
    for step in range(silent):
        chance *= (days - active + 0.5 + step) / (days + 1 + step)
    return chance


def _weekday_effects(roots: Floats, history: int) -> Floats:
    """Return the effect of each day's weekday, from the history alone; zeros under four weeks."""
    effects = np.zeros(_WEEK)
    if history >= 4 * _WEEK:
        around = [np.median(roots[max(0, i - 3) : min(i + 4, history)]) for i in range(history)]
        rest = roots[:history] - np.array(around)
        weekday = np.arange(history) % _WEEK
        effects = np.array([np.median(rest[weekday == each]) for each in range(_WEEK)])
        effects -= effects.mean()
    return effects[np.arange(len(roots)) % _WEEK]


def _one_step_errors(values: Floats) -> tuple[Floats, Floats]:
    """Return each day's error against the level the day before, and that level."""
    level = float(np.median(values[:_WEEK]))
    errors, levels = np.zeros(len(values)), np.zeros(len(values))
    for spot, value in enumerate(values):
        levels[spot], errors[spot] = level, value - level
        former = errors[:spot]
        scale = _TO_SIGMA * float(np.median(np.abs(former))) if spot >= _WEEK else 2 * _CHANCE
        bound = _CLIP * max(scale, _CHANCE)
        level += _FOLLOW * float(np.clip(errors[spot], -bound, bound))
    return errors, levels


def _spread(errors: Floats) -> float:
    """Return the spread of errors whose median is zero, not under that of the last three weeks."""
    return max(_robust_spread(errors), _robust_spread(errors[-3 * _WEEK :]))


def _robust_spread(errors: Floats) -> float:
    robust = max(_TO_SIGMA * float(np.median(np.abs(errors))), _CHANCE)
    # Heavy tails make the MAD too small; errors over four times it say nothing of the usual days.
    return max(robust, float(np.std(np.clip(errors, -4 * robust, 4 * robust))))
