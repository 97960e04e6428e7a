"""Three to five things worth doing, each with its evidence; what was dismissed stays away."""

import json
from dataclasses import replace

import pytest

from onefold.advice import advise, decide, decisions
from onefold.advice.candidates import scaled, total
from onefold.advice.ranking import chosen
from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker, Estimate
from onefold.model.time import DAY
from onefold.store import State, tables
from small_market import NOW, days_ago, empty_facts, many_accounts, micros, put, spend_rows, view_of

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def facts():
    made = empty_facts()
    many_accounts(made)
    for place in range(4):
        put(made, "spend", spend_rows(f"stuck-{place}", [30.0 + place] * 60))
    put(
        made,
        "tickets",
        [
            {
                "ticket_id": f"open-{place}",
                "account_id": f"stuck-{place}",
                "subject": "Tag fails",
                "topic": "conversion_tag",
                "status": "open",
                "waits_on": "us",
                "opened_time": days_ago(3 + place),
            }
            for place in range(4)
        ],
    )
    yield made
    made.close()


@pytest.fixture
def state(tmp_path):
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: micros(NOW))
    yield made
    made.close()


def test_three_to_five_each_with_evidence_and_not_all_of_one_kind(facts, state):
    found = advise(view_of(facts), state)
    assert 3 <= len(found.recommendations) <= 5
    assert not found.note
    kinds = [each.kind for each in found.recommendations]
    assert len(set(kinds)) >= 2
    assert max(kinds.count(kind) for kind in kinds) <= 2
    for each in found.recommendations:
        assert each.what
        assert each.where
        assert each.when
        assert each.why
        assert 1 <= each.grade <= 4
        if each.value is not None:
            assert 0 < each.value.low <= each.value.estimate <= each.value.high
            assert each.anyway > 0
            assert each.grade >= 3
    accounts = [name for each in found.recommendations for name in each.accounts]
    assert len(accounts) == len(set(accounts))


def test_what_cannot_be_told_apart_from_nothing_is_refused_with_its_reason(facts, state):
    found = advise(view_of(facts), state)
    kinds = {each.kind for each in found.recommendations}
    assert "service.measurement_help" not in kinds
    reasons = [each.reason for each in found.refused if each.kind == "service.measurement_help"]
    assert any(reason.startswith("Cannot tell") for reason in reasons)


def test_stuck_accounts_are_one_recommendation_for_the_market_and_each_its_own(facts, state):
    view = view_of(facts)
    market = [e for e in advise(view, state).recommendations if e.kind.startswith("friction")]
    assert [each.id for each in market] == ["friction.conversion_tag:market"]
    assert len(market[0].accounts) == 4
    own = advise(view, state, account="stuck-1").recommendations
    mend = next(each for each in own if each.kind == "friction.conversion_tag")
    assert mend.id == "friction.conversion_tag:stuck-1"
    assert "every day open costs about $" in mend.when
    assert mend.where == "stuck-1 · implement, day 5"


def test_a_dismissed_one_stays_away_also_after_a_restart(facts, state, tmp_path):
    view = view_of(facts)
    first = advise(view, state).recommendations[0]
    decide(state, OWNER, first.id, "dismiss", "We tried", now=micros(NOW))
    assert first.id not in {each.id for each in advise(view, state).recommendations}
    state.close()
    again = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: micros(NOW) + 400 * DAY)
    later = replace(view, now=view.now + 2 * DAY)
    assert first.id not in {each.id for each in advise(later, again).recommendations}
    assert advise(later, again).decided >= 1
    again.close()


def test_later_comes_back_and_accepted_rests_for_28_days(facts, state):
    view = view_of(facts)
    one, two = advise(view, state).recommendations[:2]
    decide(state, OWNER, one.id, "later", now=view.now, until_time=view.now + DAY)
    decide(state, OWNER, two.id, "accept", now=view.now - 28 * DAY)
    ids = {each.id for each in advise(view, state).recommendations}
    assert one.id not in ids
    assert two.id in ids
    soon = replace(view, now=view.now + DAY)
    assert one.id in {each.id for each in advise(soon, state, most=5).recommendations}


