"""An interval for any statistic of independent units, by resampling them."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from onefold.model.records import Estimate
from onefold.stats.intervals import TOO_FEW

Statistic = Callable[[NDArray[np.float64]], float]


def bootstrap(
    values: ArrayLike,
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
    method: Literal["bca", "percentile"] = "bca",
) -> Estimate:
    """Return a statistic with its bootstrap interval.

    BCa (bias-corrected and accelerated): Efron (1987), Better Bootstrap Confidence Intervals,
    JASA 82; or the plain percentile interval. Valid for smooth statistics of independent rows; not
    for nearest-neighbour matching (Abadie & Imbens 2008), see `matched_effect`.

    Args:
        values: A row a unit, (n,) or (n, columns).
        statistic: From such rows to one number.
        rng: The source of chance.
        resamples: How many samples are drawn.
        level: Coverage.
        method: `bca` or `percentile`.

    >>> rng = np.random.default_rng(1)
    >>> result = bootstrap(np.arange(100.0), lambda rows: float(rows.mean()), rng=rng)
    >>> result.estimate, 43 < result.low < 45, 54 < result.high < 56
    (49.5, True, True)
    """
    rows = np.asarray(values, dtype=np.float64)
    n = len(rows)
    if n < 2:
        return Estimate(None, None, None, n, level, TOO_FEW)
    value = statistic(rows)
    drawn = np.array([statistic(rows[rng.integers(0, n, n)]) for _ in range(resamples)])
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        tails = _bca_tails(rows, statistic, value=value, drawn=drawn, tails=tails)
    low, high = np.quantile(drawn, tails)
    return Estimate(value, float(low), float(high), n, level)


def _bca_tails(
    rows: NDArray[np.float64],
    statistic: Statistic,
    *,
    value: float,
    drawn: NDArray[np.float64],
    tails: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the tails moved for bias (share drawn below) and skew (jackknife acceleration)."""
    below = (np.count_nonzero(drawn < value) + np.count_nonzero(drawn <= value)) / 2
    share = min(max(below / len(drawn), 1 / len(drawn)), 1 - 1 / len(drawn))
    bias = ndtri(share)
    left_out = np.array([statistic(np.delete(rows, i, axis=0)) for i in range(len(rows))])
    away = left_out.mean() - left_out
    spread = float(np.sum(away**2))
    skew = float(np.sum(away**3)) / (6 * spread**1.5) if spread else 0.0
    moved = bias + ndtri(tails)
    return np.asarray(ndtr(bias + moved / (1 - skew * moved)), dtype=np.float64)
