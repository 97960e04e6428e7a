"""What the catalogue says of an event under each policy of its source."""

import json

import pytest

from onefold.collect import Source, make_catalogue, receive
from onefold.collect.dialects.segment import decode
from onefold.collect.records import Code
from onefold.collect.validation import judge

TEXT = """\
event: order
properties:
  total: {type: number, required: true}
  note: {type: string}
  due: {type: time}
  lines: {type: list}
  buyer: {type: object}
"""
CATALOGUE = make_catalogue([("events/order.yaml", TEXT)])
ORDER = CATALOGUE.events["order"]
GOOD = {"total": 1, "note": "n", "due": "2026-11-22", "lines": [1], "buyer": {"age": 3}}


@pytest.mark.parametrize("policy", ["allow", "strip", "quarantine"])
def test_what_fits_counts_under_every_policy(policy):
    assert judge(ORDER, GOOD, policy).code == 0
    assert not judge(ORDER, GOOD, policy).dropped


@pytest.mark.parametrize(
    ("sent", "policy", "code", "dropped"),
    [
        ({"total": 1, "more": 2}, "allow", 0, set()),
        ({"total": 1, "more": 2}, "strip", 0, {"more"}),
        ({"total": 1, "more": 2}, "quarantine", Code.UNPLANNED, set()),
        ({"total": 1, "note": 5}, "allow", Code.SCHEMA, set()),
        ({"total": 1, "note": 5}, "strip", 0, {"note"}),
        ({"total": 1, "note": 5}, "quarantine", Code.SCHEMA, set()),
        ({"total": 1, "due": "soon", "lines": {}, "more": 1}, "strip", 0, {"due", "lines", "more"}),
        ({"total": "x", "note": 5}, "strip", Code.SCHEMA, set()),
        ({"note": 5}, "strip", Code.SCHEMA, set()),
        ({"more": 5}, "strip", Code.SCHEMA, {"more"}),
    ],
)
def test_what_does_not_fit(sent, policy, code, dropped):
    judged = judge(ORDER, sent, policy)
    assert (judged.code, set(judged.dropped)) == (code, dropped)
    assert bool(judged.reason) == bool(code)


@pytest.mark.parametrize(
    ("policy", "code", "dropped"),
    [("allow", 0, set()), ("strip", 0, {"a"}), ("quarantine", Code.UNPLANNED, set())],
)
def test_an_event_that_nobody_described(policy, code, dropped):
    judged = judge(None, {"a": 1}, policy)
    assert (judged.code, set(judged.dropped)) == (code, dropped)


def test_a_field_that_does_not_fit_never_reaches_the_log_where_the_source_strips():
    item = {
        "type": "track",
        "event": "order",
        "messageId": "m1",
        "userId": "u",
        "properties": {"total": 3, "note": 5, "more": 1},
    }
    receipt = receive(
        Source("app", "wk", basis="notice", unplanned="strip"),
        dialect="segment",
        route="batch",
        body=json.dumps({"batch": [item]}).encode(),
        received_time=1_700_000_000_000_000,
        catalogue=CATALOGUE,
    )
    assert receipt.accepted == 1
    (kept,) = decode("batch", receipt.row.body, 1_700_000_000_000_000)
    assert json.loads(kept.properties) == {"total": 3}


def test_lists_and_objects_get_no_column():
    from onefold.collect.catalogue import promoted

    assert promoted(CATALOGUE) == {"due": "time", "note": "string", "total": "number"}


def test_two_types_of_one_name_are_told_apart_by_leaving_one_out_of_the_columns():
    from onefold.collect.catalogue import promoted

    other = "event: other\nproperties: {total: {type: string, column: false}}\n"
    found = make_catalogue([("a.yaml", TEXT), ("b.yaml", other)])
    assert promoted(found)["total"] == "number"


def test_a_schema_says_types_lists_of_types_and_personal_classes():
    text = """\
event: order
schema:
  type: object
  required: [at]
  properties:
    at: {type: string, format: date-time}
    note: {type: [string, "null"], description: What for., enum: [gift, null]}
    mail: {type: string, x-pii: email}
    odd: {type: [string, integer]}
    price: {type: [number, string], x-type: money}
    aside: {type: string, x-column: false}
"""
    properties = make_catalogue([("a.yaml", text)]).events["order"].properties
    assert {name: found.type for name, found in properties.items()} == {
        "at": "time",
        "note": "string",
        "mail": "string",
        "odd": "",
        "price": "money",
        "aside": "string",
    }
    assert (properties["mail"].pii, properties["note"].enum) == ("email", ("gift",))
    assert properties["at"].required
    assert not properties["aside"].column