def test_what_is_decided_for_an_account_and_for_its_group_does_not_contradict(facts, state):
    view = view_of(facts)
    kind = "friction.conversion_tag"
    decide(state, OWNER, f"{kind}:stuck-2", "dismiss", now=view.now)
    group = next(e for e in advise(view, state).recommendations if e.kind == kind)
    assert group.accounts == ("stuck-3", "stuck-1", "stuck-0")
    decide(state, OWNER, group.id, "accept", now=view.now, detail=group.to_json())
    for account in ("stuck-1", "stuck-2"):
        kinds = {each.kind for each in advise(view, state, account=account).recommendations}
        assert kind not in kinds


def test_a_decision_is_audited_without_its_reason(state):
    now = micros(NOW)
    decide(state, OWNER, "contact.lapsed:a1", "dismiss", "Lena said no", now=now)
    row = state.rows(tables.audit.select())[-1]
    assert (row["action"], row["subject"]) == ("advice.dismiss", "contact.lapsed:a1")
    assert "Lena" not in row["detail"]
    assert decisions(state)[0].reason == "Lena said no"


def test_the_last_decision_counts(facts, state):
    view = view_of(facts)
    first = advise(view, state).recommendations[0]
    decide(state, OWNER, first.id, "dismiss", now=view.now)
    decide(state, OWNER, first.id, "later", now=view.now, until_time=view.now + 1)
    soon = replace(view, now=view.now + 2)
    assert first.id in {each.id for each in advise(soon, state).recommendations}


@pytest.mark.parametrize(
    ("verdict", "recommendation"), [("maybe", "a:b"), ("accept", "nothing"), ("accept", "a:")]
)
def test_what_is_no_decision_is_refused(state, verdict, recommendation):
    with pytest.raises(BadInput):
        decide(state, OWNER, recommendation, verdict, now=micros(NOW))


def test_a_viewer_may_not_decide(state):
    with pytest.raises(NotAllowed):
        decide(state, Asker("Vera", "viewer"), "a:b", "accept", now=micros(NOW))
    assert decisions(state) == ()


def test_an_account_without_evidence_says_so(facts, state):
    put_once = view_of(facts)
    helped = next(
        each
        for each in ("acc-000", "acc-001", "acc-002", "acc-003", "acc-004", "acc-005", "acc-006")
        if len(advise(put_once, state, account=each).recommendations) < 3
    )
    found = advise(put_once, state, account=helped)
    assert "for this account" in found.note
    assert found.refused
    assert json.loads(json.dumps(found.to_json()))["note"] == found.note


def test_an_unknown_account_says_what_is_near(facts, state):
    with pytest.raises(NotFound, match="Did you mean `acc-001`"):
        advise(view_of(facts), state, account="acc001")


def test_an_empty_workspace_gets_no_advice_and_the_reason(state):
    facts = empty_facts()
    found = advise(view_of(facts), state)
    assert found.recommendations == ()
    assert "not enough data" in found.note
    facts.close()


def test_amounts_keep_their_order_when_a_loss_is_turned():
    loss = Estimate(-0.2, -0.3, -0.1, 80)
    gains = [scaled(loss, -100.0), scaled(loss, -200.0)]
    assert [(g.low, g.estimate, g.high) for g in gains] == [(10.0, 20.0, 30.0), (20.0, 40.0, 60.0)]
    assert total(gains).high == 90.0


def test_a_test_keeps_its_place_among_amounts(facts, state):
    found = advise(view_of(facts), state, most=50)
    money = [each for each in found.recommendations if each.value is not None]
    many = [replace(money[0], id=f"k{n}:a{n}", kind=f"k{n}", accounts=(f"a{n}",)) for n in range(8)]
    test = replace(money[0], id="experiment.roll_out:x", kind="t", grade=4, value=None, accounts=())
    picked = chosen([*many, test])
    assert len(picked) == 5
    assert picked[-1].id == test.id
