"""The difference of comparable ones: what it finds, what it refuses, what cannot fool it."""

import numpy as np
import pytest
import statsmodels.api as sm

from onefold.model.errors import BadInput
from onefold.stats import matched_effect


def world(seed, *, n=600, effect=1.0, pull=1.0):
    """Help goes to those who do well anyway."""
    rng = np.random.default_rng(seed)
    known = rng.normal(size=(n, 2))
    stratum = rng.integers(0, 3, n)
    helped = rng.random(n) < 1 / (1 + np.exp(1 - pull * known[:, 0] - 0.3 * stratum))
    outcome = 2 * known[:, 0] + known[:, 1] + stratum + rng.normal(size=n) + effect * helped
    return outcome, helped, known, stratum


def found(seed, **changes):
    outcome, helped, known, stratum = world(seed, **changes)
    return matched_effect(
        outcome, helped, known, strata=stratum, rng=np.random.default_rng(1), resamples=400
    )


def test_naive_is_fooled_and_the_matched_effect_is_not():
    result = found(1)
    assert result.effect.low <= 1.0 <= result.effect.high
    assert result.naive.low > 1.3
    assert result.refused == ""
    assert result.anyway == pytest.approx(world(1)[0][world(1)[1]].mean() - 1.0, abs=0.5)


def test_it_agrees_with_a_regression_where_a_line_is_true():
    outcome, helped, known, stratum = world(2, n=3000)
    design = np.column_stack([helped, known, stratum == 1, stratum == 2]).astype(float)
    fitted = sm.OLS(outcome, sm.add_constant(design)).fit()
    result = found(2, n=3000)
    assert result.effect.estimate == pytest.approx(fitted.params[1], abs=2.5 * fitted.bse[1])


def test_those_compared_are_alike():
    result = found(3)
    assert abs(result.balance[0].before) > 0.5
    assert all(abs(row.after) < 0.1 for row in result.balance)


@pytest.mark.parametrize("sides", [(29, 500), (500, 29)])
def test_under_thirty_a_side_it_refuses(sides):
    rng = np.random.default_rng(4)
    helped = np.repeat([True, False], sides)
    result = matched_effect(rng.normal(size=529), helped, np.zeros((529, 0)), rng=rng)
    assert (result.effect.estimate, result.effect.low, result.anyway) == (None, None, None)
    assert "29" in result.refused
    assert "30" in result.refused


def test_nobody_alike_is_refused_however_many_there_are():
    rng = np.random.default_rng(5)
    helped = np.repeat([True, False], 200)
    far = np.where(helped, 50.0, 0.0) + rng.normal(size=400)
    result = matched_effect(rng.normal(size=400), helped, far, rng=rng)
    assert result.effect.estimate is None
    assert result.left_out == 200
    assert "alike" in result.refused


def test_the_order_of_the_rows_decides_nothing():
    # All controls are equally near; those first in the file do better.
    rng = np.random.default_rng(6)
    helped = np.repeat([True, False], [100, 2000])
    outcome = np.concatenate([rng.normal(size=100), np.linspace(5, -5, 2000)])
    result = matched_effect(outcome, helped, np.zeros((2100, 0)), rng=rng, resamples=300)
    assert result.effect.low < 0 < result.effect.high


def test_the_same_chance_gives_the_same_answer():
    assert found(7) == found(7)


def test_one_sided_data_is_refused():
    rng = np.random.default_rng(8)
    result = matched_effect(rng.normal(size=50), np.ones(50, bool), np.zeros((50, 0)), rng=rng)
    assert result.effect.estimate is None
    assert result.naive.estimate is None


@pytest.mark.parametrize(
    ("outcome", "helped", "known"),
    [
        ([1.0, 2.0], [True], [[1.0], [2.0]]),
        ([1.0, float("nan")], [True, False], [[1.0], [2.0]]),
    ],
)
def test_what_does_not_fit_is_refused(outcome, helped, known):
    with pytest.raises(BadInput):
        matched_effect(outcome, helped, known, rng=np.random.default_rng(1))


def test_a_refusal_names_the_counts_that_stand_beside_it():
    # 28 and 47 on one page beside 26 and 38 on another: both are told, and which is which.
    rng = np.random.default_rng(9)
    helped = np.repeat([True, False], (28, 47))
    known = np.concatenate([np.full(26, 0.0), [90.0, 95.0], np.full(38, 0.0), np.full(9, -80.0)])
    result = matched_effect(rng.normal(size=75), helped, known[:, None], rng=rng)
    assert (result.treated, result.controls) == (26, 38)
    assert result.refused == (
        "26 with and 38 without are alike, of 28 with and 47 without; each side needs 30."
    )
