"""Never too much, never twice for one account; neither scale nor order changes anything."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.advice import Recommendation
from onefold.advice.ranking import chosen, worth
from onefold.customers.effects import Matter, effect_of
from onefold.customers.panel import AFTER, AT_RISK, BEFORE, Panel, cases_of
from onefold.model.records import Estimate

PLAIN = Recommendation(
    id="", kind="", what="", where="", when="", until_time=None, grade=3, why="", evidence="",
    value=None, currency="USD", worth="", worth_note="", anyway=1.0, method="", cannot_tell="",
    account_id=None, accounts=(),
)  # fmt: skip


@st.composite
def found(draw):
    made = []
    for place in range(draw(st.integers(0, 25))):
        kind, account = draw(st.sampled_from("abcd")), draw(st.integers(0, 8))
        grade = draw(st.sampled_from([1, 3, 4]))
        value = draw(st.floats(0.01, 1e9))
        money = Estimate(value, value / 2, value * 2, 60) if grade == 3 else None
        made.append(
            replace(
                PLAIN,
                id=f"{kind}:{account}:{place}",
                kind=kind,
                grade=grade,
                value=money,
                accounts=() if grade == 4 else (f"acc-{account}",),
            )
        )
    return made


@given(found())
@settings(max_examples=200, deadline=None)
def test_a_choice_is_short_diverse_and_the_best_stands_first(everything):
    picked = chosen(everything)
    assert len(picked) <= 5
    kinds = [each.kind for each in picked]
    tested = [each for each in picked if each.grade == 4]
    assert all(kinds.count(kind) <= 2 + len(tested) for kind in kinds)
    accounts = [name for each in picked for name in each.accounts]
    assert len(accounts) == len(set(accounts))
    assert sum(each.grade == 1 for each in picked) <= 2
    money = [each for each in everything if each.value is not None]
    if money:
        assert picked[0] == min(money, key=worth)
    if any(each.grade == 4 for each in everything):
        assert tested
    assert chosen(list(reversed(everything))) == picked


def panel(seed: int, accounts: int, scale: float = 1.0) -> tuple[Panel, dict[str, list[int]]]:
    rng = np.random.default_rng(seed)
    spend = np.exp(rng.normal(3, 0.6, (accounts, 1)) + rng.normal(0, 0.2, (accounts, 110))) * 1e6
    spend *= rng.random((accounts, 1)) < 0.95
    names = tuple(f"a{place:03d}" for place in range(accounts))
    happened = {
        name: sorted(int(d) + 5000 for d in rng.integers(20, 108, rng.integers(1, 3)))
        for name in names
        if rng.random() < 0.45
    }
    old = np.full(accounts, 4000.0)
    return Panel(names, spend * scale, 5000, ("x",) * accounts, old, "USD"), happened


@given(st.integers(0, 10_000), st.integers(2, 90))
@settings(max_examples=60, deadline=None)
def test_cases_are_whole_at_risk_and_enter_once(seed, accounts):
    made, happened = panel(seed, accounts)
    cases = cases_of(made, happened, rng=np.random.default_rng(seed))
    assert len(set(cases.rows.tolist())) == len(cases.rows)
    for row, day, treated in zip(cases.rows, cases.day, cases.treated, strict=True):
        assert BEFORE <= day <= made.days - AFTER
        assert made.spend[row, day - AT_RISK : day].sum() > 0
        days = happened.get(made.accounts[row], [])
        if treated:
            assert day + made.first_date in days
        else:
            assert all(not -BEFORE <= d - made.first_date - day < AFTER for d in days)


@given(st.integers(0, 10_000), st.sampled_from([0.01, 7.0, 1000.0]))
@settings(max_examples=8, deadline=None)
def test_another_unit_of_money_changes_only_the_unit(seed, scale):
    matter = Matter("service", "help", "help", "its first day")
    (one, happened), (other, _) = panel(seed, 160), panel(seed, 160, scale)
    first = effect_of(one, happened, matter=matter, seed=1)
    second = effect_of(other, happened, matter=matter, seed=1)
    assert (first.treated, first.controls) == pytest.approx(
        (second.treated, second.controls), abs=12
    )
    if first.naive.estimate is not None and second.naive.estimate is not None:
        assert second.naive.estimate == pytest.approx(first.naive.estimate * scale, rel=1e-9)
