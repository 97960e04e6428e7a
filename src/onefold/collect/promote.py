"""Properties to columns of their own; a value that does not fit becomes null."""

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa

from onefold.model.errors import BadInput
from onefold.model.facts import PROMOTED, PROMOTED_TYPES
from onefold.model.money import to_micros
from onefold.model.time import parse_time

_WIRE: dict[str, Any] = {
    "string": str | None,
    "integer": int | None,
    "number": float | None,
    "boolean": bool | None,
    "time": str | None,
    "money": float | int | str | None,
}
_ARROW = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "int16": pa.int16(),
    "float64": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
}
_INT64 = 2**63


def arrow_column(values: Sequence[Any], kind: str) -> pa.Array:
    """Return a column of a facts type; times are integer microseconds."""
    if kind == "timestamp":
        return pa.array(values, pa.int64()).cast(pa.timestamp("us"))
    return pa.array(values, _ARROW[kind])


class Promoter:
    """Reads the described properties of an event at one go."""

    def __init__(self, promoted: Mapping[str, str]) -> None:
        """`promoted`: column -> kind; the property is the column's name less its prefix."""
        self._kinds = dict(promoted)
        self._names = [column.removeprefix(PROMOTED) for column in promoted]
        fields = [
            (f"f{place}", _WIRE[kind], msgspec.field(default=None, name=name))
            for place, (name, kind) in enumerate(zip(self._names, promoted.values(), strict=True))
        ]
        lenient = msgspec.defstruct("Promoted", fields, gc=False)
        plain = msgspec.defstruct("Plain", fields, gc=False, forbid_unknown_fields=True)
        self._lenient = msgspec.json.Decoder(lenient)
        self._plain = msgspec.json.Decoder(plain)
        self._plains = msgspec.json.Decoder(list[plain])  # type: ignore[valid-type]
        self._make = plain
        self.nothing: Any = plain()
        """The values of an event without any of them."""

    def plain(self, properties: bytes) -> Any:
        """Return the values of an event, or None where anything is in it that nobody described."""
        try:
            return self._plain.decode(properties)
        except (msgspec.ValidationError, msgspec.DecodeError):
            return None

    def all_plain(self, properties: Sequence[bytes]) -> list[Any] | None:
        """Return the values of each event, or None where `plain` has none for one of them."""
        try:
            return self._plains.decode(b"[" + b",".join(properties) + b"]")
        except (msgspec.ValidationError, msgspec.DecodeError):
            return None

    def values(self, properties: bytes) -> Any:
        """Return the values of an event, null where one is absent or does not fit."""
        if len(properties) <= 2 or not self._kinds:
            return self.nothing
        try:
            return self._lenient.decode(properties)
        except (msgspec.ValidationError, msgspec.DecodeError):
            content = msgspec.json.decode(properties)
            wanted = zip(self._names, self._kinds.values(), strict=True)
            return self._make(*(_fitting(content.get(name), kind) for name, kind in wanted))

    def columns(self, rows: Sequence[Any]) -> dict[str, pa.Array]:
        """Return the columns of many events' values."""
        return {
            column: arrow_column(
                _converted(list(map(attrgetter(f"f{place}"), rows)), kind), PROMOTED_TYPES[kind]
            )
            for place, (column, kind) in enumerate(self._kinds.items())
        }


def take_out(properties: bytes, names: Collection[str]) -> tuple[bytes, dict[str, str]]:
    """Return the properties less some fields, and the fields taken out as text."""
    content = msgspec.json.decode(properties)
    taken = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in content.items()
        if name in names and value is not None
    }
    if not taken:
        return properties, {}
    rest = {name: value for name, value in content.items() if name not in taken}
    return msgspec.json.encode(rest), taken


def _fitting(value: object, kind: str) -> object:
    try:
        return msgspec.convert(value, _WIRE[kind])
    except msgspec.ValidationError:
        return None


def _converted(values: Sequence[Any], kind: str) -> Sequence[Any]:
    if kind == "time":
        return [None if value is None else _or_none(parse_time, value) for value in values]
    if kind == "money":
        return [None if value is None else _or_none(to_micros, value) for value in values]
    if kind == "integer":
        return [None if v is None or not -_INT64 <= v < _INT64 else v for v in values]
    return values


def _or_none(convert: Any, value: object) -> int | None:
    try:
        found: int = convert(value)
    except BadInput:
        return None
    return found
