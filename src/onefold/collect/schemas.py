"""Schemas of properties, compiled once; faults said in plain words that repeat no value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jsonschema_rs

from onefold.collect.times import micros_of_text
from onefold.model.errors import BadInput
from onefold.model.money import to_micros

Check = Callable[[Mapping[str, object]], str]
"""A property object in; the sentence that refuses it out, or '' when it fits."""

TYPES = ("string", "integer", "number", "boolean", "time", "money", "list", "object")
"""What a property may be; `time` is ISO 8601, `money` a decimal amount."""
COLUMNS = frozenset(TYPES) - {"list", "object"}
"""Types that can have a column of their own in the facts."""

_WIRE: dict[str, list[str]] = {
    "string": ["string"],
    "integer": ["integer"],
    "number": ["number"],
    "boolean": ["boolean"],
    "time": ["string"],
    "money": ["number", "string"],
    "list": ["array"],
    "object": ["object"],
}
_PLAIN = {"string", "integer", "number", "boolean", "array", "object"}
_ODD = frozenset({"time", "money"})
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an event.

    Attributes:
        type: One of `TYPES`.
        required: An event without it waits in quarantine.
        pii: `none`, or the class of personal data it holds, such as `email`.
        enum: The only values it may have; empty for any.
        pattern: A regular expression that a text has to match somewhere; may be empty.
        minimum: Smallest number, or None; `maximum` likewise.
        column: It gets a column of its own in the facts, where its type can have one.
    """

    name: str
    type: str
    required: bool = False
    pii: str = "none"
    description: str = ""
    enum: tuple[object, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    column: bool = True


def schema_of(properties: Mapping[str, Property]) -> dict[str, object]:
    """Return the JSON Schema of described properties; null counts as missing.

    One that a schema gives no single type may be anything here.
    """
    return {
        "type": "object",
        "properties": {name: _rule(found) for name, found in properties.items()},
        "required": [name for name, found in properties.items() if found.required],
    }


def _rule(found: Property) -> dict[str, object]:
    types = _WIRE.get(found.type, [])
    rule: dict[str, object] = {}
    if types:
        rule["type"] = types if found.required else [*types, "null"]
    if found.enum:
        rule["enum"] = [*found.enum] if found.required else [*found.enum, None]
    if found.pattern:
        rule["pattern"] = found.pattern
    if found.minimum is not None:
        rule["minimum"] = found.minimum
    if found.maximum is not None:
        rule["maximum"] = found.maximum
    return rule


def properties_of(schema: Mapping[str, object]) -> dict[str, Property]:
    """Return what a JSON Schema says plainly of its properties.

    Three keywords of our own are read: `x-type` (`time`, `money`), `x-pii`, `x-column`.
    """
    described = schema.get("properties")
    required = schema.get("required")
    if not isinstance(described, dict):
        return {}
    known = required if isinstance(required, list) else []
    return {
        str(name): _read(str(name), rule, required=name in known)
        for name, rule in described.items()
        if isinstance(rule, dict)
    }


def _read(name: str, rule: Mapping[str, object], *, required: bool) -> Property:
    enum = rule.get("enum")
    return Property(
        name=name,
        type=_type_of(rule),
        required=required,
        pii=str(rule.get("x-pii", "none")),
        description=str(rule.get("description", "")),
        enum=tuple(one for one in enum if one is not None) if isinstance(enum, list) else (),
        column=rule.get("x-column") is not False,
    )


def _type_of(rule: Mapping[str, object]) -> str:
    """Return the one type that a rule allows beside null; empty where it allows several."""
    own = rule.get("x-type")
    if own in TYPES:
        return str(own)
    said = rule.get("type")
    types = {one for one in (said if isinstance(said, list) else [said]) if one != "null"}
    if len(types) != 1:
        return ""
    (only,) = types
    if only == "string" and rule.get("format") == "date-time":
        return "time"
    return {"array": "list"}.get(str(only), str(only)) if only in _PLAIN else ""


def compiled(schema: Mapping[str, object], types: Mapping[str, str]) -> Check:
    """Return the check of a schema, and of the types that JSON Schema does not know.

    Args:
        schema: JSON Schema; its draft as `$schema` says.
        types: Property -> type; `time` has to be ISO 8601, `money` a decimal amount.

    Raises:
        BadInput: It is no JSON Schema.
    """
    try:
        validator = jsonschema_rs.validator_for(dict(schema), mask="It", offline=True)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        message = f"This is no JSON Schema: {str(error).splitlines()[0]}."
        raise BadInput(message, "See json-schema.org for the keywords.") from error
    is_valid = validator.is_valid
    odd = [(name, kind) for name, kind in types.items() if kind in _ODD]

    def check(properties: Mapping[str, object]) -> str:
        if not is_valid(properties):
            return _said(next(iter(validator.iter_errors(properties))), types)
        for name, kind in odd:
            value = properties.get(name)
            if value is not None and not _fits(value, kind):
                return f"`{name}` is not {'an ISO 8601 time' if kind == 'time' else 'an amount'}."
        return ""

    return check


def culprits(
    schema: Mapping[str, object], types: Mapping[str, str]
) -> Callable[[Mapping[str, object]], frozenset[str]]:
    """Return what names the properties, at the top, that a property object could go without.

    The result is empty where leaving properties out would not mend the object.
    """
    validator = jsonschema_rs.validator_for(dict(schema), mask="It", offline=True)
    required = schema.get("required")
    needed = frozenset(required if isinstance(required, list) else ())

    def found(properties: Mapping[str, object]) -> frozenset[str]:
        steps = [list(error.instance_path) for error in validator.iter_errors(properties)]
        names = {str(step[0]) for step in steps if step}
        names |= {
            name
            for name, kind in types.items()
            if kind in _ODD and properties.get(name) is not None and name not in names
            if not _fits(properties[name], kind)
        }
        return frozenset() if not all(steps) or names & needed else frozenset(names)

    return found


def _fits(value: object, kind: str) -> bool:
    if kind == "time":
        return micros_of_text(value) is not None
    try:
        to_micros(value)  # type: ignore[arg-type]  # the schema has let numbers and texts through
    except BadInput:
        return False
    return True


def _said(error: jsonschema_rs.ValidationError, described: Mapping[str, str]) -> str:
    """Return a fault in plain words; never a value or a name that was sent: it may be personal."""
    steps = [str(step) for step in error.instance_path]
    path = steps[0] if steps and steps[0] in described else ""
    if path and len(steps) > 1:
        return f"Something in `{path}` does not fit its schema."
    name = f"`{path}`" if path else "The properties"
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.Required(property=missing):
            return f"`{missing}` is missing in `{path}`." if path else f"`{missing}` is missing."
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties():
            return f"{name} {'holds' if path else 'hold'} what the schema does not describe."
        case jsonschema_rs.ValidationErrorKind.Type(types=types):
            wanted = [_WORDS[one] for one in sorted(types) if one != "null" or types == ["null"]]
            return f"{name} should be {' or '.join(wanted)}."
        case jsonschema_rs.ValidationErrorKind.Enum(options=options):
            known = ", ".join(str(one) for one in options if one is not None)
            return f"{name} is not one of {known}."
        case jsonschema_rs.ValidationErrorKind.Minimum(limit=limit):
            return f"{name} is less than {limit:g}."
        case jsonschema_rs.ValidationErrorKind.Maximum(limit=limit):
            return f"{name} is more than {limit:g}."
        case jsonschema_rs.ValidationErrorKind.Pattern(pattern=pattern):
            return f"{name} does not match {pattern}."
        case _:
            return f"{name}: {error.message.rstrip('.')}."
