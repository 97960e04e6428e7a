"""Databases of others, read row by row; nothing is ever written to them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import MetaData, Table, create_engine, make_url, select, text
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
