"""Rows of a CSV to columns of an entity, many at a time.

Only rows that are certain to be good go this way; each of the others is read as a row (`rows`).
Both ways make the same records under the same ids: a property test holds them together.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.blocks import Block
from onefold.collect.entities import ANY_OF, CHOICES, CONSENT, DEFAULTS, REQUIRED, SPANS, field_of
from onefold.collect.mapping import PROPERTY, Column, Mapping
from onefold.collect.reading import Raw
from onefold.collect.rows import MOST_TEXT, Converter, id_prefix
from onefold.model.cores import cores
from onefold.model.facts import TABLES
from onefold.store import planes

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
_In = TypeVar("_In")
_Out = TypeVar("_Out")
_ARROW = {"time": pa.timestamp("us"), "date": pa.date32(), "integer": pa.int64()}
_WHOLE = r"^-?[0-9]{1,18}$"
_AMOUNT = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"
_SCALE = 6


@dataclass(frozen=True, slots=True)
class Columns:
    """What was read of a file.

    Attributes:
        good: Rows with `line`, `key`, `hi`, `lo` and the values of the entity's table, block by
            block; made as they are taken.
        others: Line and row of what is to be read one by one, in the order of the file.
    """

    good: Iterator[pa.Table]
    others: list[tuple[int, Raw | str]]


def suits(mapping: Mapping) -> bool:
    """Return whether a mapping's rows can be read as columns: each has a key and plain fields.

    Words of consent are looked at one by one, and few of them share a row of the log.
    """
    return (
        mapping.is_text
        and mapping.table != CONSENT
        and mapping.format == "csv"
        and bool(mapping.columns.get(mapping.key, Column("")).source)
        and not any(name.startswith(PROPERTY) for name in mapping.columns)
    )


def read_columns(
    mapping: Mapping, converter: Converter, blocks: Sequence[Block], *, keep_first: int
) -> Columns:
    """Return the rows of a file, those that are certain to be good as columns.

    A key that stands in the file twice is none of these; nor are the first `keep_first` rows,
    which a preview shows.
    """
    plain = [one for one in blocks if one.columns is not None]
    drafts = list(_each(lambda one: _draft(mapping, converter, one), plain))
    others = [row for one in blocks for row in one.rows]
    unclear = _repeated(mapping, drafts, others)
    for place, draft in enumerate(drafts):
        if unclear is not None:
            draft.good &= ~_flags(pc.is_in(draft.values[mapping.key], unclear))
        if place == 0:
            draft.good[:keep_first] = False
        others += draft.rows(np.flatnonzero(~draft.good))
    return Columns(
        good=_each(
            lambda draft: _table(mapping, converter.secret, draft),
            [draft for draft in drafts if draft.good.any()],
        ),
        others=sorted(others, key=lambda row: row[0]),
    )


def _each(make: Callable[[_In], _Out], items: Sequence[_In]) -> Iterator[_Out]:
    """Yield what is made of each item, in order; a thread a core makes them."""
    with ThreadPoolExecutor(cores(), "reads a CSV") as pool:
        yield from pool.map(make, items)


@dataclass(slots=True)
class _Draft:
    """A plain block: values by field, which rows are certain to be good, its keys' numbers."""

    block: Block
    values: dict[str, pa.Array]
    good: Flags
    numbers: Ints

    def rows(self, places: npt.NDArray[np.intp]) -> list[tuple[int, Raw | str]]:
        """Return rows of the block as they stand in the file, less those without any value."""
        table = self.block.columns.take(pa.array(places))  # type: ignore[union-attr]
        rows = zip(places.tolist(), table.to_pylist(), strict=True)
        return [
            (self.block.line + place, row)
            for place, row in rows
            if any((cell or "").strip() for cell in row.values())
        ]


def _draft(mapping: Mapping, converter: Converter, block: Block) -> _Draft:
    table = block.columns
    assert table is not None  # noqa: S101 - only plain blocks come here
    count = table.num_rows
    values: dict[str, pa.Array] = {}
    good = np.ones(count, dtype=np.bool_)
    standing = DEFAULTS.get(mapping.table, {}) | converter.constants
    for name, column in mapping.columns.items():
        if not column.source:
            continue
        text = table[column.source].combine_chunks()
        if not block.tight:
            text = pc.utf8_trim_whitespace(text)
            text = pc.if_else(pc.equal(text, ""), None, text)
        values[name], bad = _converted(column, text, converter.reader(name))
        good &= ~bad
        if standing.get(name) is not None:
            values[name] = pc.fill_null(values[name], _scalar(column, standing[name]))
    for name, value in standing.items():
        if name not in values:
            kind = mapping.columns[name] if name in mapping.columns else Column("")
            values[name] = pa.repeat(_scalar(kind, value), count)
    good &= _understood(mapping, values)
    return _Draft(block, values, good, _ordered(values[mapping.key]))


def _ordered(keys: pa.Array) -> Ints:
    """Return a number a key that is there, in order."""
    return np.sort(planes.text_numbers(keys.drop_null()))


def _scalar(column: Column, value: Any) -> pa.Scalar:
    if column.type == "date" and isinstance(value, str):
        value = date.fromisoformat(value)
    kind = pa.int64() if column.type == "money" else _ARROW.get(column.type, pa.string())
    return pa.scalar(value, kind)


