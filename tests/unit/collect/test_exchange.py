"""Segment's tracking plans and Iglu's schemas in and out, without loss."""

import json
from dataclasses import replace

import pytest

from onefold.collect import Catalogue, make_catalogue
from onefold.collect.iglu import read_schemas, schemas_of
from onefold.collect.plans import plan_of, read_plan
from onefold.collect.writing import write
from onefold.model.errors import BadInput

SHORT = """\
event: Order Completed
version: 4
owner: shop
description: Somebody paid.
kind: action
discovery: true
purpose: advertising
properties:
  total: {type: money, required: true, minimum: 0}
  when: {type: time}
  mail: {type: string, pii: email}
  lines: {type: list}
examples:
- {total: 3}
"""
FULL = """\
event: cart
schema:
  type: object
  required: [lines]
  additionalProperties: false
  properties:
    lines: {type: array, minItems: 1, items: {type: object, required: [sku]}}
    coupon: {type: [string, "null"], x-pii: code}
"""
OF_CALL = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "context": {},
        "traits": {},
        "properties": {
            "type": "object",
            "required": ["total"],
            "properties": {
                "total": {"type": "number", "description": "What was paid."},
                "at": {"type": "string", "format": "date-time"},
                "state": {"type": "string", "enum": ["open", "paid"]},
            },
        },
    },
    "required": ["properties"],
}
OLDER = {
    "name": "Shop",
    "rules": {
        "global": {"properties": {"context": {"type": "object"}}},
        "identify": {"properties": {}},
        "events": [
            {"name": "Order", "version": 1, "description": "Old.", "rules": {}},
            {"name": "Order", "version": 2, "description": " New\n one. ", "rules": OF_CALL},
            {"name": "Plain", "rules": {"type": "object", "properties": {"a": {"type": "string"}}}},
            {
                "name": "Odd",
                "version": "x",
                "rules": {"properties": {"properties": {"type": "string"}}},
            },
            "no rule",
        ],
    },
}
NEWER = {
    "data": {
        "rules": [
            {"type": "TRACK", "key": "Order", "version": 2, "jsonSchema": OF_CALL},
            {"type": "IDENTIFY", "version": 1, "jsonSchema": {}},
            {"type": "COMMON", "version": 1, "jsonSchema": {}},
            {"key": "Bare", "jsonSchema": None},
        ]
    }
}


def said(catalogue):
    return {
        name: replace(one, place="", text="", version=1) for name, one in catalogue.events.items()
    }


def brought_in(folder, documents):
    written = write(folder, documents)
    assert {one.change for one in written} <= {"new"}
    return Catalogue.read(folder)


def test_the_older_shape_of_a_plan(tmp_path):
    documents, notes = read_plan(json.dumps(OLDER).encode())
    found = brought_in(tmp_path, documents)
    assert set(found.events) == {"Order", "Plain", "Odd"}
    order = found.events["Order"]
    assert (order.version, order.description) == (2, "New one.")
    assert {name: p.type for name, p in order.properties.items()} == {
        "total": "number",
        "at": "time",
        "state": "string",
    }
    assert order.properties["total"].required
    assert found.fault("Order", {"total": "x"}) == "`total` should be a number."
    assert found.fault("Order", {"total": 1, "state": "gone"}).startswith("`state` is not one of")
    assert found.events["Odd"].properties["properties"].type == "string"
    # Rules of other calls that say nothing are left out without a word.
    assert (found.calls, notes) == ({}, ())


def test_the_newer_shape_of_a_plan_however_it_is_wrapped(tmp_path):
    documents, notes = read_plan(b"\xef\xbb\xbf" + json.dumps(NEWER).encode())
    found = brought_in(tmp_path, documents)
    assert set(found.events) == {"Order", "Bare"}
    assert found.fault("Order", {}) == "`total` is missing."
    assert (found.calls, notes) == ({}, ())


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"rules": 3}', b"\xff", b"[" * 99_999])
def test_what_is_no_plan_is_told(text):
    with pytest.raises(BadInput, match="plan"):
        read_plan(text)


