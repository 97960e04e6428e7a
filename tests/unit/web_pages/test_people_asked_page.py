"""The page of what people asked for."""

import pytest

from onefold.model.records import OWNER
from onefold.runtime import call
from readers import Reader
from worlds import World, track


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "w")
    made.send(track("pin_saved", id="1", user="anna-77", agreed=False))
    made.fold()
    yield made
    made.close()


def test_the_register_says_what_is_overdue_and_names_nobody(world):
    page = Reader(world, "owner").get("/govern/requests")
    assert "Nobody has asked" in page.text
    asked = {"id": "anna-77", "kind": "export", "received": "2025-01-01", "days": 10}
    call(world.workspace, OWNER, "person request", asked)
    page = Reader(world, "owner").get("/govern/requests")
    assert "overdue" in page.text
    assert "anna-77" not in page.text


def test_only_owners_see_the_register(world):
    assert Reader(world, "analyst").get("/govern/requests").status_code == 403
