"""Traits that come beside: in a context, by `$set`, by `$set_once`."""

import json

import pytest

from onefold import customers
from onefold.collect import receive
from onefold.collect.traits import personal_traits, traits_in
from onefold.runtime import rebuild
from worlds import AGREED, START, World, iso, track

pytestmark = pytest.mark.long


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def posthog(world, *events):
    """Send events as PostHog's SDKs do."""
    receipt = receive(
        world.source,
        dialect="posthog",
        route="batch",
        body=json.dumps({"api_key": "x", "batch": events}).encode(),
        received_time=world.clock(),
        catalogue=world.catalogue,
    )
    world.workspace.log.append([receipt.row])
    world.fold()
    return receipt


def act(name, at, uuid, **properties):
    return {
        "event": name,
        "distinct_id": "u1",
        "uuid": uuid,
        "timestamp": iso(at),
        "properties": {"$is_identified": True} | properties,
    }


def fields(world):
    """Return the personal fields of the one person there is."""
    (person,) = {row["person_id"] for row in world.raw("identifiers")}
    return dict(customers.person(world.view(), world.workspace.vault, person).personal)


def test_what_posthog_sets_with_an_act_is_known_of_the_person(world):
    posthog(
        world,
        act("signed_up", 1, "a", **{"$set": {"email": "jo@example.com", "plan": "pro"}}),
        act("opened", 2, "b", **{"$set": {"email": "jo@example.org"}}),
    )
    assert fields(world) == {"email": "jo@example.org"}
    assert not [row for row in world.raw("events") if "example" in (row["properties"] or "")]


def test_the_first_that_is_set_once_stands_until_one_is_set(world):
    posthog(world, act("a", 5, "a", **{"$set_once": {"email": "late@example.com"}}))
    posthog(world, act("b", 1, "b", **{"$set_once": {"email": "first@example.com"}}))
    posthog(world, act("c", 9, "c", **{"$set_once": {"email": "last@example.com"}}))
    assert fields(world) == {"email": "first@example.com"}
    posthog(world, act("$set", 3, "d", **{"$set": {"email": "set@example.com"}}))
    assert fields(world) == {"email": "set@example.com"}
    posthog(world, act("$identify", 8, "e", **{"$set_once": {"email": "no@example.com"}}))
    assert fields(world) == {"email": "set@example.com"}
    rebuild(world.workspace)
    assert fields(world) == {"email": "set@example.com"}


def test_the_traits_that_segment_repeats_are_known_too(world):
    call = track("x", id="1", user="u1", at=1)
    world.send(call | {"context": AGREED | {"traits": {"email": "jo@example.com", "age": 7}}})
    world.fold()
    assert fields(world) == {"email": "jo@example.com"}


def test_who_does_not_agree_leaves_no_traits(world):
    refused = {"consent": {"categoryPreferences": {"analytics": False}}}
    told = {"traits": {"email": "jo@example.com"}}
    world.send(track("x", id="1", user="u1", at=1) | {"context": refused | told})
    world.fold()
    assert b"jo@example.com" not in world.workspace.log.row(1).body
    assert world.raw("identifiers") == []


def test_traits_mark_our_own_people(tmp_path):
    table = "internal: {email_domains: [ours.example]}\n"
    world = World(tmp_path / "w", definitions={"traffic.yaml": table})
    posthog(world, act("a", 1, "a", **{"$set": {"email": "jo@ours.example"}}))
    other = {**act("b", 2, "b", **{"$set_once": {"email": "al@ours.example"}}), "distinct_id": "u2"}
    posthog(world, other, {**act("c", 3, "c"), "distinct_id": "u3"})
    assert world.view().marked_out(START, START + 10**9) == {"internal": 2}
    world.close()


@pytest.mark.parametrize(
    "context",
    [
        b"",
        b"null",
        b'{"traits":null}',
        b'{"traits":[1]}',
        b'{"traits":"x"}',
        b'{"traits":{"a":',
        b'{"traits":' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}",
        b'{"traits":{"email":"\\ud800"}}',
    ],
)
def test_traits_that_are_none_say_nothing(context):
    assert isinstance(personal_traits(traits_in(context) or b"{}"), dict)
