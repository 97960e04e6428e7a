"""From what was recorded to a description: types, what is always there, lists of values, examples.

A description refuses events, so it says no more than the sample bears:

- required: in every one of at least 300, so that at most 1 % of events lack it (95 %; the rule of
  three, Hanley & Lippman-Hand 1983, JAMA 249:1743);
- a list of values: at most 20 plain words, and the chance that the next event brings another is
  under 0.5 % by Good's estimate (values seen once, of all seen; Good 1953, Biometrika 40:237);
- a value of an example: seen in at least five events, and nothing that looks personal.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onefold.collect.personal import personal_key, personal_text, tracking_key
from onefold.collect.times import micros_of_text
from onefold.collect.writing import Document

NEEDED = 300
"""Events from which a property that is always there counts as required."""
MOST_VALUES = 20
MOST_UNSEEN = 0.005
SHARED = 5
"""Events that must share a value before an example shows it."""

_NO_LIST = re.compile(r"(^|_)(id|ids|key|name|title|url|query|text|path|email|token)$")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9 _.\-]{0,39}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?")
_STAND_INS: dict[str, object] = {
    "string": "example",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "time": "2026-01-01T00:00:00Z",
    "list": [],
    "object": {},
}


@dataclass(frozen=True, slots=True)
class Sample:
    """Some recorded events of one name.

    Attributes:
        event: The name.
        recorded: How many were recorded in all.
        properties: Of the sampled ones; what is personal is not among them.
    """

    event: str
    recorded: int
    properties: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class _Field:
    present: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: Counter[Any] = field(default_factory=Counter)


def infer(sample: Sample) -> Document:
    """Return the description that a sample bears; owner and meaning are left to a person."""
    fields = _fields(sample.properties)
    properties = {
        name: rule
        for name, found in sorted(fields.items())
        if (rule := _rule(name, found, len(sample.properties)))
    }
    document: Document = {
        "event": sample.event,
        "version": 1,
        "kind": "action",
        "purpose": "analytics",
        "properties": properties,
    }
    if properties:
        document["examples"] = [_example(properties, fields)]
    return document


def heading(sample: Sample) -> str:
    """Return the comment that stands above an inferred description."""
    return (
        f"Inferred from {len(sample.properties):,} of {sample.recorded:,} recorded events.\n"
        "Say who owns it and what it means; check `kind` and every `required`.\n"
        "Give a text that may hold personal data its `pii` class: what is described is no longer\n"
        "searched for such data."
    )


def type_of(value: object) -> str:
    """Return the type of one value as the catalogue calls it; empty for null.

    >>> type_of(3), type_of("2026-11-22"), type_of([1])
    ('integer', 'time', 'list')
    """
    match value:
        case None:
            return ""
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            timed = _TIME.fullmatch(value) and micros_of_text(value) is not None
            return "time" if timed else "string"
        case list():
            return "list"
        case _:
            return "object"


def joint_type(types: Mapping[str, int]) -> str:
    """Return the one type that holds all values; empty where there is none.

    >>> joint_type({"integer": 3, "number": 1}), joint_type({"string": 1, "list": 1})
    ('number', '')
    """
    found = {kind for kind, count in types.items() if kind and count}
    if found == {"integer", "number"}:
        return "number"
    if found == {"string", "time"}:
        return "string"
    return found.pop() if len(found) == 1 else ""


def _fields(rows: Sequence[Mapping[str, Any]]) -> dict[str, _Field]:
    fields: dict[str, _Field] = {}
    for row in rows:
        for name, value in row.items():
            kind = type_of(value)
            if not kind or not name.strip() or name != name.strip():
                continue
            found = fields.setdefault(name, _Field())
            found.present += 1
            found.types[kind] += 1
            if kind not in {"list", "object"}:
                found.values[value] += 1
    return fields


def _rule(name: str, found: _Field, events: int) -> Document:
    kind = joint_type(found.types)
    if not kind:
        return {}
    rule: Document = {"type": kind}
    if found.present == events >= NEEDED:
        rule["required"] = True
    if kind == "string" and (values := _list_of_values(name, found)):
        rule["enum"] = values
    return rule


def _list_of_values(name: str, found: _Field) -> list[str]:
    """Return the only values that a text seems to have; empty where it may have others."""
    values = found.values
    if len(values) > MOST_VALUES or _NO_LIST.search(name.lower()):
        return []
    once = sum(count == 1 for count in values.values())
    if (once + 1) / found.present > MOST_UNSEEN:
        return []
    if not all(_WORD.fullmatch(value) and not personal_text(value) for value in values):
        return []
    return sorted(values)


def _example(properties: Mapping[str, Document], fields: Mapping[str, _Field]) -> Document:
    """Return properties that fit, of values that several events share, else of made-up ones."""
    example: Document = {}
    for name, rule in properties.items():
        if personal_key(name) or tracking_key(name):
            if rule.get("required"):
                example[name] = _STAND_INS[rule["type"]]
            continue
        common = fields[name].values.most_common(1)
        value, count = common[0] if common else (None, 0)
        telling = isinstance(value, str) and (personal_text(value) or len(value) > 80)
        if count >= SHARED and not telling:
            example[name] = value
        elif rule.get("required"):
            example[name] = _STAND_INS[rule["type"]]
    return example
