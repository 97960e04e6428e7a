"""How long what is kept is a rule of consent: other days hold once they were applied and signed."""

import re

import pytest

from onefold.governance import approvals, people
from onefold.model.errors import NotAllowed
from onefold.model.records import OWNER
from onefold.model.time import DAY
from onefold.runtime import Workspace, call
from onefold.runtime.registry import asker_named
from worlds import World, track


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "kept")
    made.send(track("x", id="m1", user="ann"))
    made.fold()
    yield made
    made.close()


def written(world: World, days: str) -> None:
    """Write days into the settings and open the workspace again, as a server would."""
    settings = world.folder / "onefold.toml"
    said = re.sub(r"\[retention\]\n(?:\w+ = \d+\n)*", "[retention]\n", settings.read_text())
    settings.write_text(said.replace("[retention]\n", f"[retention]\n{days}"))
    world.close()
    world.workspace = Workspace(world.folder, world.clock)


def ask(world: World, user: str, name: str, **params: object) -> dict:
    return call(world.workspace, asker_named(world.workspace, user), name, params).body


def seen(world: World) -> int:
    return len(world.rows(world.view().events))


def watch(world: World) -> None:
    for name in ("Olga", "Otto"):
        people.add_user(world.workspace.state, name, "owner", asker=OWNER, now=world.clock())
    approvals.need(world.workspace.state, "consent_policy", ("legal",), four_eyes=True, asker=OWNER)


def test_days_hold_at_once_where_nothing_was_ever_applied(world):
    world.clock.now += 40 * DAY
    assert seen(world) == 1
    written(world, "analytics = 30\n")
    assert seen(world) == 0


def test_other_days_hold_once_they_are_applied(world):
    written(world, "analytics = 60\n")
    world.workspace.apply_definitions()
    world.clock.now += 40 * DAY
    written(world, "analytics = 30\n")
    assert seen(world) == 1
    world.workspace.apply_definitions()
    assert seen(world) == 0


def test_days_wait_for_who_signs_rules_of_consent(world):
    watch(world)
    written(world, "analytics = 30\ntickets = 90\n")
    world.clock.now += 40 * DAY
    assert seen(world) == 1
    assert call(world.workspace, OWNER, "expiry enforce", {}).body["rows"] == [["events", 0]]
    with pytest.raises(NotAllowed) as refused:
        ask(world, "Olga", "apply")
    draft = int(re.search(r"approval sign (\d+)", refused.value.fix)[1])
    found = approvals.draft_of(world.workspace.state, draft)
    assert found.kind == "consent_policy"
    assert found.detail == ("onefold.toml is changed in [retention].",)
    assert seen(world) == 1
    ask(world, "Otto", "approval sign", draft=draft)
    written(world, "analytics = 10\n")
    with pytest.raises(NotAllowed):
        ask(world, "Olga", "apply")
    written(world, "analytics = 30\ntickets = 90\n")
    ask(world, "Olga", "apply")
    assert seen(world) == 0
    shown = call(world.workspace, OWNER, "expiry show", {}).body["rows"]
    assert {row[0] or row[3]: row[1] for row in shown if row[1]} == {
        "analytics": 30,
        "tickets": 90,
    }
