"""Statements over the sources; the only file of collect that asks the state."""

from typing import TYPE_CHECKING, Any

from onefold.collect.records import Source
from onefold.collect.sampling import sampling_key as key_of_samples
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

Connection = Any
"""What `State.change` yields; only the store knows its engine."""

_sources = tables.sources


def sources(state: "State") -> tuple[Source, ...]:
    """Return the sources in force, oldest first."""
    query = _sources.select().where(_sources.c.disabled.is_(False))
    rows = state.rows(query.order_by(_sources.c.created_time, _sources.c.name))
    return tuple(map(_source, rows))


def put_source(connection: Connection, source: Source, now: int) -> None:
    """Add a source."""
    connection.execute(_sources.insert().values(**_columns(source), created_time=now))


def set_source(connection: Connection, source: Source) -> None:
    """Change what is known of a source but its name."""
    values = _columns(source)
    mine = _sources.c.name == values.pop("name")
    connection.execute(_sources.update().where(mine).values(**values))


def sampling_key(state: "State") -> bytes:
    """Return the key by which sources that sample draw persons; empty before there is one."""
    wanted = tables.settings.c.name == "identity_key"
    rows = state.rows(tables.settings.select().where(wanted))
    return key_of_samples(bytes.fromhex(rows[0]["value"])) if rows else b""


def _columns(source: Source) -> dict[str, Any]:
    return {name: getattr(source, name) for name in source.__slots__}


def _source(row: Any) -> Source:
    return Source(**{name: row[name] for name in Source.__slots__})
