"""The tables of one generation in ClickHouse, what is visible of them, and one batch of writing."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from onefold.model.facts import TABLES
from onefold.store.click_server import Server
from onefold.store.click_words import CLICKHOUSE
from onefold.store.compiled import micros_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TYPES = {
    "int64": "Nullable(Int64)",
    "int32": "Nullable(Int32)",
    "int16": "Nullable(Int16)",
    "string": "Nullable(String)",
    "timestamp": "Nullable(DateTime64(6, 'UTC'))",
    "date": "Nullable(Date32)",
    "boolean": "Nullable(Bool)",
    "float64": "Nullable(Float64)",
}
_FEW = "LowCardinality(Nullable(String))"
_FEW_VALUES = {
    "events": ("kind", "event", "source", "environment", "time_basis", "traffic"),
    "sessions": ("environment", "traffic"),
    "orders": ("environment", "traffic", "currency"),
}
"""Columns of few different texts, which the engine keeps as numbers."""
_ORDER = {
    "events": ("event", "event_time"),
    "sessions": ("identifier", "end_time"),
    "contexts": ("key",),
    "identifiers": ("key",),
    "memberships": ("identifier",),
    "records": ("message_hi",),
    "orders": ("order_time",),
}
_ARROW = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "int16": pa.int16(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "float64": pa.float64(),
}
_KINDS = {kind: name for name, kind in _ARROW.items()}
_STAGED = "staged"
ROW = "_row"
"""The column that numbers rows: the batch that wrote a row, and its place there."""
PLACES = 32
"""Bits of a row's number that count within its batch."""
_AT_ONCE = 200_000
"""Rows that are sent together."""


