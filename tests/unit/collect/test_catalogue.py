"""The catalogue: what is refused, where, and what a described event may hold."""

import pytest

from onefold.collect import Catalogue, make_catalogue
from onefold.collect.catalogue import promoted
from onefold.model.errors import BadInput

PIN_SAVED = """\
event: pin_saved
version: 2
owner: growth
description: A person kept a pin.
kind: action
discovery: true
purpose: analytics
properties:
  item_id: {type: string, required: true, pattern: "^i"}
  surface: {type: string, enum: [home_feed, search_results]}
  place: {type: integer, minimum: 0, maximum: 100}
  score: {type: number}
  fresh: {type: boolean}
  shown: {type: time}
  price: {type: money}
  email: {type: string, pii: email}
examples:
  - {item_id: i1, surface: home_feed, price: "12.50", shown: "2026-11-22T08:00:00Z"}
"""


def catalogue(*texts):
    return make_catalogue((f"events/{n}.yaml", text) for n, text in enumerate(texts))


def test_a_described_event():
    definition = catalogue(PIN_SAVED).events["pin_saved"]
    assert (definition.version, definition.kind, definition.discovery) == (2, "action", True)
    assert definition.properties["email"].pii == "email"


@pytest.mark.parametrize(
    "properties",
    [
        {"item_id": "i1"},
        {"item_id": "i1", "surface": None, "place": None, "shown": None, "price": None},
        {"item_id": "i1", "place": 3, "score": 3, "fresh": True, "price": 12.5, "more": [1]},
        {"item_id": "i1", "price": "12.50", "shown": "2026-11-22"},
    ],
)
def test_what_fits(properties):
    assert catalogue(PIN_SAVED).fault("pin_saved", properties) == ""


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({}, "`item_id` is missing."),
        ({"item_id": None}, "`item_id` should be text."),
        ({"item_id": 3}, "`item_id` should be text."),
        ({"item_id": "x"}, "`item_id` does not match ^i."),
        ({"item_id": "i", "surface": "moon"}, "`surface` is not one of home_feed, search_results."),
        ({"item_id": "i", "place": -1}, "`place` is less than 0."),
        ({"item_id": "i", "place": 101}, "`place` is more than 100."),
        ({"item_id": "i", "place": "3"}, "`place` should be a whole number."),
        ({"item_id": "i", "fresh": 1}, "`fresh` should be true or false."),
        ({"item_id": "i", "shown": "soon"}, "`shown` is not an ISO 8601 time."),
        ({"item_id": "i", "price": "cheap"}, "`price` is not an amount."),
        ({"item_id": "i", "price": [1]}, "`price` should be a number or text."),
    ],
)
def test_what_does_not_fit_is_said_in_words_without_the_value(properties, reason):
    assert catalogue(PIN_SAVED).fault("pin_saved", properties) == reason


def test_an_undescribed_event_fits():
    assert catalogue(PIN_SAVED).fault("pin_opened", {"anything": 1}) == ""


def test_a_json_schema_may_stand_in_place_of_properties():
    text = """\
event: order
schema:
  type: object
  properties: {total: {type: number, exclusiveMinimum: 0}, lines: {type: array, minItems: 1}}
  required: [lines]
"""
    found = catalogue(text)
    assert found.fault("order", {"lines": [1], "total": 5}) == ""
    assert found.fault("order", {"lines": []}).startswith("`lines`")
    assert "secret" not in found.fault("order", {"lines": "secret"})
    assert promoted(found) == {"total": "number"}


def test_a_fault_repeats_nothing_that_was_sent():
    text = """\
event: order
schema:
  type: object
  additionalProperties: {type: integer}
  properties:
    known: {type: object, additionalProperties: false}
    deep: {type: object, required: [x], additionalProperties: {type: integer}}
"""
    found = catalogue(text)
    for properties in (
        {"jo@example.com": "jo"},
        {"known": {"jo@example.com": 1}},
        {"deep": {"x": 1, "jo@example.com": "jo"}},
        {"deep": {}},
        {"deep": "jo"},
    ):
        fault = found.fault("order", properties)
        assert fault.endswith(".")
        assert "jo" not in fault


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("event: a\npropertys: {}\n", "events/0.yaml:2:1", "Did you mean `properties`?"),
        ("event: a\nkind: acton\n", "events/0.yaml:2:7", "Did you mean `action`?"),
        ("event: a\nproperties:\n  x: {type: strin}\n", "events/0.yaml:3:13", "`string`"),
        ("event: a\nproperties:\n  x: {typ: string}\n", "events/0.yaml:3:6", "`type` is missing"),
        (
            "event: a\nproperties:\n  x: {type: string, pattern: '['}\n",
            "events/0.yaml:3:30",
            "regular",
        ),
        ("event: a\nschema: {type: strin}\n", "events/0.yaml:2:9", "no JSON Schema"),
        ("event: a\nschema: {}\nproperties: {}\n", "events/0.yaml:2:9", "both"),
        (
            "event: a\nproperties: {x: {type: string}}\nexamples:\n- {x: 1}\n",
            "events/0.yaml:4:1",
            "Example 1",
        ),
        ("kind: action\n", "events/0.yaml:1:1", "`event` is missing"),
        ("event: [\n", "events/0.yaml:2:1", "YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(text, place, word):
    with pytest.raises(BadInput) as caught:
        catalogue(text)
    assert str(caught.value).startswith(place)
    assert word in str(caught.value)


def test_two_definitions_of_one_event_are_refused():
    with pytest.raises(BadInput, match=r"events/0\.yaml too"):
        catalogue("event: a\n", "event: a\n")


def test_a_property_has_one_type_everywhere():
    first = "event: a\nproperties: {amount: {type: integer}}\n"
    second = "event: b\nproperties: {amount: {type: number}}\n"
    with pytest.raises(BadInput, match=r"events/1\.yaml.*`amount` is number.*integer in events/0"):
        catalogue(first, second)
    with pytest.raises(BadInput, match="only in case"):
        catalogue(first, second.replace("amount", "Amount"))


def test_promoted_properties_are_plain_and_not_personal():
    odd = "event: b\nproperties: {'Item ID': {type: string}, price: {type: money}}\n"
    assert promoted(catalogue(PIN_SAVED, odd)) == {
        "currency": "string",
        "fresh": "boolean",
        "item_id": "string",
        "place": "integer",
        "price": "money",
        "score": "number",
        "shown": "time",
        "surface": "string",
    }


def test_a_folder_is_read_and_a_missing_one_is_empty(tmp_path):
    assert Catalogue.read(tmp_path / "none").events == {}
    (tmp_path / "pin_saved.yaml").write_text(PIN_SAVED, encoding="utf-8")
    found = Catalogue.read(tmp_path)
    assert list(found.events) == ["pin_saved"]
    assert found.documents["pin_saved"] == PIN_SAVED
