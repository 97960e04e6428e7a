"""Users by calls: their roles, who is shut out, and who may say so."""

import pytest

from onefold.governance import people, trail
from onefold.model.errors import BadInput, Conflict, NotAllowed, NotFound
from onefold.model.records import OWNER, ROLES, Asker
from onefold.runtime import call
from worlds import World


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "w")
    call(made.workspace, OWNER, "user add", {"name": "Vera", "role": "viewer"})
    yield made
    made.close()


def test_a_role_is_changed_and_stands_in_the_trail(world):
    state = world.workspace.state
    said = call(world.workspace, OWNER, "user set", {"name": "Vera", "role": "analyst"}).body
    assert said == {"name": "Vera", "role": "analyst", "shut_out": False}
    assert people.user_named(state, "Vera").role == "analyst"
    (entry,) = trail(state, action="user.role")
    assert (entry.actor, entry.subject) == (OWNER.name, "Vera")


def test_who_is_shut_out_loses_the_sessions_and_may_come_again(world):
    state, now = world.workspace.state, world.clock()
    path = call(world.workspace, OWNER, "user link", {"name": "Vera"}).body["path"]
    people.open_link(state, path.rpartition("/")[2], now=now)
    out = call(world.workspace, OWNER, "user set", {"name": "Vera", "out": True}).body
    assert out["shut_out"]
    assert people.user_named(state, "Vera").disabled
    back = call(world.workspace, OWNER, "user set", {"name": "Vera", "out": False}).body
    assert not back["shut_out"]
    assert len(trail(state, action="user.")) >= 4


def test_what_cannot_be_set_is_refused(world):
    with pytest.raises(BadInput, match="Nothing is to be changed"):
        call(world.workspace, OWNER, "user set", {"name": "Vera"})
    with pytest.raises(BadInput):
        call(world.workspace, OWNER, "user set", {"name": "Vera", "role": "king"})
    with pytest.raises(NotFound):
        call(world.workspace, OWNER, "user set", {"name": "Nobody", "role": "viewer"})
    owners = [user.name for user in people.users(world.workspace.state) if user.role == "owner"]
    with pytest.raises(Conflict):
        call(world.workspace, OWNER, "user set", {"name": owners[0], "out": True})


@pytest.mark.parametrize("role", [role for role in ROLES if role != "owner"])
def test_nobody_raises_a_role_but_an_owner(world, role):
    vera = Asker("Vera", role)
    with pytest.raises(NotAllowed):
        call(world.workspace, vera, "user set", {"name": "Vera", "role": "owner"})
    with pytest.raises(NotAllowed):
        call(world.workspace, vera, "user add", {"name": "Other", "role": "owner"})
    assert people.user_named(world.workspace.state, "Vera").role == "viewer"
