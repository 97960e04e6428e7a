"""Segment's tracking plans: read in both shapes that its APIs return, written in the newer one.

Older: `{rules: {events: [{name, version, description, rules: SCHEMA}], global, identify, group}}`.
Newer: `{rules: [{type: TRACK, key, version, jsonSchema: SCHEMA}]}`. A SCHEMA is of the whole call,
with `properties.properties` inside, or of the properties alone. Dates are `format: date-time`.
What a plan cannot say stands in a keyword of our own, `x-onefold`, so that a round trip loses
nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from onefold.collect.catalogue import CALLS, COMMON, EventDefinition
from onefold.collect.writing import Document, document_of
from onefold.model.errors import BadInput

OWN = "x-onefold"
_CALLS = {name.removeprefix("$").upper(): name for name in CALLS} | {"GLOBAL": COMMON}
"""What a plan calls the rules of other calls -> their name in the catalogue."""
_PARTS = {"$identify": "traits", "$group": "traits"}
"""Call -> where it says what it says."""
_DRAFT = "http://json-schema.org/draft-07/schema#"


def read_plan(text: bytes) -> tuple[tuple[Document, ...], tuple[str, ...]]:
    """Return the events and calls of a tracking plan, and notes on what cannot be enforced.

    Of several versions of one event the newest is taken.

    Raises:
        BadInput: It is no tracking plan.
    """
    try:
        plan = msgspec.json.decode(text.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"The tracking plan is no JSON: {error}."
        raise BadInput(message, "Export it from Segment as JSON.") from error
    rules = _rules(plan)
    newest: dict[str, tuple[int, Document]] = {}
    aside: set[str] = set()
    for name, version, told in rules:
        if not name:
            aside.add(f"Rules of `{str(told.get('type') or 'rule').lower()}` were left out.")
            continue
        if name in CALLS:
            if _of_context(told):
                aside.add(f"What `{name}` says of the context is not enforced.")
            if not _of_call(_schema(told), name) and OWN not in _schema(told):
                continue
        if name not in newest or version > newest[name][0]:
            newest[name] = version, _document(name, version, told)
    return tuple(document for _, document in newest.values()), tuple(sorted(aside))


def _rules(plan: object) -> list[tuple[str, int, Mapping[str, Any]]]:
    """Return (event, version, what is told of it) of each rule; no event for other rules."""
    found = _inside(plan)
    rules = found.get("rules") if found is not None else None
    if isinstance(rules, Mapping):
        named = _objects(rules.get("events"))
        others = [(key, value) for key, value in rules.items() if key != "events" and value]
        return [(str(one.get("name", "")), _version(one.get("version")), one) for one in named] + [
            (_CALLS.get(key.upper(), ""), 1, {"type": key, "rules": value}) for key, value in others
        ]
    if isinstance(rules, list):
        return [
            (
                _named(one),
                _version(one.get("version")),
                one,
            )
            for one in _objects(rules)
        ]
    message = "The document is no tracking plan: it has no `rules`."
    raise BadInput(message, "Export the plan with its rules, from Segment's API or its page.")


def _named(rule: Mapping[str, Any]) -> str:
    """Return the name that a rule goes by: its event, or the call it is of."""
    kind = str(rule.get("type", "TRACK")).upper()
    return str(rule.get("key", "")) if kind == "TRACK" else _CALLS.get(kind, "")


def _schema(told: Mapping[str, Any]) -> Mapping[str, Any]:
    whole = told.get("jsonSchema") or told.get("rules") or {}
    return whole if isinstance(whole, Mapping) else {}


def _of_context(told: Mapping[str, Any]) -> bool:
    """Return whether a rule says something of the context."""
    described = _schema(told).get("properties")
    context = described.get("context") if isinstance(described, Mapping) else None
    return isinstance(context, Mapping) and bool(
        context.get("properties") or context.get("required")
    )


def _inside(plan: object) -> Mapping[str, Any] | None:
    """Return the object that holds `rules`, however an API wrapped it."""
    if not isinstance(plan, Mapping):
        return None
    if "rules" in plan:
        return plan
    for key in ("data", "trackingPlan", "tracking_plan"):
        found = _inside(plan.get(key))
        if found is not None:
            return found
    return None


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    return (one for one in (value if isinstance(value, list) else ()) if isinstance(one, Mapping))


def _version(value: object) -> int:
    text = str(value)
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _document(name: str, version: int, told: Mapping[str, Any]) -> Document:
    whole = _schema(told)
    own = whole.get(OWN)
    if isinstance(own, Mapping) and isinstance(own.get("definition"), Mapping):
        return {**own["definition"], "event": name}
    document: Document = {"event": name, "version": version}
    labels = told.get("labels")
    owner = labels.get("owner") if isinstance(labels, Mapping) else None
    if isinstance(owner, str) and owner.strip():
        document["owner"] = owner.strip()
    description = told.get("description") or whole.get("description")
    if isinstance(description, str) and description.strip():
        document["description"] = " ".join(description.split())
    told_of = _of_call(whole, name) if name in CALLS else _of_properties(whole)
    document["schema"] = plain_schema(told_of)
    document["origin"] = f"segment:{name}"
    return document


def _of_call(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the schema of a call's traits or properties alone; empty where it says nothing."""
    described = whole.get("properties")
    part = described.get(_PARTS.get(name, "properties")) if isinstance(described, Mapping) else None
    found = dict(part) if isinstance(part, Mapping) else {}
    return found if found.get("properties") or found.get("required") else {}


