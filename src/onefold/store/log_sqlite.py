"""The log in SQLite: WAL, synchronous FULL, one transaction a group of requests."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import lz4.block

from onefold.model.errors import Busy, DiskFull, MachineFailed
from onefold.store.records import FORMAT, LogRow, NewRow

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
    reasons BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS log_control ON log (route, offset) WHERE dialect = 'control';
"""
_INSERT = """
INSERT INTO log
    (received_time, source, environment, dialect, route, format, body, verdicts, reasons)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_READ = """
SELECT received_time, source, environment, dialect, route, body, verdicts, reasons, offset, format
FROM log WHERE offset > ? ORDER BY offset LIMIT ?
"""
_ROW = """
SELECT received_time, source, environment, dialect, route, body, verdicts, reasons, offset, format
FROM log WHERE offset = ?
"""
_LATEST = """
SELECT received_time, source, environment, dialect, route, body, verdicts, reasons, offset, format
FROM log WHERE dialect = ? AND route = ? ORDER BY offset DESC LIMIT 1
"""
_EVENTS = "SELECT sum(length(verdicts)) FROM log WHERE offset > ?"
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
            # Reading must not wait while a commit waits for the disk or for another's lock.
            self._reader = _connect(path)
        except sqlite3.Error as error:
            raise _failure(error, path) from error

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
            )
            for row in rows
        ]
        with self._lock:
            cursor = self._connection.cursor()
            try:
                cursor.execute("BEGIN IMMEDIATE")
                offsets = [cursor.execute(_INSERT, row).lastrowid or 0 for row in packed]
                cursor.execute("COMMIT")
            except sqlite3.Error as error:
                self._take_back()
                raise _failure(error, self.path) from error
        return offsets

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


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )


def _unpack(record: tuple[int, str, str, str, str, bytes, bytes, bytes, int, int]) -> LogRow:
    received, source, environment, dialect, route, body, verdicts, reasons, offset, form = record
    return LogRow(
        received_time=received,
        source=source,
        environment=environment,
        dialect=dialect,
        route=route,
        body=lz4.block.decompress(body),
        verdicts=verdicts,
        reasons=reasons,
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
