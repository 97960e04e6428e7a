"""Users, links and passwords, without a browser."""

import pytest
from argon2 import PasswordHasher

from onefold.governance import add_user, people, sign_in, verify
from onefold.governance.api_keys import add_api_key
from onefold.governance.sign_in import sign_in_link
from onefold.model.errors import BadInput, Conflict, NotFound, NotSignedIn
from onefold.model.records import OWNER
from onefold.store import State

NOW = 1_795_423_320_000_000


@pytest.fixture
def state(tmp_path, monkeypatch):
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(sign_in, "_hasher", lambda: hasher)
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: NOW)
    add_user(made, "Ines", "owner", asker=OWNER, now=NOW)
    yield made
    made.close()


def test_a_name_is_there_once_and_a_role_is_one_of_four(state):
    with pytest.raises(Conflict):
        add_user(state, " Ines ", "viewer", asker=OWNER, now=NOW)
    with pytest.raises(BadInput, match="No role `king`"):
        add_user(state, "Vera", "king", asker=OWNER, now=NOW)
    with pytest.raises(BadInput):
        add_user(state, "  ", "viewer", asker=OWNER, now=NOW)
    with pytest.raises(Conflict, match="`Ines`"):
        add_user(state, "INES", "viewer", asker=OWNER, now=NOW)
    with pytest.raises(NotFound):
        people.user_named(state, "Vera")


def test_somebody_without_a_password_cannot_come_in_by_one(state):
    with pytest.raises(NotSignedIn):
        people.sign_in(state, "Ines", "", now=NOW)


def test_whoever_is_shut_out_has_no_way_in(state):
    add_user(state, "Vera", "viewer", asker=OWNER, now=NOW)
    people.choose_password(state, "Vera", "ten letters long", asker=OWNER)
    link = sign_in_link(state, "Vera", asker=OWNER, now=NOW).rsplit("/", 1)[1]
    people.set_disabled(state, "Vera", disabled=True, asker=OWNER)
    with pytest.raises(NotSignedIn):
        people.sign_in(state, "Vera", "ten letters long", now=NOW)
    with pytest.raises(NotSignedIn):
        people.open_link(state, link, now=NOW)


def test_the_last_owner_can_be_neither_shut_out_nor_lowered(state):
    with pytest.raises(Conflict, match="last owner"):
        people.set_disabled(state, "Ines", disabled=True, asker=OWNER)
    with pytest.raises(Conflict, match="last owner"):
        people.set_role(state, "Ines", "viewer", asker=OWNER)
    add_user(state, "Otto", "owner", asker=OWNER, now=NOW)
    people.set_role(state, "Ines", "viewer", asker=OWNER)
    assert people.user_named(state, "Ines").role == "viewer"


def test_a_weak_password_is_refused(state):
    for password in ("short", "x" * 1001):
        with pytest.raises(BadInput):
            people.choose_password(state, "Ines", password, asker=OWNER)
    add_user(state, "Maximiliana", "viewer", asker=OWNER, now=NOW)
    with pytest.raises(BadInput):
        people.choose_password(state, "Maximiliana", "maximiliana", asker=OWNER)


def test_the_trail_is_whole_after_all_of_it(state):
    sign_in_link(state, "Ines", asker=OWNER, now=NOW)
    check = verify(state)
    assert check.whole
    assert check.entries == 2


@pytest.mark.parametrize("name", ["a\0b", "a\r\nb", "\u202eanna", "Ve\u200bra"])
def test_a_name_shows_every_character_it_has(state, name):
    with pytest.raises(BadInput, match="cannot be seen"):
        add_user(state, name, "viewer", asker=OWNER, now=NOW)
    with pytest.raises(BadInput, match="cannot be seen"):
        add_api_key(state, name, ("read",), asker=OWNER, now=NOW)
    assert add_user(state, "Zoë D’Arc (shop)", "viewer", asker=OWNER, now=NOW).role == "viewer"
