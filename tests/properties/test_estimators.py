"""What holds for every estimator and every input; and how often each holds the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from onefold.model.records import Estimate
from onefold.stats import Moments, change, difference, intervals, lift, mean, verdict, wilson
from onefold.stats.certificates import certify

amounts = st.floats(0, 1000, width=32)
groups = st.integers(2, 40).flatmap(lambda n: arrays(np.float64, n, elements=amounts))


def ordered(estimate: Estimate) -> bool:
    if estimate.low is None:
        return estimate.high is None
    return estimate.low <= estimate.estimate <= estimate.high


@given(groups, groups)
def test_moments_of_two_groups_are_those_of_all(a, b):
    together = Moments.of(a) + Moments.of(b)
    at_once = Moments.of(np.concatenate([a, b]))
    assert together.n == at_once.n
    assert together.sums == pytest.approx(at_once.sums)
    assert together.products[0] == pytest.approx(at_once.products[0])


@given(groups, groups)
def test_intervals_hold_their_estimate(a, b):
    pair = Moments.of(a), Moments.of(b)
    for found in (mean(pair[0]), intervals.total(pair[0]), difference(*pair), lift(*pair)):
        assert ordered(found)


@given(groups, groups)
def test_swapping_the_arms_turns_the_sign(a, b):
    there = difference(Moments.of(a), Moments.of(b))
    back = difference(Moments.of(b), Moments.of(a))
    assert there.estimate == pytest.approx(-back.estimate)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


@given(groups, groups)
def test_fiellers_lift_leaves_out_zero_exactly_when_the_difference_does(a, b):
    pair = Moments.of(a), Moments.of(b)
    relative, absolute = lift(*pair, method="fieller"), difference(*pair)
    if relative.low is None or min(abs(absolute.low), abs(absolute.high)) < 1e-6:
        return
    assert relative.low <= relative.estimate + 1e-9 <= relative.high + 2e-9
    assert (relative.low > 0, relative.high < 0) == (absolute.low > 0, absolute.high < 0)


@given(groups, groups, st.floats(0.01, 100))
def test_a_lift_knows_no_unit(a, b, unit):
    plain = lift(Moments.of(a), Moments.of(b))
    scaled = lift(Moments.of(a * unit), Moments.of(b * unit))
    assert (plain.estimate is None) == (scaled.estimate is None)
    if plain.low is not None and scaled.low is not None:
        assert scaled.low == pytest.approx(plain.low, rel=1e-6, abs=1e-6)
        assert scaled.high == pytest.approx(plain.high, rel=1e-6, abs=1e-6)


@given(groups, groups)
def test_an_interval_at_a_lower_level_lies_inside(a, b):
    pair = Moments.of(a), Moments.of(b)
    wide, narrow = difference(*pair, level=0.99), difference(*pair, level=0.8)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


@given(groups)
def test_nothing_changed_is_no_change(a):
    found = change(Moments.of(a, a))
    if found.low is not None:
        assert (found.estimate, found.low, found.high) == pytest.approx((0, 0, 0), abs=1e-6)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_share_stays_between_none_and_all(did, others):
    found = wilson(did, did + others)
    if found.estimate is not None:
        assert 0 <= found.low <= found.estimate <= found.high <= 1


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 0.5))
def test_a_verdict_turns_with_its_sign(low, width, margin):
    there = Estimate(low, low, low + width, 10)
    back = Estimate(-low, -low - width, -low, 10)
    said = verdict(there, margin=margin)
    assert verdict(back, margin=margin, better="down") == said


@settings(max_examples=25)
@given(st.integers(1, 2**32))
def test_simulations_repeat_under_their_seed(seed):
    assert certify("difference", runs=3, seed=seed) == certify("difference", runs=3, seed=seed)


@pytest.mark.parametrize(
    "method",
    [
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
    ],
)
def test_the_interval_holds_the_truth_as_often_as_it_says(method):
    found = certify(method, runs=2000, seed=2026)
    assert 0.93 <= found.coverage_share <= 0.97
    if found.false_positive_share is not None:
        assert found.false_positive_share <= 0.07


@pytest.mark.parametrize("method", ["bootstrap", "matched_effect"])
def test_resampled_intervals_hold_the_truth_too(method):
    found = certify(method, runs=600, seed=2026)
    assert 0.92 <= found.coverage_share <= 0.98
    if found.false_positive_share is not None:
        assert found.false_positive_share <= 0.07
