"""Intervals of one group: a mean, a ratio, a total, a share, a quantile, a time until an end."""

from math import exp, log, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from onefold.model.records import Estimate
from onefold.stats.moments import Moments

Floats = NDArray[np.float64]
TOO_FEW = "Too few people for an interval."
NO_DENOMINATOR = "There is nothing to divide by."
NOT_REACHED = "Fewer have done so than the quantile asks for."


def critical(level: float, df: float | None = None) -> float:
    """Return the two-sided critical value of Student's t, or of the normal without `df`.

    >>> round(critical(0.95), 4)
    1.96
    """
    upper = (1 + level) / 2
    return float(ndtri(upper) if df is None else stdtrit(df, upper))


def point(moments: Moments) -> float | None:
    """Return the mean (one variable) or the ratio of the sums (two), None without a denominator."""
    below = moments.n if len(moments.sums) == 1 else moments.sums[1]
    return moments.sums[0] / below if below else None


def variance(moments: Moments) -> float:
    """Return the variance of `point`, for at least two units and a denominator.

    A ratio is linearised (delta method): Deng, Knoblich & Lu (2018), Applying the Delta Method in
    Metric Analytics, KDD, eq. 3. The unit is the person, so several sessions of one count once.
    """
    covariance = moments.covariance()
    if len(moments.sums) == 1:
        return float(covariance[0, 0]) / moments.n
    below = moments.sums[1] / moments.n
    ratio = moments.sums[0] / moments.sums[1]
    spread = covariance[0, 0] - 2 * ratio * covariance[0, 1] + ratio**2 * covariance[1, 1]
    return max(float(spread), 0.0) / (moments.n * below**2)


def around(value: float, deviation: float, n: int, *, level: float, df: float | None) -> Estimate:
    """Return the symmetric interval around a value."""
    reach = critical(level, df) * deviation
    return Estimate(value, value - reach, value + reach, n, level)


def mean(moments: Moments, *, level: float = 0.95) -> Estimate:
    """Return the mean of one variable, or the ratio of two, with its interval.

    Student's t with n - 1 degrees of freedom; a ratio by the delta method (see `variance`).
    The estimate is None without a denominator; the interval is None below two units.

    >>> result = mean(Moments.of([1.0, 2.0, 3.0, 4.0]))
    >>> result.estimate, round(result.low, 3), round(result.high, 3)
    (2.5, 0.446, 4.554)
    """
    value = point(moments)
    if value is None:
        return Estimate(None, None, None, moments.n, level, NO_DENOMINATOR)
    if moments.n < 2:
        return Estimate(value, None, None, moments.n, level, TOO_FEW)
    deviation = sqrt(variance(moments))
    return around(value, deviation, moments.n, level=level, df=moments.n - 1)


def total(moments: Moments, *, level: float = 0.95) -> Estimate:
    """Return the sum of one variable, and how far it moves by the chance of who came.

    Persons arrive independently and each brings an amount: a compound Poisson sum, whose variance
    is the sum of the squared amounts (Feller, An Introduction to Probability Theory, vol. 1,
    XII.2). For a count of persons this is n +- 1.96 sqrt(n).

    >>> result = total(Moments.of([1.0] * 400))
    >>> result.estimate, round(result.low, 1), round(result.high, 1)
    (400.0, 360.8, 439.2)
    """
    amount = moments.sums[0]
    if moments.n < 2:
        return Estimate(amount, None, None, moments.n, level, TOO_FEW)
    return around(amount, sqrt(moments.products[0][0]), moments.n, level=level, df=None)


