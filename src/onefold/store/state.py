"""The state: every change with its audit entry and its outbox row in one transaction."""

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, create_engine, event, func, select
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError

from onefold.model.errors import (
    BadInput,
    Busy,
    Conflict,
    DiskFull,
    MachineFailed,
    OnefoldError,
)
from onefold.model.records import Asker
from onefold.model.time import Clock
from onefold.store import state_tables as tables
from onefold.store.scouring import scour


class State:
    """What is in force now, in one SQLite file or in PostgreSQL."""

    FIRST_HASH = "0" * 64
    """What the first audit entry follows."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Open the state and bring its tables to the newest migration.

        Args:
            url: `sqlite:///PATH` for the embedded default, or `postgresql://...`.
            clock: Tells the time of changes.

        Raises:
            BadInput: The URL is none, or the extra it needs is not installed.
            Busy: The server does not answer.
            MachineFailed: The state cannot be opened.
        """
        self._clock = clock
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).touch(mode=0o600, exist_ok=True)
        self._engine = _engine(url)
        if self._engine.dialect.name == "sqlite":
            _tune_sqlite(self._engine)
        try:
            _migrate(self._engine)
        except DBAPIError as error:
            raise _failure(error) from error

    @staticmethod
    def audit_hash(former: str, entry: tuple[int, str, str, str, str]) -> str:
        """Return the chained hash of an audit entry (time, actor, action, subject, detail).

        Source: each entry's hash covers the former hash, so that a changed, removed or reordered
        entry breaks every later one (Haber & Stornetta 1991).
        """
        text = json.dumps([former, *entry], ensure_ascii=False, separators=(",", ":"))
        return blake2b(text.encode(), digest_size=32).hexdigest()

    def now(self) -> int:
        """Return the time of a change, microseconds UTC."""
        return self._clock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection for questions."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise _failure(error) from error

    def rows(self, query: Any) -> list[RowMapping]:
        """Return all rows of a select."""
        with self.read() as connection:
            return list(connection.execute(query).mappings())

    @contextmanager
    def change(
        self,
        asker: Asker,
        action: str,
        subject: str,
        *,
        detail: Mapping[str, object] | None = None,
        entry: tuple[str, Mapping[str, object]] | None = None,
    ) -> Iterator[Connection]:
        """Open the transaction of one change; its audit entry goes in with it.

        Args:
            asker: Who changes.
            action: What is done, such as `source.add`.
            subject: To what; never a name of a person, only keys.
            detail: What a reader of the trail wants to know; no secrets, no personal data.
            entry: (kind, body) of a control entry that the relay brings to the log.

        Raises:
            Conflict: It would stand twice.
        """
        try:
            with self._engine.begin() as connection:
                # One change at a time, so that each audit entry follows the one before.
                connection.exec_driver_sql(_ALONE[self._engine.dialect.name])
                yield connection
                now = self._clock()
                if entry is not None:
                    _put_out(connection, entry, now)
                _write_audit(connection, asker, action, subject, dict(detail or {}), now)
        except IntegrityError as error:
            message = f"`{subject}` is there already."
            raise Conflict(message, "Take another name.") from error
        except DBAPIError as error:
            raise _failure(error) from error

    def count(self, query: Any) -> int:
        """Return how many rows a query would give, without reading them."""
        with self.read() as connection:
            counted = select(func.count()).select_from(query.subquery())
            return int(connection.execute(counted).scalar_one())

    def touch(self, statement: Any) -> None:
        """Run a statement that is no change worth an audit entry, such as `last used`."""
        try:
            with self._engine.begin() as connection:
                connection.execute(statement)
        except DBAPIError as error:
            raise _failure(error) from error

    def version(self) -> int:
        """Return a number that differs after any change by anybody."""
        if self._engine.dialect.name != "sqlite":
            # Every change has its entry in the trail.
            with self.read() as connection:
                return connection.execute(select(func.max(tables.audit.c.id))).scalar() or 0
        path = Path(str(self._engine.url.database))
        parts = (path, path.with_name(path.name + "-wal"))
        return hash(tuple(_stamp(part) for part in parts))

    def scour(self) -> None:
        """Leave nothing of what was deleted in the files of the state; a server's are its own."""
        if self._engine.dialect.name != "sqlite":
            return
        with self._engine.connect() as connection:
            scour(connection.connection.dbapi_connection)  # type: ignore[arg-type]

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def _write_audit(
    connection: Connection,
    asker: Asker,
    action: str,
    subject: str,
    detail: dict[str, object],
    now: int,
) -> None:
    trail = tables.audit
    last = connection.execute(trail.select().order_by(trail.c.id.desc()).limit(1)).mappings()
    number, former = next(((row["id"], row["hash"]) for row in last), (0, State.FIRST_HASH))
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
    connection.execute(
        trail.insert().values(
            # Not left to the engine, whose numbers leave gaps after a crash.
            id=number + 1,
            time=now,
            actor=asker.name,
            action=action,
            subject=subject,
            detail=text,
            hash=State.audit_hash(former, (now, asker.name, action, subject, text)),
        )
    )


