"""The way to ClickHouse: a server over HTTP, or its engine in this process, by a URL."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from onefold.model.errors import BadInput, DiskFull, MachineFailed, OnefoldError

if TYPE_CHECKING:
    import pyarrow as pa

_MEMORY = ":memory:"
_SCHEMES = ("clickhouse", "clickhouses", "chdb")
_PORTS = {"clickhouse": 8123, "clickhouses": 8443}
_SETTINGS = {
    # What DuckDB does: a row that joins nothing has nulls, a sum of nothing is null.
    "join_use_nulls": 1,
    "aggregate_functions_null_for_empty": 1,
    "transform_null_in": 0,
    "union_default_mode": "ALL",
    "data_type_default_nullable": 0,
    # Times far from today are told right or not at all.
    "enable_extended_results_for_datetime_functions": 1,
    "date_time_overflow_behavior": "throw",
    "allow_suspicious_low_cardinality_types": 1,
    "output_format_arrow_string_as_string": 1,
    "output_format_arrow_low_cardinality_as_dictionary": 0,
    "output_format_arrow_compression_method": "none",
    "max_query_size": 64_000_000,
    "max_ast_elements": 5_000_000,
    "max_expanded_ast_elements": 5_000_000,
    "insert_deduplicate": 0,
    "async_insert": 0,
    "mutations_sync": 2,
    "lightweight_deletes_sync": 2,
}
NO_TABLE, TOO_SLOW, TOO_MUCH, TOO_LARGE = 60, 159, 241, 396
"""Codes by which the engine says that there is no such table, or that a question took too long,
wants too much memory, or answers too much."""
_NO_ROOM = 243


@dataclass(frozen=True, slots=True)
class Place:
    """Where the facts stand.

    Attributes:
        database: Its name; one workspace has it to itself.
        path: Folder of the engine in this process; None for a server.
    """

    database: str
    path: str | None = None
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    secure: bool = False

    @property
    def name(self) -> str:
        """Where it is, without what is secret."""
        place = self.path or f"{self.host}:{self.port}"
        return f"{place}/{self.database}"


def place_of(url: str) -> Place:
    """Return what a URL says.

    >>> place_of("clickhouse://ann:secret@click/acme").port
    8123
    >>> place_of("chdb:///srv/click?database=acme")
    Place(database='acme', path='/srv/click', host='', port=0, user='', password='', secure=False)

    Raises:
        BadInput: It names no ClickHouse, or no database.
    """
    fix = "Write clickhouse://USER:PASSWORD@HOST:8123/DATABASE, or clickhouses:// over TLS."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"`facts` is no address: {error}.", fix) from error
    if parts.scheme not in _SCHEMES:
        raise BadInput(f"No facts `{parts.scheme}`.", fix)
    if parts.scheme == "chdb":
        named = parse_qs(parts.query).get("database", ["onefold"])[0]
        if not parts.path.strip("/"):
            raise BadInput("`facts` names no folder.", "Write chdb:///FOLDER?database=NAME.")
        return Place(_checked(named, fix), _MEMORY if parts.path == f"/{_MEMORY}" else parts.path)
    if not parts.hostname:
        raise BadInput("`facts` names no host.", fix)
    return Place(
        _checked(unquote(parts.path.strip("/")) or "onefold", fix),
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        secure=parts.scheme == "clickhouses",
    )


def _checked(database: str, fix: str) -> str:
    if not database.replace("_", "a").isalnum() or not database.isascii():
        message = f"`{database[:60]}` is no name of a database: letters, digits and _."
        raise BadInput(message, fix)
    return database


class Server:
    """Clients of one ClickHouse, handed out one at a time; safe to use from any thread."""

    def __init__(self, place: Place) -> None:
        """Reach it, and make its database where there is none.

        Raises:
            BadInput: The extra is not installed.
            MachineFailed: It does not answer, or lets us do nothing.
        """
        try:
            import clickhouse_connect  # noqa: F401
        except ImportError as error:
            fix = "Install the extra: pip install 'onefold[clickhouse]'."
            raise BadInput("Facts in ClickHouse need its client.", fix) from error
        self.place = place
        self._idle: list[Any] = []
        self._lock = threading.Lock()
        self._closed = False
        with self._client() as client, _failures(place):
            client.command(f"CREATE DATABASE IF NOT EXISTS {place.database}")

    def run(self, statement: str, **settings: Any) -> None:
        """Run a statement that answers nothing."""
        with self._client() as client, _failures(self.place):
            client.command(statement, settings=settings or None)

    def rows(self, statement: str, **settings: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a small answer."""
        found = self.ask(statement, **settings)
        return [tuple(row.values()) for row in found.to_pylist()]

    def ask(self, statement: str, **settings: Any) -> "pa.Table":
        """Return the whole answer of a question."""
        with self._client() as client, _failures(self.place):
            found: pa.Table = client.query_arrow(
                statement, settings=settings or None, use_strings=True
            )
            return found

    def pieces(self, statement: str) -> "Iterator[pa.Table]":
        """Return the answer of a question piece by piece."""
        with (
            self._client() as client,
            _failures(self.place),
            client.query_arrow_stream(statement, use_strings=True) as stream,
        ):
            yield from stream

    def insert(self, table: str, rows: "pa.Table") -> None:
        """Add rows to a table, columns by name."""
        with self._client() as client, _failures(self.place):
            client.insert_arrow(table, rows, database=self.place.database)

    def new_question(self) -> "Asked":
        """Return a question that can be ended while it is asked."""
        return Asked(self)

    def close(self) -> None:
        """Let go of every client."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for client in idle:
            client.close()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        with self._lock:
            client = self._idle.pop() if self._idle else None
        if client is None:
            client = self._connected()
        try:
            yield client
        finally:
            with self._lock:
                keep = not self._closed
                if keep:
                    self._idle.append(client)
            if not keep:
                client.close()

    def _connected(self) -> Any:
        import clickhouse_connect

        place = self.place
        with _failures(place):
            if place.path is not None:
                return clickhouse_connect.get_client(
                    interface="chdb", path=place.path, settings=_SETTINGS
                )
            return clickhouse_connect.get_client(
                host=place.host,
                port=place.port,
                username=place.user,
                password=place.password,
                secure=place.secure,
                settings=_SETTINGS,
                autogenerate_session_id=False,
                send_receive_timeout=600,
            )


class Asked:
    """One question under way."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._id = uuid.uuid4().hex
        # The engine in this process has no way to be told; its own limit of time ends it.
        self._named = {} if server.place.path else {"query_id": self._id}

    def ask(self, statement: str, **settings: Any) -> "pa.Table":
        """Return its whole answer."""
        return self._server.ask(statement, **settings, **self._named)

    def interrupt(self) -> None:
        """End it."""
        if self._named:
            self._server.run(f"KILL QUERY WHERE query_id = '{self._id}' ASYNC")


