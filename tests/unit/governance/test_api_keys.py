"""Keys of programs."""

from hmac import compare_digest

import pytest

from onefold.governance import api_keys, keys, may, store
from onefold.governance.api_keys import add_api_key, api_key_of
from onefold.governance.sign_in import hash_of
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


def test_a_key_opens_nothing_from_its_end_on(state):
    with pytest.raises(BadInput):
        add_api_key(state, "late", ("read",), asker=OWNER, now=NOW, expires_time=NOW)
    secret = add_api_key(state, "r", ("read",), asker=OWNER, now=NOW, expires_time=NOW + 10)
    assert api_key_of(state, secret, now=NOW + 9) is not None
    assert api_key_of(state, secret, now=NOW + 10) is None
    assert keys.api_keys(state)[0].standing(NOW + 10) == "expired"


def test_how_long_a_check_takes_says_nothing_of_a_guess(state, monkeypatch):
    """What the engine compares is a hash of the guess, and the last word is a constant-time one."""
    secret = add_api_key(state, "r", ("read",), asker=OWNER, now=NOW)
    asked, compared = [], []
    found = store.key_by_hash
    monkeypatch.setattr(store, "key_by_hash", lambda s, h: (asked.append(h), found(s, h))[1])
    monkeypatch.setattr(
        api_keys, "compare_digest", lambda a, b: (compared.append((a, b)), compare_digest(a, b))[1]
    )
    guesses = [secret[:-1] + "x", secret[:20], "of_", "x" * 400, secret]
    told = [api_key_of(state, guess, now=NOW) is not None for guess in guesses]
    assert told == [False, False, False, False, True]
    assert len(compared) == len(guesses)
    assert not any(guess[3:] and guess[3:] in text for guess in guesses for text in asked)
    near, far = (hash_of(guess) for guess in guesses[:2])
    assert sum(a == b for a, b in zip(near, hash_of(secret), strict=True)) < 20
    assert len(near) == len(far) == 64


@pytest.mark.parametrize("guess", ["' OR 1=1 --", "\x00", "of_\ud800", "%", "x" * 100_000])
def test_a_guess_that_is_none_is_unknown(state, guess):
    add_api_key(state, "r", ("read",), asker=OWNER, now=NOW)
    assert api_key_of(state, guess, now=NOW) is None