def _put_out(connection: Connection, entry: tuple[str, Mapping[str, object]], now: int) -> None:
    kind, body = entry
    name = secrets.token_hex(16)
    payload = json.dumps({"id": name, **body}, ensure_ascii=False).encode()
    row = tables.outbox.insert().values(id=name, kind=kind, body=payload, made_time=now)
    connection.execute(row)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        # SQLAlchemy begins by itself; the driver must not begin too.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            "PRAGMA secure_delete = ON",
            "PRAGMA busy_timeout = 10000",
        ):
            cursor.execute(pragma)
        cursor.close()


_REVISION = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


@lru_cache(maxsize=1)
def newest_migration() -> str:
    """Return the migration that no other follows, without importing what runs them."""
    folder = Path(__file__).parent / "migrations" / "versions"
    texts = [path.read_text("utf-8") for path in folder.glob("*.py")]
    said = [(found[1], found[2]) for text in texts for found in _REVISION.finditer(text)]
    followed = {name for what, name in said if what == "down_revision"}
    heads: list[str] = [n for what, n in said if what == "revision" and n not in followed]
    return heads[0]


_ALONE = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE",
}
"""What lets one change in at a time; who reads goes on."""

_MIGRATING = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(6742019853)",
}
"""What lets one process bring the tables up at a time; the number is ours alone."""

_EXTRA = "Install it with `pip install 'onefold[postgres]'`."


def _engine(url: str) -> Engine:
    """Return the engine of a URL; PostgreSQL is spoken to through psycopg."""
    found = url
    for name in ("postgresql://", "postgres://"):
        if url.startswith(name):
            found = "postgresql+psycopg://" + url.removeprefix(name)
    try:
        engine = create_engine(found, pool_pre_ping=found != url)
    except ModuleNotFoundError as error:
        message = f"The state is PostgreSQL, but {error.name} is not installed."
        raise BadInput(message, _EXTRA) from error
    except (ArgumentError, ValueError) as error:
        # The address itself may hold a password and is not repeated.
        message = "The state's address cannot be read."
        raise BadInput(message, "Write postgresql://USER@HOST/DATABASE.") from error
    if engine.dialect.name not in _ALONE:
        message = f"No state `{engine.dialect.name}`."
        raise BadInput(message, "Write postgresql://USER@HOST/DATABASE.")
    return engine


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        if engine.dialect.has_table(connection, "alembic_version"):
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            if found == newest_migration():
                return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        connection.exec_driver_sql(_MIGRATING[engine.dialect.name])
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _failure(error: DBAPIError) -> OnefoldError:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    said = str(getattr(error.orig, "sqlstate", None) or "")
    if isinstance(error, DataError):
        return BadInput("A value is none that the state can keep.", "Make it shorter, or plainer.")
    if code in {10, 13} or said in _NO_ROOM:
        what = error.orig if code else "its server has no room"
        return DiskFull(f"The state cannot grow: {what}.", "Make room on the disk.")
    if code in {5, 6} or said in _HELD:
        return Busy("The state is held by another process.", "Try again.")
    if _gone(error, said):
        fix = "Start the server, or mend `state` in onefold.toml; senders come back by themselves."
        return Busy("The state's server does not answer.", fix, retry_seconds=5)
    return MachineFailed(f"The state does not work: {_reason(error)}.", "Run `onefold doctor`.")


_NO_ROOM = frozenset({"53100", "53200"})
_HELD = frozenset({"40001", "40P01", "55P03"})


def _gone(error: DBAPIError, said: str) -> bool:
    """Return whether a server could not be reached, is starting or is going."""
    of_server = not hasattr(error.orig, "sqlite_errorcode")
    return of_server and (
        error.connection_invalidated
        or said[:2] in {"08", "57"}
        or (not said and type(error.orig).__name__ == "OperationalError")
    )


def _reason(error: DBAPIError) -> str:
    """Return the first line of what the driver says: later ones may quote the row."""
    return str(error.orig).strip().partition("\n")[0].rstrip(".")
