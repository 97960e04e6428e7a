"""Several figures at a glance: which of them moved, and whether the most stands from the least.

Who looks at five figures and tells of the one that moved most has made five tests, not one.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from scipy.special import stdtr

from onefold.model.records import Estimate
from onefold.stats.intervals import NO_DENOMINATOR, TOO_FEW, around, critical
from onefold.stats.moments import Moments


def p_value(estimate: Estimate) -> float | None:
    """Return how often chance alone moves a figure at least this far; None without an interval.

    Two-sided, of an interval of Student's t with n - 1 degrees of freedom, as `change` makes them.

    >>> round(p_value(Estimate(1.96, 0.0, 3.92, 1_000_000)), 3)
    0.05
    """
    value, low, high = estimate.estimate, estimate.low, estimate.high
    if value is None or low is None or high is None or estimate.n < 2:
        return None
    half, df = (high - low) / 2, estimate.n - 1
    if half <= 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * stdtr(df, -abs(value) / half * critical(estimate.level, df)))


def holm(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return each p as it stands among the others; what is at most 5 % may be told.

    The chance that any figure is told to have moved though it did not is then at most 5 %, however
    the figures hang together: Holm (1979), A Simple Sequentially Rejective Multiple Test
    Procedure, Scandinavian Journal of Statistics 6. What could not be tested takes no part.

    >>> holm([0.01, None, 0.04, 0.03])
    (0.03, None, 0.06, 0.06)
    """
    known = sorted((p, place) for place, p in enumerate(values) if p is not None)
    found: list[float | None] = [None] * len(values)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        found[place] = highest
    return tuple(found)


def contrast(moments: Moments, *, groups: int = 2, level: float = 0.95) -> Estimate:
    """Return one group's figure less another's, in which the same persons may be.

    For two variables sums are compared (persons arrive by chance, as in `total`), for four ratios:
    the delta method over persons with the covariance of both, Deng, Knoblich & Lu (2018), Applying
    the Delta Method in Metric Analytics, KDD, section 4.2.

    Args:
        moments: Of (this, that), or of numerator and denominator of this and of that.
        groups: From how many groups the two were picked, as the most and the least of them. The
            interval is as wide as it has to be for all their pairs at once (Bonferroni), so that
            picking costs nothing.
        level: Of all pairs together.

    >>> this, that = [2.0, 4.0, 3.0, 6.0] * 10, [2.0, 2.0, 3.0, 3.0] * 10
    >>> found = contrast(Moments.of(this, that))
    >>> found.estimate, round(found.low, 1), round(found.high, 1)
    (50.0, 26.9, 73.1)
    """
    n, sums = moments.n, moments.sums
    products = np.asarray(moments.products, dtype=np.float64)
    if len(sums) == 2:
        value = sums[0] - sums[1]
        gradient = np.array([1.0, -1.0])
    elif sums[1] and sums[3]:
        these, those = sums[0] / sums[1], sums[2] / sums[3]
        value = these - those
        gradient = np.array([1 / sums[1], -these / sums[1], -1 / sums[3], those / sums[3]])
    else:
        return Estimate(None, None, None, n, level, NO_DENOMINATOR)
    if n < 2:
        return Estimate(value, None, None, n, level, TOO_FEW)
    # The gradient of a ratio is square to the sums, so products about zero are those about means.
    spread = float(gradient @ products @ gradient)
    pairs = max(groups * (groups - 1) // 2, 1)
    reached = around(value, sqrt(max(spread, 0.0)), n, level=1 - (1 - level) / pairs, df=n - 1)
    return Estimate(reached.estimate, reached.low, reached.high, n, level)
