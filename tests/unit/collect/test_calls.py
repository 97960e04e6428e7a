"""Rules of identify, group and what all events have in common: brought in, enforced, handed out."""

import json

import pytest

from onefold.collect import Catalogue
from onefold.collect.plans import plan_of, read_plan
from onefold.collect.writing import write
from onefold.model.records import OWNER
from onefold.runtime import rebuild
from onefold.runtime.retrying import let_in
from worlds import World, track

pytestmark = pytest.mark.long

TRAITS = {
    "type": "object",
    "required": ["plan"],
    "properties": {"plan": {"type": "string", "enum": ["free", "paid"]}, "email": {}},
}
GROUP = {"type": "object", "properties": {"seats": {"type": "integer"}}}
COMMON = {"type": "object", "required": ["app"], "properties": {"app": {"type": "string"}}}
CONTEXT = {"type": "object", "required": ["ip"]}
OLDER = {
    "rules": {
        "events": [],
        "identify": {"properties": {"traits": TRAITS}},
        "group": {"properties": {"traits": GROUP}},
        "global": {"properties": {"context": CONTEXT, "properties": COMMON}},
    }
}
NEWER = {
    "data": {
        "rules": [
            {"type": "IDENTIFY", "jsonSchema": {"properties": {"traits": TRAITS}}},
            {"type": "GROUP", "jsonSchema": {"properties": {"traits": GROUP, "context": {}}}},
            {
                "type": "COMMON",
                "jsonSchema": {"properties": {"properties": COMMON, "context": CONTEXT}},
            },
        ]
    }
}


def call(kind, name, /, **more):
    said = {"type": kind, "messageId": name, "userId": "u1", "context": {}} | more
    return said | {"timestamp": "2025-10-09T08:00:00Z"}


def sent():
    return [
        call("identify", "i1", traits={"plan": "paid", "email": "jo@example.com"}),
        call("identify", "i2", traits={"plan": "gold"}),
        call("identify", "i3"),
        call("group", "g1", groupId="acme", traits={"seats": 3}),
        call("group", "g2", groupId="acme", traits={"seats": "three"}),
        call("page", "p1", name="Start"),
        track("opened", id="t1", user="u1", app="web"),
        track("opened", id="t2", user="u1"),
    ]


def brought_in(folder, plan):
    documents, notes = read_plan(json.dumps(plan).encode())
    write(folder, documents)
    return Catalogue.read(folder), notes


@pytest.fixture(params=[OLDER, NEWER], ids=["older", "newer"])
def plan(request):
    return request.param


def test_both_shapes_of_a_plan_tell_of_calls(tmp_path, plan):
    found, notes = brought_in(tmp_path, plan)
    assert found.events == {}
    assert set(found.calls) == {"$identify", "$group", "$common"}
    assert found.calls["$identify"].check({"plan": "gold"}) == "`plan` is not one of free, paid."
    assert notes == ("What `$common` says of the context is not enforced.",)


def test_calls_survive_the_round_trip(tmp_path, plan):
    first, _ = brought_in(tmp_path / "a", plan)
    again, notes = brought_in(tmp_path / "b", plan_of(first.all.values(), "Shop"))
    assert notes == ()
    assert {name: (one.schema, one.version) for name, one in again.calls.items()} == {
        name: (one.schema, one.version) for name, one in first.calls.items()
    }


def started(folder, plan):
    found = World(folder)
    brought_in(found.folder / "definitions" / "events", plan)
    taken_up(found)
    return found


def taken_up(found):
    found.workspace.apply_definitions()
    found.catalogue = Catalogue.read(found.folder / "definitions" / "events")


def test_what_does_not_fit_waits_and_the_rest_counts(tmp_path, plan):
    found = started(tmp_path / "w", plan)
    receipt = found.send(*sent())
    assert {one.message_id: one.reason for one in receipt.quarantined} == {
        "i2": "`plan` is not one of free, paid.",
        "i3": "`plan` is missing.",
        "g2": "`seats` should be a whole number.",
        "t2": "`app` is missing.",
    }
    assert receipt.accepted == 4
    found.close()


def test_a_source_that_quarantines_takes_no_trait_that_nobody_described(tmp_path, plan):
    found = started(tmp_path / "w", plan)
    found.source = type(found.source)(
        **{name: getattr(found.source, name) for name in found.source.__dataclass_fields__}
        | {"unplanned": "quarantine"}
    )
    receipt = found.send(
        call("identify", "i1", traits={"plan": "free", "shoe": 41}),
        call("identify", "i2", traits={"plan": "free"}),
        call("screen", "s1", name="Start"),
    )
    assert [one.message_id for one in receipt.quarantined] == ["i1"]
    found.close()


def test_mended_rules_of_calls_let_in_what_waits_as_in_a_clean_run(tmp_path, plan):
    found = started(tmp_path / "w", plan)
    found.send(*sent())
    found.fold()
    text = json.dumps(plan).replace('"paid"]', '"paid", "gold"]').replace("integer", "string")
    folder = found.folder / "definitions" / "events"
    write(folder, read_plan(text.replace('["app"]', "[]").encode())[0], overwrite=True)
    taken_up(found)
    answer = let_in(found.workspace, OWNER)
    counts = {row[0]: row[3] for row in answer.rows if row[1] == "counts now"}
    assert counts == {"identify": 1, "group": 1, "opened": 1}
    appended = found.sums()
    rebuild(found.workspace)
    assert found.sums() == appended
    assert {row["event"] for row in found.raw("quarantine")} == {"identify"}
    found.close()
