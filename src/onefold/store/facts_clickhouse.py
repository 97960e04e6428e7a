"""The facts in ClickHouse: no transactions there, so every row carries the batch that wrote it.

A batch is visible once its row stands in `commits`, which is written last; a batch that never got
there is removed before the next one, so a crash between any two writes leaves what stood before.
What is deleted is named in `gone` and left out of every question; from time to time it is removed
for good. Only the house writes, so it knows what is visible without asking.
"""

import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from onefold.model.errors import BadInput, Conflict, MachineFailed
from onefold.model.facts import PROMOTED
from onefold.store.answers import Answers
from onefold.store.click_server import (
    NO_TABLE,
    TOO_LARGE,
    TOO_MUCH,
    TOO_SLOW,
    EngineError,
    Server,
    place_of,
)
from onefold.store.click_tables import (
    PLACES,
    ROW,
    ClickTables,
    ClickWriter,
    arrow_schema,
    as_told,
)
from onefold.store.click_words import CLICKHOUSE
from onefold.store.compiled import Compiled
from onefold.store.facts_duckdb import FILE, DuckFacts
from onefold.store.watching import MOST_SECONDS, Watcher
from onefold.store.within import Limits, Told, Written, ask_copies

if TYPE_CHECKING:
    import ibis.expr.types as ir

GONE_MOST = 50_000
"""So many deleted rows of a table are left out of questions before they are removed."""


