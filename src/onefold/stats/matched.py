"""The difference that something made, from units nobody assigned: compared with alike ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from onefold.model.errors import BadInput
from onefold.model.records import Estimate
from onefold.stats.compare import difference
from onefold.stats.moments import Moments

SMALLEST = 30
"""Below so many on a side no effect is told."""

NEIGHBOURS = 4
"""With how many others one is compared, at most (Abadie & Imbens 2011 use four)."""

METHOD = (
    "Each helped one is compared with the four others most like it in all that was known "
    "before; what differed still is adjusted by a regression among those others. The "
    "interval is a weighted bootstrap of each one's part in the difference."
)
CANNOT = (
    "It cannot tell what nobody recorded: if those who were helped differed in something that is "
    "not in the data, that difference is in this figure."
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Balance:
    """How unlike the two sides are in one covariate, in standard deviations.

    Attributes:
        name: The covariate.
        before: Standardised mean difference of all.
        after: The same of those compared.
    """

    name: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class MatchedEffect:
    """The average effect on the treated, beside what a plain comparison would say.

    Attributes:
        effect: Average effect on the treated that found someone alike; None where refused.
        naive: Plain difference of means, of all.
        anyway: Mean outcome the compared treated would have had anyway; None where refused.
        treated: How many treated are compared.
        controls: How many others they are compared with.
        left_out: Treated for whom nobody is alike.
        balance: How alike they were before, a covariate each.
        method: What was done, in words.
        cannot: What the method cannot tell, in words.
        refused: Why there is no effect; empty if there is one.
    """

    effect: Estimate
    naive: Estimate
    anyway: float | None
    treated: int
    controls: int
    left_out: int
    balance: tuple[Balance, ...]
    method: str
    cannot: str
    refused: str


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Who is compared: rows of the compared treated, and the weight of each control row."""

    treated: NDArray[np.intp]
    weights: Floats
    left_out: int


def matched_effect(
    outcome: ArrayLike,
    treated: ArrayLike,
    covariates: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    names: Sequence[str] = (),
    rng: np.random.Generator,
    caliper: float = 0.5,
    resamples: int = 2000,
    level: float = 0.95,
) -> MatchedEffect:
    """Return the average effect on the treated against alike untreated units.

    Nearest neighbours with replacement on standardised covariates, exact within strata, with the
    bias adjustment of Abadie & Imbens (2011), Bias-Corrected Matching Estimators, JBES 29:
    a regression among the matched controls, weighted by how often each is used. Resampling rows
    and matching anew would be invalid (Abadie & Imbens 2008, On the Failure of the Bootstrap for
    Matching Estimators, Econometrica 76), so the matches are held and each unit's own part in the
    estimate is weighted at random: Otsu & Rai (2017), Bootstrap Inference of Matching Estimators,
    JASA 112. The parts include that of the estimated regression, and residuals of controls are
    divided by one less leverage (HC3), so that few controls widen the interval. Drawn errors are
    studentised and the interval is symmetric.

    Args:
        outcome: (n,) what came of it.
        treated: (n,) truth values.
        covariates: (n, k) known before the treatment; k may be 0.
        strata: (n,) or (n, s) labels that must agree exactly.
        names: Name of each covariate, for the balance.
        rng: The source of chance.
        caliper: How far they may be, in standard deviations a covariate (root mean square).
        resamples: How many weightings are drawn.
        level: Coverage.

    Raises:
        BadInput: Lengths differ, or a value is not finite.
    """
    y, t, x = _checked(outcome, treated, covariates)
    scaled = _scaled(x)
    groups = _groups(strata, len(y))
    naive = _naive(y, t, level)
    pairs = _pairs(scaled, t, groups, caliper=caliper)
    labels = tuple(names) or tuple(f"covariate {i + 1}" for i in range(x.shape[1]))
    balance = _balance(scaled, t, pairs, labels)
    controls = int(np.count_nonzero(pairs.weights))
    counts = (len(pairs.treated), controls)
    refused = _refusal(t, counts)
    if refused:
        effect = Estimate(None, None, None, sum(counts), level, refused)
        anyway = None
    else:
        value, parts = _parts(y, scaled, pairs)
        low, high = _interval(value, parts, rng=rng, resamples=resamples, level=level)
        effect = Estimate(value, low, high, sum(counts), level)
        anyway = float(y[pairs.treated].mean()) - value
    return MatchedEffect(
        effect=effect,
        naive=naive,
        anyway=anyway,
        treated=counts[0],
        controls=controls,
        left_out=pairs.left_out,
        balance=balance,
        method=METHOD,
        cannot=CANNOT,
        refused=refused,
    )


def _checked(
    outcome: ArrayLike, treated: ArrayLike, covariates: ArrayLike
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    y = np.asarray(outcome, dtype=np.float64)
    t = np.asarray(treated, dtype=np.bool_)
    x = np.asarray(covariates, dtype=np.float64)
    x = x.reshape(len(y), -1) if x.size else np.empty((len(y), 0))
    if len(t) != len(y) or len(x) != len(y):
        raise BadInput(
            f"{len(y)} outcomes, {len(t)} treatments and {len(x)} rows of covariates do not fit.",
            "Give one row a unit.",
        )
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise BadInput(
            "An outcome or a covariate is not a finite number.",
            "Leave such units out, or say with a covariate of its own that it is missing.",
        )
    return y, t, x


def _scaled(x: Floats) -> Floats:
    """Return the covariates that vary, centred, in standard deviations; others as zeros."""
    spread = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0), dtype=np.float64)


