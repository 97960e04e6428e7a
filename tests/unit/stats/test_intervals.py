"""One group, against scipy and statsmodels."""

import doctest

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from onefold.stats import (
    Moments,
    certificate,
    compare,
    intervals,
    mean,
    moments,
    resampling,
    several,
    split,
    verdicts,
    wilson,
)
from onefold.stats import certificates as certificate_file


@pytest.mark.parametrize(
    "module",
    [certificate_file, compare, intervals, moments, resampling, several, split, verdicts],
    ids=lambda module: module.__name__.rpartition(".")[2],
)
def test_examples_in_docstrings_run(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


def test_mean_is_students_interval():
    values = np.random.default_rng(1).normal(3, 2, 40)
    ours = mean(Moments.of(values))
    low, high = scipy_stats.t.interval(0.95, 39, values.mean(), scipy_stats.sem(values))
    assert (ours.estimate, ours.low, ours.high) == pytest.approx((values.mean(), low, high))
    assert ours.n == 40


@pytest.mark.parametrize(("did", "n"), [(0, 10), (8, 10), (10, 10), (1, 1), (37, 412)])
def test_share_is_wilsons(did, n):
    ours = wilson(did, n)
    theirs = proportion_confint(did, n, method="wilson")
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-12)


def test_ratio_holds_against_the_jackknife():
    rng = np.random.default_rng(2)
    sessions = 1.0 + rng.poisson(2, 3000)
    saves = rng.poisson(0.4 * sessions).astype(float)
    ours = mean(Moments.of(saves, sessions))
    left_out = (saves.sum() - saves) / (sessions.sum() - sessions)
    deviation = np.sqrt(2999 / 3000 * np.sum((left_out - left_out.mean()) ** 2))
    assert (ours.high - ours.low) / 2 == pytest.approx(1.96 * deviation, rel=0.005)


def test_total_of_people_is_their_number_with_a_poisson_interval():
    ours = intervals.total(Moments.of(np.ones(900)))
    assert (ours.estimate, ours.low, ours.high) == pytest.approx((900, 841.2, 958.8), abs=0.01)


@pytest.mark.parametrize("number", [0, 1, 7, 400])
def test_a_count_has_the_exact_interval_of_statsmodels(number):
    ours = intervals.counted(number)
    theirs = confint_poisson(number, 1, method="exact-c")
    assert (ours.low, ours.high) == pytest.approx(theirs)
    doubled = intervals.counted(number, weight=2.0 * number, squares=4.0 * number)
    assert (doubled.low, doubled.estimate) == pytest.approx((2 * theirs[0], 2 * number))


def test_nothing_to_divide_by_is_said():
    assert mean(Moments(0, (0.0,), ((0.0,),))).estimate is None
    assert "divide" in mean(Moments(3, (2.0, 0.0), ((2.0, 0.0), (0.0, 0.0)))).note
    assert wilson(0, 0).estimate is None


def test_one_person_has_a_figure_but_no_interval():
    ours = mean(Moments.of([4.0]))
    assert (ours.estimate, ours.low) == (4.0, None)
    assert ours.note


def test_every_method_has_a_certificate_that_keeps_its_promise():
    for method in (
        "mean",
        "share",
        "total",
        "ratio",
        "difference",
        "conversion_difference",
        "conversion_lift",
        "rare_conversion_lift",
        "ratio_lift",
        "change",
        "contrast",
        "quantile",
        "time_quantile",
        "bootstrap",
        "matched_effect",
    ):
        shipped = certificate(method)
        assert shipped.runs >= 2000
        assert 0.93 <= shipped.coverage_share <= 0.97
        assert shipped.coverage_low <= shipped.coverage_share <= shipped.coverage_high
        assert "simulated runs" in shipped.sentence()


def test_of_several_figures_one_that_stood_still_is_told_in_five_of_a_hundred_at_most():
    shipped = certificate("several")
    assert shipped.false_positive_share <= 0.055
    assert shipped.coverage_share >= 0.95


def test_a_method_without_certificate_is_refused_with_the_near_name():
    with pytest.raises(LookupError, match="Did you mean `matched_effect`"):
        certificate("matched_efect")