class ClickFacts:
    """The facts of one generation, in tables of its own in one database."""

    def __init__(self, url: str, generation: str, *, seconds: float = MOST_SECONDS) -> None:
        """Open the tables of a generation, if there are any.

        Args:
            url: See `click_server.place_of`.
            generation: Letters, digits and hyphens; names its tables.
            seconds: A question may take so long.

        Raises:
            BadInput: The URL names no ClickHouse, or its extra is not installed.
            MachineFailed: It does not answer.
        """
        self._url, self._seconds = url, seconds
        self._server = Server(place_of(url))
        self._held = ClickTables(self._server, generation.replace("-", "_") + "_")
        self._answers, self._watcher = Answers(), Watcher(seconds=seconds + 5)
        self._writing = threading.RLock()
        self._reading = _Readers()
        self._unclear = bool(self._held.columns)
        """A batch may have failed half-way; it is removed before the next one."""
        self._make_sure()

    def create(self, promoted: Mapping[str, str]) -> None:
        """Make all tables; `promoted` names the columns that described properties get.

        Tables of a generation of this name that never came to answer are removed first.
        """
        self._held.create(promoted)

    def promoted(self) -> dict[str, str]:
        """Return the promoted columns of `events`: name -> type."""
        events = self._held.columns.get("events", {})
        return {name: kind for name, kind in events.items() if name.startswith(PROMOTED)}

    def tables(self) -> "Mapping[str, ir.Table]":
        """Return the raw tables as unbound ibis tables (see `Facts.tables`)."""
        return self._held.tables()

    # ------------------------------------------------------------ asking

    def sql(self, expression: "ir.Expr") -> str:
        """Return the query of an expression in ClickHouse's dialect."""
        return CLICKHOUSE.compiled(expression).text

    def ask(self, expression: "ir.Expr") -> pa.Table:
        """Return the whole answer of an expression (see `Facts.ask`)."""
        question = CLICKHOUSE.compiled(expression)

        def answer() -> pa.Table:
            return as_told(self._fetch(question), question.schema)

        return self._answers.get(question.text, answer)

    def ask_within(self, written: Written, limits: Limits, stop: threading.Event) -> Told:
        """Return what a question answers that somebody wrote (see `store.within`).

        It is written in DuckDB's words. So what it may see is copied from here, as far as its
        limits go, and asked there.
        """
        copies: dict[str, pa.Table] = {}
        left = limits.memory_bytes
        for name, text in written.shown.items():
            if stop.is_set():
                raise Conflict("The question was cancelled.", "Ask it again when you want to.")
            question = Compiled.of_text(text)
            try:
                found = self._fetch(question, max_result_bytes=left, max_result_rows=0)
            except EngineError as error:
                if error.code in {TOO_MUCH, TOO_LARGE}:
                    message = "What the question looks at is over the memory that it may have."
                    fix = "Ask of fewer columns, or allow it more memory."
                    raise BadInput(message, fix) from error
                raise
            copies[name] = as_told(found, question.schema)
            left = max(1, left - copies[name].nbytes)
        return ask_copies(copies, written, limits, stop)

    def _fetch(self, question: Compiled, **limits: Any) -> pa.Table:
        asked = self._server.new_question()
        with self._reading.one(), self._watcher.over(asked):
            try:
                # What is visible must not move before the engine has begun to read it.
                query = question.over(self._held.seen)
                return asked.ask(query, max_execution_time=self._seconds, **limits)
            except EngineError as error:
                if error.code == TOO_SLOW:
                    message = f"The question was ended after {self._seconds:g} seconds."
                    raise BadInput(message, "Ask of fewer days.") from error
                if error.code == NO_TABLE:
                    message = "The facts were built anew meanwhile."
                    raise Conflict(message, "Ask again.") from error
                raise

    # ------------------------------------------------------------ writing

    @contextmanager
    def transaction(self) -> Iterator[ClickWriter]:
        """Open the one writing transaction; it is kept whole or not at all."""
        with self._writing:
            self._make_sure()
            writer = ClickWriter(self._held)
            try:
                yield writer
                if writer.wrote:
                    self._held.commit(writer.batch)
            except BaseException:
                self._unclear = writer.wrote
                writer.undo()
                raise
            if writer.wrote:
                self._answers.moved()
                self._tidy()

    def _make_sure(self) -> None:
        """Remove what a batch left that failed, before its number is used again."""
        if not self._unclear:
            return
        known = self._held.batch
        self._held.recover()
        if self._held.batch < known:
            message = f"ClickHouse holds {self._held.batch:,} batches of {known:,} it had taken."
            raise MachineFailed(message, "Run `onefold rebuild`.")
        self._unclear = False

    def _tidy(self) -> None:
        """Remove for good what was deleted, where it is much and nobody asks just now."""
        for name, rows in list(self._held.gone.items()):
            if rows > GONE_MOST:
                with self._reading.none() as alone:
                    if alone:
                        self._held.remove(name)

    @contextmanager
    def on_cores(self, count: int) -> Iterator[None]:
        """Let writing use so many threads: the engine sees to that itself."""
        del count
        yield

    # ------------------------------------------------------------ whole tables

    def copy_to(self, folder: Path) -> None:
        """Write all rows that are visible to the tables of another generation.

        Args:
            folder: Where that generation stands; its name is the generation's.
        """
        other = ClickFacts(self._url, folder.name, seconds=self._seconds)
        try:
            other.create(self.promoted())
            with self._writing:
                for name, columns in self._held.columns.items():
                    other.take_in(name, tuple(columns), self._held.seen(name))
                other.commit_first()
        finally:
            other.close()

    def take_in(self, table: str, columns: tuple[str, ...], query: str) -> None:
        """Add the rows of a query to an empty generation, visible once it is committed."""
        named = ", ".join(f"`{column}`" for column in columns)
        number = f"bitShiftLeft(toUInt64(1), {PLACES}) + rowNumberInAllBlocks()"
        self._server.run(
            f"INSERT INTO {self._held.named(table)} ({named}, {ROW}) "
            f"SELECT {named}, {number} FROM ({query}) SETTINGS max_threads = 1"
        )

    def commit_first(self) -> None:
        """Make visible what was taken in."""
        self._held.commit(1)

    @contextmanager
    def _aside(self) -> Iterator[DuckFacts]:
        """Yield a copy of everything in DuckDB, which is gone afterwards."""
        with TemporaryDirectory(prefix="onefold-facts-") as folder:
            facts = DuckFacts(Path(folder) / FILE)
            try:
                facts.create(self.promoted())
                with self._writing:
                    for name, columns in self._held.columns.items():
                        schema = arrow_schema(columns)
                        with facts.transaction() as writer:
                            for piece in self._server.pieces(self._held.seen(name)):
                                writer.insert(name, as_told(piece, schema))
                yield facts
            finally:
                facts.close()

    def checksums(self) -> list[tuple[str, int, str]]:
        """Return table, rows and hash of every table, the same that DuckDB's would be."""
        with self._aside() as facts:
            return facts.checksums()

    def write_parquet(self, folder: Path) -> None:
        """Write every table to a Parquet file of its name."""
        with self._aside() as facts:
            facts.write_parquet(folder)

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        """Open DuckDB's cursor over a copy of all tables as they stand at one offset."""
        with self._aside() as facts, facts.snapshot() as cursor:
            yield cursor

    def checkpoint(self) -> None:
        """Do nothing: what the engine answered, it has."""

    def drop(self) -> None:
        """Remove all tables of this generation, once no question holds it any more."""
        weakref.finalize(self, _forget, self._held, self._server)

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()


def _forget(tables: ClickTables, server: Server) -> None:
    tables.drop()
    server.close()


class _Readers:
    """Who asks just now; rows that were deleted are removed only while nobody does."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._asking = 0
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """Ask meanwhile; waits while rows are removed."""
        with self._free:
            while self._closed:
                self._free.wait()
            self._asking += 1
        try:
            yield
        finally:
            with self._free:
                self._asking -= 1

    @contextmanager
    def none(self) -> Iterator[bool]:
        """Yield whether nobody asks, and let nobody begin meanwhile if so."""
        with self._free:
            alone = self._closed = self._asking == 0
        try:
            yield alone
        finally:
            if alone:
                with self._free:
                    self._closed = False
                    self._free.notify_all()
