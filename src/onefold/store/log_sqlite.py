"""The log in SQLite: WAL, synchronous FULL, one transaction a group of requests."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import lz4.block

from onefold.model.errors import Busy, DiskFull, MachineFailed
from onefold.store.records import FORMAT, LogRow, NewRow
from onefold.store.scouring import scour

_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
    offset INTEGER PRIMARY KEY AUTOINCREMENT,
    received_time INTEGER NOT NULL,
    source TEXT NOT NULL,
    environment TEXT NOT NULL,
    dialect TEXT NOT NULL,
    route TEXT NOT NULL,
    format INTEGER NOT NULL,
    body BLOB NOT NULL,
    verdicts BLOB NOT NULL,
    reasons BLOB NOT NULL,
    trace TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS log_control ON log (route, offset) WHERE dialect = 'control';
"""
_TRACE = "ALTER TABLE log ADD COLUMN trace TEXT NOT NULL DEFAULT ''"
_TRACED = "CREATE INDEX IF NOT EXISTS log_trace ON log (trace, offset) WHERE trace <> ''"
_INSERT = """
INSERT INTO log
    (received_time, source, environment, dialect, route, format, body, verdicts, reasons, trace)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ROW_MORE = ", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERTS = {size: _INSERT.rstrip() + _ROW_MORE * (size - 1) for size in (256, 64, 16, 4, 1)}
"""Statements for many rows: each statement lets go of the interpreter and has to win it back."""
_READ = """
SELECT received_time, source, environment, dialect, route, body, verdicts, reasons, trace, offset,
    format
FROM log WHERE offset > ? ORDER BY offset LIMIT ?
"""
_ROW = """
SELECT received_time, source, environment, dialect, route, body, verdicts, reasons, trace, offset,
    format
FROM log WHERE offset = ?
"""
_LATEST = """
SELECT received_time, source, environment, dialect, route, body, verdicts, reasons, trace, offset,
    format
FROM log WHERE dialect = ? AND route = ? ORDER BY offset DESC LIMIT 1
"""
_OF_TRACE = """
SELECT received_time, source, environment, dialect, route, body, verdicts, reasons, trace, offset,
    format
