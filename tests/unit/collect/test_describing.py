"""Descriptions made from what was recorded, and files that `apply` takes."""

import pytest

from onefold.collect import Catalogue
from onefold.collect.inference import Sample, infer
from onefold.collect.writing import document_of, file_name, write, yaml_of
from onefold.model.errors import BadInput


def sampled(rows, event="order"):
    return infer(Sample(event, len(rows), rows))


def test_types_are_those_of_all_values():
    rows = [
        {"n": 1, "x": 1.5, "s": "a", "t": "2026-11-22T08:00:00Z", "b": True, "l": [], "o": {}},
        {"n": 2, "x": 1, "s": "2026-11-22", "t": "2026-11-22", "b": None, "l": [1], "o": {"a": 1}},
    ]
    types = {name: rule["type"] for name, rule in sampled(rows)["properties"].items()}
    assert types == {
        "n": "integer",
        "x": "number",
        "s": "string",
        "t": "time",
        "b": "boolean",
        "l": "list",
        "o": "object",
    }


def test_a_property_of_several_types_is_left_to_a_person():
    assert "mixed" not in sampled([{"mixed": 1}, {"mixed": "a"}])["properties"]


@pytest.mark.parametrize(("events", "required"), [(299, False), (300, True)])
def test_required_takes_enough_events(events, required):
    found = sampled([{"a": 1}] * events)["properties"]["a"]
    assert found.get("required", False) is required


def test_what_is_missing_once_is_not_required():
    assert "required" not in sampled([{"a": 1}] * 999 + [{}])["properties"]["a"]


def test_a_list_of_values_only_where_hardly_another_can_come():
    rows = [{"surface": ("home", "search")[n % 2], "pin_id": "p1"} for n in range(400)]
    found = sampled(rows)["properties"]
    assert found["surface"]["enum"] == ["home", "search"]
    assert "enum" not in found["pin_id"]
    assert "enum" not in sampled(rows[:100])["properties"]["surface"]
    rare = [*rows, {"surface": "once"}, {"surface": "twice"}]
    assert "enum" not in sampled(rare)["properties"]["surface"]


def test_examples_show_only_what_several_share_and_nothing_personal():
    rows = [
        {"plan": "pro", "note": f"only {n}", "owner": "jo@example.com", "user_id": "u1"}
        for n in range(400)
    ]
    (example,) = sampled(rows)["examples"]
    assert example == {"plan": "pro", "note": "example", "owner": "example", "user_id": "example"}


def test_what_is_written_can_be_read_and_stands_the_next_time(tmp_path):
    rows = [{"surface": ("home", "search")[n % 2], "size": n, "when": None} for n in range(400)]
    documents = [
        sampled(rows, event) for event in ("pin saved", "../../etc/passwd", "ünïcode", "a")
    ]
    written = write(tmp_path, documents)
    assert [one.change for one in written] == ["new"] * 4
    assert {path.name for path in tmp_path.rglob("*")} == {
        "pin_saved.yaml",
        "etc_passwd.yaml",
        "n_code.yaml",
        "a.yaml",
    }
    assert set(Catalogue.read(tmp_path).events) == {one["event"] for one in documents}
    assert [one.change for one in write(tmp_path, documents)] == ["kept"] * 4
    assert [one.change for one in write(tmp_path, documents, overwrite=True)] == ["same"] * 4


def test_nothing_is_overwritten_unless_told_and_a_change_counts_the_version_up(tmp_path):
    by_hand = "event: order\nversion: 3\nowner: shop\nproperties: {a: {type: string}}\n"
    (tmp_path / "mine.yaml").write_text(by_hand)
    document = {"event": "order", "properties": {"a": {"type": "integer"}}}
    (kept,) = write(tmp_path, [document])
    assert (kept.change, kept.file) == ("kept", "events/mine.yaml")
    assert (tmp_path / "mine.yaml").read_text() == by_hand
    (told,) = write(tmp_path, [document], overwrite=True, dry_run=True)
    assert told.change == "changed"
    assert (tmp_path / "mine.yaml").read_text() == by_hand
    write(tmp_path, [document], overwrite=True)
    found = Catalogue.read(tmp_path).events["order"]
    assert (found.version, found.properties["a"].type) == (4, "integer")


def test_two_names_never_share_a_file(tmp_path):
    written = write(tmp_path, [{"event": name} for name in ("a b", "A B", "a_b", "a/b")])
    assert len({one.file for one in written}) == 4
    assert len(Catalogue.read(tmp_path).events) == 4


def test_a_type_that_another_event_has_otherwise_gets_no_column(tmp_path):
    documents = [
        {"event": "a", "properties": {"value": {"type": "string"}}},
        {"event": "b", "properties": {"value": {"type": "integer"}, "Value": {"type": "string"}}},
        {"event": "c", "schema": {"properties": {"value": {"type": "boolean"}}}},
    ]
    written = write(tmp_path, documents)
    assert written[1].note == "`value`, `Value` got no column: another event types it otherwise."
    found = Catalogue.read(tmp_path).events
    assert [found[name].properties["value"].column for name in "abc"] == [True, False, False]


def test_one_that_cannot_be_used_is_told_and_costs_the_others_nothing(tmp_path):
    documents = [
        {"event": "good"},
        {"event": "good", "owner": "twice"},
        {"event": ""},
        {"event": " blank"},
        {"event": "bad", "schema": {"type": "nothing"}},
    ]
    written = write(tmp_path, documents)
    assert [one.change for one in written] == ["new"] + ["refused"] * 4
    assert all(one.note for one in written[1:])


def test_a_folder_that_cannot_be_read_stays_as_it_is(tmp_path):
    (tmp_path / "broken.yaml").write_text("event: [\n")
    with pytest.raises(BadInput, match=r"broken\.yaml"):
        write(tmp_path, [{"event": "a"}])
    assert [path.name for path in tmp_path.iterdir()] == ["broken.yaml"]


def test_a_definition_survives_its_document():
    text = """\
event: order
version: 2
owner: shop
description: "Somebody: bought"
kind: system
discovery: true
purpose: advertising
origin: segment:order
properties:
  "yes": {type: boolean}
  total: {type: money, required: true, minimum: 0, maximum: 9.5}
  mail: {type: string, pii: email, pattern: "@", description: Where to.}
  kind: {type: string, enum: [a, b], column: false}
examples:
- {total: "3.20", kind: a}
"""
    from dataclasses import replace

    from onefold.collect.catalogue import parse_event

    first = parse_event(text, "-")
    again = parse_event(yaml_of(document_of(first)), "-")
    assert replace(again, text="") == replace(first, text="")
    assert file_name("order") == "order.yaml"
