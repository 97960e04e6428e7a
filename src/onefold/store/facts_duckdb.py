"""The facts in DuckDB: one process owns the file, many cursors ask it."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from sqlglot import exp, select

from onefold.model.cores import cores
from onefold.model.errors import DiskFull, MachineFailed, OnefoldError
from onefold.model.facts import CHECKSUMMED, PROMOTED, TABLES
from onefold.store.answers import Answers
from onefold.store.every_event import every_event
from onefold.store.watching import Watcher
from onefold.store.within import Limits, Told, Written, ask_within

if TYPE_CHECKING:
    import ibis.expr.types as ir

FILE = "facts.duckdb"
"""Its name in the folder of a generation."""
_SQL_TYPES = {
    "int64": "BIGINT",
    "int32": "INTEGER",
    "int16": "SMALLINT",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "boolean": "BOOLEAN",
    "float64": "DOUBLE",
}
_STAGED = "staged"
_THREADS = "1"
_MOST_COMPILED = 512
# An operation names its tables and their columns, so equal ones compile to equal text whatever
# file they are asked of.
_compiled: dict[Any, str] = {}
_asked: dict[Any, str] = {}


class DuckFacts:
    """The facts of one generation in one DuckDB file."""

    def __init__(self, path: Path | None, *, memory: str = "2GB") -> None:
        """Open the file, or facts in memory when `path` is None.

        Raises:
            MachineFailed: The file is held by another process, or is none of ours.
        """
        self.path = path
        try:
            self._root = duckdb.connect(str(path) if path else ":memory:")
            for setting, value in (
                ("threads", _THREADS),
                ("memory_limit", memory),
                ("checkpoint_threshold", "64MB"),
                ("preserve_insertion_order", "false"),
                ("autoinstall_known_extensions", "false"),
                ("autoload_known_extensions", "false"),
                ("python_enable_replacements", "false"),
                ("TimeZone", "UTC"),
            ):
                self._root.execute(_setting(setting, value))
        except duckdb.Error as error:
            raise _failure(error) from error
        self._writer = self._root.cursor()
        self._writing = threading.Lock()
        self._answers, self._watcher = Answers(), Watcher()
        self._tables: dict[str, ir.Table] | None = None

    def create(self, promoted: Mapping[str, str]) -> None:
        """Make all tables; `promoted` names the columns that described properties get."""
        with self.transaction():
            for statement in _creating(tuple(sorted(promoted.items()))):
                self._writer.execute(statement)
        self._tables = None

    def promoted(self) -> dict[str, str]:
        """Return the promoted columns of `events`: name -> type."""
        schema = self.tables()["events"].schema()
        return {name: str(kind) for name, kind in schema.items() if name.startswith(PROMOTED)}

    def tables(self) -> "Mapping[str, ir.Table]":
        """Return the raw tables as unbound ibis tables (see `Facts.tables`)."""
        if self._tables is None:
            import ibis

            asked = select("table_name", "column_name", "data_type").from_("duckdb_columns()")
            asked = asked.where(exp.func("current_database").eq(exp.column("database_name")))
            asked = asked.order_by("table_name", "column_index")
            columns: dict[str, dict[str, str]] = {name: {} for name in TABLES}
            for row in self._fetch(asked.sql(dialect="duckdb")).to_pylist():
                if row["table_name"] in columns:
                    kind = _IBIS_TYPES[row["data_type"]]
                    columns[row["table_name"]][row["column_name"]] = kind
            found = {name: ibis.table(columns[name], name=name) for name in TABLES}
            self._tables = found
        return self._tables

    def sql(self, expression: "ir.Expr") -> str:
        """Return the query of an expression in DuckDB's dialect; the last ones are kept."""
        operation = expression.op()
        found = _compiled.get(operation)
        if found is None:
            import ibis

            if len(_compiled) >= _MOST_COMPILED:
                _compiled.clear()
            text = str(ibis.to_sql(expression, dialect="duckdb"))
            # The engine reads a query only up to a NUL, which a name asked for may hold.
            found = _compiled[operation] = text.replace("\0", "' || chr(0) || '")
        return found

    def ask(self, expression: "ir.Expr") -> pa.Table:
        """Return the whole answer of an expression (see `Facts.ask`)."""
        query = self.sql(expression)
        return self._answers.get(query, lambda: self._fetch(query))

    def ask_within(self, written: Written, limits: Limits, stop: threading.Event) -> Told:
        """Return what a question answers that somebody wrote (see `store.within`)."""
        return ask_within(self._root, written, limits, stop)

    def _fetch(self, query: str) -> pa.Table:
        cursor = self._root.cursor()
        try:
            with self._watcher.over(cursor):
                return cursor.execute(query).to_arrow_table()
        except duckdb.Error as error:
            raise _failure(error) from error
        finally:
            cursor.close()

    @contextmanager
    def transaction(self) -> "Iterator[DuckWriter]":
        """Open the one writing transaction; it is kept whole or not at all."""
        with self._writing:
            try:
                self._writer.execute("BEGIN TRANSACTION")
                yield DuckWriter(self._writer, self.tables())
                self._writer.execute("COMMIT")
                self._answers.moved()
            except BaseException as error:
                _roll_back(self._writer)
                if isinstance(error, duckdb.Error):
                    raise _failure(error) from error
                raise

    @contextmanager
    def on_cores(self, count: int) -> Iterator[None]:
        """Let the engine use so many threads meanwhile, for writing whole columns at a time."""
        self._root.execute(_setting("threads", str(count)))
        try:
            yield
        finally:
            self._root.execute(_setting("threads", _THREADS))

    def checksums(self) -> list[tuple[str, int, str]]:
        """Return table, rows and hash over natural keys in any order, for every table.

        A time counts where the sender told it; one that rests on our clock is no property of
        what was sent.
        """
        found = []
        for name, query in _checksumming(tuple(sorted(self.promoted()))):
            rows = self._fetch(query)
            count, low, high = (column[0].as_py() for column in rows.columns)
            found.append((name, int(count), _folded(low, high)))
        return sorted(found)

    def write_parquet(self, folder: Path) -> None:
        """Write every table to a Parquet file of its name.

        Raises:
            DiskFull: There is no room.
        """
        cursor = self._root.cursor()
        try:
            for name in TABLES:
                place = str(folder / f"{name}.parquet")
                rows = cursor.table(name)
                if name == "events":
                    every = select("*").from_(every_event(rows.columns))
                    rows = cursor.sql(every.sql(dialect="duckdb"))
                rows.write_parquet(place, compression="zstd")
        except duckdb.Error as error:
            raise _failure(error) from error
        finally:
            cursor.close()

    @contextmanager
    def snapshot(self) -> "Iterator[duckdb.DuckDBPyConnection]":
        """Open what reads all tables as they stand at one offset; folds go on meanwhile.

        Raises:
            DiskFull: What was written meanwhile beside the facts had no room.
        """
        cursor = self._root.cursor()
        try:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield cursor
        except duckdb.Error as error:
            raise _failure(error) from error
        finally:
            # Closing ends its transaction too.
            cursor.close()

    def copy_to(self, folder: Path) -> None:
        """Write all tables to a new file, in which nothing is left of what was deleted.

        Raises:
            DiskFull: There is no room.
        """
        cursor = self._root.cursor()
        held = cursor.execute("SELECT current_database()").fetchall()[0][0]
        source = exp.to_identifier(held, quoted=True).sql(dialect="duckdb")
        place = exp.Literal.string(str(folder / FILE)).sql(dialect="duckdb")
        try:
            cursor.execute(f"ATTACH {place} AS aside")
            cursor.execute(f"COPY FROM DATABASE {source} TO aside (SCHEMA)")
            # The rows of a whole database would be copied by one core, whatever it may use.
            with self.on_cores(cores()):
                for name in TABLES:
                    rows = select("*").from_(exp.table_(name, db=held, quoted=True))
                    copied = exp.insert(rows, exp.table_(name, db="aside", quoted=True))
                    cursor.execute(copied.sql(dialect="duckdb"))
            cursor.execute("DETACH aside")
        except duckdb.Error as error:
            raise _failure(error) from error
        finally:
            cursor.close()

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the file."""
        with self._writing:
            self._writer.execute("CHECKPOINT")

    def drop(self) -> None:
        """Do nothing: the file goes with the folder of the generation."""

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()
        self._root.close()


class DuckWriter:
    """One open transaction (see `FactsWriter`)."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, tables: "Mapping[str, ir.Table]") -> None:
        self._cursor = cursor
        self._tables = tables

    def insert(self, table: str, rows: pa.Table) -> None:
        """Add rows; columns by name, missing ones become null."""
        if rows.num_rows:
            self._run(_insert_sql(table, tuple(rows.column_names)), rows)

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
        query = _matching_sql(table, tuple(on), since[0] if since else "", tuple(columns))
        return self._run(query, rows, [since[1]] if since else []).to_arrow_table()

    def delete(
        self,
        table: str,
        rows: pa.Table,
        on: Sequence[str],
        *,
        since: tuple[str, Any] | None = None,
    ) -> None:
        """Remove the rows whose `on` columns equal those of any given row."""
        if rows.num_rows:
            query = _delete_sql(table, tuple(on), since[0] if since else "")
            self._run(query, rows, [since[1]] if since else [])

    def asked(
        self, question: "Callable[[Mapping[str, ir.Table]], ir.Table]", rows: pa.Table
    ) -> pa.Table:
        """Return the answer of a question over the tables and `staged` (see `FactsWriter`)."""
        import ibis

        key = question, tuple(rows.schema), tuple(self._tables["events"].columns)
        query = _asked.get(key)
        if query is None:
            staged = ibis.table(ibis.Schema.from_pyarrow(rows.schema), name=_STAGED)
            asked = question({**self._tables, _STAGED: staged})
            if len(_asked) >= _MOST_COMPILED:
                _asked.clear()
            query = _asked[key] = str(ibis.to_sql(asked, dialect="duckdb"))
        return self._run(query, rows).to_arrow_table()

    def distinct(self, table: str, column: str, *, where_null: str = "") -> list[Any]:
        """Return the values of a column, each once; null is none (see `FactsWriter`)."""
        name = exp.column(column, quoted=True)
        asked = select(name).distinct().from_(table).where(name.is_(exp.null()).not_())
        if where_null:
            asked = asked.where(exp.column(where_null, quoted=True).is_(exp.null()))
        return [row[0] for row in self._cursor.execute(asked.sql(dialect="duckdb")).fetchall()]

    def _run(
        self, query: str, rows: pa.Table, values: Sequence[Any] = ()
    ) -> duckdb.DuckDBPyConnection:
        self._cursor.register(_STAGED, rows)
        return self._cursor.execute(query, list(values))


