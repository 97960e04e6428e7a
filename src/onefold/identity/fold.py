"""Links to persons, the same whatever the order in which the links come.

A person is a component of user ids (joined by alias) with the anonymous ids that were seen with
them. An anonymous id seen with user ids of more than one component is shared: it belongs to none
of them and stays a person of its own. Each person is named by the smallest key of its user ids,
or by its own key where it has none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import pyarrow as pa

from onefold.collect import Batch
from onefold.identity.memberships import MembershipsFold
from onefold.store import FactsWriter, planes

_MOST_CACHED = 400_000
_Edge = tuple[int, int, str]


class IdentityFold:
    """Keeps `edges`, `identifiers` and `memberships`."""

    KEEPS: ClassVar[Mapping[str, Sequence[str]]] = {
        "edges": ("from_key", "to_key"),
        "identifiers": ("key", "person_id"),
        "memberships": ("identifier",),
    }
    """Tables with the columns that hold keys of persons."""

    def __init__(self) -> None:
        self._edges: dict[_Edge, int] = {}
        self._keys: set[int] = set()
        self._memberships = MembershipsFold()
        self._aliased: bool | None = None

    def fold(self, batch: Batch, writer: FactsWriter) -> None:
        """Write what a micro-batch says of who is who."""
        links = self._write_edges(batch.edges, writer)
        fresh = self._fresh_keys(batch.events)
        self._write_persons(fresh, links, writer)
        self._memberships.fold(batch, writer)

    def forget(self, keys: Collection[int], writer: FactsWriter) -> None:
        """Let go of persons whose every identifier is named; make a new fold afterwards.

        Links to identifiers of others go too: whoever erases keeps in the log what of them has to
        stay so that nobody else changes.
        """
        kept = {**self.KEEPS, "identifiers": ("key",)}
        planes.delete_of(writer, kept, keys)

    def tell(self, keys: Collection[int], writer: FactsWriter) -> dict[str, list[dict[str, Any]]]:
        """Return table -> rows of what is kept of persons."""
        return planes.rows_of(writer, self.KEEPS, keys)

    def _write_edges(self, edges: dict[_Edge, int], writer: FactsWriter) -> list[_Edge]:
        """Keep the earliest time of each link; return the links never seen before."""
        open_edges = {
            edge: time for edge, time in edges.items() if time < self._edges.get(edge, time + 1)
        }
        if not open_edges:
            return []
        standing = _edges_at(writer, "from_key", {edge[0] for edge in open_edges})
        new = [edge for edge in open_edges if edge not in standing]
        earlier = [
            edge for edge, time in open_edges.items() if edge in standing and time < standing[edge]
        ]
        writer.delete("edges", _edge_table(earlier), ["from_key", "to_key", "kind"])
        rows = [*new, *earlier]
        times = pa.array([open_edges[edge] for edge in rows], pa.int64()).cast(pa.timestamp("us"))
        writer.insert("edges", _edge_table(rows).append_column("event_time", times))
        if len(self._edges) > _MOST_CACHED:
            self._edges.clear()
        for edge, time in open_edges.items():
            self._edges[edge] = min(time, standing.get(edge, time))
        return new

    def _fresh_keys(self, events: pa.Table) -> dict[int, str]:
        """Return keys that no former batch of this process brought, with their kinds."""
        found: dict[int, str] = {}
        for column, kind in (("user_key", "user_id"), ("anonymous_key", "anonymous_id")):
            for key in events.column(column).unique().to_pylist():
                if key is not None and key not in self._keys:
                    found[key] = kind
        return found

    def _write_persons(
        self, fresh: dict[int, str], links: list[_Edge], writer: FactsWriter
    ) -> None:
        if not fresh and not links:
            return
        standing = _identifiers_at(writer, fresh)
        self._remember_keys(fresh)
        new = {key: kind for key, kind in fresh.items() if key not in standing}
        touched = {key for edge in links for key in edge[:2]} | set(new)
        persons = _persons_of(touched, writer, aliased=self._has_aliases(links, writer))
        known = _identifiers_at(writer, set(persons) - set(new))
        moved = {
            key: (kind, persons[key])
            for key, (kind, person) in known.items()
            if persons[key] != person
        }
        writer.delete("identifiers", pa.table({"key": pa.array(list(moved), pa.int64())}), ["key"])
        rows = moved | {key: (kind, persons[key]) for key, kind in new.items()}
        writer.insert(
            "identifiers",
            pa.table(
                {
                    "key": pa.array(list(rows), pa.int64()),
                    "kind": pa.array([kind for kind, _ in rows.values()], pa.string()),
                    "person_id": pa.array([person for _, person in rows.values()], pa.int64()),
                }
            ),
        )

    def _has_aliases(self, links: list[_Edge], writer: FactsWriter) -> bool:
        """Return whether there is any alias at all; most workspaces have none to follow."""
        if self._aliased is None:
            kinds = pa.table({"kind": pa.array(["alias"], pa.string())})
            self._aliased = writer.matching("edges", kinds, ["kind"]).num_rows > 0
        self._aliased = self._aliased or any(edge[2] == "alias" for edge in links)
        return self._aliased

    def _remember_keys(self, fresh: Iterable[int]) -> None:
        if len(self._keys) > _MOST_CACHED:
            self._keys.clear()
        self._keys.update(fresh)


def _persons_of(touched: set[int], writer: FactsWriter, *, aliased: bool) -> dict[int, int]:
    """Return the person of every key whose person the touched ones may have changed.

    Raw links are asked anew for all that is touched, so the answer depends on the set of links
    alone. `edges` holds the new links already.
    """
    edges = _edges_at(writer, "from_key", touched) | _edges_at(writer, "to_key", touched)
    if not edges:
        return {key: key for key in touched}
    users = {edge[1] for edge in edges} | {edge[0] for edge in edges if edge[2] == "alias"}
    component = _components(users, writer) if aliased else {key: key for key in users}
    shared = _edges_at(writer, "to_key", set(component))
    anonymous = {edge[0] for edge in (*edges, *shared) if edge[2] == "identify"}
    all_links = [edge for edge in _edges_at(writer, "from_key", anonymous) if edge[2] == "identify"]
    others = {edge[1] for edge in all_links} - set(component)
    component |= _components(others, writer) if aliased else {key: key for key in others}
    seen_with: dict[int, set[int]] = defaultdict(set)
    for former, user, _ in all_links:
        seen_with[former].add(component[user])
    persons = dict(component)
    for key, found in seen_with.items():
        if key not in component:
            persons[key] = next(iter(found)) if len(found) == 1 else key
    return {key: key for key in touched} | persons


def _components(users: set[int], writer: FactsWriter) -> dict[int, int]:
    """Return user key -> smallest key of those joined with it by alias, closed over aliases."""
    reached = set(users)
    frontier = set(users)
    aliases: set[_Edge] = set()
    while frontier:
        found = {
            edge
            for side in ("from_key", "to_key")
            for edge in _edges_at(writer, side, frontier)
            if edge[2] == "alias"
        }
        aliases |= found
        frontier = {key for edge in found for key in edge[:2]} - reached
        reached |= frontier
    parent = {key: key for key in reached}

    def root(key: int) -> int:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for one, other, _ in aliases:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {key: root(key) for key in reached}


def _edges_at(writer: FactsWriter, side: str, keys: Iterable[int]) -> dict[_Edge, int]:
    wanted = pa.table({side: pa.array(list(keys), pa.int64())})
    if not wanted.num_rows:
        return {}
    found = writer.matching("edges", wanted, [side])
    rows = zip(
        found.column("from_key").to_pylist(),
        found.column("to_key").to_pylist(),
        found.column("kind").to_pylist(),
        found.column("event_time").cast(pa.int64()).to_pylist(),
        strict=True,
    )
    return {(one, other, kind): time for one, other, kind, time in rows}


def _edge_table(edges: list[_Edge]) -> pa.Table:
    return pa.table(
        {
            "from_key": pa.array([edge[0] for edge in edges], pa.int64()),
            "to_key": pa.array([edge[1] for edge in edges], pa.int64()),
            "kind": pa.array([edge[2] for edge in edges], pa.string()),
        }
    )


def _identifiers_at(writer: FactsWriter, keys: Iterable[int]) -> dict[int, tuple[str, int]]:
    wanted = pa.table({"key": pa.array(list(keys), pa.int64())})
    if not wanted.num_rows:
        return {}
    found = writer.matching("identifiers", wanted, ["key"])
    return {
        key: (kind, person)
        for key, kind, person in zip(
            found.column("key").to_pylist(),
            found.column("kind").to_pylist(),
            found.column("person_id").to_pylist(),
            strict=True,
        )
    }
