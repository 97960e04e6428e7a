"""Keys of programs."""

import pytest

from onefold.governance import keys, may
from onefold.governance.api_keys import add_api_key, api_key_of
from onefold.model.errors import BadInput, Conflict, NotFound
from onefold.model.records import OWNER
from onefold.store import State

NOW = 1_795_423_320_000_000


@pytest.fixture
def state(tmp_path):
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: NOW)
    yield made
    made.close()


def test_a_key_may_do_what_its_scopes_open_and_no_more(state):
    asker = api_key_of(state, add_api_key(state, "r", ("read",), asker=OWNER, now=NOW), now=NOW)
    assert may(asker, "ask")
    assert not may(asker, "see_persons")
    assert not may(asker, "settings")
    widest = add_api_key(state, "a", ("admin",), asker=OWNER, now=NOW)
    assert may(api_key_of(state, widest, now=NOW), "settings")


@pytest.mark.parametrize("scopes", [(), ("read", "fly")])
def test_a_key_needs_known_scopes(state, scopes):
    with pytest.raises(BadInput):
        add_api_key(state, "x", scopes, asker=OWNER, now=NOW)


def test_an_unknown_or_revoked_key_opens_nothing(state):
    secret = add_api_key(state, "r", ("read",), asker=OWNER, now=NOW)
    assert api_key_of(state, secret + "x", now=NOW) is None
    assert api_key_of(state, "", now=NOW) is None
    keys.revoke_api_key(state, "r", asker=OWNER, now=NOW)
    assert api_key_of(state, secret, now=NOW) is None
    with pytest.raises(NotFound):
        keys.revoke_api_key(state, "r", asker=OWNER, now=NOW)


def test_a_name_is_taken_once(state):
    add_api_key(state, "r", ("read",), asker=OWNER, now=NOW)
    with pytest.raises(Conflict):
        add_api_key(state, "r", ("read",), asker=OWNER, now=NOW)


def test_use_is_remembered_to_the_hour(state):
    secret = add_api_key(state, "r", ("read",), asker=OWNER, now=NOW)
    api_key_of(state, secret, now=NOW + 1)
    api_key_of(state, secret, now=NOW + 2)
    assert keys.api_keys(state)[0].last_used_time == NOW + 1


def test_the_key_itself_is_not_kept(state, tmp_path):
    secret = add_api_key(state, "r", ("read",), asker=OWNER, now=NOW)
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("state.sqlite*"))
    assert secret.encode() not in kept
