"""What identity asks of the facts; nothing else of this room speaks to them."""

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from onefold.identity.records import Edge, Link, Node
from onefold.model.time import to_datetime

if TYPE_CHECKING:
    from onefold.store import View


def node_at(view: "View", key: int) -> Node | None:
    """Return an identifier by its key, or None where it was never told."""
    table = view.graph["nodes"]
    return next(iter(_nodes(view.ask(table.filter(table.key == key)))), None)


def nodes_at(view: "View", keys: Collection[int]) -> tuple[Node, ...]:
    """Return identifiers by their keys."""
    table = view.graph["nodes"]
    return _nodes(view.ask(table.filter(table.key.isin(sorted(keys)))))


def nodes_of(view: "View", persons: Collection[int]) -> tuple[Node, ...]:
    """Return the identifiers of persons."""
    table = view.graph["nodes"]
    return _nodes(view.ask(table.filter(table.person_id.isin(sorted(persons)))))


def edges_at(view: "View", keys: Collection[int], *, after: int = -1) -> tuple[Edge, ...]:
    """Return the evidence at some identifiers, of that learned after a log offset."""
    table = view.graph["edges"]
    wanted = sorted(keys)
    found = view.ask(
        table.filter(
            table.from_key.isin(wanted) | table.to_key.isin(wanted), table.log_offset > after
        ).order_by("event_time", "from_key", "to_key", "kind", "source")
    )
    times = {name: found[name].cast(pa.int64()).to_pylist() for name in ("event_time", "told_time")}
    rows = found.drop_columns(list(times)).to_pylist()
    return tuple(
        Edge(**row, event_time=first, told_time=told)
        for row, first, told in zip(rows, times["event_time"], times["told_time"], strict=True)
    )


def links(view: "View", keys: Collection[int] | None = None) -> tuple[tuple[Link, int], ...]:
    """Return what people decided, of some identifiers or of all, with its log offset."""
    table = view.graph["links"]
    if keys is not None:
        wanted = sorted(keys)
        table = table.filter(table.from_key.isin(wanted) | table.to_key.isin(wanted))
    found = view.ask(table.order_by("log_offset", "link"))
    times = found["made_time"].cast(pa.int64()).to_pylist()
    rows = found.drop_columns(["made_time"]).to_pylist()
    offsets = [row.pop("log_offset") for row in rows]
    return tuple(
        (Link(**row, made_time=time), offset)
        for row, time, offset in zip(rows, times, offsets, strict=True)
    )


def _nodes(rows: pa.Table) -> tuple[Node, ...]:
    ordered = rows.sort_by([("kind", "ascending"), ("key", "ascending")])
    return tuple(Node(**row) for row in ordered.to_pylist())


def keys_of_who_did(view: "View", event: str, span: tuple[int, int]) -> dict[int, list[int]]:
    """Return person -> keys of its identifiers, of those who did something in a span."""
    events = view.person_events
    first, after = (to_datetime(time).replace(tzinfo=None) for time in span)
    did = events.filter(
        events.event == event, events.event_time >= first, events.event_time < after
    )
    return keys_of(view, did.select("person_id").distinct())


def keys_of(view: "View", persons: Any) -> dict[int, list[int]]:
    """Return person -> keys of its identifiers, of those of a table with `person_id`."""
    table = view.identifiers
    found = view.ask(
        table.semi_join(persons, "person_id")
        .select("person_id", "key")
        .order_by("person_id", "key")
    )
    members: dict[int, list[int]] = defaultdict(list)
    for person, key in zip(*(found[n].to_pylist() for n in ("person_id", "key")), strict=True):
        members[person].append(key)
    return dict(members)


def cohorts(view: "View") -> list[tuple[str, str, int]]:
    """Return name, choice and time of frozen cohorts, the newest first."""
    table = view.graph["cohorts"]
    found = view.ask(table.order_by(table.frozen_time.desc(), "cohort"))
    times = found["frozen_time"].cast(pa.int64()).to_pylist()
    names, how = found["cohort"].to_pylist(), found["how"].to_pylist()
    return list(zip(names, how, times, strict=True))


def members_now(view: "View", name: str = "") -> dict[str, dict[int, list[int | None]]]:
    """Return cohort -> member -> the persons of its identifiers now, None where one is nobody's.

    A name keeps one cohort.
    """
    table, nodes = view.graph["members"], view.graph["nodes"]
    if name:
        table = table.filter(table.cohort == name)
    joined = table.left_join(nodes, table.key == nodes.key)
    rows = view.ask(joined.select("cohort", "member", "person_id").distinct())
    found: dict[str, dict[int, list[int | None]]] = defaultdict(lambda: defaultdict(list))
    columns = (rows[name].to_pylist() for name in ("cohort", "member", "person_id"))
    for cohort, member, person in zip(*columns, strict=True):
        found[cohort][member].append(person)
    return found
