"""A question that somebody wrote, asked within limits of rows, time and memory; it can be stopped.

What an engine says of a row that fails must not tell of rows that a View leaves out: it may look
at a condition of the asker before it looks at the View's. So a question that fails on a value is
asked again of a copy of what the View shows, and that answer alone is told.
"""

import re
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import getpagesize
from typing import TYPE_CHECKING, Any, Self

import duckdb
import msgspec
from sqlglot import exp, select

from onefold.model.errors import BadInput, Conflict, MachineFailed, OnefoldError
from onefold.model.words import plural, words_of

if TYPE_CHECKING:
    import pyarrow as pa

MEGABYTE = 1_000_000
_TICK_SECONDS = 0.02
_LOOKS = 10
_BATCH = 500
OWN = "q:"
"""Before the name of a WITH that somebody wrote; no table of the engine begins so."""
_COPY = "c:"
"""Before the name of a copy."""
_STAGED = "staged"
_NEVER = words_of(
    """
    COLUMN_DATA EXPRESSION_LIST FUNCTION_EXPRESSION PARAMETER PIVOT RECURSIVE_CTE_NODE SHOW_REF
    TABLE_FUNCTION
    """
)
ENGINE_FUNCTIONS = words_of(
    """
    !~~ !~~* % * + - -> ->> / // abs any_value approx_count_distinct arg_max arg_min avg bool_and
    bool_or cbrt ceil concat concat_ws contains corr count count_if count_star covar_pop
    covar_samp cume_dist date_diff date_part date_sub date_trunc day dayname dayofmonth dayofweek
    dayofyear dense_rank ends_with epoch epoch_ms exp first first_value floor greatest hour
    ilike_escape isodow json_extract json_extract_string json_type lag last last_day last_value
    lead least left length like_escape listagg ln log lower ltrim make_date max median min minute
    mode month monthname not_ilike_escape not_like_escape nth_value ntile nullif percent_rank
    power product quantile_cont quantile_disc quarter rank regexp_extract regexp_full_match
    regexp_matches regexp_replace regr_slope replace reverse right round row row_number rtrim
    second sem sign split_part sqrt starts_with stddev stddev_pop stddev_samp strftime strpos
    strptime substring sum time_bucket timezone to_centuries to_days to_decades to_hours
    to_microseconds to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp
    to_weeks to_years trim trunc try_strptime upper var_pop var_samp variance week weekday
    weekofyear year yearweek || ~~ ~~*
    """
)
"""As the engine calls what may be written."""
_STATM = Path("/proc/self/statm")
_PREFIX = re.compile(r"\b[vqc]:(?=\w)")
_KEPT = ("BASE_TABLE", "METADATA", "EXTERNAL_FILE_CACHE", "OBJECT_CACHE", "OVERFLOW_STRINGS")
"""What the engine keeps of its file for the next question too."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a question may take.

    Attributes:
        rows: So many of its answer are told.
        seconds: So long it may run.
        memory_bytes: So much it may hold, on the disk too.
        answer_bytes: So long its answer may be.
    """

    rows: int = 1_000
    seconds: float = 30.0
    memory_bytes: int = 512 * MEGABYTE
    answer_bytes: int = 32 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Written:
    """A question that was read and found to be harmless.

    Attributes:
        query: Its tables are those of `shown`, by name.
        shown: Name -> the query of what is shown under it.
    """

    query: exp.Query
    shown: Mapping[str, str]

    def text(self) -> str:
        """Return it as one statement: what is shown comes first, so that no name shadows it."""
        whole = self.query.copy()
        first = [
            exp.CTE(
                this=exp.Var(this=text),
                alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)),
            )
            for name, text in self.shown.items()
        ]
        own = whole.args.get("with_")
        rest = own.expressions if own is not None else []
        if first or rest:
            whole.set("with_", exp.With(expressions=[*first, *rest]))
        return whole.sql(dialect="duckdb", comments=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What a written question answered: names and the engine's types of columns, and rows.

    Attributes:
        cut: There were more rows than the limit lets be told.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool = False


def ask_within(
    root: duckdb.DuckDBPyConnection, written: Written, limits: Limits, stop: threading.Event
) -> Told:
    """Return what a written question answers.

    Args:
        root: The engine.
        written: The question.
        limits: How much it may take.
        stop: Ends it when set.

    Raises:
        BadInput: The engine cannot make sense of it, a value of a row does not let it be worked
            out, or it wants more time or memory than it may have.
        Conflict: It was stopped.
        MachineFailed: The engine failed.
    """
    cursor, looking = root.cursor(), root.cursor()
    apart = Written(written.query, {}).text()
    try:
        _check_as_read(looking, apart, written.shown)
        with _Watch(cursor, looking, limits, stop) as watch:
            try:
                return _fetched(watch, written.text(), limits)
            except _OfAValueError:
                for name, text in written.shown.items():
                    watch.run(_copying(name, text))
                return _fetched(watch, apart, limits)
    except _OfAValueError as error:
        fix = "Use try_cast(value AS type), nullif() or CASE for values that do not fit."
        raise BadInput(f"The question fails on a value: {error}", fix) from error
    finally:
        cursor.close()
        looking.close()


def ask_copies(
    copies: "Mapping[str, pa.Table]", written: Written, limits: Limits, stop: threading.Event
) -> Told:
    """Return what a written question answers over copies of what it may see.

    Args:
        copies: Name -> what is shown under it; for engines that speak other words than DuckDB.
        written: The question; the queries of `shown` are not asked.
        limits: How much it may take.
        stop: Ends it when set.

    Raises:
        BadInput: As `ask_within`.
        Conflict: It was stopped.
    """
    root = duckdb.connect(":memory:", config={"threads": 1, "python_enable_replacements": False})
    try:
        shown: dict[str, str] = {}
        for name, table in copies.items():
            # What is registered is its cursor's alone; a table is everybody's.
            root.register(_STAGED, table)
            whole = select("*").from_(_STAGED).sql(dialect="duckdb")
            root.execute(_copying(f"{_COPY}{name}", whole, lasting=True))
            root.unregister(_STAGED)
            told = exp.to_identifier(f"{_COPY}{name}", quoted=True)
            shown[name] = select("*").from_(told).sql(dialect="duckdb")
        return ask_within(root, Written(written.query, shown), limits, stop)
    finally:
        root.close()


def _check_as_read(
    cursor: duckdb.DuckDBPyConnection, statement: str, shown: Collection[str]
) -> None:
    """Pass when the engine too reads nothing but a question over what is shown.

    Two parsers would have to be wrong in the same way for anything else to run.
    """
    asked = select(exp.func("json_serialize_sql", exp.Placeholder())).sql(dialect="duckdb")
    try:
        found = msgspec.json.decode(cursor.execute(asked, [statement]).fetchall()[0][0])
    except (duckdb.Error, msgspec.DecodeError) as error:
        raise BadInput(
            "The engine cannot read the question.", "Ask it in plainer words."
        ) from error
    if found["error"]:
        said = str(found.get("error_message", "")).partition("\n")[0]
        raise BadInput(f"The engine cannot read the question: {said}", "Write one SELECT.")
    for part in _parts(found["statements"]):
        kind = part.get("type")
        name = part.get("function_name")
        table = part.get("table_name")
        if kind in _NEVER or (name is not None and str(name).lower() not in ENGINE_FUNCTIONS):
            message = f"`{str(name or kind).lower()[:60]}` may not be used."
            raise BadInput(message, "`onefold sql --functions` lists what may be written.")
        if kind == "BASE_TABLE" and (part["schema_name"] or part["catalog_name"]):
            raise BadInput("A name has too many parts.", "Write table.column, or column.")
        if kind == "BASE_TABLE" and not (table in shown or str(table).startswith(OWN)):
            raise BadInput(f"There is no table `{str(table)[:60]}`.", "Name one that is shown.")


def _parts(found: Any) -> Iterator[dict[str, Any]]:
    waiting = [found]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            # A constant's value is what somebody wrote, whatever it looks like.
            if each.get("class") != "CONSTANT":
                yield each
                waiting += each.values()
        elif isinstance(each, list):
            waiting += each


class _OfAValueError(Exception):
    """A value of a row does not let the question be worked out."""


class _Watch:
    """Runs statements, and ends them when they want too much or somebody stops them."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        looking: duckdb.DuckDBPyConnection,
        limits: Limits,
        stop: threading.Event,
    ) -> None:
        self._cursor = cursor
        self._limits = limits
        self._stop = stop
        self._until = time.monotonic() + limits.seconds
        self._memory = _Memory(looking)
        self._why: OnefoldError | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="sql-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def run(self, statement: str) -> list[tuple[str, str]]:
        """Begin a statement; return the names and types of its columns."""
        with self._told():
            self._cursor.execute(statement)
            return [(str(name), str(kind)) for name, kind, *_ in self._cursor.description or []]

    def more(self) -> list[tuple[Any, ...]]:
        """Return the next rows of the statement, none at its end."""
        with self._told():
            return self._cursor.fetchmany(_BATCH)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            if self._why is not None:
                raise self._why from error
            raise _named(error, self._limits) from error
        if self._why is not None:
            raise self._why

    def _look(self) -> None:
        looks = 0
        while not self._done.wait(_TICK_SECONDS):
            looks += 1
            if self._why is None:
                self._why = self._reason(often=looks % _LOOKS == 0)
            if self._why is not None:
                self._cursor.interrupt()

    def _reason(self, *, often: bool) -> OnefoldError | None:
        if self._stop.is_set():
            return Conflict("The question was cancelled.", "Ask it again when you want to.")
        if time.monotonic() > self._until:
            length = plural(int(self._limits.seconds), "second")
            message = f"The question was ended after {length}."
            return BadInput(message, "Ask of fewer days or rows, or allow it more seconds.")
        most = self._limits.memory_bytes
        grown = self._memory.grown()
        if (often or grown > most) and self._memory.taken() > most:
            return _too_big(self._limits)
        return None


class _Memory:
    """How much more is taken than when it began, by the process and on the disk."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        query = select(
            exp.func("sum", exp.column("memory_usage_bytes")),
            exp.func("sum", exp.column("temporary_storage_bytes")),
        ).from_("duckdb_memory()")
        kept = exp.column("tag").isin(*_KEPT)
        parts = (query.where(kept), query)
        self._kept, self._all = (part.sql(dialect="duckdb") for part in parts)
        self._resident = _resident()
        self._begun = self._engine()

    def grown(self) -> int:
        return _resident() - self._resident

    def taken(self) -> int:
        kept, spilled = self._engine()
        return self.grown() - (kept - self._begun[0]) + (spilled - self._begun[1])

    def _engine(self) -> tuple[int, int]:
        kept = self._cursor.execute(self._kept).fetchall()[0][0]
        spilled = self._cursor.execute(self._all).fetchall()[0][1]
        return int(kept or 0), int(spilled or 0)


