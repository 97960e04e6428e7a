"""Quantiles with their intervals, against scipy and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf, quantile_test

from onefold.stats import intervals


@given(
    st.lists(st.integers(-50, 50), min_size=2, max_size=60),
    st.floats(0.05, 0.95),
)
def test_a_quantile_is_numpys_and_its_interval_scipys(values, share):
    found = intervals.quantile(values, share)
    assert found.estimate == np.quantile(values, share, method="inverted_cdf")
    low, high = quantile_test(values, p=share).confidence_interval()
    # Scipy's ends may be one rank narrower where a rank holds exactly; ours never are.
    if found.low is not None and np.isfinite(low):
        assert found.low <= low
    if found.high is not None and np.isfinite(high):
        assert found.high >= high
    assert found.n == len(values)


# It says of the ends of a curve, where its formula has none, that it has none.
@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=3, max_size=60),
    st.floats(0.05, 0.95),
)
def test_a_time_is_that_of_scipys_curve(rows, share):
    times, ended = (np.array(column) for column in zip(*rows, strict=True))
    found = intervals.time_quantile(times, ended, share)
    curve = ecdf(CensoredData(uncensored=times[ended], right=times[~ended])).sf
    assert found.estimate == first_below(curve.quantiles, curve.probabilities, 1 - share)
    if not ended.any():
        assert (found.estimate, found.low, found.high) == (None, None, None)
        return
    interval = curve.confidence_interval(method="log-log")
    # Scipy says nothing of the ends of a curve that is at one or nought; there we say it is there.
    plain = (curve.probabilities > 0) & (curve.probabilities < 1)
    for ours, theirs in ((found.low, interval.low), (found.high, interval.high)):
        known = np.where(plain, theirs.probabilities, curve.probabilities)
        assert ours == first_below(curve.quantiles, known, 1 - share)


def first_below(times, probabilities, share):
    below = np.flatnonzero(probabilities <= share + 1e-12)
    return float(times[below[0]]) if len(below) else None


def test_rows_that_stand_for_several_are_as_several_rows():
    values, counts = [3.0, 1.0, 7.0, 4.0], [5, 9, 2, 4]
    apart = np.repeat(values, counts)
    assert intervals.quantile(values, 0.7, counts=counts) == intervals.quantile(apart, 0.7)
    ended = [True, True, False, True]
    assert intervals.time_quantile(values, ended, 0.4, counts=counts) == intervals.time_quantile(
        apart, np.repeat(ended, counts), 0.4
    )


def test_equal_weights_change_nothing_and_unequal_ones_widen():
    rng = np.random.default_rng(5)
    values, ended = rng.exponential(1, 400), rng.random(400) < 0.7
    plain = intervals.quantile(values, 0.5)
    assert intervals.quantile(values, 0.5, weights=np.full(400, 10.0)) == plain
    uneven = intervals.quantile(values, 0.5, weights=np.where(np.arange(400) % 2, 1.0, 19.0))
    assert uneven.high - uneven.low > plain.high - plain.low
    once = intervals.time_quantile(values, ended, 0.5)
    assert intervals.time_quantile(values, ended, 0.5, weights=np.full(400, 4.0)) == once


def test_what_was_sampled_has_the_quantile_of_all():
    rng = np.random.default_rng(8)
    eager = rng.random(60_000) < 0.5
    values = rng.exponential(np.where(eager, 5.0, 1.0))
    kept = eager | (rng.random(60_000) < 0.1)
    weights = np.where(eager, 1.0, 10.0)[kept]
    whole = np.quantile(values, 0.75, method="inverted_cdf")
    found = intervals.quantile(values[kept], 0.75, weights=weights)
    assert found.low < whole < found.high
    assert np.quantile(values[kept], 0.75) > found.high


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_the_interval_of_a_quantile_holds_the_truth(share):
    rng = np.random.default_rng(20)
    truth = -np.log(1 - share)
    held = 0
    for _ in range(2000):
        found = intervals.quantile(rng.exponential(1, 200), share)
        held += found.low <= truth <= found.high
    assert 0.93 <= held / 2000 <= 0.975


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_the_interval_of_a_time_holds_the_truth(share):
    rng = np.random.default_rng(21)
    truth = -np.log(1 - share)
    held = 0
    for _ in range(2000):
        time, until = rng.exponential(1, 200), rng.exponential(2.5, 200)
        found = intervals.time_quantile(np.minimum(time, until), time <= until, share)
        held += found.low <= truth and (found.high is None or truth <= found.high)
    assert 0.93 <= held / 2000 <= 0.97


def test_nobody_and_one_alone():
    assert intervals.quantile([]).estimate is None
    assert intervals.time_quantile([], []).n == 0
    one = intervals.quantile([4.0])
    assert (one.estimate, one.low, one.high, one.n) == (4.0, None, None, 1)
    assert intervals.time_quantile([4.0], [True]).note
    nobody_yet = intervals.time_quantile([3, 4, 5], [False] * 3)
    assert (nobody_yet.estimate, nobody_yet.n) == (None, 3)
    assert "Fewer" in nobody_yet.note
