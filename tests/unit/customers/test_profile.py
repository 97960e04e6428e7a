"""One customer, whole."""

import pytest

from onefold.customers import account, find_customer, list_customers, person, standings
from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import Asker, Question
from onefold.model.time import DAY
from onefold.store import Vault
from small_market import (
    KEY,
    NOW,
    days_ago,
    empty_facts,
    key,
    micros,
    put,
    spend_rows,
    told_account,
    view_of,
)

pytestmark = pytest.mark.long

VIEWER = Question(Asker("Vera", "viewer"))
ANALYST = Question(Asker("Ana", "analyst"))


@pytest.fixture
def facts():
    made = empty_facts()
    told_account(made)
    yield made
    made.close()


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path / "vault.sqlite")
    user, anonymous = key("user_id", "u1"), key("anonymous_id", "anon-1")
    made.remember(
        [(user, "user_id", "u1"), (anonymous, "anonymous_id", "anon-1")],
        [(user, "name", "Lena Brandt", 1), (user, "email", "l@x.org", 1)],
    )
    yield made
    made.close()


def test_an_account_is_shown_by_its_exact_name_too(facts, vault):
    by_id = account(view_of(facts), vault, "hollis")
    assert account(view_of(facts), vault, by_id.name.upper()).id == "hollis"
    with pytest.raises(NotFound):
        account(view_of(facts), vault, by_id.name[:4])


def test_an_account_s_timeline_begins_with_an_anonymous_touch_before_it_was_made(facts, vault):
    found = account(view_of(facts), vault, "hollis")
    first = found.timeline[-1]
    assert first.kind == "first_seen"
    assert found.first_time == first.time == micros(NOW) - 80 * DAY
    assert found.created_time == micros(NOW) - 50 * DAY
    assert "30 days before the account was made" in first.quiet
    assert [each.time for each in found.timeline] == sorted(
        (each.time for each in found.timeline), reverse=True
    )
    kinds = {each.kind for each in found.timeline}
    assert kinds >= {
        "first_seen",
        "created",
        "membership",
        "first_spend",
        "milestone",
        "ticket",
        "closed",
        "service",
        "interaction",
    }


def test_spend_stands_apart_by_currency_and_only_whole_days_count(facts, vault):
    found = account(view_of(facts), vault, "hollis")
    levels = {each.currency: each for each in found.levels}
    assert levels["USD"].total == 6_800_000_000
    assert levels["USD"].now == 5_600_000_000
    assert levels["USD"].former == 1_200_000_000
    assert levels["EUR"].total == 7_000_000
    assert levels["USD"].change == pytest.approx(5.6 / 1.2 - 1)


def test_issues_say_who_waits_and_for_how_long(facts, vault):
    first, second = account(view_of(facts), vault, "hollis").issues
    assert (first.ticket_id, first.waits_on, round(first.days)) == ("4471", "us", 4)
    assert not second.is_open
    assert round(second.days) == 20


def test_as_of_an_earlier_time_nothing_later_is_known(facts, vault):
    time = micros(NOW) - 15 * DAY
    found = account(view_of(facts, Question(Asker("x", "owner"), as_of_time=time)), vault, "hollis")
    assert all(each.time <= time for each in found.timeline)
    assert [each.ticket_id for each in found.issues] == ["4312"]
    assert found.issues[0].is_open
    assert found.issues[0].waits_on == "none"
    assert max(each.day for each in found.spend) <= days_ago(15).date()


def test_contacts_are_named_only_for_those_who_may_see_them(facts, vault):
    names = {
        role: account(view_of(facts, Question(Asker("x", role))), vault, "hollis").contacts[0].name
        for role in ("owner", "analyst", "viewer")
    }
    assert names["owner"] == "Lena Brandt"
    assert names["analyst"].startswith("Person ")
    assert names["viewer"] == "A contact"


def test_a_person_has_the_anonymous_history_from_before_the_sign_up(facts, vault):
    found = person(view_of(facts), vault, key("user_id", "u1"))
    assert found.name == "Lena Brandt"
    assert dict(found.personal)["email"] == "l@x.org"
    assert found.first_time == micros(NOW) - 80 * DAY
    assert [each.kind for each in found.identifiers] == ["user_id", "anonymous_id"]
    kinds = [each.kind for each in found.timeline]
    assert kinds[-1] == "first_seen"
    assert {"sign_up", "join", "session", "saves"} <= set(kinds)
    assert found.visits.sessions == 3
    assert found.visits.saves == 2
    assert found.contacts[0].name == "Hollis & Wren"


def test_any_identifier_s_number_finds_the_person(facts, vault):
    view = view_of(facts)
    assert person(view, vault, str(key("anonymous_id", "anon-1"))).id == str(key("user_id", "u1"))


