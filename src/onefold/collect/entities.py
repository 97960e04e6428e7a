"""Imported records to the tables of accounts, spend, tickets and interactions.

Of two rows of one key the later known stands; of two known at the same time the one whose text
is greater, so that the order of arrival does not matter.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from onefold.collect.promote import arrow_column
from onefold.collect.records import Record
from onefold.model.errors import BadInput
from onefold.model.facts import RECORD_TABLES, TABLES
from onefold.model.time import to_datetime
from onefold.store import FactsWriter


def fold_records(records: Iterable[Record], writer: FactsWriter) -> None:
    """Bring imported rows into the tables of their entities."""
    by_entity: dict[str, dict[str, Record]] = defaultdict(dict)
    for record in records:
        if record.entity not in RECORD_TABLES:
            known = ", ".join(RECORD_TABLES)
            raise BadInput(f"No entity `{record.entity}`.", f"Use one of: {known}.")
        rows = by_entity[record.entity]
        former = rows.get(record.key)
        if former is None or _rank(record) > _rank(former):
            rows[record.key] = record
    for entity, rows in by_entity.items():
        _fold_entity(entity, rows, writer)


def _fold_entity(entity: str, rows: Mapping[str, Record], writer: FactsWriter) -> None:
    table, key = RECORD_TABLES[entity]
    keys = pa.table({key: pa.array(list(rows), pa.string())})
    standing = {row[key]: row for row in writer.matching(table, keys, [key]).to_pylist()}
    fresh = {
        name: record
        for name, record in rows.items()
        if name not in standing or _rank(record) > _standing_rank(entity, standing[name])
    }
    replaced = [name for name in fresh if name in standing]
    writer.delete(table, pa.table({key: pa.array(replaced, pa.string())}), [key])
    columns = TABLES[table].columns
    values = {name: [_value(r, name, key) for r in fresh.values()] for name in columns}
    arrays = [arrow_column(values[name], kind) for name, kind in columns.items()]
    writer.insert(table, pa.Table.from_arrays(arrays, names=list(columns)))


def _value(record: Record, column: str, key: str) -> Any:
    if column == key:
        return record.key
    if column == "known_time":
        return record.event_time
    value = record.fields.get(column)
    if column.endswith("_date") and isinstance(value, str):
        return date.fromisoformat(value)
    if column == "properties":
        return json.dumps(value or {}, ensure_ascii=False, sort_keys=True)
    return value


def _rank(record: Record) -> tuple[int, str]:
    _, key = RECORD_TABLES[record.entity]
    columns = [c for c in TABLES[RECORD_TABLES[record.entity][0]].columns if c != "known_time"]
    return record.event_time, _text([_value(record, column, key) for column in columns])


def _standing_rank(entity: str, row: Mapping[str, Any]) -> tuple[int, str]:
    columns = [c for c in TABLES[RECORD_TABLES[entity][0]].columns if c != "known_time"]
    return _micros(row["known_time"]), _text([_plain(row[column]) for column in columns])


def _plain(value: Any) -> Any:
    return _micros(value) if hasattr(value, "hour") else value


def _micros(moment: Any) -> int:
    epoch = to_datetime(0).replace(tzinfo=None)
    delta = moment.replace(tzinfo=None) - epoch
    micros: int = (delta.days * 86_400 + delta.seconds) * 1_000_000 + int(delta.microseconds)
    return micros


def _text(values: list[Any]) -> str:
    return json.dumps(values, ensure_ascii=False, default=str)
