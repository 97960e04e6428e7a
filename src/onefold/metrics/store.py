"""Dashboards, segments, definitions that held: in the state, which no other file here touches."""

from typing import TYPE_CHECKING, Any

from onefold.model.errors import Conflict
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

Connection = Any
"""What `State.change` yields; only the store knows its engine."""

_dashboards, _versions = tables.dashboards, tables.metric_versions
_segments = tables.segments


def dashboard_texts(state: "State") -> dict[str, str]:
    """Return the YAML of the dashboards that are kept here, by name."""
    found = state.rows(_dashboards.select().order_by(_dashboards.c.name))
    return {row["name"]: row["text"] for row in found}


def keep_dashboard(
    connection: Connection, name: str, text: str, *, version: int, by: str, now: int
) -> None:
    """Keep a dashboard: the first version anew, each later one in place of the one before it.

    Raises:
        Conflict: Somebody else changed it meanwhile.
    """
    row = {"text": text, "version": version, "changed_by": by, "changed_time": now}
    mine = _dashboards.c.name == name
    stands = connection.execute(_dashboards.select().where(mine)).first()
    if stands is None:
        connection.execute(_dashboards.insert().values(name=name, **row))
        return
    before = mine & (_dashboards.c.version == version - 1)
    if not connection.execute(_dashboards.update().where(before).values(**row)).rowcount:
        message = f"Dashboard `{name}` was changed meanwhile by {stands.changed_by}."
        raise Conflict(message, "Look at it again, and make your change to what stands now.")


def drop_dashboard(connection: Connection, name: str) -> None:
    """Remove a dashboard that is kept here."""
    connection.execute(_dashboards.delete().where(_dashboards.c.name == name))


def segment_texts(state: "State") -> dict[str, str]:
    """Return the YAML of the segments that are kept here, by name."""
    found = state.rows(_segments.select().order_by(_segments.c.name))
    return {row["name"]: row["text"] for row in found}


def keep_segment(
    connection: Connection, name: str, text: str, *, version: int, by: str, now: int
) -> None:
    """Keep a segment, in place of the one of its name."""
    drop_segment(connection, name)
    row = {"text": text, "version": version, "changed_by": by, "changed_time": now}
    connection.execute(_segments.insert().values(name=name, **row))


def drop_segment(connection: Connection, name: str) -> None:
    """Remove a segment that is kept here."""
    connection.execute(_segments.delete().where(_segments.c.name == name))


def version_rows(state: "State", name: str = "") -> list[Any]:
    """Return the definitions of metrics that held, the oldest first; of a metric its own."""
    query = _versions.select().order_by(_versions.c.id)
    return state.rows(query.where(_versions.c.name == name) if name else query)


def add_version(
    connection: Connection,
    name: str,
    text: str,
    *,
    version: int,
    by: str,
    now: int,
    kept: bool = False,
) -> None:
    """Keep a definition of a metric that holds from now on; an empty text says that it is gone."""
    row = {"name": name, "version": version, "text": text, "applied_by": by, "applied_time": now}
    connection.execute(_versions.insert().values(**row, kept=kept))


def vouch(connection: Connection, number: int, *, by: str = "", draft: int | None = None) -> None:
    """Say who vouches for a definition, or which draft asks for that; `number` is its row's."""
    mine = _versions.update().where(_versions.c.id == number)
    connection.execute(mine.values(certified_by=by, draft=draft))