def _resident() -> int:
    try:
        return int(_STATM.read_text().split()[1]) * getpagesize()
    except OSError:
        # Where nobody tells, the engine's own limit is left.
        return 0


def _copying(name: str, text: str, *, lasting: bool = False) -> str:
    """Return the statement that copies what is shown under a name, by its name."""
    kind = [] if lasting else [exp.TemporaryProperty()]
    shown = exp.Subquery(
        this=exp.Var(this=text), alias=exp.TableAlias(this=exp.to_identifier("shown"))
    )
    made = exp.Create(
        this=exp.Table(this=exp.to_identifier(name, quoted=True)),
        kind="TABLE",
        expression=select("*").from_(shown),
        properties=exp.Properties(expressions=kind),
    )
    return made.sql(dialect="duckdb")


def _fetched(watch: _Watch, statement: str, limits: Limits) -> Told:
    columns = watch.run(statement)
    rows: list[tuple[Any, ...]] = []
    left = limits.answer_bytes
    while len(rows) <= limits.rows and (batch := watch.more()):
        rows += batch
        left -= sum(map(_size, batch))
        if left < 0:
            message = f"The answer is over {limits.answer_bytes // MEGABYTE} MB."
            raise BadInput(message, "Ask for fewer rows or columns.")
    names, types = tuple(name for name, _ in columns), tuple(kind for _, kind in columns)
    return Told(names, types, tuple(rows[: limits.rows]), cut=len(rows) > limits.rows)


def _size(row: tuple[Any, ...]) -> int:
    return sum(len(each) if isinstance(each, str | bytes) else 16 for each in row)


def _named(error: duckdb.Error, limits: Limits) -> Exception:
    text = _plain(error)
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        return BadInput(f"The engine says: {text}", "`onefold sql --tables` shows what there is.")
    if isinstance(error, duckdb.OutOfMemoryException):
        return _too_big(limits)
    if isinstance(error, duckdb.InternalException | duckdb.IOException | duckdb.FatalException):
        return MachineFailed("The engine failed on the question.", "Ask it in another way.")
    return _OfAValueError(text)


def _plain(error: duckdb.Error) -> str:
    """Return the first line of what the engine says, with names as they were written."""
    line = str(error).partition("\n")[0]
    return _PREFIX.sub("", line.partition(": ")[2] or line)


def _too_big(limits: Limits) -> BadInput:
    message = f"The question wants over {limits.memory_bytes // MEGABYTE} MB of memory."
    return BadInput(message, "Ask of fewer days, or group and sort by less.")
