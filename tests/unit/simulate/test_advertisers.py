"""Advertisers: their potential outcomes add up, and chance is where it should be."""

import numpy as np
import pytest

from onefold.model.time import parse_time
from onefold.simulate import MarketPlan
from onefold.simulate.advertisers import (
    AHEAD,
    CREATIVE_MICROS,
    FRICTION_FACTOR,
    MEASUREMENT_EFFECT,
    NEVER,
    STOP_SHARE,
    at_risk,
    make_advertisers,
    spend_days,
)
from onefold.simulate.streams import ACCOUNTS, stream
from onefold.simulate.truth import planted_effects

END = parse_time("2026-11-22T09:13:20Z")


def plan_of(**sizes):
    return MarketPlan(end_time=END, **{"people": 400, "accounts": 250, "seed": 7} | sizes)


def accounts_of(**sizes):
    plan = plan_of(**sizes)
    return plan, make_advertisers(plan, stream(plan, ACCOUNTS))


@pytest.fixture(scope="module")
def made():
    return accounts_of()


def windows(accounts, start, rows):
    return np.array([accounts.spend[r, start[r] : start[r] + AHEAD].sum() for r in rows])


def effect(made, name):
    return next(one for one in planted_effects(*made) if one.id == name)


def test_the_truth_of_a_service_is_the_mean_of_own_differences(made):
    _, accounts = made
    day = accounts.creative
    rows = np.flatnonzero((day < NEVER) & at_risk(accounts.spend, day))
    seen = windows(accounts, day, rows)
    without = accounts.creative_without[rows]
    found = effect(made, "creative_help")
    assert found.treated == len(rows)
    assert found.value == pytest.approx((seen - without).mean())
    assert 0.8 * AHEAD * CREATIVE_MICROS < found.value <= AHEAD * CREATIVE_MICROS
    assert found.relative == pytest.approx((seen - without).sum() / without.sum())


def test_measurement_help_adds_little_but_goes_to_those_who_grow(made):
    found = effect(made, "measurement_help")
    assert found.relative == pytest.approx(MEASUREMENT_EFFECT, abs=0.003)
    assert found.relative < MEASUREMENT_EFFECT + 1e-9
    assert found.naive > 5 * found.value > 0


def test_friction_costs_spend_until_it_is_mended(made):
    _, accounts = made
    found = effect(made, "conversion_tag")
    assert found.value < 0
    assert FRICTION_FACTOR - 1 < found.relative < 0
    hit = np.flatnonzero((accounts.tag_opened < NEVER) & np.isfinite(accounts.tag_loss))
    assert (accounts.young | accounts.fresh)[hit].all()
    assert (accounts.tag_loss[hit] <= 0).all()


def test_a_stopped_account_never_spends_again(made):
    plan, accounts = made
    days = np.arange(spend_days(plan))
    gone = days[None, :] >= accounts.stop[:, None]
    assert not accounts.spend[gone].any()
    assert (accounts.spend >= 0).all()


def test_billing_tickets_that_wait_make_accounts_stop():
    stopped, waited = 0, 0
    for seed in range(40):
        plan, accounts = accounts_of(seed=seed)
        index = accounts.billing_opened + 5
        long = (accounts.billing_closed - accounts.billing_opened > 5) & (
            accounts.billing_opened < NEVER
        )
        rows = long & (index + AHEAD <= spend_days(plan)) & (accounts.stop > index)
        waited += int(rows.sum())
        stopped += int((accounts.stop[rows] <= index[rows] + 14).sum())
    expected = STOP_SHARE + (1 - STOP_SHARE) * 0.028
    assert stopped / waited == pytest.approx(expected, abs=4 * np.sqrt(0.21 / waited))


def test_enough_is_treated_and_enough_is_not():
    for seed in range(20):
        made = accounts_of(seed=seed, days=40)
        for one in planted_effects(*made):
            if one.kind in {"service", "friction", "churn"}:
                assert 30 <= one.treated <= 130, (seed, one.id, one.treated)


def test_all_that_happens_has_its_whole_window_within_the_spend(made):
    plan, accounts = made
    for day in (accounts.measurement, accounts.creative):
        helped = day[day < NEVER]
        assert (helped >= AHEAD).all()
        assert (helped + AHEAD <= spend_days(plan)).all()
