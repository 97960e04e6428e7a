"""A row of an import without somebody: rows of one person leave their place, others the name.

A row that is older than its table is kept leaves its place too.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.entities import FREE_TEXTS, KEYED, NAMING_IDS
from onefold.collect.records import Code, Record
from onefold.collect.rights import WHOLE
from onefold.collect.staged import COLUMNS, columns_body, opened
from onefold.collect.veil import parts
from onefold.model.facts import RECORD_TABLES, RECORD_TIMES
from onefold.model.ids import identifier_key
from onefold.model.kinds import normal_value
from onefold.model.time import DAY
from onefold.store import LogRow

_MANY = "participants"
_NAMES = {field for column, field in KEYED.items() if field not in {"name", _MANY}}
_SAYING = "user_id"
"""Whoever stands in this field wrote the free texts beside it."""
_EPOCH = date(1970, 1, 1).toordinal()
_records = msgspec.json.Decoder(list[Record])


class ScrubRecords:
    """Takes persons out of imported rows, by the keys of what they were known by."""

    def __init__(
        self,
        identity_key: bytes,
        since: Mapping[int, int],
        expired: Mapping[str, int] | None = None,
    ) -> None:
        """Set what goes.

        Args:
            identity_key: Of the workspace.
            since: Keys of who is erased.
            expired: Table -> before when none of its rows is kept, microseconds.
        """
        self._identity_key = identity_key
        self._since = since
        self._expired = expired or {}

    def row(self, row: LogRow) -> LogRow:
        """Return a log row of an import without them; the very same where it names none."""
        if not self._since and not self._expired:
            return row
        return self._columns(row) if row.route == COLUMNS else self._listed(row)

    def horizon(self, entity: str) -> int:
        """Return before when no row of an entity is kept, microseconds; 0 where all are."""
        return self._expired.get(RECORD_TABLES[entity][0], 0)

    def _expires(self, record: Record, received_time: int) -> bool:
        """Return whether a row is too old; one that does not say when it was, by its coming."""
        horizon = self.horizon(record.entity)
        if not horizon:
            return False
        said = record.fields.get(RECORD_TIMES[RECORD_TABLES[record.entity][0]])
        if isinstance(said, str):
            return date.fromisoformat(said) < _day_of(horizon)
        return (said if isinstance(said, int) else received_time) < horizon

    def record(self, record: Record) -> Record | None:
        """Return one row without them; None where it is of one of them, or the very same."""
        fields = record.fields
        key_field = RECORD_TABLES[record.entity][1]
        if record.entity in WHOLE:
            own = any(self._is(name, fields.get(name)) for name in _NAMES)
            return None if own or self._is(key_field, record.key) else record
        changed: dict[str, Any] = {}
        for name in (*_NAMES, *NAMING_IDS):
            if name != key_field and self._is(name, fields.get(name)):
                changed[name] = None
        if _SAYING in changed:
            changed |= {name: None for name in FREE_TEXTS if fields.get(name) is not None}
        if fields.get(_MANY):
            left = self._others(str(fields[_MANY]))
            if left != fields[_MANY]:
                changed[_MANY] = left
        if not changed:
            return record
        return msgspec.structs.replace(record, fields=fields | changed)

    def _is(self, kind: str, value: object) -> bool:
        if not isinstance(value, str) or not value:
            return False
        return any(
            identifier_key(self._identity_key, kind, one) in self._since
            for one in {value, normal_value(kind, value) or value}
        )

    def _others(self, text: str) -> str | None:
        """Return a list of participants less those erased; the very same where none is."""
        told = parts(text)
        left = [one for one in told if not self._is("email" if "@" in one else "user_id", one)]
        return text if len(left) == len(told) else "; ".join(left) or None

    def _listed(self, row: LogRow) -> LogRow:
        records = _records.decode(row.body)
        verdicts = bytearray(row.verdicts)
        kept = list(records)
        for place, record in enumerate(records):
            if verdicts[place] >> 4 == Code.ERASED:
                continue
            found = None if self._expires(record, row.received_time) else self.record(record)
            if found is None:
                verdicts[place] = Code.ERASED << 4
                found = Record(record.entity, "", record.message_id, record.event_time, {})
            kept[place] = found
        if all(one is former for one, former in zip(kept, records, strict=True)):
            return row
        return replace(row, body=msgspec.json.encode(kept), verdicts=bytes(verdicts))

    def _columns(self, row: LogRow) -> LogRow:
        table, entity, priority = opened(row)
        verdicts = bytearray(row.verdicts)
        gone = self._too_old(entity, table)
        key_field = RECORD_TABLES[entity][1]
        named = {name: self._hits(name, table[name]) for name in table.column_names if _names(name)}
        columns = {name: table[name] for name in table.column_names}
        if entity in WHOLE:
            gone |= self._hits(key_field, table["key"])
            for hits in named.values():
                gone |= hits
        else:
            for name, hits in named.items():
                columns[name] = _blank(columns[name], hits)
                for text in FREE_TEXTS & columns.keys() if name == _SAYING else ():
                    columns[text] = _blank(columns[text], hits)
            if _MANY in columns:
                told = table[_MANY].to_pylist()
                left = [None if one is None else self._others(one) for one in told]
                columns[_MANY] = pa.array(left, pa.string())
        if gone.any():
            for name, column in columns.items():
                if name not in {"hi", "lo", "line"}:
                    columns[name] = _blank(column, gone, "" if name == "key" else None)
        made = pa.table(columns)
        if made.equals(table.replace_schema_metadata(None)):
            return row
        for place in np.flatnonzero(gone).tolist():
            verdicts[place] = Code.ERASED << 4
        return replace(row, body=columns_body(made, entity, priority), verdicts=bytes(verdicts))

    def _too_old(self, entity: str, table: pa.Table) -> npt.NDArray[np.bool_]:
        """Return which rows of a body of columns are too old; all of them say when they were."""
        horizon, time = self.horizon(entity), RECORD_TIMES[RECORD_TABLES[entity][0]]
        if not horizon or time not in table.column_names:
            return np.zeros(table.num_rows, dtype=np.bool_)
        column = table[time]
        if pa.types.is_date(column.type):
            old = pc.less(column, pa.scalar(_day_of(horizon), column.type))
        else:
            old = pc.less(column.cast(pa.int64()), horizon)
        return np.array(pc.fill_null(old, False).to_numpy(zero_copy_only=False), dtype=np.bool_)

    def _hits(self, kind: str, column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Return which of some texts stand for one of them, each text looked at once."""
        texts = column.cast(pa.string()).combine_chunks().dictionary_encode()
        ours = pa.array([self._is(kind, one) for one in texts.dictionary.to_pylist()], pa.bool_())
        found = pc.fill_null(ours.take(texts.indices), False)
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _day_of(horizon: int) -> date:
    return date.fromordinal(_EPOCH + horizon // DAY)


def _names(field: str) -> bool:
    return field in _NAMES or field in NAMING_IDS


def _blank(column: Any, where: npt.NDArray[np.bool_], instead: object = None) -> Any:
    return pc.if_else(pa.array(where), pa.scalar(instead, column.type), column)
