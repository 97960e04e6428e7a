"""The event catalogue: what each event means, which properties it has, and who owns it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import msgspec

from onefold.collect.schemas import (
    COLUMNS,
    TYPES,
    Check,
    Property,
    compiled,
    culprits,
    properties_of,
    schema_of,
)
from onefold.consent import PURPOSES
from onefold.model.documents import Fields, read_document
from onefold.model.errors import BadInput

KINDS = ("action", "impression", "system")
COMMON = "$common"
CALLS = frozenset({"$identify", "$group", "$page", "$screen", COMMON})
"""Names that describe no event but the other calls: their traits or properties, and what the
properties of every track call have in common."""
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class EventDefinition:
    """One described event.

    Attributes:
        event: Its name on the wire.
        kind: `action` (a person did it), `impression` (was shown), `system`.
        discovery: It is a step of finding something.
        purpose: What consent it needs to be looked at.
        properties: By name.
        schema: The JSON Schema of its properties, given or made from `properties`.
        examples: Property objects that pass.
        origin: Where it was brought in from, such as `iglu:com.acme/cart/jsonschema/1-0-2`.
        place: File and line of its definition; empty when it did not come from a file.
        text: The YAML it was read from.
    """

    event: str
    version: int
    owner: str
    description: str
    kind: str
    discovery: bool
    purpose: str
    properties: Mapping[str, Property]
    schema: Mapping[str, object]
    examples: tuple[Mapping[str, object], ...] = ()
    origin: str = ""
    place: str = ""
    text: str = ""

    @cached_property
    def check(self) -> Check:
        """The compiled check: a property object in, the sentence that refuses it or '' out."""
        return compiled(self.schema, self._types)

    @cached_property
    def culprits(self) -> Callable[[Mapping[str, object]], frozenset[str]]:
        """What names the properties that an object which does not fit could go without."""
        return culprits(self.schema, self._types)

    @cached_property
    def short(self) -> bool:
        """Whether its `properties` say all that its schema says."""
        typed = all(found.type for found in self.properties.values())
        return typed and self.schema == schema_of(self.properties)

    @property
    def _types(self) -> dict[str, str]:
        return {name: found.type for name, found in self.properties.items()}


@dataclass(frozen=True)
class Catalogue:
    """All described events, by name.

    Attributes:
        events: What is tracked.
        calls: What else is sent, under the names of `CALLS`.
    """

    events: Mapping[str, EventDefinition] = field(default_factory=dict)
    calls: Mapping[str, EventDefinition] = field(default_factory=dict)

    @staticmethod
    def read(folder: Path) -> "Catalogue":
        """Return the catalogue in a folder of YAML files; empty without a folder.

        Raises:
            BadInput: A definition cannot be used; with file, line and column.
        """
        files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
        return make_catalogue((f"{folder.name}/{f.name}", f.read_text("utf-8")) for f in files)

    def fault(self, event: str, properties: Mapping[str, object]) -> str:
        """Return why an event's properties do not fit, one sentence; empty when they do."""
        definition = self.events.get(event)
        return definition.check(properties) if definition else ""

    @property
    def all(self) -> dict[str, EventDefinition]:
        """Return every definition by its name."""
        return {**self.events, **self.calls}

    @cached_property
    def documents(self) -> dict[str, str]:
        """The catalogue as event -> YAML text, as a control entry of the log keeps it."""
        return {name: definition.text for name, definition in self.events.items()}

    @cached_property
    def described(self) -> dict[str, frozenset[str]]:
        """Event -> names of its described properties."""
        return {name: frozenset(d.properties) for name, d in self.events.items()}


def make_catalogue(texts: Iterable[tuple[str, str]]) -> Catalogue:
    """Return the catalogue of (name for complaints, YAML text) pairs.

    Raises:
        BadInput: A definition cannot be used, two describe one event, or one property has two
            types; with file, line and column.
    """
    events: dict[str, EventDefinition] = {}
    for path, text in texts:
        definition = parse_event(text, path)
        former = events.get(definition.event)
        if former:
            message = (
                f"{definition.place}: `{definition.event}` is described in {former.place} too."
            )
            raise BadInput(message, "Keep one of the two.")
        events[definition.event] = definition
    catalogue = Catalogue(
        {name: one for name, one in events.items() if name not in CALLS},
        {name: one for name, one in events.items() if name in CALLS},
    )
    promoted(catalogue)
    return catalogue