def _groups(strata: ArrayLike | None, n: int) -> NDArray[np.intp]:
    if strata is None:
        return np.zeros(n, dtype=np.intp)
    labels = np.asarray(strata, dtype=str).reshape(n, -1)
    _, group = np.unique(labels, axis=0, return_inverse=True)
    return group.reshape(n)


def _naive(y: Floats, t: NDArray[np.bool_], level: float) -> Estimate:

    if t.all() or not t.any():
        return Estimate(None, None, None, len(y), level, "One side is empty.")
    return difference(Moments.of(y[t]), Moments.of(y[~t]), level=level)


def _pairs(x: Floats, t: NDArray[np.bool_], groups: NDArray[np.intp], *, caliper: float) -> _Pairs:
    """Return who is compared; whoever is as near as the last neighbour is one too.

    So the order of the rows decides nothing, and covariates of few values use all they can.
    """
    weights = np.zeros(len(x))
    kept: list[NDArray[np.intp]] = []
    reach = caliper * sqrt(max(x.shape[1], 1))
    # A column of zeros lets units without covariates be compared as all alike.
    padded = np.column_stack([x, np.zeros(len(x))])
    for group in np.unique(groups[t]):
        ours = np.flatnonzero(t & (groups == group))
        others = np.flatnonzero(~t & (groups == group))
        if not len(others):
            continue
        tree = cKDTree(padded[others])
        far = tree.query(padded[ours], k=[min(NEIGHBOURS, len(others))])[0][:, 0]
        near = tree.query_ball_point(padded[ours], np.minimum(far, reach) + 1e-9)
        for row, places in zip(ours, near, strict=True):
            if places:
                kept.append(np.array([row]))
                weights[others[places]] += 1 / len(places)
    rows = np.concatenate(kept) if kept else np.empty(0, dtype=np.intp)
    return _Pairs(np.sort(rows), weights, int(t.sum()) - len(rows))


def _balance(
    x: Floats, t: NDArray[np.bool_], pairs: _Pairs, names: Sequence[str]
) -> tuple[Balance, ...]:
    if t.all() or not len(pairs.treated):
        return ()
    before = x[t].mean(axis=0) - x[~t].mean(axis=0)
    after = x[pairs.treated].mean(axis=0) - np.average(x, axis=0, weights=pairs.weights)
    return tuple(
        Balance(name, float(b), float(a)) for name, b, a in zip(names, before, after, strict=True)
    )


def _refusal(t: NDArray[np.bool_], counts: tuple[int, int]) -> str:
    if min(counts) >= SMALLEST:
        return ""
    seen = (int(t.sum()), int((~t).sum()))
    return (
        f"{counts[0]} with and {counts[1]} without are alike, of {seen[0]} with and {seen[1]} "
        f"without; each side needs {SMALLEST}."
    )


def _parts(y: Floats, x: Floats, pairs: _Pairs) -> tuple[float, Floats]:
    """Return the effect and each unit's part in its error.

    The estimate is linear in the outcomes: mean of the treated less a weighted sum of the
    controls, whose weights are the regression's (matching weights times the projection on the
    treated's mean). So each unit's part is its weight times its residual.
    """
    used = np.flatnonzero(pairs.weights)
    w = pairs.weights[used]
    design = np.column_stack([np.ones(len(used)), x[used]])
    target = np.concatenate([[1.0], x[pairs.treated].mean(axis=0)])
    inverse = np.linalg.pinv((design * w[:, None]).T @ design, hermitian=True)
    beta = inverse @ (design * w[:, None]).T @ y[used]
    pull = w * (design @ inverse @ target)
    leverage = w * np.einsum("ij,jk,ik->i", design, inverse, design)
    residual = (y[used] - design @ beta) / np.maximum(1 - leverage, 0.05)
    ours = np.column_stack([np.ones(len(pairs.treated)), x[pairs.treated]])
    gains = y[pairs.treated] - ours @ beta
    value = float(gains.mean())
    count = len(gains)
    own = (gains - value) / count * sqrt(count / (count - 1))
    return value, np.concatenate([own, -pull * residual])


def _interval(
    value: float, parts: Floats, *, rng: np.random.Generator, resamples: int, level: float
) -> tuple[float, float]:
    deviation = sqrt(float(np.sum(parts**2)))
    if deviation == 0:
        return value, value
    drawn = np.empty(resamples)
    step = max(1, 4_000_000 // len(parts))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        # Exponential weights less one: mean 0, variance 1, third moment kept.
        weighted = (rng.standard_exponential((size, len(parts))) - 1) * parts
        own = np.sqrt(np.sum(weighted**2, axis=1))
        drawn[start : start + size] = np.abs(weighted.sum(axis=1)) / own
    reach = float(np.quantile(drawn, level)) * deviation
    return value - reach, value + reach
