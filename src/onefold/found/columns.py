"""Columns of an answer with the types of Arrow, one plain value a cell."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from onefold.model.records import Column
from onefold.model.time import parse_time

if TYPE_CHECKING:
    import pyarrow as pa

_DIGITS = 38
_EXACT = Context(prec=_DIGITS)
_PARTS = ("low", "high", "level", "n")


@dataclass(frozen=True, slots=True)
class Spread:
    """A column with its cells, one plain value each."""

    column: Column
    cells: tuple[Any, ...]


def spread(body: Mapping[str, Any]) -> tuple[Spread, ...]:
    """Return the columns of an answer: money apart from its currency, estimates part by part.

    >>> columns = [{"name": "spent", "type": "money", "unit": ""}]
    >>> rows = [[{"micros": 2_500_000, "currency": "EUR"}]]
    >>> [(one.column.name, one.cells) for one in spread({"columns": columns, "rows": rows})]
    [('spent', (Decimal('2.500000'),)), ('currency', ('EUR',))]
    """
    told = [Column(each["name"], each["type"], each.get("unit", "")) for each in body["columns"]]
    cells = [tuple(row[place] for row in body["rows"]) for place in range(len(told))]
    monies = [place for place, column in enumerate(told) if column.type == "money"]
    together = all(len(_currencies(row, monies)) < 2 for row in body["rows"])
    found: list[Spread] = []
    for place, column in enumerate(told):
        if column.type != "money":
            found += (
                _estimated(column, cells[place])
                if _estimates(column)
                else [Spread(column, tuple(map(_reader(column.type), cells[place])))]
            )
            continue
        found.append(Spread(column, tuple(map(_units, cells[place]))))
        if not together:
            currencies = (each["currency"] if each else None for each in cells[place])
            found.append(Spread(Column(f"{column.name}_currency", "text"), tuple(currencies)))
    if together and monies:
        of_rows = (next(iter(_currencies(row, monies)), None) for row in body["rows"])
        found.append(Spread(Column("currency", "text"), tuple(of_rows)))
    return tuple(_told_apart(found))


def arrow_of(asked: str, body: Mapping[str, Any], found: Sequence[Spread]) -> "pa.Table":
    """Return columns as an Arrow table whose metadata tells what they are."""
    import pyarrow as pa

    arrays = [_array(each) for each in found]
    fields = [
        pa.field(one.column.name, array.type, metadata=_said(one.column))
        for one, array in zip(found, arrays, strict=True)
    ]
    beside = {key: value for key, value in body.items() if key not in {"rows", "columns"}}
    told = json.dumps({"asked": asked, **beside}, ensure_ascii=False)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata={"onefold": told}))


def _said(column: Column) -> dict[str, str]:
    return {"type": column.type, "unit": column.unit}


def _array(one: Spread) -> "pa.Array":
    """Return the cells of a column in its type; as texts where they do not fit it."""
    import pyarrow as pa

    kinds = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
        "money": pa.decimal128(_DIGITS, 6),
    }
    cells, kind = one.cells, kinds.get(one.column.type, pa.string())
    if one.column.type == "integer" and any(isinstance(cell, Decimal) for cell in one.cells):
        kind = pa.decimal128(_DIGITS, 0)
        cells = tuple(None if cell is None else Decimal(cell) for cell in cells)
    try:
        return pa.array(cells, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([_text(cell) for cell in one.cells], pa.string())


def _reader(kind: str) -> Callable[[Any], Any]:
    """Return what makes the value of a cell of what JSON says; what it cannot read stays."""
    readers: dict[str, Callable[[Any], Any]] = {
        "integer": lambda told: Decimal(told) if isinstance(told, str) else told,
        "time": lambda told: parse_time(told) if isinstance(told, str) else told,
        "date": lambda told: date.fromisoformat(told) if isinstance(told, str) else told,
        "number": lambda told: told,
        "boolean": lambda told: told,
    }
    read: Callable[[Any], Any] = readers.get(kind, _text)

    def cell(told: Any) -> Any:
        try:
            return read(told)
        except (ValueError, ArithmeticError):
            return told

    return cell


def _text(told: Any) -> str | None:
    if told is None or isinstance(told, str):
        return told
    if isinstance(told, dict | list | bool):
        return json.dumps(told, ensure_ascii=False)
    return str(told)


def _units(told: Mapping[str, Any] | None) -> Decimal | None:
    return None if told is None else Decimal(told["micros"]).scaleb(-6, _EXACT)


def _currencies(row: Sequence[Any], monies: Sequence[int]) -> frozenset[str]:
    return frozenset(row[place]["currency"] for place in monies if row[place])


def _estimates(column: Column) -> bool:
    return column.type == "estimate"


def _estimated(column: Column, cells: Sequence[Any]) -> Iterator[Spread]:
    """Yield an estimate and its parts; micros of a currency become money in its units."""
    scale, _, currency = column.unit.partition(" ")
    money = scale == "micros" and bool(currency)
    kind, unit = ("money", currency) if money else ("number", column.unit)

    def value(told: Any) -> Any:
        if told is None or not money:
            return told
        return Decimal(round(told)).scaleb(-6, _EXACT)

    for part in ("estimate", *_PARTS):
        name = column.name if part == "estimate" else f"{column.name}_{part}"
        values = [each.get(part) if each else None for each in cells]
        if part == "n":
            yield Spread(Column(name, "integer"), tuple(values))
        elif part == "level":
            yield Spread(Column(name, "number", "share"), tuple(values))
        else:
            yield Spread(Column(name, kind, unit), tuple(map(value, values)))


def _told_apart(found: Sequence[Spread]) -> Iterator[Spread]:
    """Yield columns none of which has the name of another."""
    own = {each.column.name for each in found}
    taken: set[str] = set()
    for each in found:
        name, count = each.column.name, 2
        while name in taken or (count > 2 and name in own):
            name, count = f"{each.column.name}_{count}", count + 1
        taken.add(name)
        yield replace(each, column=replace(each.column, name=name))
