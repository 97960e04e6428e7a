"""The page of what leaves the house: what stands where, and what each join protects from."""

import re

import pytest

from onefold.collect import sources
from onefold.model.records import OWNER
from onefold.runtime import call
from onefold.sharing import transfers
from readers import Reader
from receivers import event
from worlds import World

pytestmark = pytest.mark.long


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    sources.set_source(found.workspace.state, OWNER, "app", region="eu")
    found.send(event("pin_saved", "m1", "ann"))
    found.fold()
    yield found
    found.close()


PAGE = "/data/sharing"


def press(reader, what, form):
    return reader.post(f"{PAGE}/{what}", form, from_page=PAGE)


def add(world, name, **more):
    given = {"kind": "files", "purpose": "sharing", "region": "eu", "basis": "b"} | more
    call(world.workspace, OWNER, "destination add", {"name": name, **given})


def test_a_house_that_nothing_leaves(world):
    reader = Reader(world, "analyst")
    text = reader.get("/data/sharing").text
    assert "Nothing leaves this house." in text
    assert "It does not protect from" in text
    assert 'href="/data/sharing"' in reader.get("/data").text


def test_what_stands_where_and_what_is_wrong(world):
    add(world, "here")
    add(world, "there", region="us", basis="<b>=1+1</b>")
    reader = Reader(world, "owner")
    press(reader, "act", {"name": "here", "what": "run"})
    press(reader, "act", {"name": "there", "what": "run"})
    text = reader.get("/data/sharing").text
    assert "1 of 2 destinations" in re.sub(r"<[^>]+>|\xa0", " ", text).replace("  ", " ")
    assert "from region eu to us" in text
    assert "<b>=1+1" not in text


def test_a_basis_is_registered_on_the_page(world):
    reader = Reader(world, "owner")
    given = {"from_region": "eu", "to_region": "us", "basis": "scc", "note": "signed"}
    press(reader, "register", given)
    assert transfers.listed(world.workspace.state).rows[0][1:4] == ("eu", "us", "scc")
    assert "eu to us" in reader.get("/data/sharing").text
    press(reader, "register", given | {"until": "2001-01-01"})
    assert len(transfers.listed(world.workspace.state).rows) == 1


def test_who_may_not_change_anything_sees_no_form(world):
    add(world, "here")
    text = Reader(world, "viewer").get("/data/sharing").text
    assert "here" in text
    assert "/data/sharing/act" not in text
    answer = press(Reader(world, "analyst"), "act", {"name": "here", "what": "empty"})
    assert answer.status_code == 403
