"""Two arms, or two periods, against published figures and other packages."""

import numpy as np
import pytest
import statsmodels.api as sm
import tea_tasting
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from onefold.stats import Moments, change, difference, lift


@pytest.fixture(scope="module")
def users():
    """tea-tasting's own example data."""
    data = tea_tasting.make_users_data(rng=42)
    return {name: data[name].to_numpy() for name in data.column_names}, data


def arms(columns, *names):
    return [
        Moments.of(*(columns[name][columns["variant"] == arm] for name in names)) for arm in (1, 0)
    ]


def test_gbstats_figures():
    # growthbook/growthbook, packages/stats tests: A 3407 users, B 3461 users; relative effect
    # .70732 (-.03526, 1.44989), absolute .29 (.04538, .53462).
    a = Moments(3407, (1396.87,), ((52377.9767,),))
    b = Moments(3461, (2422.7,), ((134698.29,),))
    relative, absolute = lift(b, a), difference(b, a)
    assert relative.estimate == pytest.approx(0.70732, abs=5e-6)
    assert (relative.low, relative.high) == pytest.approx((-0.03526, 1.44989), abs=6e-6)
    assert absolute.estimate == pytest.approx(0.29, abs=5e-6)
    assert (absolute.low, absolute.high) == pytest.approx((0.04538, 0.53462), abs=6e-6)


def test_tea_tasting_guide_figure(users):
    # tea-tasting user guide, make_users_data(rng=42): orders per user +8.0 %, p .118.
    columns, _ = users
    found = lift(*arms(columns, "orders"))
    assert found.estimate == pytest.approx(0.080, abs=0.0005)
    assert found.low < 0 < found.high


@pytest.mark.parametrize("names", [("orders",), ("revenue",), ("orders", "sessions")])
def test_difference_equals_tea_tasting(users, names):
    columns, data = users
    metric = tea_tasting.Mean(*names) if len(names) == 1 else tea_tasting.RatioOfMeans(*names)
    theirs = tea_tasting.Experiment(x=metric).analyze(data)["x"]
    ours = difference(*arms(columns, *names))
    assert (ours.estimate, ours.low, ours.high) == pytest.approx(
        (theirs.effect_size, theirs.effect_size_ci_lower, theirs.effect_size_ci_upper)
    )


def test_difference_equals_welch_of_statsmodels():
    rng = np.random.default_rng(3)
    treated, control = rng.normal(1, 3, 25), rng.normal(0, 1, 60)
    low, high = CompareMeans(DescrStatsW(treated), DescrStatsW(control)).tconfint_diff(
        usevar="unequal"
    )
    ours = difference(Moments.of(treated), Moments.of(control))
    assert (ours.low, ours.high) == pytest.approx((low, high))


def test_change_of_sums_equals_a_robust_regression_through_zero():
    # The ratio of two sums is the slope of an instrument-free moment condition; its influence
    # function, computed here by hand, is an oracle of its own.
    rng = np.random.default_rng(4)
    before = rng.poisson(3, 500).astype(float)
    now = rng.poisson(1.1 * before + 0.2).astype(float)
    ratio = now.sum() / before.sum()
    parts = (now - ratio * before) / before.sum()
    deviation = np.sqrt(500 * parts.var(ddof=1))
    ours = change(Moments.of(now, before))
    assert ours.estimate == pytest.approx(ratio - 1)
    assert (ours.high - ours.low) / 2 == pytest.approx(1.9647 * deviation, rel=1e-3)


def test_change_of_ratios_holds_against_the_jackknife():
    rng = np.random.default_rng(5)
    eager = rng.gamma(2, 0.5, 2000)
    columns = []
    for rate in (0.5, 0.4):
        sessions = (rng.random(2000) < 0.7) * (1.0 + rng.poisson(2 * eager))
        columns += [rng.poisson(rate * eager * sessions).astype(float), sessions]
    ours = change(Moments.of(*columns))
    sums = [column.sum() - column for column in columns]
    left_out = sums[0] / sums[1] / (sums[2] / sums[3])
    deviation = np.sqrt(1999 / 2000 * np.sum((left_out - left_out.mean()) ** 2))
    assert (ours.high - ours.low) / 2 == pytest.approx(1.961 * deviation, rel=0.01)


def test_change_knows_that_the_same_people_came_twice():
    rng = np.random.default_rng(6)
    habit = rng.gamma(0.5, 4, 4000)
    now, before = rng.poisson(habit).astype(float), rng.poisson(habit).astype(float)
    paired = change(Moments.of(now, before))
    apart = lift(Moments.of(now), Moments.of(before))
    assert paired.high - paired.low < 0.7 * (apart.high - apart.low)


@pytest.mark.parametrize(("did", "of"), [((600, 450), (5000, 4800)), ((60, 45), (500, 480))])
def test_fiellers_lift_of_shares_is_near_the_score_interval(did, of):
    theirs = confint_proportions_2indep(
        did[0], of[0], did[1], of[1], compare="ratio", method="score"
    )
    arms = [Moments(n, (x,), ((x,),)) for x, n in zip(did, of, strict=True)]
    ours = lift(*arms, method="fieller")
    assert ours.low + 1 == pytest.approx(theirs[0], rel=0.03)
    assert ours.high + 1 == pytest.approx(theirs[1], rel=0.15)


def test_lift_without_a_base_has_no_interval():
    nobody = Moments.of(np.zeros(50))
    assert lift(Moments.of(np.ones(50)), nobody).estimate is None
    rare = np.zeros(50)
    rare[0] = 1
    unsure = lift(Moments.of(np.ones(50)), Moments.of(rare))
    assert (unsure.low, unsure.high) == (None, None)
    assert "zero" in unsure.note


def test_a_logistic_regression_agrees_on_which_way_the_share_moved():
    rng = np.random.default_rng(7)
    arm = rng.integers(0, 2, 5000)
    did = rng.random(5000) < 0.2 + 0.05 * arm
    ours = difference(Moments.of(did[arm == 1]), Moments.of(did[arm == 0]))
    fitted = sm.GLM(did.astype(float), sm.add_constant(arm), family=sm.families.Binomial()).fit()
    assert (ours.low > 0) == (fitted.pvalues[1] < 0.05)
