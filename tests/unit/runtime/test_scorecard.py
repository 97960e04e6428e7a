"""The vendor scorecard: this workspace passes it, and a harmed one does not."""

import pytest

from onefold.model.records import OWNER
from onefold.runtime import call
from onefold.runtime.scorecard import AREAS, CRITERIA
from onefold.store import tables
from worlds import World, track

pytestmark = pytest.mark.long


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    found.send(track("pin_saved", id="1", user="u1"))
    found.fold()
    found.workspace.tidy()
    yield found
    found.close()


def verdicts(world):
    rows = call(world.workspace, OWNER, "scorecard", {}).body["rows"]
    return {row[1]: (row[2], row[3]) for row in rows}


def test_a_workspace_passes_every_check_of_its_own_form(world):
    found = call(world.workspace, OWNER, "scorecard", {})
    assert found.good
    assert {row[0] for row in found.body["rows"]} == set(AREAS)
    assert sum(one.check is not None for one in CRITERIA) >= 14
    assert all(row[3] for row in found.body["rows"])


def test_a_trail_that_is_cut_after_the_form_was_read_fails_it_at_once(world):
    assert call(world.workspace, OWNER, "scorecard", {}).good
    reads = call(world.workspace, OWNER, "audit verify", {"new": True}).body
    assert reads["read_from"] > 1
    world.workspace.state.touch(tables.audit.delete().where(tables.audit.c.id > 2))
    assert not call(world.workspace, OWNER, "scorecard", {}).good


def test_a_trail_that_was_cut_fails_it(world):
    world.workspace.state.touch(tables.audit.delete().where(tables.audit.c.id > 2))
    found = call(world.workspace, OWNER, "scorecard", {})
    assert not found.good
    told = verdicts(world)["Can a changed, moved or removed entry of the trail be found?"]
    assert told[0] == "fails here"


def test_a_vault_that_others_may_read_fails_it(world):
    (world.folder / "vault.sqlite").chmod(0o644)
    assert not call(world.workspace, OWNER, "scorecard", {}).good


def test_the_form_is_empty_for_another_vendor(world):
    form = call(world.workspace, OWNER, "scorecard", {"empty": True}).body["rows"]
    assert len(form) == len(CRITERIA)
    assert not any(row[2] or row[3] for row in form)
