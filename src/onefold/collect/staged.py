"""Log rows of imports to columns: one table of what counts, one of what waits."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from onefold.collect.entities import field_of
from onefold.collect.promote import arrow_column
from onefold.collect.records import Code, Record
from onefold.collect.rows import ID
from onefold.collect.veil import Names, Veil
from onefold.model.errors import BadInput
from onefold.model.facts import RECORD_CODES, RECORD_TABLES, TABLES
from onefold.store import LogRow

DIALECT = "records"
ROWS, COLUMNS = "import", "columns"
"""Routes: a JSON list of records; an Arrow stream of rows that all count."""
_WAITING = 16
"""Verdict bytes from here on are of rows that do not count."""
_GONE = Code.ERASED << 4
"""And from here on of such of which only the place is left."""
_RECORDS = msgspec.json.Decoder(list[Record])
_ENVELOPE = {name: kind for name, kind in TABLES["records"].columns.items() if name != "parent_id"}
_MADE = frozenset({"known_time", "sources"})


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows of one run and entity.

    Attributes:
        source: `import:` and the name of the import.
        environment: That of the import.
        run_time: Received time of all rows of the run, microseconds.
        rows: The columns of `records` and those of the entity's table.
        waiting: The columns of `records`, and `reason`.
        distinct: Whether no key stands in them, and in others of its kind of the run, twice.
        names: What the keys in its columns stand for.
        digest: Of the log row's body, to know a repeated one by within one process.
    """

    source: str
    environment: str
    run_time: int
    entity: str
    rows: pa.Table
    waiting: pa.Table
    distinct: bool = False
    names: Names = field(default_factory=dict)
    digest: int = 0

    def joins(self, other: "Staged") -> bool:
        """Return whether both are of one run."""
        return (self.source, self.run_time) == (other.source, other.run_time)


def value_columns(entity: str) -> list[str]:
    """Return the columns of an entity's table that a file may fill, but for its key."""
    table, key = RECORD_TABLES[entity]
    return [name for name in TABLES[table].columns if name not in _MADE and name != key]


def read_staged(row: LogRow, veil: Veil) -> list[Staged]:
    """Return what a log row of an import holds, one entry an entity.

    Raises:
        BadInput: It holds a row of no known entity.
    """
    if row.route == COLUMNS:
        return [_from_columns(row, veil)]
    found: dict[str, list[tuple[int, Record]]] = defaultdict(list)
    for place, record in enumerate(_RECORDS.decode(row.body)):
        _prove_entity(record.entity)
        found[record.entity].append((place, record))
    return [_staged(row, entity, records, veil) for entity, records in found.items()]


def read_values(row: LogRow, veil: Veil) -> "Values":
    """Return the values of each place of a log row: column of its entity's table -> value."""
    return Values(row, veil)


class Values:
    """What the places of a log row say; only those asked for are made."""

    def __init__(self, row: LogRow, veil: Veil) -> None:
        self._veil = veil
        self._table: pa.Table | None = None
        self._records: list[Record] = []
        if row.route == COLUMNS:
            self._table, self._entity, _ = opened(row)
        else:
            self._records = _RECORDS.decode(row.body)

    def get(self, place: int) -> dict[str, Any] | None:
        """Return column -> value of a place, times as microseconds; None where there is none."""
        if self._table is None:
            if place >= len(self._records):
                return None
            record = self._records[place]
            columns = value_columns(record.entity)
            return {name: _value(record, name, self._veil, {}) for name in columns}
        if place >= self._table.num_rows:
            return None
        told = self._table.slice(place, 1)
        found: dict[str, Any] = dict.fromkeys(value_columns(self._entity))
        for name in found:
            field_name = field_of(name)
            if field_name in told.column_names:
                column = told[field_name]
                is_time = pa.types.is_timestamp(column.type)
                value = (column.cast(pa.int64()) if is_time else column)[0].as_py()
                needs = self._veil.needs(name)
                found[name] = self._veil.value(name, value, {}) if needs else value
        return found


def columns_body(rows: pa.Table, entity: str, priority: int) -> bytes:
    """Return the body of a log row of the route `columns`."""
    said = {"entity": entity, "priority": str(priority)}
    sink = pa.BufferOutputStream()
    rows = rows.replace_schema_metadata(said)
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def opened(row: LogRow) -> tuple[pa.Table, str, int]:
    """Return the rows of a body of columns, their entity and priority."""
    table = pa.ipc.open_stream(row.body).read_all()
    said = table.schema.metadata
    entity = said[b"entity"].decode()
    _prove_entity(entity)
    return table, entity, int(said[b"priority"])