FROM log WHERE trace = ? AND trace <> '' ORDER BY offset LIMIT ?
"""
_NEWEST = "SELECT received_time, length(verdicts) FROM log ORDER BY offset DESC"
_EVENTS = "SELECT sum(length(verdicts)) FROM log WHERE offset > ?"
_REWRITE = "UPDATE log SET body = ?, verdicts = ?, reasons = ?, trace = ? WHERE offset = ?"
_WAIT_SECONDS = 10.0


class SqliteLog:
    """One file; any number of readers and processes, one transaction at a time writes."""

    def __init__(self, path: Path) -> None:
        """Open the log, making it when there is none.

        Raises:
            MachineFailed: The file is there but is no log, or cannot be opened.
        """
        self.path = path
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        # It holds identifiers, so it is the owner's alone; the files beside it take its mode.
        with suppress(OSError):
            path.touch(mode=0o600, exist_ok=True)
        try:
            self._connection = _connect(path)
            for pragma in (
                "PRAGMA page_size = 8192",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA wal_autocheckpoint = 8000",
            ):
                self._connection.execute(pragma)
            self._connection.executescript(_SCHEMA)
            self._renew()
            # Reading must not wait while a commit waits for the disk or for another's lock.
            self._reader = _connect(path)
        except sqlite3.Error as error:
            raise _failure(error, path) from error

    @property
    def file(self) -> Path:
        """The file (see `Log.file`)."""
        return self.path

    def _renew(self) -> None:
        """Give a log of an older version the column that it lacks; its rows stay as they are."""
        columns = self._connection.execute("PRAGMA table_info(log)").fetchall()
        if all(column[1] != "trace" for column in columns):
            self._connection.execute(_TRACE)
        self._connection.execute(_TRACED)

    def append(self, rows: Sequence[NewRow]) -> list[int]:
        """Return the offsets of the rows once they are durable (see `Log.append`)."""
        packed = [
            (
                row.received_time,
                row.source,
                row.environment,
                row.dialect,
                row.route,
                FORMAT,
                lz4.block.compress(row.body),
                row.verdicts,
                row.reasons,
                row.trace,
            )
            for row in rows
        ]
        with self._lock:
            cursor = self._connection.cursor()
            try:
                cursor.execute("BEGIN IMMEDIATE")
                last = _insert(cursor, packed)
                cursor.execute("COMMIT")
            except sqlite3.Error as error:
                self._take_back()
                raise _failure(error, self.path) from error
        # Within a transaction the numbers follow each other: nobody else writes meanwhile.
        return list(range(last - len(packed) + 1, last + 1))

    def _take_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def read(
        self, after: int, *, most_bytes: int = 8_000_000, most_rows: int = 2000
    ) -> list[LogRow]:
        """Return the next rows after an offset, in order; empty at the end."""
        rows: list[LogRow] = []
        size = 0
        with self._asking() as reader:
            cursor = reader.execute(_READ, (after, most_rows))
            for record in cursor:
                row = _unpack(record)
                rows.append(row)
                size += len(row.body)
                if size >= most_bytes:
                    break
            cursor.close()
        return rows

    def row(self, offset: int) -> LogRow | None:
        """Return one row, or None."""
        with self._asking() as reader:
            record = reader.execute(_ROW, (offset,)).fetchone()
        return _unpack(record) if record else None

    def rows(self, offsets: Sequence[int]) -> list[LogRow]:
        """Return those rows of some offsets that are there, in order."""
        return [row for row in map(self.row, sorted(offsets)) if row is not None]

    def latest(self, dialect: str, route: str) -> LogRow | None:
        """Return the last row of a dialect and route, or None."""
        with self._asking() as reader:
            record = reader.execute(_LATEST, (dialect, route)).fetchone()
        return _unpack(record) if record else None

    def last_offset(self) -> int:
        """Return the offset of the last row, 0 when there is none."""
        with self._asking() as reader:
            found = reader.execute("SELECT max(offset) FROM log").fetchone()
        return int(found[0] or 0)

    def events(self, after: int = 0) -> int:
        """Return how many events the rows after an offset hold, counted ones and others."""
        with self._asking() as reader:
            found = reader.execute(_EVENTS, (after,)).fetchone()
        return int(found[0] or 0)

    def events_since(self, received_time: int) -> int:
        """Return how many events the newest rows hold, back to a received time."""
        events = 0
        with self._asking() as reader:
            cursor = reader.execute(_NEWEST)
            for received, held in cursor:
                if received < received_time:
                    break
                events += held
            cursor.close()
        return events

    def traced(self, trace: str, *, most_rows: int = 100) -> list[LogRow]:
        """Return the rows whose sender named a trace, in order."""
        with self._asking() as reader:
            return [_unpack(found) for found in reader.execute(_OF_TRACE, (trace, most_rows))]

    def rewrite(self, rows: Sequence[LogRow]) -> bool:
        """Let rows say something else at their places (see `Log.rewrite`)."""
        said = [
            (lz4.block.compress(row.body), row.verdicts, row.reasons, row.trace, row.offset)
            for row in rows
        ]
        with self._lock:
            cursor = self._connection.cursor()
            try:
                cursor.execute("PRAGMA secure_delete = ON")
                cursor.execute("BEGIN IMMEDIATE")
                cursor.executemany(_REWRITE, said)
                cursor.execute("COMMIT")
                scour(self._connection)
            except sqlite3.Error as error:
                self._take_back()
                raise _failure(error, self.path) from error
        return True

    def kept_seconds(self) -> float | None:
        """Return None: rows can be rewritten (see `Log.kept_seconds`)."""
        return None

    @contextmanager
    def _asking(self) -> Iterator[sqlite3.Connection]:
        with self._reading:
            try:
                yield self._reader
            except sqlite3.Error as error:
                raise _failure(error, self.path) from error

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, self._reading:
            self._reader.close()
            self._connection.close()


def _insert(cursor: sqlite3.Cursor, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows in order, many a statement; return the offset of the last."""
    at = 0
    while at < len(rows):
        size = next(size for size in _INSERTS if size <= len(rows) - at)
        cursor.execute(_INSERTS[size], tuple(chain.from_iterable(rows[at : at + size])))
        at += size
    return cursor.lastrowid or 0


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )


def _unpack(record: tuple[Any, ...]) -> LogRow:
    received, source, environment, dialect, route, body, *kept = record
    verdicts, reasons, trace, offset, form = kept
    return LogRow(
        received_time=received,
        source=source,
        environment=environment,
        dialect=dialect,
        route=route,
        body=lz4.block.decompress(body),
        verdicts=verdicts,
        reasons=reasons,
        trace=trace,
        offset=offset,
        format=form,
    )


def _failure(error: sqlite3.Error, path: Path) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return DiskFull(
            f"The log {path.name} cannot grow: {error}.",
            "Make room on the disk; senders try again by themselves.",
            retry_seconds=5,
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return Busy(
            f"The log {path.name} is held by another process.",
            "Wait, or end the process that holds it.",
        )
    return MachineFailed(
        f"The log {path.name} does not work: {error}.", "Run `onefold doctor` on the workspace."
    )
