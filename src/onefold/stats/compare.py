"""Comparisons: two independent arms, or the same persons in two periods."""

from math import sqrt
from typing import Literal

import numpy as np

from onefold.model.records import Estimate
from onefold.stats.intervals import NO_DENOMINATOR, TOO_FEW, around, critical, point, variance
from onefold.stats.moments import Moments

UNSURE_BASE = "What it is compared with may be zero, so there is no interval in percent."


def difference(treated: Moments, control: Moments, *, level: float = 0.95) -> Estimate:
    """Return treated minus control of two independent arms, means or ratios.

    Unequal variances and Welch-Satterthwaite degrees of freedom: Welch (1947), The Generalization
    of Student's Problem, Biometrika 34. Ratios enter by the delta method.

    >>> result = difference(Moments.of([2.0, 4.0, 6.0]), Moments.of([1.0, 2.0, 3.0]))
    >>> result.estimate, round(result.low, 2), round(result.high, 2)
    (2.0, -2.16, 6.16)
    """
    n = treated.n + control.n
    pair = (point(treated), point(control))
    if pair[0] is None or pair[1] is None:
        return Estimate(None, None, None, n, level, NO_DENOMINATOR)
    if min(treated.n, control.n) < 2:
        return Estimate(pair[0] - pair[1], None, None, n, level, TOO_FEW)
    spread = (variance(treated), variance(control))
    df = welch_df(spread, (treated.n, control.n))
    return around(pair[0] - pair[1], sqrt(sum(spread)), n, level=level, df=df)


def lift(
    treated: Moments,
    control: Moments,
    *,
    level: float = 0.95,
    method: Literal["delta", "fieller"] = "delta",
) -> Estimate:
    """Return treated over control, less one, of two independent arms, means or ratios.

    `delta`: delta method on the quotient, symmetric; Deng, Knoblich & Lu (2018), Applying the
    Delta Method in Metric Analytics, KDD, section 3.1. `fieller`: all quotients that a test of
    treated - quotient x control would keep; Fieller (1954), Some Problems in Interval Estimation,
    JRSS B 16. It leaves out zero exactly when the difference does, and holds its level where
    conversions are few. Neither has an interval where the control's own reaches zero: the set is
    then unbounded.

    >>> result = lift(Moments.of([2.0, 4.0] * 50), Moments.of([1.0, 3.0] * 50))
    >>> round(result.estimate, 2), round(result.low, 2), round(result.high, 2)
    (0.5, 0.32, 0.68)
    """
    n = treated.n + control.n
    above, below = point(treated), point(control)
    if above is None or below is None or below == 0:
        return Estimate(None, None, None, n, level, NO_DENOMINATOR)
    ratio = above / below
    if min(treated.n, control.n) < 2:
        return Estimate(ratio - 1, None, None, n, level, TOO_FEW)
    spread = variance(treated), variance(control)
    # The degrees of freedom of the difference, as other engines take them.
    df = welch_df(spread, (treated.n, control.n))
    reach = critical(level, df)
    if abs(below) <= reach * sqrt(spread[1]):
        return Estimate(ratio - 1, None, None, n, level, UNSURE_BASE)
    if method == "fieller":
        low, high = _fieller(above, below, spread, reach)
        return Estimate(ratio - 1, low - 1, high - 1, n, level)
    deviation = sqrt(spread[0] + spread[1] * ratio**2) / abs(below)
    return around(ratio - 1, deviation, n, level=level, df=df)


def _fieller(
    above: float, below: float, spread: tuple[float, float], reach: float
) -> tuple[float, float]:
    """Return the quotients q that solve (above - q below)^2 = reach^2 (v1 + q^2 v2)."""
    square = below**2 - reach**2 * spread[1]
    middle = above * below / square
    inside = spread[1] * above**2 + spread[0] * below**2 - reach**2 * spread[0] * spread[1]
    half = reach * sqrt(max(inside, 0.0)) / square
    return middle - half, middle + half


def change(moments: Moments, *, level: float = 0.95) -> Estimate:
    """Return the relative change between two periods in which the same persons may be.

    A person's amounts in both periods stand side by side, so that habits cancel and a person who
    was there twice is not taken for two. For two variables (now, before) the sums are compared,
    for four (numerator and denominator now, numerator and denominator before) the ratios. Delta
    method over persons, as in Deng, Knoblich & Lu (2018), section 3; paired as in section 4.2.

    >>> now, before = [2.0, 4.0, 3.0, 6.0] * 10, [2.0, 2.0, 3.0, 3.0] * 10
    >>> result = change(Moments.of(now, before))
    >>> round(result.estimate, 2), round(result.low, 2), round(result.high, 2)
    (0.5, 0.33, 0.67)
    """
    n, sums = moments.n, moments.sums
    if any(s == 0 for s in sums[1:]):
        return Estimate(None, None, None, n, level, NO_DENOMINATOR)
    if len(sums) == 2:
        ratio = sums[0] / sums[1]
        gradient = np.array([1.0, -ratio]) / sums[1]
    else:
        ratio = sums[0] / sums[1] * sums[3] / sums[2]
        gradient = np.array([1 / (sums[1] * sums[2] / sums[3]), -ratio / sums[1], 0.0, 0.0])
        gradient[2:] = -ratio / sums[2], ratio / sums[3]
    if n < 2:
        return Estimate(ratio - 1, None, None, n, level, TOO_FEW)
    # n^2 x covariance of the means = n x covariance: the gradient is by sums.
    spread = float(gradient @ moments.covariance() @ gradient) * n
    return around(ratio - 1, sqrt(max(spread, 0.0)), n, level=level, df=n - 1)


def welch_df(spread: tuple[float, float], n: tuple[int, int]) -> float | None:
    """Return the Welch-Satterthwaite degrees of freedom, None where nothing varies."""
    below = spread[0] ** 2 / (n[0] - 1) + spread[1] ** 2 / (n[1] - 1)
    return (spread[0] + spread[1]) ** 2 / below if below else None
