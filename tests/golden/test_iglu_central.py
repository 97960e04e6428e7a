"""Real schemas of Iglu Central: brought in, judged by, handed out, brought in again."""

import json
from functools import cache
from itertools import product
from pathlib import Path

import jsonschema
import pytest
import yaml

from onefold.collect import Catalogue
from onefold.collect.iglu import read_schemas, schemas_of
from onefold.collect.writing import write

VENDOR = "com.snowplowanalytics.snowplow"
META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
FACTS = yaml.safe_load((Path(__file__).parent / "iglu_central.yaml").read_text("utf-8"))
TYPED = ["", "x", "wifi", "null", None, True, 0, -1, 3.5, 10**20, [], ["a"], {}, "2026-11-01"]


def self_describing(name):
    fact = FACTS[name]
    own = {"vendor": VENDOR, "name": name, "format": "jsonschema", "version": fact["version"]}
    return {
        "$schema": META,
        "self": own,
        "type": "object",
        "properties": fact["properties"],
        "required": fact["required"],
        "additionalProperties": False,
    }


def kept(folder, schemas):
    """Write schemas as a registry has them, bring them in, and return the catalogue."""
    for path, schema in schemas.items():
        (folder / "registry" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "registry" / path).write_text(json.dumps(schema))
    documents, notes = read_schemas(folder / "registry")
    assert notes == ()
    (folder / "events").mkdir(exist_ok=True)
    written = write(folder / "events", documents)
    assert {one.change for one in written} == {"new"}
    return Catalogue.read(folder / "events")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    schemas = {
        f"{VENDOR}/{name}/jsonschema/{FACTS[name]['version']}": self_describing(name)
        for name in FACTS
    }
    return kept(tmp_path_factory.mktemp("iglu"), schemas)


@pytest.fixture(scope="module")
def again(catalogue, tmp_path_factory):
    """The catalogue handed out and brought in once more."""
    out = dict(schemas_of(catalogue.events.values(), "local.shop"))
    assert set(out) == {f"{VENDOR}/{name}/jsonschema/{FACTS[name]['version']}" for name in FACTS}
    return kept(tmp_path_factory.mktemp("again"), out)


@cache
def reference(name):
    schema = {k: v for k, v in self_describing(name).items() if k not in {"$schema", "self"}}
    return jsonschema.Draft4Validator(schema)


def oracle(name, instance):
    """Return whether the reference validator takes an instance; formats do not bind (draft 4)."""
    return reference(name).is_valid(instance)


@pytest.mark.parametrize("name", sorted(FACTS))
def test_each_is_judged_as_its_schema_says(catalogue, again, name):
    fits, wrong = FACTS[name]["fits"], FACTS[name]["wrong"]
    for place, expected in ((fits, True), (wrong, False)):
        for instance in place:
            assert oracle(name, instance) is expected
            for one in (catalogue, again):
                assert (one.events[name].check(instance) == "") is expected, instance


@pytest.mark.parametrize("name", sorted(FACTS))
def test_what_the_reference_refuses_is_refused_and_nothing_else(catalogue, again, name):
    properties = FACTS[name]["properties"]
    for whole, field, value in product(FACTS[name]["fits"], [*properties, "other"], TYPED):
        instance = {**whole, field: value}
        told = catalogue.events[name].check(instance)
        assert told == again.events[name].check(instance)
        if not oracle(name, instance):
            assert told, instance
        elif told:
            # A format binds here, which draft 4 leaves open.
            assert "format" in properties[field], (instance, told)
            assert properties[field]["format"] in told or "ISO 8601" in told


def test_what_comes_back_is_what_went_out(catalogue, again):
    assert catalogue.events.keys() == again.events.keys() == FACTS.keys()
    for name, one in catalogue.events.items():
        other = again.events[name]
        assert (one.schema, one.origin, one.version) == (other.schema, other.origin, other.version)
        assert one.properties == other.properties
        assert one.origin == f"iglu:{VENDOR}/{name}/jsonschema/{FACTS[name]['version']}"