@contextmanager
def _failures(place: Place) -> Iterator[None]:
    """Tell in our words what the client or the engine says went wrong."""
    from clickhouse_connect.driver.exceptions import Error

    try:
        yield
    except (Error, OSError) as error:
        raise _failure(error, place) from error


class EngineError(MachineFailed):
    """What the engine says, with its code."""

    def __init__(self, message: str, fix: str, code: int) -> None:
        super().__init__(message, fix)
        self.code = code


def _failure(error: Exception, place: Place) -> OnefoldError:
    text = str(error).partition("\n")[0][:300]
    code = _code(str(error))
    if code == _NO_ROOM or "No space left" in text:
        return DiskFull(f"The facts cannot grow: {text}", f"Make room on {place.name}.")
    fix = f"See that ClickHouse at {place.name} runs and lets us in; then ask again."
    return EngineError(f"The facts could not answer: {text}", fix, code)


def _code(text: str) -> int:
    """Return the number by which the engine names what went wrong, or 0.

    >>> _code("Code: 159. DB::Exception: Timeout exceeded")
    159
    """
    for sign in ("Code: ", "error code "):
        digits = text.partition(sign)[2].lstrip()
        number = "".join(c for c in digits[:6] if c.isdigit())
        if number:
            return int(number)
    return 0