class ClickTables:
    """Tables of one generation: their names, and up to which batch they are visible.

    Attributes:
        server: Where they stand.
        columns: Table -> column -> type, as `model.facts` names it.
        batch: The last one that is whole.
        gone: Table -> how many rows were deleted and are still there.
    """

    def __init__(self, server: Server, prefix: str) -> None:
        """Look which tables of the prefix there are."""
        self.server, self._prefix = server, prefix
        self.batch = 0
        self.gone: dict[str, int] = {}
        self.columns = self._found()
        self._shown: dict[str, ir.Table] = {}

    def create(self, promoted: Mapping[str, str]) -> None:
        """Make all tables anew, `events` with further columns: name -> type."""
        self.drop()
        for name, table in TABLES.items():
            columns = dict(table.columns) | (dict(promoted) if name == "events" else {})
            few = _FEW_VALUES.get(name, ())
            made = {
                column: _FEW if column in few else _TYPES[kind] for column, kind in columns.items()
            }
            self._make(name, made | {ROW: "UInt64"}, _ORDER.get(name, ()))
        self._make("gone", {"of": "LowCardinality(String)", "gone": "UInt64", "batch": "UInt64"})
        self._make("commits", {"batch": "UInt64", "commit_time": "DateTime64(6, 'UTC')"})
        self.columns, self.batch, self.gone, self._shown = self._found(), 0, {}, {}

    def tables(self) -> "dict[str, ir.Table]":
        """Return the tables as unbound ibis tables."""
        if not self._shown:
            import ibis

            self._shown = {
                name: ibis.table(self.columns.get(name, table.columns), name=name)
                for name, table in TABLES.items()
            }
        return self._shown

    def drop(self) -> None:
        """Remove all tables of the prefix."""
        found = self.server.rows(
            f"SELECT name FROM system.tables WHERE database = '{self.server.place.database}' "
            f"AND startsWith(name, '{self._prefix}')"
        )
        for (name,) in found:
            self.server.run(f"DROP TABLE {self.server.place.database}.{name} SYNC")

    def named(self, table: str) -> str:
        """Return a table's whole name, as a statement writes it."""
        return f"{self.server.place.database}.{self._prefix}{table}"

    def insert(self, table: str, rows: pa.Table) -> None:
        """Add rows as they are; columns by name."""
        for start in range(0, rows.num_rows, _AT_ONCE):
            self.server.insert(f"{self._prefix}{table}", rows.slice(start, _AT_ONCE))

    def seen(self, table: str, *, upto: int | None = None) -> str:
        """Return the query of what is visible of a table, up to a batch."""
        held = self.visible(table, upto=upto)
        return f"SELECT * EXCEPT({ROW}) FROM {self.named(table)} WHERE {held}"

    def visible(self, table: str, *, upto: int | None = None) -> str:
        """Return the condition that a row was written by a batch up to one, and not deleted."""
        batch = self.batch if upto is None else upto
        text = f"{ROW} < {(batch + 1) << PLACES}"
        if self.gone.get(table):
            gone = f"SELECT gone FROM {self.named('gone')} WHERE of = '{table}'"
            text += f" AND {ROW} NOT IN ({gone} AND batch <= {batch})"
        return text

    def committed(self) -> int:
        """Return the last batch that says it is whole."""
        return int(self.server.rows(f"SELECT max(batch) FROM {self.named('commits')}")[0][0] or 0)

    def commit(self, batch: int) -> None:
        """Write that a batch is whole; from now on it is visible.

        Raises:
            MachineFailed: The engine did not take it.
        """
        now = pa.array([datetime.now(UTC)], pa.timestamp("us", "UTC"))
        row = pa.table({"batch": pa.array([batch], pa.uint64()), "commit_time": now})
        try:
            self.insert("commits", row)
        except Exception:
            # What was lost may be the answer, not the commit.
            if self.committed() < batch:
                raise
        self.batch = batch

    def recover(self) -> None:
        """Stand where the last whole batch left the tables; remove what a later one wrote."""
        self.batch = self.committed()
        bound = (self.batch + 1) << PLACES
        above = " UNION ALL ".join(
            f"(SELECT '{name}' AS of FROM {self.named(name)} WHERE {ROW} >= {bound} LIMIT 1)"
            for name in self.columns
        )
        for (name,) in self.server.rows(above):
            self.server.run(f"DELETE FROM {self.named(name)} WHERE {ROW} >= {bound}")
        gone = self.named("gone")
        if self.server.rows(f"SELECT count() FROM {gone} WHERE batch > {self.batch}")[0][0]:
            self.server.run(f"DELETE FROM {gone} WHERE batch > {self.batch}")
        counted = self.server.rows(f"SELECT of, count() FROM {gone} GROUP BY of")
        self.gone = {str(name): int(rows) for name, rows in counted}

    def remove(self, table: str) -> None:
        """Remove for good what was deleted of a table; nobody may be asking it."""
        gone = self.named("gone")
        dead = f"SELECT gone FROM {gone} WHERE of = '{table}'"
        self.server.run(f"DELETE FROM {self.named(table)} WHERE {ROW} IN ({dead})")
        # A crash before this leaves the numbers of rows that are no more: harmless.
        self.server.run(f"DELETE FROM {gone} WHERE of = '{table}'")
        self.gone.pop(table, None)

    def stage(self, rows: pa.Table, kinds: Mapping[str, str], *, made: set[str]) -> str:
        """Put rows where the engine can ask them; return what selects them by their names.

        Args:
            rows: Columns by name.
            kinds: Column -> type, those that are wanted, in their order.
            made: Names of what was made for it before; grows.
        """
        # Of the kinds alone, and short however many there are: an engine's names are not long.
        told = blake2b("_".join(kinds.values()).encode(), digest_size=16).hexdigest()
        name = f"staged_{told}"
        columns = {f"k{place}": _TYPES[kind] for place, kind in enumerate(kinds.values())}
        if name in made:
            self.server.run(f"TRUNCATE TABLE {self.named(name)}")
        else:
            told = f"CREATE OR REPLACE TABLE {self.named(name)} ({_columns(columns)})"
            self.server.run(f"{told} ENGINE = Memory")
            made.add(name)
        keyed = rows.select(list(kinds)).cast(arrow_schema(kinds))
        self.insert(name, keyed.rename_columns(list(columns)))
        told = ", ".join(f"{key} AS `{name}`" for key, name in zip(columns, kinds, strict=True))
        return f"SELECT {told} FROM {self.named(name)}"

    def _make(self, name: str, columns: Mapping[str, str], order: Sequence[str] = ()) -> None:
        by = ", ".join(f"`{column}`" for column in order)
        self.server.run(
            f"CREATE TABLE {self.named(name)} ({_columns(columns)}) ENGINE = MergeTree "
            f"ORDER BY ({by}) SETTINGS allow_nullable_key = 1, old_parts_lifetime = 1"
        )

    def _found(self) -> dict[str, dict[str, str]]:
        rows = self.server.rows(
            "SELECT table, name, type FROM system.columns "
            f"WHERE database = '{self.server.place.database}' "
            f"AND startsWith(table, '{self._prefix}') ORDER BY table, position"
        )
        kinds = {kind: name for name, kind in _TYPES.items()} | {_FEW: "string"}
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in rows:
            name = str(table).removeprefix(self._prefix)
            if name in TABLES and column != ROW:
                found.setdefault(name, {})[str(column)] = kinds[str(kind)]
        return found


