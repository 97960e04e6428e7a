"""Policies: whom they bind, what they say together, and what is no policy."""

import pytest

from onefold.governance import people, policies, trail
from onefold.governance.records import Policy, Rows
from onefold.model.errors import BadInput, NotFound
from onefold.model.records import OWNER, Asker
from onefold.store import State

ANA = Asker("Ana", "analyst")


@pytest.fixture
def state(tmp_path):
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: 1_760_000_000_000_000)
    for name, role in (("Ana", "analyst"), ("Bo", "analyst"), ("Olga", "owner")):
        people.add_user(made, name, role, asker=OWNER, now=1)
    yield made
    made.close()


def put(state, name, *who, **terms):
    return policies.put_policy(state, Policy(name, who, **terms), asker=OWNER)


def test_whom_no_policy_names_sees_all(state):
    put(state, "p", "user:Bo", regions=("DE",))
    assert policies.sight_of(state, ANA).whole
    assert not policies.sight_of(state, Asker("Bo", "analyst")).whole


def test_the_command_line_is_bound_by_none(state):
    put(state, "p", "role:owner", accounts=("a1",))
    assert policies.sight_of(state, OWNER) == policies.WHOLE
    assert policies.sight_of(state, Asker("Olga", "owner")).rows == (Rows(frozenset({"a1"})),)


def test_a_key_is_bound_by_its_own_name_not_by_the_role_it_stands_for(state):
    put(state, "p", "role:owner", accounts=("a1",))
    key = Asker("key:ci", "owner", ("read",))
    assert policies.sight_of(state, key).whole
    put(state, "q", "key:ci", accounts=("a2",))
    assert policies.sight_of(state, key).rows == (Rows(frozenset({"a2"})),)


def test_rows_of_several_policies_add_up_and_classes_cut_down(state):
    put(state, "a", "user:Ana", accounts=("a1",), classes=("name", "email"))
    put(state, "b", "role:analyst", regions=("DE",), classes=("email", "phone"))
    put(state, "c", "role:analyst", classes=("email",))
    sight = policies.sight_of(state, ANA)
    assert set(sight.rows) == {Rows(frozenset({"a1"})), Rows(regions=frozenset({"de"}))}
    assert sight.classes == {"email"}


def test_a_policy_on_classes_alone_leaves_rows_as_they_are(state):
    put(state, "c", "role:analyst", classes=())
    sight = policies.sight_of(state, ANA)
    assert sight.whole
    assert sight.classes == frozenset()


def test_me_and_my_team_are_who_asks(state):
    policies.put_team(state, "north", ("Ana", "Bo"), asker=OWNER)
    put(state, "own", "user:Ana", owners=("@me",))
    put(state, "team", "team:north", owners=("@team",))
    rows = policies.sight_of(state, ANA).rows
    assert {row.owners for row in rows} == {frozenset({"ana"}), frozenset({"ana", "bo"})}
    assert policies.sight_of(state, Asker("Bo", "analyst")).rows[0].owners == {"ana", "bo"}


def test_who_is_in_no_team_sees_nothing_of_a_team(state):
    put(state, "t", "role:analyst", owners=("@team",))
    (row,) = policies.sight_of(state, ANA).rows
    assert row.owners == {"\x00"}


@pytest.mark.parametrize(
    ("who", "terms", "word"),
    [
        ((), {"regions": ("DE",)}, "binds nobody"),
        (("Ana",), {"regions": ("DE",)}, "is nobody"),
        (("role:boss",), {"regions": ("DE",)}, "No role"),
        (("user:Ana",), {}, "says nothing"),
        (("user:Ana",), {"owners": ("@them",)}, "is no owner"),
        (("user:Ana",), {"accounts": ("a\x00b",)}, "is no name"),
        (("user:Ana",), {"accounts": ("",)}, "is no name"),
        (("user:Ana",), {"campaigns": tuple(map(str, range(1001)))}, "Over 1,000"),
    ],
)
def test_what_is_no_policy_is_refused_and_kept_nowhere(state, who, terms, word):
    with pytest.raises(BadInput, match=word):
        put(state, "p", *who, **terms)
    assert policies.policies(state) == ()


def test_an_unknown_class_says_what_is_near(state):
    with pytest.raises(NotFound, match="Did you mean `email`"):
        put(state, "p", "user:Ana", classes=("emial",))


def test_every_change_stands_in_the_trail(state):
    put(state, "p", "user:Ana", regions=("DE",))
    put(state, "p", "user:Ana", regions=("FR",))
    policies.remove_policy(state, "p", asker=ANA)
    assert [(e.actor, e.action) for e in trail(state, most=3)] == [
        ("Ana", "policy.remove"),
        ("command line", "policy.set"),
        ("command line", "policy.set"),
    ]
    with pytest.raises(NotFound):
        policies.remove_policy(state, "p", asker=ANA)


def test_a_team_that_a_policy_binds_is_not_ended(state):
    policies.put_team(state, "north", ("Ana",), asker=OWNER)
    put(state, "t", "team:north", regions=("DE",))
    with pytest.raises(BadInput, match="binds the team"):
        policies.remove_team(state, "north", asker=OWNER)
    policies.remove_policy(state, "t", asker=OWNER)
    policies.remove_team(state, "north", asker=OWNER)
    assert policies.teams(state) == ()
    with pytest.raises(NotFound):
        policies.put_team(state, "north", ("Nobody",), asker=OWNER)


@pytest.mark.parametrize("name", ["command line", "Schedule", "key:ci", "@me", "user:Ana"])
def test_no_user_takes_a_name_that_stands_for_more(state, name):
    with pytest.raises(BadInput):
        people.add_user(state, name, "owner", asker=OWNER, now=1)


def test_a_class_is_told_by_the_name_of_a_field():
    told = {f: policies.class_of(f) for f in ("email", "Phone Number", "ip", "user_agent", "dob")}
    assert list(told.values()) == ["email", "phone", "network", "network", "birth"]
    assert policies.class_of("shipping.streetAddress") == "address"
    assert policies.class_of("anonymous_id") == "identifier"


@pytest.mark.parametrize("who", ["user:Anna", "team:nroth"])
def test_a_policy_of_nobody_who_is_here_is_refused(state, who):
    with pytest.raises(NotFound):
        put(state, "p", who, regions=("DE",))


def test_a_key_may_be_bound_before_it_is_made(state):
    put(state, "p", "key:partner", campaigns=("c1",))
    assert not policies.sight_of(state, Asker("key:partner", "owner", ("read",))).whole


def test_who_leaves_a_team_does_not_see_more_by_it(state):
    policies.put_team(state, "north", ("Ana", "Bo"), asker=OWNER)
    put(state, "t", "team:north", regions=("DE",))
    with pytest.raises(BadInput, match="Ana would see every row"):
        policies.put_team(state, "north", ("Bo",), asker=OWNER)
    assert not policies.sight_of(state, ANA).whole
    put(state, "all", "role:analyst", regions=("AT",))
    policies.put_team(state, "north", ("Bo",), asker=OWNER)
    assert policies.sight_of(state, ANA).rows == (Rows(regions=frozenset({"at"})),)
