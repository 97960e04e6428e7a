"""Several tests at once, against statsmodels and by simulation."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from onefold.model.records import Estimate
from onefold.stats import Moments, change, several
from onefold.stats.trials import five_changes


@pytest.mark.long
def test_holm_is_what_statsmodels_says():
    rng = np.random.default_rng(3)
    for size in (*range(1, 13), *rng.integers(1, 13, 8)):
        # Squares are small often enough to matter; a repeated value is a tie.
        values = [*rng.random(size) ** 2, 0.0, 1.0, 0.5, 0.5]
        theirs = multipletests(values, method="holm")[1]
        assert several.holm(values) == pytest.approx(tuple(theirs))


def test_what_could_not_be_tested_takes_no_part():
    assert several.holm([None, 0.02, None]) == (None, 0.02, None)
    assert several.p_value(Estimate(0.1, None, None, 12)) is None


def test_p_is_at_most_five_percent_exactly_where_the_interval_leaves_zero_out():
    rng = np.random.default_rng(4)
    for _ in range(200):
        now, before = rng.poisson(3.0, 40), rng.poisson(3.0, 40)
        found = change(Moments.of(now, before))
        assert (several.p_value(found) <= 0.05) == (found.low > 0 or found.high < 0)


def test_the_largest_of_five_is_no_news_and_a_real_move_is():
    rng = np.random.default_rng(20_261_122)
    naive = told = found = 0
    runs = 600
    for _ in range(runs):
        values = [several.p_value(each) for each in five_changes(rng, 0.0)]
        naive += min(values) <= 0.05
        told += min(several.holm(values)) <= 0.05
        moved = several.holm([several.p_value(each) for each in five_changes(rng, 0.2)])
        found += moved[0] <= 0.05
    # Taken as it is, the largest of five cries wolf in a fifth of the weeks.
    assert naive / runs > 0.12
    assert told / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    assert found / runs > 0.9


def test_the_difference_of_two_groups_is_what_the_paired_amounts_say():
    rng = np.random.default_rng(5)
    this, that = rng.poisson(2.0, 500), rng.poisson(2.0, 500)
    found = several.contrast(Moments.of(this, that))
    assert found.estimate == this.sum() - that.sum()
    assert (found.high - found.low) / 2 == pytest.approx(
        1.965 * np.sqrt(((this - that) ** 2).sum()), rel=1e-3
    )


def test_a_ratio_of_two_groups_holds_against_the_jackknife():
    rng = np.random.default_rng(6)
    eager = rng.gamma(2.0, 0.5, 400)
    columns = [rng.poisson(rate * eager).astype(float) + extra for rate, extra in
               ((1.0, 0), (3.0, 1), (1.2, 0), (4.0, 1))]  # fmt: skip
    found = several.contrast(Moments.of(*columns))
    sums = np.array([column.sum() for column in columns])
    left = [sums - np.array([column[i] for column in columns]) for i in range(400)]
    values = np.array([one[0] / one[1] - one[2] / one[3] for one in left])
    spread = np.sqrt(399 / 400 * ((values - values.mean()) ** 2).sum())
    assert (found.high - found.low) / 2 == pytest.approx(1.966 * spread, rel=0.02)


def test_picking_the_most_and_the_least_of_many_costs_nothing():
    rng = np.random.default_rng(7)
    runs, alarms, naive = 400, 0, 0
    for _ in range(runs):
        groups = rng.poisson(1.0, (6, 300)).astype(float)
        ordered = groups[np.argsort(groups.sum(axis=1))]
        pair = Moments.of(ordered[-1], ordered[0])
        alarms += several.contrast(pair, groups=6).low > 0
        naive += several.contrast(pair).low > 0
    assert naive / runs > 0.2
    assert alarms / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_a_group_with_nothing_to_divide_by_has_no_difference():
    found = several.contrast(Moments.of([1.0, 2.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]))
    assert found.estimate is None
    assert found.note
