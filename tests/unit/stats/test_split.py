"""The sample-ratio check, the bootstrap and the word for an interval."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from onefold.model.errors import BadInput
from onefold.model.records import Estimate
from onefold.stats import split_check, verdict
from onefold.stats.resampling import bootstrap


@pytest.mark.parametrize("counts", [(193_020, 193_092), (5200, 4800), (10, 30, 61)])
def test_split_is_scipys_chi_square(counts):
    weights = (1,) * len(counts)
    ours = split_check(counts, weights)
    theirs = scipy_stats.chisquare(counts)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.fair == (theirs.pvalue >= 0.001)


def test_split_knows_uneven_weights():
    assert split_check([9000, 1000], [90, 10]).fair
    assert not split_check([9000, 1000], [80, 20]).fair


def test_split_of_nobody_is_fair():
    nobody = split_check([0, 0], [50, 50])
    assert nobody.fair
    assert nobody.seen_shares == (0.0, 0.0)


@pytest.mark.parametrize(("counts", "weights"), [([1], [1]), ([1, 2], [1]), ([1, 2], [1, 0])])
def test_what_is_no_split_is_refused(counts, weights):
    with pytest.raises(BadInput, match="no split"):
        split_check(counts, weights)


def test_fair_splits_are_called_unfair_once_in_a_thousand():
    rng = np.random.default_rng(8)
    first = rng.binomial(10_000, 0.5, 20_000)
    unfair = sum(not split_check([int(a), 10_000 - int(a)], [1, 1]).fair for a in first)
    assert unfair <= 40  # 20 expected; more than 40 comes once in 30,000


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_bootstrap_equals_scipys(method):
    values = np.random.default_rng(9).exponential(2, 120)
    ours = bootstrap(
        values,
        lambda rows: float(np.mean(rows)),
        rng=np.random.default_rng(1),
        resamples=6000,
        method=method,
    )
    theirs = scipy_stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=6000,
        method="BCa" if method == "bca" else "percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.012)


def test_bootstrap_of_a_ratio_of_columns():
    rng = np.random.default_rng(10)
    below = 1.0 + rng.poisson(3, 300)
    rows = np.column_stack([rng.poisson(below), below])
    found = bootstrap(rows, lambda r: float(r[:, 0].sum() / r[:, 1].sum()), rng=rng, resamples=500)
    assert found.low < found.estimate < found.high


def test_bootstrap_of_one_is_refused():
    found = bootstrap([1.0], lambda rows: float(rows.mean()), rng=np.random.default_rng(1))
    assert found.estimate is None


@pytest.mark.parametrize(
    ("low", "high", "margin", "better", "said"),
    [
        (0.021, 0.063, 0.01, "up", "better"),
        (0.021, 0.063, 0.01, "down", "worse"),
        (-0.063, -0.021, 0.01, "up", "worse"),
        (-0.063, -0.021, 0.01, "down", "better"),
        (-0.004, 0.006, 0.01, "up", "no_difference"),
        (0.001, 0.006, 0.01, "up", "no_difference"),
        (-0.011, 0.005, 0.01, "up", "not_yet"),
        (-0.004, 0.006, 0.0, "up", "not_yet"),
        (None, None, 0.01, "up", "not_yet"),
    ],
)
def test_verdict(low, high, margin, better, said):
    assert verdict(Estimate(0.0, low, high, 10), margin=margin, better=better) == said