def test_a_plan_survives_the_round_trip(tmp_path):
    first = make_catalogue([("a.yaml", SHORT), ("b.yaml", FULL)])
    plan = json.dumps(plan_of(first.events.values(), "Shop")).encode()
    documents, notes = read_plan(plan)
    again = brought_in(tmp_path, documents)
    assert said(again) == said(first)
    assert not notes


def test_a_plan_says_to_others_what_it_can():
    first = make_catalogue([("a.yaml", SHORT)])
    (rule,) = plan_of(first.events.values(), "Shop")["rules"]
    properties = rule["jsonSchema"]["properties"]["properties"]
    assert (rule["type"], rule["key"], rule["version"]) == ("TRACK", "Order Completed", 4)
    assert properties["required"] == ["total"]
    assert properties["properties"]["when"]["format"] == "date-time"


def schema(name, version="1-0-0", vendor="com.acme", **more):
    return {
        "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
        "description": f"About {name}",
        "self": {"vendor": vendor, "name": name, "format": "jsonschema", "version": version},
        "type": "object",
        **more,
    }


def put(folder, *schemas):
    for one in schemas:
        own = one["self"]
        path = folder / own["vendor"] / own["name"] / "jsonschema" / own["version"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(one))


def test_a_registry_is_read_the_newest_version_of_each(tmp_path):
    rules = {"properties": {"sku": {"type": "string", "maxLength": 9}}, "required": ["sku"]}
    put(
        tmp_path,
        schema("cart", "1-0-9"),
        schema("cart", "1-0-10", **rules, additionalProperties=False),
        schema("page", vendor="com.one"),
        schema("page", vendor="com.two"),
    )
    (tmp_path / "README.md").write_text("# no schema")
    (tmp_path / "other.json").write_text("{}")
    documents, notes = read_schemas(tmp_path)
    found = brought_in(tmp_path / "events", documents)
    assert set(found.events) == {"cart", "com.one/page", "com.two/page"}
    assert found.events["cart"].origin == "iglu:com.acme/cart/jsonschema/1-0-10"
    assert found.fault("cart", {}) == "`sku` is missing."
    assert found.fault("cart", {"sku": "a", "b": 1}).startswith("The properties hold what")
    assert len(notes) == 2


def test_a_registry_survives_the_round_trip(tmp_path):
    first = make_catalogue([("a.yaml", SHORT), ("b.yaml", FULL)])
    written = dict(schemas_of(first.events.values(), "com.acme"))
    assert set(written) == {
        "com.acme/Order_Completed/jsonschema/4-0-0",
        "com.acme/cart/jsonschema/1-0-0",
    }
    for path, document in written.items():
        (tmp_path / "r" / path).parent.mkdir(parents=True)
        (tmp_path / "r" / path).write_text(json.dumps(document))
    documents, _ = read_schemas(tmp_path / "r")
    assert said(brought_in(tmp_path / "events", documents)) == said(first)


def test_a_schema_goes_back_to_where_it_came_from(tmp_path):
    put(tmp_path, schema("cart", "2-3-4", properties={"sku": {"type": "string"}}))
    documents, _ = read_schemas(tmp_path)
    found = brought_in(tmp_path / "events", documents)
    ((path, document),) = schemas_of(found.events.values(), "com.else")
    assert path == "com.acme/cart/jsonschema/2-3-4"
    assert document["self"]["version"] == "2-3-4"
    assert document["properties"] == {"sku": {"type": "string"}}


def test_a_hostile_name_stays_in_the_folder():
    text = "event: ../../../etc/passwd\n"
    first = make_catalogue([("a.yaml", text)])
    ((path, _),) = schemas_of(first.events.values(), "../up")
    assert ".." not in path.split("/")
    assert not path.startswith("/")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"self": 1}', '{"self": {"vendor": "a"}}'])
def test_what_is_no_schema_is_told(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(BadInput, match="self-describing"):
        read_schemas(tmp_path)


def test_a_schema_that_needs_the_network_is_refused_and_costs_the_others_nothing(tmp_path):
    put(
        tmp_path / "r",
        schema("far", properties={"a": {"$ref": "https://example.com/other.json"}}),
        schema("near"),
    )
    documents, _ = read_schemas(tmp_path / "r")
    assert {one.event: one.change for one in write(tmp_path / "events", documents)} == {
        "far": "refused",
        "near": "new",
    }
