"""Intervals of one group: a mean, a ratio, a total, a share."""

from math import sqrt

from scipy.special import ndtri, stdtrit

from onefold.model.records import Estimate
from onefold.stats.moments import Moments

TOO_FEW = "Too few people for an interval."
NO_DENOMINATOR = "There is nothing to divide by."


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