def test_a_viewer_sees_no_single_person(facts, vault):
    with pytest.raises(NotAllowed):
        person(view_of(facts, VIEWER), vault, key("user_id", "u1"))
    assert list_customers(view_of(facts, VIEWER)).persons == ()


def test_an_analyst_sees_the_person_but_nothing_personal(facts, vault):
    found = person(view_of(facts, ANALYST), vault, key("user_id", "u1"))
    assert found.personal == ()
    assert found.hidden
    assert all(each.value is None for each in found.identifiers)


@pytest.mark.parametrize(
    "text",
    ["user_id:u1", "u1", "anonymous_id:anon-1", "anon-1", str(key("user_id", "u1")), "Lena", "l@x"],
)
def test_a_person_is_found_by_whatever_is_known_of_it(facts, vault, text):
    found = find_customer(view_of(facts), vault, text, identity_key=KEY)
    assert (found.kind, found.id) == ("person", str(key("user_id", "u1")))


@pytest.mark.parametrize("text", ["hollis", "account:hollis", "Hollis & Wren", "holl"])
def test_an_account_is_found_by_id_or_the_beginning_of_its_name(facts, vault, text):
    assert find_customer(view_of(facts), vault, text, identity_key=KEY).id == "hollis"


def test_what_is_not_there_says_what_is_near(facts, vault):
    view = view_of(facts)
    for ask in (
        lambda: find_customer(view, vault, "holis", identity_key=KEY),
        lambda: account(view, vault, "holis"),
    ):
        with pytest.raises(NotFound, match="Did you mean `hollis`"):
            ask()
    with pytest.raises(NotFound):
        person(view, vault, "12345")
    with pytest.raises(NotFound):
        person(view, vault, "nonsense")


def test_several_of_one_beginning_are_told_apart(facts, vault):
    put(facts, "accounts", [{"account_id": "h2", "name": "Hollis Outdoor"}])
    with pytest.raises(BadInput, match="2 customers begin"):
        find_customer(view_of(facts), vault, "Hollis", identity_key=KEY)


def test_the_list_pages_searches_and_orders(facts):
    put(
        facts,
        "accounts",
        [{"account_id": f"a{i}", "name": f"Shop {i}", "industry": "food"} for i in range(7)],
    )
    for i in range(5):
        put(facts, "spend", spend_rows(f"a{i}", [10.0 + i] * 60))
    view = view_of(facts)
    page = list_customers(view, size=3)
    assert [each.account_id for each in page.accounts] == ["hollis", "a4", "a3"]
    assert page.total == 8
    assert [e.account_id for e in list_customers(view, size=3, page=3).accounts] == ["a5", "a6"]
    assert list_customers(view, search="food").total == 7
    assert list_customers(view, order="issues").accounts[0].account_id == "hollis"
    assert list_customers(view, order="name").accounts[0].name == "Hollis & Wren"
    dollars = page.markets[0]
    assert dollars.currency == "USD"
    assert dollars.change.low <= dollars.change.estimate <= dollars.change.high
    assert page.persons_total == 1
    assert page.persons[0].person_id == key("user_id", "u1")


def test_persons_are_named_in_the_list_for_those_who_may_see_it(facts, vault):
    assert list_customers(view_of(facts), vault).persons[0].name == "Lena Brandt"
    for name in (
        list_customers(view_of(facts, ANALYST), vault).persons[0].name,
        list_customers(view_of(facts)).persons[0].name,
    ):
        assert name.startswith("Person ")


def test_a_bad_order_or_page_is_refused(facts):
    view = view_of(facts)
    with pytest.raises(BadInput, match="Did you mean `spend`"):
        list_customers(view, order="spent")
    with pytest.raises(BadInput):
        list_customers(view, page=0)


def test_phases_follow_from_spend_and_issues(facts):
    put(facts, "spend", spend_rows("new", [5.0] * 4))
    put(facts, "spend", spend_rows("old", [5.0] * 70))
    put(
        facts,
        "spend",
        [r for r in spend_rows("gone", [5.0] * 70) if r["spend_date"] < days_ago(40).date()],
    )
    put(facts, "accounts", [{"account_id": "never", "name": "Never", "created_time": days_ago(3)}])
    phases = {each.account_id: each.phase.name for each in standings(view_of(facts))}
    assert phases == {
        "hollis": "implement",
        "new": "implement",
        "old": "optimize",
        "gone": "plan",
        "never": "plan",
    }


def test_everything_is_plain_json(facts, vault):
    import json

    view = view_of(facts)
    for each in (
        account(view, vault, "hollis"),
        person(view, vault, key("user_id", "u1")),
        list_customers(view),
        find_customer(view, vault, "u1", identity_key=KEY),
    ):
        assert json.loads(json.dumps(each.to_json()))