def _from_columns(row: LogRow, veil: Veil) -> Staged:
    table, entity, priority = opened(row)
    count = table.num_rows
    kinds = TABLES[RECORD_TABLES[entity][0]].columns
    same = {
        "entity": RECORD_CODES[entity],
        "run_time": row.received_time,
        "known_time": row.received_time,
        "priority": priority,
        "waiting": False,
        "log_offset": row.offset,
    }
    names: Names = {}

    def told(name: str, field_name: str) -> pa.ChunkedArray | pa.Array:
        column = table[field_name]
        return veil.column(name, column, names) if veil.needs(name) else column

    each = {
        "key": told(RECORD_TABLES[entity][1], "key"),
        "message_hi": table["hi"],
        "message_lo": table["lo"],
        "place": pa.array(np.arange(count, dtype=np.int32)),
    }
    columns = {
        name: each[name] if name in each else _repeated(same[name], kind, count)
        for name, kind in _ENVELOPE.items()
    }
    for name in value_columns(entity):
        there = field_of(name) in table.column_names
        columns[name] = told(name, field_of(name)) if there else _repeated(None, kinds[name], count)
    if "account_id" not in columns:
        own = entity == "account"
        columns["account_id"] = table["key"] if own else _repeated(None, "string", count)
    rows = pa.table(columns)
    if max(row.verdicts, default=0) >= _GONE:
        left = np.frombuffer(row.verdicts, np.uint8) < _GONE
        rows = rows.filter(pa.array(left))
    return Staged(
        source=row.source,
        environment=row.environment,
        run_time=row.received_time,
        entity=entity,
        rows=rows,
        waiting=_NOTHING_WAITS,
        distinct=True,
        names=names,
        digest=hash(row.body),
    )


def _repeated(value: object, kind: str, count: int) -> pa.Array:
    return pa.repeat(arrow_column([value], kind)[0], count)


def _prove_entity(entity: str) -> None:
    if entity not in RECORD_TABLES:
        known = ", ".join(RECORD_TABLES)
        raise BadInput(f"No entity `{entity}`.", f"Use one of: {known}.")


def _staged(row: LogRow, entity: str, records: Sequence[tuple[int, Record]], veil: Veil) -> Staged:
    good = [(at, one) for at, one in records if row.verdicts[at] < _WAITING]
    bad = [(at, one) for at, one in records if _WAITING <= row.verdicts[at] < _GONE]
    names: Names = {}
    rows = _envelope(row, entity, good, veil, waiting=False)
    key = RECORD_TABLES[entity][1]
    if veil.needs(key):
        keys = veil.column(key, rows["key"], names)
        rows = rows.set_column(rows.column_names.index("key"), "key", keys)
    kinds = TABLES[RECORD_TABLES[entity][0]].columns
    for name in value_columns(entity):
        column = arrow_column([_value(one, name, veil, names) for _, one in good], kinds[name])
        rows = rows.append_column(name, column)
    if "account_id" not in rows.column_names:
        rows = rows.append_column("account_id", _accounts(rows, entity))
    waiting = _envelope(row, entity, bad, veil, waiting=True)
    reasons = pa.array([one.reason for _, one in bad], pa.string())
    return Staged(
        source=row.source,
        environment=row.environment,
        run_time=row.received_time,
        entity=entity,
        rows=rows,
        waiting=waiting.append_column("reason", reasons),
        names=names,
    )


def _accounts(rows: pa.Table, entity: str) -> pa.ChunkedArray | pa.Array:
    return rows["key"] if entity == "account" else pa.nulls(rows.num_rows, pa.string())


def _envelope(
    row: LogRow, entity: str, records: Sequence[tuple[int, Record]], veil: Veil, *, waiting: bool
) -> pa.Table:
    count = len(records)
    halves = [_halves(one.message_id, veil) for _, one in records]
    same = {
        "entity": RECORD_CODES[entity],
        "run_time": row.received_time,
        "waiting": waiting,
        "log_offset": row.offset,
    }
    each: dict[str, Any] = {
        "key": [one.key for _, one in records],
        "known_time": [one.event_time for _, one in records],
        "priority": [one.priority for _, one in records],
        "message_hi": np.array([high for high, _ in halves], np.int64),
        "message_lo": np.array([low for _, low in halves], np.int64),
        "place": [at for at, _ in records],
    }
    return pa.table(
        {
            name: arrow_column(each[name] if name in each else [same[name]] * count, kind)
            for name, kind in _ENVELOPE.items()
        }
    )


def _halves(message_id: str, veil: Veil) -> tuple[int, int]:
    """Return the 128 bits of an id: those that stand in it, or the hash of an older one."""
    if not message_id.startswith(ID):
        return veil.message(message_id)
    found = bytes.fromhex(message_id.removeprefix(ID))
    high, low = found[:8], found[8:]
    return int.from_bytes(high, "big", signed=True), int.from_bytes(low, "big", signed=True)


def _value(record: Record, column: str, veil: Veil, names: Names) -> Any:
    value = record.fields.get(field_of(column))
    if veil.needs(column):
        return veil.value(column, value, names)
    if column.endswith("_date") and isinstance(value, str):
        return date.fromisoformat(value)
    if column == "properties":
        return json.dumps(value or {}, ensure_ascii=False, sort_keys=True)
    return value


_NOTHING_WAITS = pa.table(
    {name: arrow_column([], kind) for name, kind in _ENVELOPE.items()}
    | {"reason": pa.array([], pa.string())}
)
