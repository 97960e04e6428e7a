"""Log rows of imports to columns: one table of what counts, one of what waits."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from onefold.collect.promote import arrow_column
from onefold.collect.records import Record
from onefold.model.errors import BadInput
from onefold.model.facts import RECORD_TABLES, TABLES
from onefold.model.ids import message_hash
from onefold.store import LogRow

DIALECT = "records"
_WAITING = 16
"""Verdict bytes from here on are of rows that do not count."""
_RECORDS = msgspec.json.Decoder(list[Record])
_ENVELOPE = TABLES["records"].columns
_MADE = frozenset({"known_time", "sources"})


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows of one run and entity.

    Attributes:
        source: `import:` and the name of the import.
        run_time: Received time of all rows of the run, microseconds.
        rows: The columns of `records` and those of the entity's table.
        waiting: The columns of `records`, and `reason`.
    """

    source: str
    run_time: int
    entity: str
    rows: pa.Table
    waiting: pa.Table

    def joins(self, other: "Staged") -> bool:
        """Return whether both are of one run."""
        return (self.source, self.run_time) == (other.source, other.run_time)


def value_columns(entity: str) -> list[str]:
    """Return the columns of an entity's table that a file may fill, but for its key."""
    table, key = RECORD_TABLES[entity]
    return [name for name in TABLES[table].columns if name not in _MADE and name != key]


def read_staged(row: LogRow) -> list[Staged]:
    """Return what a log row of an import holds, one entry an entity.

    Raises:
        BadInput: It holds a row of no known entity.
    """
    found: dict[str, list[tuple[int, Record]]] = defaultdict(list)
    for place, record in enumerate(_RECORDS.decode(row.body)):
        if record.entity not in RECORD_TABLES:
            known = ", ".join(RECORD_TABLES)
            raise BadInput(f"No entity `{record.entity}`.", f"Use one of: {known}.")
        found[record.entity].append((place, record))
    return [_staged(row, entity, records) for entity, records in found.items()]


def read_values(row: LogRow) -> list[dict[str, Any]]:
    """Return the values of each place of a log row: column of its entity's table -> value."""
    return [
        {name: _value(record, name) for name in value_columns(record.entity)}
        for record in _RECORDS.decode(row.body)
    ]


def _staged(row: LogRow, entity: str, records: Sequence[tuple[int, Record]]) -> Staged:
    good = [(at, one) for at, one in records if row.verdicts[at] < _WAITING]
    bad = [(at, one) for at, one in records if row.verdicts[at] >= _WAITING]
    rows = _envelope(row, entity, good, waiting=False)
    kinds = TABLES[RECORD_TABLES[entity][0]].columns
    for name in value_columns(entity):
        column = arrow_column([_value(one, name) for _, one in good], kinds[name])
        rows = rows.append_column(name, column)
    if "account_id" not in rows.column_names:
        rows = rows.append_column("account_id", _accounts(rows, entity))
    waiting = _envelope(row, entity, bad, waiting=True)
    reasons = pa.array([one.reason for _, one in bad], pa.string())
    return Staged(
        source=row.source,
        run_time=row.received_time,
        entity=entity,
        rows=rows,
        waiting=waiting.append_column("reason", reasons),
    )


def _accounts(rows: pa.Table, entity: str) -> pa.ChunkedArray | pa.Array:
    return rows["key"] if entity == "account" else pa.nulls(rows.num_rows, pa.string())


def _envelope(
    row: LogRow, entity: str, records: Sequence[tuple[int, Record]], *, waiting: bool
) -> pa.Table:
    count = len(records)
    halves = [message_hash(one.message_id) for _, one in records]
    same = {
        "entity": entity,
        "source": row.source,
        "environment": row.environment,
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


def _value(record: Record, column: str) -> Any:
    value = record.fields.get(column)
    if column.endswith("_date") and isinstance(value, str):
        return date.fromisoformat(value)
    if column == "properties":
        return json.dumps(value or {}, ensure_ascii=False, sort_keys=True)
    return value