def counted(
    number: int,
    *,
    weight: float | None = None,
    squares: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return how many came, with the exact interval of a Poisson count.

    Garwood (1936), Fiducial Limits for the Poisson Distribution, Biometrika 28. Those who stand
    for more than one are as many equal ones as have the same variance (Fay & Feuer, 1997,
    Statistics in Medicine 16, for the scaled count).

    Args:
        number: How many were seen.
        weight: The sum of what each stands for; as many as were seen without.
        squares: The sum of its squares; likewise.
        level: What the interval promises.

    >>> result = counted(10)
    >>> result.estimate, round(result.low, 2), round(result.high, 2)
    (10.0, 4.8, 18.39)
    """
    from scipy.stats import chi2

    total_weight = float(number) if weight is None else weight
    each = 1.0 if not squares or not total_weight else squares / total_weight
    equal = total_weight / each
    tail = (1 - level) / 2
    low = float(chi2.ppf(tail, 2 * equal)) / 2 * each if equal else 0.0
    return Estimate(
        total_weight, low, float(chi2.isf(tail, 2 * equal + 2)) / 2 * each, number, level
    )


def wilson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """Return a share with its score interval.

    Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference, JASA 22;
    recommended over the plain normal interval by Brown, Cai & DasGupta (2001).

    >>> result = wilson(8, 10)
    >>> result.estimate, round(result.low, 4), round(result.high, 4)
    (0.8, 0.4902, 0.9433)
    """
    if n == 0:
        return Estimate(None, None, None, 0, level, NO_DENOMINATOR)
    z = critical(level)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At none and at all the ends are exact; rounding must not push them past the share.
    low, high = max(0.0, min(share, centre - reach)), min(1.0, max(share, centre + reach))
    return Estimate(share, low, high, n, level)


def quantile(
    values: ArrayLike,
    share: float = 0.5,
    *,
    counts: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return a quantile of independent units: the least value that `share` of them reach at most.

    The interval is between two of the values themselves: by the binomial ranks that hold the
    quantile whatever the distribution is (Conover, Practical Nonparametric Statistics, 1999,
    3.2). Weighted units count as so many equal ones as make the same variance (Kish, 1965), and
    the ranks are inverted through the weighted distribution (Woodruff, 1952, JASA 47).

    Args:
        values: Of shape (k,); those that are the same may stand once.
        share: Of the units, between 0 and 1.
        counts: How many units have each value; of shape (k,), one each without.
        weights: How many each of those units stands for; of shape (k,), one each without.
        level: What the interval promises.

    >>> result = quantile(range(1, 101))
    >>> result.estimate, result.low, result.high
    (50.0, 40.0, 61.0)
    """
    each, mass = _masses(values, counts, weights)
    order = np.argsort(each, kind="stable")
    sorted_values, units, total = each[order], mass.units[order], mass.units.sum()
    if not mass.n:
        return Estimate(None, None, None, 0, level, NO_DENOMINATOR)
    reached = np.cumsum(units) / total
    found = _least(sorted_values, reached, share)
    if mass.n < 2:
        return Estimate(found, None, None, mass.n, level, TOO_FEW)
    # Loading it takes as long as all else here together.
    from scipy.stats import binom

    low_rank = binom.ppf((1 - level) / 2, mass.effective, share) / mass.effective
    high_rank = (binom.isf((1 - level) / 2, mass.effective, share) + 1) / mass.effective
    # Beyond the outermost values nothing is known.
    low = _least(sorted_values, reached, low_rank) if low_rank > 0 else None
    high = _least(sorted_values, reached, high_rank) if high_rank <= 1 else None
    return Estimate(found, low, high, mass.n, level)


def time_quantile(
    times: ArrayLike,
    ended: ArrayLike,
    share: float = 0.5,
    *,
    counts: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return after how long `share` of the units have ended, those that go on being counted so.

    Kaplan & Meier (1958), JASA 53; the interval inverts that of the curve on the log-log scale
    (Brookmeyer & Crowley, 1982, Biometrics 38; Kalbfleisch & Prentice, 1980), by Greenwood's
    variance. An end that the curve does not reach is None: it is not known yet.

    Args:
        times: How long each was seen, not negative; of shape (k,).
        ended: Whether it ended then, or was seen no longer; of shape (k,).
        share: Of the units, between 0 and 1.
        counts: How many units each row stands for; of shape (k,), one each without.
        weights: How many each of those units stands for; of shape (k,), one each without.
        level: What the interval promises.

    >>> result = time_quantile([1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 0])
    >>> result.estimate, result.low, result.high
    (4.0, 1.0, None)
    """
    each, mass = _masses(times, counts, weights)
    if not mass.n:
        return Estimate(None, None, None, 0, level, NO_DENOMINATOR)
    done = np.asarray(ended, dtype=np.bool_)
    at, staying, low, high = _curve(each, done, mass.scaled, level=level)
    found, early, late = (_first_below(at, curve, 1 - share) for curve in (staying, low, high))
    if mass.n < 2:
        return Estimate(found, None, None, mass.n, level, TOO_FEW)
    return Estimate(found, early, late, mass.n, level, "" if found is not None else NOT_REACHED)


class _Mass:
    """What rows stand for: units seen, what they weigh, and how many equal ones that is."""

    def __init__(self, counts: Floats, weights: Floats) -> None:
        self.n = int(counts.sum())
        self.units = counts * weights
        squares = float((counts * weights**2).sum())
        # Kish's effective number; of equal weights it is the number of units, to rounding.
        equal = float(self.units.sum()) ** 2 / squares if squares else 0.0
        self.effective = max(1, round(equal))

    @property
    def scaled(self) -> Floats:
        """Return what each row weighs where all weigh as many as there are effectively."""
        return np.asarray(self.units * (self.effective / self.units.sum()), dtype=np.float64)


def _masses(
    values: ArrayLike, counts: ArrayLike | None, weights: ArrayLike | None
) -> tuple[Floats, _Mass]:
    each = np.asarray(values, dtype=np.float64)
    ones = np.ones(len(each))
    told = (ones if one is None else np.asarray(one, dtype=np.float64) for one in (counts, weights))
    return each, _Mass(*told)


def _least(values: Floats, reached: Floats, share: float) -> float:
    """Return the least value that a share has reached; sums of floats may miss it by a hair."""
    place = int(np.searchsorted(reached, share - 1e-12))
    return float(values[min(place, len(values) - 1)])


def _curve(
    times: Floats, done: NDArray[np.bool_], units: Floats, *, level: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return times of ends, and the share that goes on after each with the ends of its interval."""
    at, place = np.unique(times, return_inverse=True)
    ends = np.bincount(place, weights=units * done, minlength=len(at))
    gone = np.bincount(place, weights=units, minlength=len(at))
    there = gone[::-1].cumsum()[::-1]
    some = ends > 0
    at, ends, there = at[some], ends[some], there[some]
    staying = np.cumprod(np.maximum(1 - ends / there, 0.0))
    left = np.maximum(there - ends, 0.0)
    with np.errstate(divide="ignore"):
        spread = np.cumsum(np.where(left > 0, ends / (there * left), np.inf))
    z = critical(level)
    bounds = [_bounds(float(s), float(v), z) for s, v in zip(staying, spread, strict=True)]
    low, high = np.array(bounds, dtype=np.float64).reshape(-1, 2).T
    return at, staying, low, high


def _bounds(staying: float, spread: float, z: float) -> tuple[float, float]:
    """Return the interval of the share that goes on, by log(-log S)."""
    if not 1e-12 < staying < 1:
        return staying, staying
    reach = z * sqrt(spread) / log(staying)
    return staying ** exp(-reach), staying ** exp(reach)


def _first_below(at: Floats, curve: Floats, share: float) -> float | None:
    """Return when a curve first comes down to a share; None where it does not."""
    below = np.flatnonzero(curve <= share + 1e-12)
    return float(at[below[0]]) if len(below) else None


def relative_apart(now: Estimate, former: Estimate) -> Estimate:
    """Return how much one figure is above another, as a share, where each has its own interval.

    The intervals are put together on the log scale (MOVER: Zou & Donner, 2008, Statistics in
    Medicine 27; Donner & Zou, 2012, for ratios). That is for figures of different people; where
    the same are in both, and alike in both, the interval is wider than it need be.

    >>> now, former = Estimate(110.0, 100.0, 121.0, 50), Estimate(100.0, 95.0, 105.0, 60)
    >>> found = relative_apart(now, former)
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3)
    (0.1, -0.012, 0.226)
    """
    n, level = min(now.n, former.n), now.level
    if now.estimate is None or not former.estimate:
        return Estimate(None, None, None, n, level, now.note or former.note or NO_DENOMINATOR)
    ratio = now.estimate / former.estimate
    ends = (now.low, now.estimate, now.high, former.low, former.estimate, former.high)
    known = [log(end) for end in ends if end is not None and end > 0]
    if len(known) < len(ends):
        return Estimate(ratio - 1, None, None, n, level, "One of the two has no whole interval.")
    low, middle, high, former_low, former_middle, former_high = known
    below = sqrt((middle - low) ** 2 + (former_high - former_middle) ** 2)
    above = sqrt((high - middle) ** 2 + (former_middle - former_low) ** 2)
    return Estimate(ratio - 1, ratio * exp(-below) - 1, ratio * exp(above) - 1, n, level)
