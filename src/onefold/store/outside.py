"""Databases of others, read row by row; written to only where they are a destination."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, create_engine, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from onefold.model.errors import BadInput, MachineFailed

_ROWS_AT_A_TIME = 5000
_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_EXTRAS = {"postgresql": "postgres", "mysql": "mysql"}


def read_rows(url: str, *, table: str = "", query: str = "") -> Iterator[dict[str, Any]]:
    """Yield the rows of a table or of a query: column -> value, in the order they come.

    Args:
        url: An SQLAlchemy URL: `sqlite:///PATH`, `postgresql://...`, `mysql://...`.
        table: The table to read whole, `schema.table` or `table`.
        query: The query to read instead.

    Raises:
        BadInput: The URL is none, its driver is not installed, or the query cannot be run.
        MachineFailed: The database does not answer.
    """
    engine = _engine(url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            statement = text(query) if query else select(_table(engine, table))
            options = {"yield_per": _ROWS_AT_A_TIME}
            for row in connection.execute(statement, execution_options=options).mappings():
                yield dict(row)
    except DBAPIError as error:
        said = str(error.orig).strip().partition("\n")[0]
        if error.connection_invalidated or not query:
            message = f"{shown} does not answer: {said}."
            raise MachineFailed(message, "Look whether it runs and lets us in.") from error
        message = f"{shown} refuses the query: {said}."
        raise BadInput(message, "Try the query in the database's own shell.") from error
    except SQLAlchemyError as error:
        message = f"{shown} has no table `{table}`."
        raise BadInput(message, "Name one that it has, or write a query.") from error
    finally:
        engine.dispose()


def _engine(url: str) -> Any:
    try:
        address = make_url(url)
    except ArgumentError as error:
        message = "The address of the database is none."
        raise BadInput(message, "Write it as postgresql://user@host/name.") from error
    kind = address.drivername
    try:
        return create_engine(address.set(drivername=_DRIVERS.get(kind, kind)))
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        extra = _EXTRAS.get(kind)
        fix = f"Install `onefold[{extra}]`." if extra else "Use sqlite, postgresql or mysql."
        raise BadInput(f"There is no driver for `{kind}` here.", fix) from error


def _table(engine: Any, name: str) -> Table:
    schema, _, plain = name.rpartition(".")
    return Table(plain, MetaData(), schema=schema or None, autoload_with=engine)


class OutsideTable:
    """A table in the PostgreSQL of a receiver; made when there is none."""

    def __init__(
        self, url: str, name: str, *, columns: Sequence[str], key: str, indexed: str
    ) -> None:
        """Describe the table; nothing is asked of the server yet.

        Args:
            url: `postgresql://...`.
            name: `schema.table` or `table`.
            columns: All of them hold text.
            key: The column that names a row.
            indexed: The column that rows are deleted by.
        """
        self._url = url
        self._key = key
        self._indexed = indexed
        schema, _, plain = name.rpartition(".")
        self._table = Table(
            plain,
            MetaData(),
            *(Column(one, Text, primary_key=one == key, index=one == indexed) for one in columns),
            schema=schema or None,
        )

    def put(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put rows in place of those of the same key, all or none.

        Raises:
            BadInput: The address is none, or the extra it needs is not installed.
            MachineFailed: The server does not take them.
        """
        from sqlalchemy.dialects.postgresql import insert

        names = [column.name for column in self._table.columns]
        # PostgreSQL keeps no NUL in a text.
        plain = [{name: _without_nul(row.get(name)) for name in names} for row in rows]
        statement = insert(self._table)
        others = {name: statement.excluded[name] for name in names if name != self._key}
        with self._change() as connection:
            if plain:
                found = statement.on_conflict_do_update(index_elements=[self._key], set_=others)
                connection.execute(found, plain)

    def delete(self, values: Collection[str]) -> None:
        """Remove all rows whose indexed column is one of these.

        Raises:
            BadInput: The address is none, or the extra it needs is not installed.
            MachineFailed: The server does not take it.
        """
        column = self._table.c[self._indexed]
        wanted = sorted(values)
        with self._change() as connection:
            for start in range(0, len(wanted), _ROWS_AT_A_TIME):
                piece = wanted[start : start + _ROWS_AT_A_TIME]
                connection.execute(self._table.delete().where(column.in_(piece)))

    @contextmanager
    def _change(self) -> Iterator[Any]:
        engine = _engine(self._url)
        shown = engine.url.render_as_string(hide_password=True)
        try:
            with engine.begin() as connection:
                self._table.create(connection, checkfirst=True)
                yield connection
        except DBAPIError as error:
            # Later lines may quote a row.
            said = str(error.orig).strip().partition("\n")[0].rstrip(".")
            message = f"{shown} does not take the rows: {said}."
            raise MachineFailed(message, "Look whether it runs and lets us write.") from error
        finally:
            engine.dispose()


def _without_nul(value: object) -> object:
    return value.replace("\0", "") if isinstance(value, str) else value