_IBIS_TYPES = {sql: name for name, sql in _SQL_TYPES.items()}


@lru_cache(maxsize=16)
def _creating(promoted: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the statements that make all tables, with these columns for described properties."""
    found = []
    for name, table in TABLES.items():
        columns = dict(table.columns) | (dict(promoted) if name == "events" else {})
        parts = [
            exp.ColumnDef(
                this=exp.to_identifier(c, quoted=True), kind=exp.DataType.build(_SQL_TYPES[t])
            )
            for c, t in columns.items()
        ]
        schema = exp.Schema(this=exp.to_table(name), expressions=parts)
        made = exp.Create(this=schema, kind="TABLE", exists=True)
        found.append(made.sql(dialect="duckdb"))
    return found


@lru_cache(maxsize=16)
def _checksumming(promoted: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each table with the query of its rows and its hash (see `DuckFacts.checksums`)."""
    sent = exp.column("time_basis").eq("sent")
    unclocked = exp.Not(this=exp.column("clocked"))
    told: dict[str, list[exp.Expression]] = {
        "events": [exp.If(this=sent, true=exp.column("event_time"))],
        "sessions": [
            exp.If(this=unclocked, true=exp.column(name)) for name in ("start_time", "end_time")
        ],
        "consents": [
            exp.If(this=unclocked, true=exp.column(name)) for name in ("from_time", "last_time")
        ],
    }
    found = []
    for name in CHECKSUMMED:
        natural = [*TABLES[name].natural, *(promoted if name == "events" else ())]
        columns: list[exp.Expression] = [_natural(column) for column in natural]
        source: exp.Expression = exp.to_table(name)
        if name == "events":
            source = every_event([*natural, "event_time", "time_basis"])
        found.append((name, _checksum(source, columns + told.get(name, []))))
    persons = select("person_id", "count(*) AS identifiers").from_("identifiers")
    somebody = persons.where(exp.column("person_id").is_(exp.null()).not_())
    grouped = somebody.group_by("person_id").subquery("persons")
    columns = [exp.column("person_id"), exp.column("identifiers")]
    return [*found, ("persons", _checksum(grouped, columns))]


def _checksum(source: exp.Expression, columns: Sequence[exp.Expression]) -> str:
    row = exp.func("concat_ws", exp.Literal.string("\x1f"), *map(_text, columns))
    half = [
        exp.cast(exp.func("sum", exp.cast(exp.func(part, row), "HUGEINT")), "VARCHAR")
        for part in ("md5_number_lower", "md5_number_upper")
    ]
    return select(exp.func("count", exp.Star()), *half).from_(source).sql(dialect="duckdb")


def _setting(name: str, value: str) -> str:
    literal = exp.Literal.string(value)
    item = exp.SetItem(this=exp.EQ(this=exp.column(name), expression=literal))
    return exp.Set(expressions=[item]).sql(dialect="duckdb")


@lru_cache(maxsize=256)
def _insert_sql(table: str, columns: tuple[str, ...]) -> str:
    names = [exp.to_identifier(name, quoted=True) for name in columns]
    target = exp.Schema(this=exp.to_table(table), expressions=names)
    source = select(*(exp.column(name, quoted=True) for name in columns)).from_(_STAGED)
    return exp.Insert(this=target, expression=source).sql(dialect="duckdb")


def _staged_in(on: tuple[str, ...], since: str) -> exp.Condition:
    keys = [exp.column(name, quoted=True) for name in on]
    staged = select(*(key.copy() for key in keys)).from_(_STAGED)
    left = keys[0] if len(keys) == 1 else exp.Tuple(expressions=keys)
    found = exp.In(this=left, query=staged.subquery())
    if not since:
        return found
    young = exp.GTE(this=exp.column(since, quoted=True), expression=exp.Placeholder())
    return exp.and_(young, found)


@lru_cache(maxsize=256)
def _matching_sql(table: str, on: tuple[str, ...], since: str, columns: tuple[str, ...]) -> str:
    return select(*columns).from_(table).where(_staged_in(on, since)).sql(dialect="duckdb")


@lru_cache(maxsize=256)
def _delete_sql(table: str, on: tuple[str, ...], since: str) -> str:
    return exp.delete(table, where=_staged_in(on, since)).sql(dialect="duckdb")


def _natural(name: str) -> exp.Expression:
    column = exp.column(name, quoted=True)
    # Two senders may space their JSON differently; the content is the same.
    return exp.Anonymous(this="json", expressions=[column]) if name == "properties" else column


def _text(value: exp.Expression) -> exp.Expression:
    return exp.func("coalesce", exp.cast(value, "VARCHAR"), exp.Literal.string("\x1e"))


def _folded(low: str | None, high: str | None) -> str:
    mask = (1 << 64) - 1
    return f"{int(high or 0) & mask:016x}{int(low or 0) & mask:016x}"


def _roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.execute("ROLLBACK")
    except duckdb.Error:
        # The failed statement has ended the transaction already.
        return


def _failure(error: duckdb.Error) -> OnefoldError:
    text = str(error).partition("\n")[0]
    if "No space left" in text or "could not write" in text.lower():
        return DiskFull(f"The facts cannot grow: {text}", "Make room on the disk.")
    if "Could not set lock" in text or "Conflicting lock" in text:
        return MachineFailed(
            "The facts are held by another process.",
            "End the other `onefold` process of this workspace, or ask through it.",
        )
    return MachineFailed(f"The facts could not answer: {text}", "Run `onefold doctor`.")