class ClickWriter:
    """One open batch (see `FactsWriter`).

    Attributes:
        wrote: Something stands in the tables that belongs to it.
    """

    def __init__(self, tables: ClickTables) -> None:
        """Begin the batch after the last whole one."""
        self._tables = tables
        self._before = dict(tables.gone)
        self._staged: set[str] = set()
        self.batch = tables.batch + 1
        self._next = self.batch << PLACES
        self.wrote = False

    def insert(self, table: str, rows: pa.Table) -> None:
        """Add rows; columns by name, missing ones become null."""
        if not rows.num_rows:
            return
        self.wrote = True
        known = self._tables.columns[table]
        numbers = np.arange(self._next, self._next + rows.num_rows, dtype=np.uint64)
        self._next += rows.num_rows
        whole = rows.cast(arrow_schema({name: known[name] for name in rows.column_names}))
        self._tables.insert(table, whole.append_column(ROW, pa.array(numbers)))

    def matching(
        self,
        table: str,
        rows: pa.Table,
        on: Sequence[str],
        *,
        since: tuple[str, Any] | None = None,
        columns: Sequence[str] = ("*",),
    ) -> pa.Table:
        """Return the rows whose `on` columns equal those of any given row."""
        known = self._tables.columns[table]
        wanted = known if tuple(columns) == ("*",) else {name: known[name] for name in columns}
        schema = arrow_schema(wanted)
        if not rows.num_rows:
            return schema.empty_table()
        named = ", ".join(f"`{name}`" for name in wanted)
        held = self._held(table, rows, on, since)
        return as_told(self._tables.server.ask(f"SELECT {named} {held}"), schema)

    def delete(
        self,
        table: str,
        rows: pa.Table,
        on: Sequence[str],
        *,
        since: tuple[str, Any] | None = None,
    ) -> None:
        """Remove the rows whose `on` columns equal those of any given row."""
        if not rows.num_rows:
            return
        server = self._tables.server
        held = self._held(table, rows, on, since)
        count = int(server.rows(f"SELECT count() {held}")[0][0])
        if not count:
            return
        self.wrote = True
        server.run(
            f"INSERT INTO {self._tables.named('gone')} (of, gone, batch) "
            f"SELECT '{table}', {ROW}, {self.batch} {held}"
        )
        self._tables.gone[table] = self._tables.gone.get(table, 0) + count

    def asked(
        self, question: "Callable[[Mapping[str, ir.Table]], ir.Table]", rows: pa.Table
    ) -> pa.Table:
        """Return the answer of a question over the tables and `staged` (see `FactsWriter`)."""
        import ibis

        kinds = {field.name: _KINDS[field.type] for field in rows.schema}
        found = CLICKHOUSE.compiled(
            question({**self._tables.tables(), _STAGED: ibis.table(kinds, _STAGED)})
        )
        staged = self._tables.stage(rows, kinds, made=self._staged)
        query = found.over(lambda name: self._tables.seen(name, upto=self.batch), {_STAGED: staged})
        return as_told(self._tables.server.ask(query), found.schema)

    def distinct(self, table: str, column: str, *, where_null: str = "") -> list[Any]:
        """Return the values of a column, each once; null is none (see `FactsWriter`)."""
        tables = self._tables
        held = f"{tables.visible(table, upto=self.batch)} AND `{column}` IS NOT NULL"
        if where_null:
            held += f" AND `{where_null}` IS NULL"
        asked = f"SELECT DISTINCT `{column}` FROM {tables.named(table)} WHERE {held}"
        schema = arrow_schema({column: tables.columns[table][column]})
        return list(as_told(tables.server.ask(asked), schema).column(0).to_pylist())

    def undo(self) -> None:
        """Forget what it deleted; what it wrote is removed before the next one."""
        self._tables.gone = self._before

    def _held(
        self, table: str, rows: pa.Table, on: Sequence[str], since: tuple[str, Any] | None
    ) -> str:
        """Return from where the rows come that match, as the end of a SELECT."""
        tables = self._tables
        kinds = {name: tables.columns[table][name] for name in on}
        staged = tables.stage(rows, kinds, made=self._staged)
        keys = ", ".join(f"`{name}`" for name in on)
        parts = [
            tables.visible(table, upto=self.batch),
            f"{keys if len(on) == 1 else f'({keys})'} IN ({staged})",
        ]
        if since is not None:
            moment = f"fromUnixTimestamp64Micro(toInt64({micros_of(since[1])}), 'UTC')"
            parts.insert(0, f"`{since[0]}` >= {moment}")
        return f"FROM {tables.named(table)} WHERE {' AND '.join(parts)}"


def arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    """Return the schema of columns: name -> type, as `model.facts` names it."""
    return pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])


def as_told(found: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return an answer with the names and types that DuckDB would give it."""
    return found.rename_columns(schema.names).cast(schema)


def _columns(kinds: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in kinds.items())
