"""Who belongs to which account, over time."""

import random

import pytest

from onefold import customers
from onefold.model.time import DAY
from onefold.runtime import rebuild
from worlds import AGREED, SECOND, START, World, iso, track

pytestmark = pytest.mark.long

HOUR = 3600


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def group(account, *, id, at, user="u1", anonymous=None, **more):  # noqa: A002 - as in worlds
    call = {"type": "group", "messageId": id, "groupId": account, "timestamp": iso(at)}
    return call | {"userId": user, "anonymousId": anonymous, "context": AGREED} | more


def changes(world) -> list[tuple[str, float]]:
    """Return account and time, seconds after the start, as they follow each other."""
    rows = sorted(world.raw("memberships"), key=lambda row: (row["from_time"], row["account_id"]))
    began = [row["from_time"].replace(tzinfo=None) for row in rows]
    epoch = began[0].__class__(1970, 1, 1) if began else None
    return [
        (row["account_id"], (time - epoch).total_seconds() - START / SECOND)
        for row, time in zip(rows, began, strict=True)
    ]


def person(world, **terms):
    view = world.view(**terms)
    (found,) = {row["person_id"] for row in world.raw("identifiers")}
    return customers.person(view, world.workspace.vault, found)


def account(world, name, **terms):
    return customers.account(world.view(**terms), world.workspace.vault, name)


def test_each_change_is_kept_and_what_is_told_again_is_none(world) -> None:
    told = [("a", 1), ("a", 5), ("b", 7), ("b", 8), ("a", 9)]
    world.send(*(group(name, id=f"{name}{at}", at=at) for name, at in told))
    world.fold()
    assert changes(world) == [("a", 1), ("b", 7), ("a", 9)]


def test_what_comes_late_between_others_is_put_where_it_belongs(world) -> None:
    for name, at in [("a", 1), ("a", 9), ("b", 5), ("c", 0), ("b", 6), ("a", 6)]:
        world.send(group(name, id=f"{name}{at}", at=at))
        world.fold()
    # Of two told at one instant the greater goes last: a and b at 6.
    assert changes(world) == [("c", 0), ("a", 1), ("b", 5), ("a", 6), ("b", 6), ("a", 9)]


def test_order_batches_and_restarts_change_nothing(tmp_path) -> None:
    chance = random.Random(7)
    for turn in range(2):
        told = [(chance.choice("abc"), chance.randrange(12)) for _ in range(9)]
        calls = [
            group(name, id=f"{place}", at=at, user=f"u{place % 2}")
            for place, (name, at) in enumerate(told)
        ]
        found = []
        for way in ("at once", "one by one", "with restarts"):
            world = World(tmp_path / f"{turn}-{way}")
            for call in calls if way == "at once" else chance.sample(calls, len(calls)):
                world.send(call)
                if way != "at once":
                    world.fold()
                if way == "with restarts":
                    world.close()
                    world.open()
            world.fold()
            rows = sorted(map(tuple, (row.values() for row in world.raw("memberships"))))
            rebuild(world.workspace)
            assert rows == sorted(map(tuple, (row.values() for row in world.raw("memberships"))))
            found.append(rows)
            world.close()
        assert found[0] == found[1] == found[2]


def test_a_person_has_accounts_from_and_to(world) -> None:
    for name, at in [("a", HOUR), ("b", 3 * HOUR), ("a", 5 * HOUR)]:
        world.send(group(name, id=f"{name}{at}", at=at))
    world.clock.now = START + DAY
    found = {each.id: each.periods for each in person(world).contacts}
    hours = [START + hour * HOUR * SECOND for hour in range(6)]
    assert found == {"a": ((hours[1], hours[3]), (hours[5], None)), "b": ((hours[3], hours[5]),)}
    early = person(world, as_of_time=START + 4 * HOUR * SECOND)
    assert {each.id: each.left_time for each in early.contacts} == {"a": hours[3], "b": None}
    said = [(e.what, e.quiet) for e in person(world).timeline if e.kind == "membership"]
    assert said == [("With a", "Once more"), ("With b", ""), ("With a", "")]


def test_events_count_for_the_account_in_force_unless_they_name_one(world) -> None:
    world.send(
        track("came", id="0", anonymous="v1", at=0),
        track("early", id="1", user="u1", anonymous="v1", at=1 * HOUR),
        group("a", id="2", at=2 * HOUR),
        track("with_a", id="3", user="u1", at=2 * HOUR + 1),
        track("for_b", id="4", user="u1", at=2 * HOUR + 2) | {"context": AGREED | {"groupId": "b"}},
        group("a", id="5", at=2 * HOUR + 3),
        group("b", id="6", at=9 * HOUR),
        track("with_b", id="7", user="u1", at=9 * HOUR + 1),
    )
    world.clock.now = START + DAY
    events = {name: set(dict(account(world, name).events)) for name in ("a", "b")}
    assert events["a"] == {"came", "early", "group", "with_a"}
    assert events["b"] == {"for_b", "group", "with_b"}
    assert account(world, "a").visits.sessions == 3
    assert account(world, "b").visits.sessions == 1
    (left,) = account(world, "a").contacts
    assert left.left_time == START + 9 * HOUR * SECOND
    assert left.to_json()["periods"][0][0] == left.to_json()["joined_time"]


def test_a_device_that_joins_an_account_takes_it_to_its_person(world) -> None:
    world.send(group("a", id="1", user=None, anonymous="v1", at=HOUR))
    world.fold()
    world.send(track("x", id="2", user="u1", anonymous="v1", at=2 * HOUR))
    world.send(group("b", id="3", at=3 * HOUR))
    world.clock.now = START + DAY
    found = [(each.id, each.left_time is None) for each in person(world).contacts]
    assert found == [("a", False), ("b", True)]


def test_a_group_of_nobody_tells_no_membership(tmp_path) -> None:
    world = World(tmp_path / "w", basis="opt-in")
    nobody = group("a", id="1", user=None, at=1)
    unknown = group("a", id="2", at=2) | {"context": {}}
    empty = group("", id="3", at=3)
    receipt = world.send(nobody, unknown, empty)
    assert [one.message_id for one in receipt.quarantined] == ["1", "3"]
    world.fold()
    assert world.raw("memberships") == []
    world.close()
