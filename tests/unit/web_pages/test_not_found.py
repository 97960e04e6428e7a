"""What is not there is said to be not there."""

import pytest

from readers import Reader
from worlds import World, track


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("none") / "w")
    found.send(track("ad_viewed", id="1", user="u1", campaign_id="cmp-7"))
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def owner(world):
    return Reader(world, "analyst")


@pytest.fixture
def later(world, owner):
    world.clock.now += 90 * 86_400 * 1_000_000
    return Reader(world, "viewer")


def test_a_campaign_nobody_saw_has_no_page(owner):
    answer = owner.get("/live/cmp-8")
    assert answer.status_code == 404
    assert "Did you mean <code>cmp-7</code>?" in answer.text


def test_the_style_guide_is_shown_in_a_made_up_world_alone(world, owner):
    assert owner.get("/style").status_code == 404
    (world.folder / "demo").mkdir()
    assert owner.get("/style").status_code == 200


def test_a_campaign_that_was_seen_long_ago_has_one(later):
    assert later.get("/live/cmp-7").status_code == 200
