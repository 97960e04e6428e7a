"""What something really changed: the planted truth is found, and a thin sample is refused."""

import numpy as np
import pytest

from onefold.customers import measured
from onefold.customers.panel import AFTER, AT_RISK, BEFORE, Panel, cases_of
from small_market import empty_facts, many_accounts, told_account, view_of


@pytest.fixture(scope="module")
def market():
    facts = empty_facts()
    truth = many_accounts(facts)
    yield view_of(facts), truth
    facts.close()


def test_the_effect_of_a_service_covers_what_was_planted(market):
    view, truth = market
    found = {each.name: each for each in measured.service_effects(view)}
    help_ = found["creative_help"]
    assert help_.effect.low <= truth["creative_help"] <= help_.effect.high
    assert help_.effect.low > 0
    assert help_.relative.low <= 0.3 <= help_.relative.high
    assert help_.treated >= 30
    assert help_.controls >= 30


def test_a_service_that_adds_nothing_is_told_apart_from_its_naive_figure(market):
    view, _ = market
    none = {each.name: each for each in measured.service_effects(view)}["measurement_help"]
    assert none.naive.low > 0
    assert none.effect.low < 0 < none.effect.high
    assert none.naive.low > none.effect.high


def test_balance_shows_that_the_two_sides_came_closer(market):
    view, _ = market
    for each in measured.service_effects(view):
        before, after = (abs(getattr(each.balance[0], side)) for side in ("before", "after"))
        assert before > 0.3
        assert after < before / 2


def test_friction_costs_what_was_planted_among_young_accounts(market):
    view, truth = market
    found = measured.friction_effect(view)
    assert found.effect.high < 0
    assert found.relative.low <= truth["conversion_tag"] <= found.relative.high
    assert "younger than 120 days" in found.definition


def test_the_same_question_gives_the_same_answer(market):
    view, _ = market
    assert measured.service_effects(view, seed=5) == measured.service_effects(view, seed=5)


def test_without_cases_nothing_is_told():
    facts = empty_facts()
    view = view_of(facts)
    assert measured.service_effects(view) == ()
    for found in (measured.friction_effect(view), measured.churn_effect(view)):
        assert found.effect.estimate is None
        assert found.refused
        assert found.to_json()["refused"]
    facts.close()


def test_below_thirty_a_side_it_is_refused():
    facts = empty_facts()
    many_accounts(facts, accounts=40)
    told_account(facts)
    found = {each.name: each for each in measured.service_effects(view_of(facts))}
    assert found["creative_help"].effect.estimate is None
    assert "30" in found["creative_help"].refused
    facts.close()


def panel(spend: np.ndarray) -> Panel:
    count = len(spend)
    names = tuple(f"a{i}" for i in range(count))
    return Panel(names, spend, 1000, ("x",) * count, np.full(count, -np.inf), "USD")


def test_every_account_enters_once_at_risk_and_with_whole_windows():
    rng = np.random.default_rng(1)
    spend = rng.random((60, 120)) * (rng.random((60, 1)) < 0.9) * 1e6
    spend[:10, 40:] = 0
    happened = {f"a{i}": [1000 + 60 + i % 5, 1000 + 118] for i in range(0, 40, 2)}
    cases = cases_of(panel(spend), happened, rng=rng)
    assert len(set(cases.rows.tolist())) == len(cases.rows)
    assert (cases.day >= BEFORE).all()
    assert (cases.day + AFTER <= 120).all()
    for row, day, after in zip(cases.rows, cases.day, cases.after, strict=True):
        assert spend[row, day - AT_RISK : day].sum() > 0
        assert after == pytest.approx(spend[row, day : day + AFTER].sum())


def test_whoever_had_it_about_that_day_is_no_comparison():
    spend = np.full((40, 120), 1e6)
    happened = {f"a{i}": [1060] for i in range(10)} | {"a20": [1060 - 20], "a21": [1060 + 20]}
    happened["a22"] = [1060 + 40]
    cases = cases_of(panel(spend), happened, rng=np.random.default_rng(0))
    controls = set(cases.rows[~cases.treated].tolist())
    ours = set(cases.rows[cases.treated].tolist())
    assert 20 not in controls - ours
    assert 21 not in controls
    assert not controls & ours
