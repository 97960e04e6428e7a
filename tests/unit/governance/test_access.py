"""Who may do what."""

import pytest

from onefold.governance import may, require
from onefold.governance.access import ACTIONS
from onefold.model.errors import NotAllowed
from onefold.model.records import ROLES, Asker


def test_an_owner_may_everything_and_a_viewer_only_ask() -> None:
    assert all(may(Asker("o", "owner"), action) for action in ACTIONS)
    assert [a for a in ACTIONS if may(Asker("v", "viewer"), a)] == ["ask"]


def test_a_key_may_only_what_its_scopes_open() -> None:
    key = Asker("key:ci", "owner", scopes=("read",))
    assert may(key, "ask")
    assert not may(key, "see_persons")
    assert not may(key, "settings")


def test_a_refusal_says_who_may() -> None:
    with pytest.raises(NotAllowed, match="may not see persons") as refused:
        require(Asker("Vic", "viewer"), "see_persons")
    assert "owner" in refused.value.fix


def test_an_unknown_role_may_nothing() -> None:
    assert not any(may(Asker("x", "nobody"), action) for action in ACTIONS)
    assert "nobody" not in ROLES
