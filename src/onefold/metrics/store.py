"""Dashboards in the state; the only file of this room that touches it."""

from typing import TYPE_CHECKING, Any

from onefold.model.errors import Conflict
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

Connection = Any
"""What `State.change` yields; only the store knows its engine."""

_dashboards = tables.dashboards


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
