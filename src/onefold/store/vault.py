"""The vault: the one place where identifiers and personal fields stand as text."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

from onefold.model.errors import DiskFull, MachineFailed, OnefoldError
from onefold.store.scouring import scour

_SCHEMA = """
CREATE TABLE IF NOT EXISTS identifiers (
    key INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS fields (
    key INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, event_time INTEGER NOT NULL,
    PRIMARY KEY (key, field)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sealing_keys (
    day INTEGER PRIMARY KEY, key BLOB NOT NULL, until_time INTEGER NOT NULL
) STRICT;
"""
# Many rows a statement: the interpreter is given away and awaited anew at each.
_AT_ONCE = 250
_REMEMBER = "INSERT OR IGNORE INTO identifiers (key, kind, value) VALUES "
_COLLIDED = (
    "SELECT given.column1 FROM (VALUES {}) AS given JOIN identifiers ON key = given.column1 "
    "WHERE kind <> given.column2 OR value <> given.column3"
)
_NAME = "SELECT kind, value FROM identifiers WHERE key = ?"
# Of two values of one time the greater text stands, so that the order of arrival does not matter.
_KEEP = "INSERT INTO fields (key, field, value, event_time) VALUES "
_LATEST = """
ON CONFLICT (key, field) DO UPDATE SET value = excluded.value, event_time = excluded.event_time
WHERE (excluded.event_time, excluded.value) > (event_time, value)
"""
_HOLDERS = (
    "SELECT key FROM identifiers WHERE value = ? UNION SELECT key FROM fields WHERE value = ?"
)
_FORGET = ("DELETE FROM identifiers WHERE key = ?", "DELETE FROM fields WHERE key = ?")
_MASK = "UPDATE fields SET value = ? WHERE key = ? AND field = ?"
_NAMESAKES = "SELECT key FROM identifiers WHERE value = ?"
_NEW_KEY = "INSERT OR IGNORE INTO sealing_keys (day, key, until_time) VALUES (?, ?, ?)"
_KEY = "SELECT key FROM sealing_keys WHERE day = ?"
_KEYS = "SELECT day, key FROM sealing_keys WHERE until_time > ?"
_END = "DELETE FROM sealing_keys WHERE until_time <= ?"
_FIELDS = "SELECT field, value, event_time FROM fields WHERE key = ?"


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier in words: its kind and its value."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class PersonalField:
    """A field of a personal class, the latest value, and since when it is so."""

    key: int
    field: str
    value: str
    event_time: int


class Vault:
    """Keys to values. Whatever leaves it is removed from the file (`secure_delete`)."""

    def __init__(self, path: Path) -> None:
        """Open the vault, making it (mode 0600) when there is none.

        Raises:
            MachineFailed: The file is there but is no vault.
        """
        self._lock = threading.Lock()
        self._reads: Callable[[str], bool] | None = None
        path.touch(mode=0o600, exist_ok=True)
        try:
            self._connection = sqlite3.connect(
                path, timeout=10, isolation_level=None, check_same_thread=False
            )
            for pragma in (
                "PRAGMA secure_delete = ON",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
            ):
                self._connection.execute(pragma)
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise _failure(error) from error

    def remember(
        self,
        names: Sequence[tuple[int, str, str]],
        fields: Sequence[tuple[int, str, str, int]] = (),
    ) -> set[int]:
        """Keep identifiers and personal fields; return the keys that stand for another.

        Args:
            names: (key, kind, value) of identifiers.
            fields: (key, field, value, event time) of personal fields; the latest stands.

        A key that is returned has collided: its identifier was not kept.

        Raises:
            DiskFull: There is no room; nothing was kept.
        """
        with self._lock:
            cursor = self._connection.cursor()
            try:
                cursor.execute("BEGIN IMMEDIATE")
                collided: set[int] = set()
                for rows, values in _in_pieces(names):
                    cursor.execute(_REMEMBER + rows, values)
                    collided |= {key for (key,) in cursor.execute(_COLLIDED.format(rows), values)}
                for rows, values in _in_pieces(fields):
                    cursor.execute(_KEEP + rows + _LATEST, values)
                cursor.execute("COMMIT")
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise _failure(error) from error
        return collided

    def as_read_by(self, reads: Callable[[str], bool]) -> "Vault":
        """Return the vault as it answers somebody who may read some fields alone.

        Args:
            reads: Whether a field, or a kind of identifier, may be read; what may not is as if
                it had never been kept, for look-ups and for a search alike.
        """
        veiled = copy(self)
        veiled._reads = reads  # noqa: SLF001 - a vault of the same kind
        return veiled

    def _open(self, field: str) -> bool:
        return self._reads is None or self._reads(field)

    def names(self, keys: Iterable[int]) -> dict[int, Name]:
        """Return the identifiers of keys; unknown keys are left out."""
        found: dict[int, Name] = {}
        with self._lock:
            for key in keys:
                row = self._connection.execute(_NAME, (key,)).fetchone()
                if row and self._open(row[0]):
                    found[key] = Name(*row)
        return found

    def fields(self, keys: Iterable[int]) -> list[PersonalField]:
        """Return the personal fields kept under keys."""
        with self._lock:
            return [
                PersonalField(key, *row)
                for key in keys
                for row in self._connection.execute(_FIELDS, (key,)).fetchall()
                if self._open(row[0])
            ]

    def fields_with(self, words: Iterable[str]) -> dict[str, int]:
        """Return field -> how many people's hold one of some words, in any case."""
        query = "SELECT DISTINCT field, key FROM fields WHERE instr(lower(value), lower(?)) > 0"
        with self._lock:
            told = {row for one in words for row in self._connection.execute(query, (one,))}
        return dict(Counter(str(field) for field, _ in told))

    def mask_fields(self, words: Iterable[str], masked: Callable[[str, str], str]) -> int:
        """Let personal fields that hold one of some words say something else; return how many.

        Args:
            words: In any case.
            masked: Returns what a value is to say, by it and its field.

        Raises:
            Busy: The file is being read for too long.
            DiskFull: There is no room; nothing was changed.
        """
        query = "SELECT key, field, value FROM fields WHERE instr(lower(value), lower(?)) > 0"
        with self._lock:
            told = {row for one in words for row in self._connection.execute(query, (one,))}
            said = [(masked(value, field), key, field) for key, field, value in told]
            changed = [one for one in said if (one[1], one[2], one[0]) not in told]
            cursor = self._connection.cursor()
            try:
                cursor.execute("BEGIN IMMEDIATE")
                cursor.executemany(_MASK, changed)
                cursor.execute("COMMIT")
                scour(self._connection)
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise _failure(error) from error
        return len(changed)

    def search(self, text: str, *, most: int = 50) -> list[int]:
        """Return keys whose identifier or field begins with a text, case ignored."""
        pattern = text.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
        query = """
            SELECT key, kind FROM identifiers WHERE value LIKE ? ESCAPE '!'
            UNION SELECT key, field FROM fields WHERE value LIKE ? ESCAPE '!'
        """
        found: dict[int, None] = {}
        with self._lock:
            rows = self._connection.execute(query, (pattern, pattern))
            for key, field in rows:
                if self._open(field):
                    found[int(key)] = None
                if len(found) >= most:
                    break
            rows.close()
        return list(found)

    def keys(self) -> set[int]:
        """Return every key that words are kept under."""
        query = "SELECT key FROM identifiers UNION SELECT key FROM fields"
        with self._lock:
            return {int(key) for (key,) in self._connection.execute(query)}

    def holders(self, values: Iterable[str]) -> dict[str, set[int]]:
        """Return value -> the keys under which it stands, as an identifier or in a field."""
        with self._lock:
            return {
                value: {int(key) for (key,) in self._connection.execute(_HOLDERS, (value, value))}
                for value in values
            }

    def namesakes(self, value: str) -> set[int]:
        """Return the keys of identifiers of any kind that have a value."""
        with self._lock:
            return {int(key) for (key,) in self._connection.execute(_NAMESAKES, (value,))}

    def forget(self, keys: Iterable[int]) -> int:
        """Remove identifiers and personal fields from every file; return how many rows went.

        Raises:
            Busy: The file is being read for too long.
            DiskFull: There is no room; nothing was removed.
        """
        wanted = [(key,) for key in keys]
        with self._lock:
            cursor = self._connection.cursor()
            try:
                cursor.execute("BEGIN IMMEDIATE")
                gone = sum(cursor.executemany(query, wanted).rowcount for query in _FORGET)
                cursor.execute("COMMIT")
                scour(self._connection)
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise _failure(error) from error
        return gone

    def sealing_key(self, day: int, *, until: int) -> bytes:
        """Return the key that what comes on a day is sealed under, making it where there is none.

        Args:
            day: Since 1970.
            until: When a new one ends, microseconds.

        Raises:
            DiskFull: There is no room for a new one.
        """
        with self._lock:
            try:
                self._connection.execute(_NEW_KEY, (day, token_bytes(32), until))
                found = self._connection.execute(_KEY, (day,)).fetchone()
            except sqlite3.Error as error:
                raise _failure(error) from error
        return bytes(found[0])

    def sealing_keys(self, now: int) -> dict[int, bytes]:
        """Return day -> key, of those that have not ended."""
        with self._lock:
            rows = self._connection.execute(_KEYS, (now,)).fetchall()
        return {int(day): bytes(key) for day, key in rows}

    def end_keys(self, now: int) -> int:
        """Destroy the sealing keys that have ended, in every file; return how many.

        Raises:
            Busy: The file is being read for too long.
            DiskFull: There is no room; none was destroyed.
        """
        with self._lock:
            try:
                gone = self._connection.execute(_END, (now,)).rowcount
                if gone:
                    scour(self._connection)
            except sqlite3.Error as error:
                raise _failure(error) from error
        return gone

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


def _in_pieces(rows: Sequence[tuple[object, ...]]) -> Iterator[tuple[str, list[object]]]:
    """Yield parameter marks of some rows, and their values one after the other."""
    for start in range(0, len(rows), _AT_ONCE):
        piece = rows[start : start + _AT_ONCE]
        one = f"({', '.join('?' * len(piece[0]))})"
        yield ", ".join([one] * len(piece)), [value for row in piece for value in row]


def _failure(error: sqlite3.Error) -> OnefoldError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return DiskFull(f"The vault cannot grow: {error}.", "Make room on the disk.")
    return MachineFailed(f"The vault does not work: {error}.", "Run `onefold doctor`.")
