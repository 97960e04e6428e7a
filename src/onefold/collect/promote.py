"""Properties to columns of their own; a value that does not fit becomes null."""

from collections.abc import Collection, Mapping, Sequence
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
        strict = msgspec.defstruct("Plain", fields, gc=False, forbid_unknown_fields=True)
        self._decoder = msgspec.json.Decoder(lenient)
        self._strict = msgspec.json.Decoder(strict)
        self.nothing: tuple[Any, ...] = (None,) * len(self._kinds)
        """The values of an event without any of them."""

    def plain_values(self, properties: bytes) -> tuple[Any, ...] | None:
        """Return one value a column, or None where anything is in it that nobody described."""
        if len(properties) <= 2:
            return self.nothing
        try:
            return msgspec.structs.astuple(self._strict.decode(properties))
        except (msgspec.ValidationError, msgspec.DecodeError):
            return None

    def values(self, properties: bytes) -> tuple[Any, ...]:
        """Return one value a column, null where it is absent or does not fit."""
        if len(properties) <= 2 or not self._kinds:
            return self.nothing
        try:
            return msgspec.structs.astuple(self._decoder.decode(properties))
        except (msgspec.ValidationError, msgspec.DecodeError):
            return self._values_one_by_one(properties)

    def _values_one_by_one(self, properties: bytes) -> tuple[Any, ...]:
        content = msgspec.json.decode(properties)
        return tuple(
            _fitting(content.get(name), kind)
            for name, kind in zip(self._names, self._kinds.values(), strict=True)
        )

    def columns(self, rows: Sequence[tuple[Any, ...]]) -> dict[str, pa.Array]:
        """Return the columns of many events' values."""
        values = list(zip(*rows, strict=True)) if rows else [()] * len(self._kinds)
        return {
            column: arrow_column(_converted(column_values, kind), PROMOTED_TYPES[kind])
            for (column, kind), column_values in zip(self._kinds.items(), values, strict=True)
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
