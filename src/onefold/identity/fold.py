"""Links to persons, the same whatever the order in which the links come.

What a batch tells is written as links; then all that hangs together with it is stitched anew, so
that the answer depends on the set of links alone. Most batches tell no link and pay nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect import Batch
from onefold.identity.cohorts import CohortsFold
from onefold.identity.decided import DecidedFold
from onefold.identity.evidence import EvidenceFold
from onefold.identity.memberships import MembershipsFold
from onefold.identity.nearby import Nearby, graph_of, nearby
from onefold.identity.records import BLOCKED, BLOCKED_BY_HAND, SHARED
from onefold.identity.stitch import Graph, Stitched, stitch
from onefold.model.kinds import ANONYMOUS, CONTACT, USER, IdentityRules
from onefold.store import FactsWriter, planes

_MOST_CACHED = 400_000
_SEEN = frozenset({USER, ANONYMOUS})
"""Kinds under which events come; what only a link names of them is not there."""
_Row = tuple[str, int | None, str]
"""Kind, person and state of an identifier."""


@dataclass(slots=True)
class _Change:
    """What a batch changes of who is who.

    Attributes:
        fresh: Key -> kind of identifiers that are there, and may not have been.
        touched: Keys at links that came, went, or are told earlier.
        gone: Keys that may be there no more.
        wide: What is stated, blocked or gone may let a shared value be shared no more.
    """

    fresh: dict[int, str] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    wide: bool = False


class IdentityFold:
    """Keeps `edges`, `links`, `identifiers`, `memberships` and frozen cohorts."""

    KEEPS: ClassVar[Mapping[str, Sequence[str]]] = {
        "edges": ("from_key", "to_key"),
        "identifiers": ("key", "person_id"),
        "links": ("from_key", "to_key"),
        "members": ("key",),
        "memberships": ("identifier",),
    }
    """Tables with the columns that hold keys of persons."""

    def __init__(self, rules: IdentityRules, identity_key: bytes) -> None:
        self._rules = rules
        self._evidence = EvidenceFold(identity_key)
        self._decided = DecidedFold()
        self._memberships = MembershipsFold()
        self._cohorts = CohortsFold()
        self._keys: set[int] = set()
        self._shared: set[int] = set()
        self._blocked: set[int] = set()
        """Keys of values that the rules block."""
        self._begun = False

    def fold(self, batch: Batch, writer: FactsWriter) -> None:
        """Write what a micro-batch says of who is who."""
        if not self._begun:
            self._begin(writer)
        self._blocked.update(batch.blocked)
        change = _Change(fresh=self._fresh_keys(batch.events))
        self._take_events(batch, change, writer)
        if batch.contacts:
            self._take_contacts(batch, change, writer)
        decided = self._decided.fold(batch.controls, writer) if batch.controls else set()
        self._cohorts.fold(batch.controls, writer)
        change.touched |= decided
        change.wide |= bool(decided)
        if change.fresh or change.touched:
            self._stitch(change, writer)
        self._memberships.fold(batch, writer)

    def forget(self, keys: Collection[int], writer: FactsWriter) -> None:
        """Let go of persons whose every identifier is named; make a new fold afterwards.

        Links to identifiers of others go too: whoever erases keeps in the log what of them has to
        stay so that nobody else changes. Decisions stand in the log, by keys alone, and stay.
        """
        kept = {**self.KEEPS, "identifiers": ("key",), "links": (), "members": ()}
        planes.delete_of(writer, kept, keys)

    def tell(self, keys: Collection[int], writer: FactsWriter) -> dict[str, list[dict[str, Any]]]:
        """Return table -> rows of what is kept of persons."""
        return planes.rows_of(writer, self.KEEPS, keys)

    def _begin(self, writer: FactsWriter) -> None:
        states = pa.table({"state": [SHARED, BLOCKED]})
        rows = writer.matching("identifiers", states, ["state"], columns=("key", "state"))
        for key, state in zip(rows["key"].to_pylist(), rows["state"].to_pylist(), strict=True):
            (self._shared if state == SHARED else self._blocked).add(key)
        self._decided.read(writer)
        self._begun = True

    def _fresh_keys(self, events: pa.Table) -> dict[int, str]:
        """Return keys that no former batch of this process brought, with their kinds."""
        found: dict[int, str] = {}
        for column, kind in (("user_key", USER), ("anonymous_key", ANONYMOUS)):
            for key in events.column(column).unique().to_pylist():
                if key is not None and key not in self._keys:
                    found[key] = kind
        if len(self._keys) > _MOST_CACHED:
            self._keys.clear()
        self._keys.update(found)
        return found

    def _take_events(self, batch: Batch, change: _Change, writer: FactsWriter) -> None:
        links = self._evidence.fold(batch.edges, writer)
        if links.num_rows:
            self._touch(links, change)
            change.wide |= bool(pc.any(pc.equal(links["kind"], "alias")).as_py())

    def _touch(self, links: pa.Table, change: _Change) -> None:
        """Note the ends of links; what no event comes under is there by its links alone."""
        for side in ("from", "to"):
            keys, kinds = links[f"{side}_key"].to_pylist(), links[f"{side}_kind"].to_pylist()
            change.touched.update(keys)
            change.fresh.update(
                (key, kind)
                for key, kind in zip(keys, kinds, strict=True)
                if kind not in _SEEN or key in self._blocked
            )

    def _take_contacts(self, batch: Batch, change: _Change, writer: FactsWriter) -> None:
        links, gone, stands = self._evidence.contacts(batch.contacts, batch.offset, writer)
        self._touch(links, change)
        change.fresh |= {key: CONTACT for key, is_there in stands.items() if is_there}
        change.gone = {key for key, is_there in stands.items() if not is_there}
        change.gone.update(*(gone[side].to_pylist() for side in ("from_key", "to_key")))
        change.touched |= change.gone
        change.wide |= bool(gone.num_rows)

    def _stitch(self, change: _Change, writer: FactsWriter) -> None:
        start = change.touched | change.fresh.keys()
        closed = frozenset(self._shared | self._blocked | self._decided.blocked)
        if change.wide:
            closed -= change.touched
        near = nearby(start, closed, self._decided, writer)
        if change.wide and (opened := self._opened(near, closed, writer)):
            closed -= opened
            near = nearby(start | opened, closed, self._decided, writer)
        standing = _identifiers_at(writer, near.keys)
        there = self._there(near, change, standing, writer)
        kinds = {key: row[0] for key, row in standing.items()} | change.fresh
        blocked = near.keys & (self._blocked | self._decided.blocked)
        shared = self._shared & near.keys & closed
        graph = graph_of(near, kinds, self._decided, there=there, blocked=blocked, shared=shared)
        found = stitch(graph, self._rules)
        self._write(standing, self._rows(graph, found), there, writer)

    def _opened(self, near: Nearby, closed: frozenset[int], writer: FactsWriter) -> frozenset[int]:
        """Return the shared values nearby that are shared no more."""
        doubtful = near.keys & self._shared & closed
        if not doubtful:
            return frozenset()
        blocked = frozenset(self._blocked | self._decided.blocked)
        around = nearby(doubtful, blocked, self._decided, writer, stated=True)
        graph = graph_of(
            around, {}, self._decided, there=(), blocked=around.keys & blocked, shared=()
        )
        over = set(graph.keys[stitch(graph, self._rules).shared].tolist())
        return doubtful - over

    def _there(
        self,
        near: Nearby,
        change: _Change,
        standing: Mapping[int, _Row],
        writer: FactsWriter,
    ) -> set[int]:
        """Return which identifiers nearby there are: seen, imported, or told by some link."""
        linked: set[int] = set()
        for side in ("from", "to"):
            keys, kinds = near.edges[f"{side}_key"], near.edges[f"{side}_kind"]
            own = pc.invert(pc.is_in(kinds, pa.array(sorted(_SEEN))))
            linked.update(keys.filter(own).to_pylist())
            if change.gone:
                linked.update(self._blocked.intersection(keys.to_pylist()))
        linked -= {key for key in change.gone if standing.get(key, ("",))[0] == CONTACT}
        there = (standing.keys() - change.gone) | linked | change.fresh.keys()
        lost = {
            key: row[0]
            for key, row in standing.items()
            if key in change.gone and key not in there and row[0] in _SEEN
        }
        return there | _seen_in_events(lost, writer)

    def _rows(self, graph: Graph, found: Stitched) -> dict[int, _Row]:
        """Return the row of each identifier, and remember which count for nobody."""
        keys = graph.keys.tolist()
        shared = found.shared & ~graph.blocked
        for key, is_shared in zip(keys, shared.tolist(), strict=True):
            (self._shared.add if is_shared else self._shared.discard)(key)
        columns = (graph.kinds, found.persons, found.belongs, shared, graph.blocked)
        rows: dict[int, _Row] = {}
        for key, kind, person, belongs, is_shared, is_blocked in zip(
            keys, *(column.tolist() for column in columns), strict=True
        ):
            state = SHARED if is_shared else ""
            if is_blocked:
                state = BLOCKED if key in self._blocked else BLOCKED_BY_HAND
            owner = person if belongs and not is_blocked else None
            rows[key] = (graph.names[kind], owner, state)
        return rows

    def _write(
        self,
        standing: Mapping[int, _Row],
        found: Mapping[int, _Row],
        there: set[int],
        writer: FactsWriter,
    ) -> None:
        rows = {key: row for key, row in found.items() if key in there and standing.get(key) != row}
        gone = [key for key in standing if key in rows or key not in there]
        writer.delete("identifiers", pa.table({"key": pa.array(gone, pa.int64())}), ["key"])
        kinds, persons, states = zip(*rows.values(), strict=True) if rows else ((), (), ())
        writer.insert(
            "identifiers",
            pa.table(
                {
                    "key": pa.array(list(rows), pa.int64()),
                    "kind": pa.array(kinds, pa.string()),
                    "person_id": pa.array(persons, pa.int64()),
                    "state": pa.array(states, pa.string()),
                }
            ),
        )


def _identifiers_at(writer: FactsWriter, keys: Iterable[int]) -> dict[int, _Row]:
    wanted = pa.table({"key": pa.array(list(keys), pa.int64())})
    if not wanted.num_rows:
        return {}
    found = writer.matching("identifiers", wanted, ["key"])
    names = ("kind", "person_id", "state")
    rows = zip(*(found[name].to_pylist() for name in names), strict=True)
    return dict(zip(found["key"].to_pylist(), rows, strict=True))


def _seen_in_events(keys: Mapping[int, str], writer: FactsWriter) -> set[int]:
    """Return under which identifiers any event came."""
    found: set[int] = set()
    for column, kind in (("user_key", USER), ("anonymous_key", ANONYMOUS)):
        wanted = [key for key, one in keys.items() if one == kind]
        if wanted:
            asked = pa.table({column: pa.array(wanted, pa.int64())})
            rows = writer.matching("events", asked, [column], columns=(column,))
            found.update(rows[column].unique().to_pylist())
    return found
