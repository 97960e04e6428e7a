"""Who is who: anonymous history joins the person, shared devices join nobody."""

import pytest

from worlds import World, track


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def persons(world: World) -> dict[str, int]:
    """Return identifier in words -> its person."""
    rows = world.raw("identifiers")
    names = world.workspace.vault.names(row["key"] for row in rows)
    return {names[row["key"]].value: row["person_id"] for row in rows}


def test_anonymous_history_joins_the_person_at_identify(world) -> None:
    world.send(track("pin_opened", id="1", anonymous="a1"))
    world.fold()
    world.send({"type": "identify", "messageId": "2", "userId": "u1", "anonymousId": "a1"})
    world.fold()
    found = persons(world)
    assert found["a1"] == found["u1"]
    assert {row["person_id"] for row in world.rows(world.view().person_events)} == {found["u1"]}


def test_two_devices_are_one_person(world) -> None:
    world.send(
        track("x", id="1", anonymous="a1", user="u1"),
        track("x", id="2", anonymous="a2", user="u1"),
    )
    world.fold()
    assert len(set(persons(world).values())) == 1


def test_a_device_of_two_people_belongs_to_neither(world) -> None:
    world.send(track("x", id="1", anonymous="a1", user="u1"))
    world.fold()
    world.send(track("x", id="2", anonymous="a1", user="u2"))
    world.fold()
    assert len(set(persons(world).values())) == 3


def test_an_alias_between_them_makes_a_shared_device_theirs(world) -> None:
    world.send(track("x", id="1", anonymous="a1", user="u1"))
    world.send(track("x", id="2", anonymous="a1", user="u2"))
    world.fold()
    world.send({"type": "alias", "messageId": "3", "userId": "u2", "previousId": "u1"})
    world.fold()
    assert len(set(persons(world).values())) == 1


def test_an_alias_told_before_its_former_id_is_seen_still_counts(world) -> None:
    world.send({"type": "alias", "messageId": "1", "userId": "u2", "previousId": "u1"})
    world.fold()
    world.send(track("x", id="2", user="u1"))
    world.fold()
    found = persons(world)
    assert found["u1"] == found["u2"]


def test_a_chain_of_shared_devices_makes_no_giant(world) -> None:
    for place in range(30):
        world.send(
            track("x", id=f"l{place}", anonymous=f"a{place}", user=f"u{place}"),
            track("x", id=f"r{place}", anonymous=f"a{place}", user=f"u{place + 1}"),
        )
    world.fold()
    assert len(set(persons(world).values())) == 61


def test_group_gives_membership_since_its_first_time(world) -> None:
    world.send({"type": "group", "messageId": "1", "userId": "u1", "groupId": "acc", "traits": {}})
    world.send({"type": "group", "messageId": "2", "userId": "u1", "groupId": "acc", "traits": {}})
    world.fold()
    assert [row["account_id"] for row in world.raw("memberships")] == ["acc"]