def _converted(
    column: Column, text: pa.Array, read: Callable[[str], Any]
) -> tuple[pa.Array, Flags]:
    """Return the values of a column, and which of its texts cannot be told of here."""
    if column.type == "text":
        longest = pc.max(pc.binary_length(text)).as_py() or 0
        if longest <= MOST_TEXT:
            return text, np.zeros(len(text), dtype=np.bool_)
        return text, _flags(pc.greater(pc.utf8_length(text), MOST_TEXT))
    if column.type in {"integer", "money"}:
        return _numbers(column, text)
    parts = text.dictionary_encode()
    kind = _ARROW.get(column.type, pa.string())
    values = pa.array([_read(read, one, column) for one in parts.dictionary.to_pylist()], kind)
    found = values.take(parts.indices)
    return found, _flags(pc.and_(pc.is_null(found), pc.is_valid(text)))


def _read(read: Callable[[str], Any], text: str, column: Column) -> Any:
    try:
        value = read(text)
    except (ValueError, OverflowError):
        return None
    return date.fromisoformat(value) if column.type == "date" else value


def _numbers(column: Column, text: pa.Array) -> tuple[pa.Array, Flags]:
    whole = column.type == "integer"
    if column.thousands:
        text = pc.replace_substring(text, column.thousands, "")
    if column.decimal == ",":
        text = pc.replace_substring(text, ",", ".")
    plain = pc.match_substring_regex(text, _WHOLE if whole else _AMOUNT)
    bad = _flags(pc.invert(plain))
    sure = pc.if_else(plain, text, None)
    if whole:
        return sure.cast(pa.int64()), bad
    exact = sure.cast(pa.decimal128(18, _SCALE))
    # The lower half of a decimal of six places is its count of millionths.
    words = np.frombuffer(exact.buffers()[1], dtype="<i8")[exact.offset * 2 :][::2]
    micros = pa.array(np.ascontiguousarray(words[: len(exact)]))
    return pc.if_else(exact.is_valid(), micros, None), bad


def _flags(array: pa.Array) -> Flags:
    return pc.fill_null(array, False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _understood(mapping: Mapping, values: dict[str, pa.Array]) -> Flags:
    """Fill in what is understood; return which rows lack nothing (see `Converter`)."""
    good = np.ones(len(values[mapping.key]), dtype=np.bool_)
    for name in {*REQUIRED[mapping.table], mapping.key}:
        if name in values:
            good &= _flags(pc.is_valid(values[name]))
    some = [_flags(pc.is_valid(values[n])) for n in ANY_OF.get(mapping.table, ()) if n in values]
    if some:
        good &= np.logical_or.reduce(some)
    if mapping.table == "tickets":
        count = len(values[mapping.key])
        closed = values.get("closed_time", pa.nulls(count, pa.timestamp("us")))
        told = values.get("status", pa.nulls(count, pa.string()))
        values["status"] = pc.coalesce(told, pc.if_else(pc.is_null(closed), "open", "closed"))
    begin, end, _ = SPANS.get(mapping.table, ("", "", ""))
    if begin in values and end in values:
        good &= ~_flags(pc.less(values[end], values[begin]))
    for name, options in CHOICES.get(mapping.table, {}).items():
        if name in values:
            known = pc.is_in(values[name], pa.array(options))
            good &= _flags(pc.or_(known, pc.is_null(values[name])))
    return good


def _repeated(
    mapping: Mapping, drafts: Sequence[_Draft], others: Sequence[tuple[int, Raw | str]]
) -> pa.Array | None:
    """Return the keys that stand in the file more than once, or None where none does."""
    source = mapping.columns[mapping.key].source
    said = [str(row.get(source) or "").strip() for _, row in others if isinstance(row, dict)]
    more = pa.array(said, pa.string())
    # Each part is in order: a stable sort has only to merge them.
    parts = [*(draft.numbers for draft in drafts), _ordered(more)]
    numbers = np.sort(np.concatenate(parts), kind="stable")
    if (numbers[1:] != numbers[:-1]).all():
        return None
    keys = [draft.values[mapping.key] for draft in drafts]
    counts = pa.chunked_array([*keys, more], pa.string()).drop_null().value_counts()
    return counts.filter(pc.greater(counts.field("counts"), 1)).field("values")


def _table(mapping: Mapping, secret: bytes, draft: _Draft) -> pa.Table:
    values = dict(draft.values)
    if not draft.good.all():
        chosen = pa.array(draft.good)
        values = {name: array.filter(chosen) for name, array in values.items()}
    key = values.pop(mapping.key)
    names = sorted(values)
    texts = [_said(values[name]) for name in names]
    whole = pc.binary_join_element_wise(
        pa.scalar(id_prefix(mapping, secret, names)),
        key,
        *texts,
        "\x1f",
        null_handling="replace",
        null_replacement="\x00",
    )
    hi, lo = planes.text_digests(whole)
    lines = np.flatnonzero(draft.good) + draft.block.line
    kinds = TABLES[mapping.table].columns
    return pa.table(
        {"line": lines.astype(np.int64), "key": key, "hi": hi, "lo": lo}
        | {name: values[name] for name in map(field_of, kinds) if name in values}
    )


def _said(array: pa.Array) -> pa.Array:
    """Return values as the text that an id is made of."""
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    return array.cast(pa.string())