def _of_properties(whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of the properties alone."""
    described = whole.get("properties")
    inner = described.get("properties") if isinstance(described, Mapping) else None
    # An event may have a property of the name `properties`; a schema of the call says what it is.
    of_call = isinstance(inner, Mapping) and bool(
        {"properties", "$schema", "required", "additionalProperties"} & inner.keys()
        or {"context", "traits"} & (described or {}).keys()
    )
    if not of_call or not isinstance(inner, Mapping):
        return whole
    return {**({"$schema": whole["$schema"]} if "$schema" in whole else {}), **inner}


def plain_schema(schema: Mapping[str, Any]) -> Document:
    """Return a schema without what only names it, of objects."""
    kept = {key: value for key, value in schema.items() if key not in {"$id", "id", "labels", OWN}}
    return {"type": "object", **kept}


def plan_of(definitions: Iterable[EventDefinition], name: str) -> Document:
    """Return a tracking plan of the newer shape."""
    return {
        "name": name,
        "rules": [
            {
                **(
                    {"type": one.event.removeprefix("$").upper()}
                    if one.event in CALLS
                    else {"type": "TRACK", "key": one.event}
                ),
                "version": one.version,
                "jsonSchema": {
                    "$schema": _DRAFT,
                    "type": "object",
                    **({"description": one.description} if one.description else {}),
                    "properties": {
                        "context": {},
                        "traits": {},
                        "properties": {},
                        _PARTS.get(one.event, "properties"): {"type": "object", **_described(one)},
                    },
                    "required": [_PARTS.get(one.event, "properties")],
                    OWN: {"definition": document_of(one)},
                },
            }
            for one in definitions
        ],
    }


def _described(definition: EventDefinition) -> Document:
    return described_schema(definition.schema, definition)


def described_schema(schema: Mapping[str, Any], definition: EventDefinition) -> Document:
    """Return a schema with what the catalogue says of each property beside its types."""
    rules = schema.get("properties")
    described = {
        name: _worded(rule, definition, name)
        for name, rule in (rules.items() if isinstance(rules, Mapping) else ())
    }
    return {**schema, "properties": described}


def _worded(rule: object, definition: EventDefinition, name: str) -> object:
    found = definition.properties.get(name)
    if found is None or not isinstance(rule, Mapping):
        return rule
    said = dict(rule)
    if found.description:
        said.setdefault("description", found.description)
    if found.type == "time" and definition.short:
        said.setdefault("format", "date-time")
    return said