def parse_event(text: str, path: str) -> EventDefinition:
    """Return the definition in a YAML text.

    Raises:
        BadInput: It cannot be used; with file, line and column.
    """
    fields = read_document(text, path)
    event = fields.text("event")
    schema = fields.plain("schema")
    if schema is not None and "properties" in fields:
        fields.refuse("schema", "It has both `schema` and `properties`.", "Keep one of the two.")
    described = fields.fields("properties")
    if schema is None:
        properties = {n: _property(described, n) for n in described.names()} if described else {}
        rules: Mapping[str, object] = schema_of(properties)
    else:
        rules = _given_schema(fields, schema)
        properties = properties_of(rules)
    definition = EventDefinition(
        event=event,
        version=fields.integer("version", 1, least=1),
        owner=fields.text("owner", ""),
        description=fields.text("description", ""),
        kind=fields.choice("kind", KINDS, "action"),
        discovery=fields.flag("discovery", default=False),
        purpose=fields.choice("purpose", PURPOSES, "analytics"),
        properties=properties,
        schema=rules,
        examples=_examples(fields),
        origin=fields.text("origin", ""),
        place=path,
        text=text,
    )
    fields.close()
    _prove(definition, fields)
    return definition


def _property(described: Fields, name: str) -> Property:
    fields = described.required(name)
    enum = msgspec.to_builtins(fields.plain("enum"))
    if enum is not None and not (isinstance(enum, list) and enum):
        fields.refuse("enum", f"`enum` of `{name}` is no list.", "Write [one, another].")
    pattern = fields.text("pattern", "")
    try:
        re.compile(pattern)
    except re.error as error:
        fields.refuse("pattern", f"`{pattern}` is no regular expression: {error}.", "Mend it.")
    found = Property(
        name=name,
        type=fields.choice("type", TYPES),
        required=fields.flag("required", default=False),
        pii=fields.text("pii", "none"),
        description=fields.text("description", ""),
        enum=tuple(enum or ()),
        pattern=pattern,
        minimum=fields.number("minimum") if "minimum" in fields else None,
        maximum=fields.number("maximum") if "maximum" in fields else None,
        column=fields.flag("column", default=True),
    )
    fields.close()
    return found


def _given_schema(fields: Fields, schema: object) -> Mapping[str, object]:
    rules = msgspec.to_builtins(schema)
    if not isinstance(rules, dict):
        fields.refuse("schema", "`schema` is no JSON Schema.", "Write its keywords below it.")
    return rules


def _examples(fields: Fields) -> tuple[Mapping[str, object], ...]:
    given = msgspec.to_builtins(fields.plain("examples"))
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        fields.refuse("examples", "`examples` is no list of property objects.", "Write `- {...}`.")
    return tuple(given)


def _prove(definition: EventDefinition, fields: Fields) -> None:
    """Compile the schema and try the examples, so that a mistake shows where it was made."""
    part = "schema" if "schema" in fields else "properties"
    try:
        check = definition.check
    except BadInput as error:
        fields.refuse(part, error.message, error.fix)
    for place, example in enumerate(definition.examples, 1):
        fault = check(example)
        if fault:
            fields.refuse("examples", f"Example {place} does not fit: {fault}", "Mend either.")


def promoted(catalogue: Catalogue) -> dict[str, str]:
    """Return the properties that get a typed column of their own: name -> type.

    Personal ones, lists and objects never do, nor one with `column: false`; a name that is no
    plain word stays in the JSON. `currency` joins as soon as a property is money.

    Raises:
        BadInput: Two events give a property different types, or names differ only in case.
    """
    columns: dict[str, str] = {}
    first: dict[str, tuple[str, str]] = {}
    for definition in catalogue.events.values():
        for name, found in definition.properties.items():
            if not takes_column(found):
                continue
            spelled, place = first.setdefault(name.lower(), (name, definition.place))
            if spelled != name:
                message = (
                    f"{definition.place}: `{name}` differs only in case "
                    f"from `{spelled}` in {place}."
                )
                fix = "Give both the same name, or one of them `column: false`."
                raise BadInput(message, fix)
            if columns.setdefault(name, found.type) != found.type:
                message = (
                    f"{definition.place}: `{name}` is {found.type}, but {columns[name]} in {place}."
                )
                fix = "Give it the same type in both, or `column: false` in one."
                raise BadInput(message, fix)
    if "money" in columns.values():
        columns.setdefault("currency", "string")
    return dict(sorted(columns.items()))


def takes_column(found: Property) -> bool:
    """Return whether a property gets a typed column of its own in the facts."""
    plain = _PLAIN_NAME.fullmatch(found.name) is not None
    return plain and found.column and found.pii == "none" and found.type in COLUMNS
