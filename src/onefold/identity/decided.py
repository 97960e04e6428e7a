"""What people decided of who is who: merges, separations and blocks, and that one counts no more.

Each is an entry of the log under an id of its own, and so is what takes it back: what stands is
those made less those taken back, in whatever order they come.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec
import pyarrow as pa

from onefold.identity.records import BLOCK, MERGE, ROUTE, SEPARATION, Decision, Link
from onefold.store import FactsWriter, LogRow

_ALL = pa.table({"kind": [MERGE, SEPARATION, BLOCK]})


class DecidedFold:
    """Keeps `links` and `unlinked`; holds what stands, for people make few."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self._at: dict[int, set[str]] = defaultdict(set)

    def read(self, writer: FactsWriter) -> None:
        """Read what stands."""
        for row in writer.matching("links", _ALL, ["kind"]).to_pylist():
            del row["log_offset"], row["made_time"]
            self._take(Link(**row))

    def _take(self, link: Link) -> None:
        self._links[link.link] = link
        for key in link.ends:
            self._at[key].add(link.link)

    def fold(self, controls: Sequence[LogRow], writer: FactsWriter) -> set[int]:
        """Write what control entries decide; return the keys that it is about."""
        touched: set[int] = set()
        for row in controls:
            if row.route == ROUTE:
                decision = msgspec.json.decode(row.body, type=Decision)
                touched |= self._forget(decision, row.offset, writer)
                touched |= self._make(decision, row.offset, writer)
        return touched

    def _make(self, decision: Decision, offset: int, writer: FactsWriter) -> set[int]:
        ids = pa.table({"link": pa.array([one.link for one in decision.made], pa.string())})
        if not ids.num_rows:
            return set()
        gone = set(writer.matching("unlinked", ids, ["link"])["link"].to_pylist())
        fresh = {
            one.link: one
            for one in decision.made
            if one.link not in gone and one.link not in self._links
        }
        for link in fresh.values():
            self._take(link)
        writer.insert("links", _rows(fresh.values(), offset))
        return {key for link in fresh.values() for key in link.ends}

    def _forget(self, decision: Decision, offset: int, writer: FactsWriter) -> set[int]:
        ids = pa.table({"link": pa.array(list(decision.gone), pa.string())})
        if not ids.num_rows:
            return set()
        known = set(writer.matching("unlinked", ids, ["link"])["link"].to_pylist())
        fresh = sorted(set(decision.gone) - known)
        moment = pa.array([decision.time] * len(fresh), pa.int64()).cast(pa.timestamp("us"))
        offsets = pa.array([offset] * len(fresh), pa.int64())
        writer.insert(
            "unlinked",
            pa.table(
                {
                    "link": pa.array(fresh, pa.string()),
                    "gone_time": moment,
                    "log_offset": offsets,
                }
            ),
        )
        writer.delete("links", ids, ["link"])
        touched: set[int] = set()
        for name in fresh:
            link = self._links.pop(name, None)
            for key in () if link is None else link.ends:
                self._at[key].discard(name)
                touched.add(key)
        return touched

    def merges_at(self, keys: Iterable[int]) -> list[Link]:
        """Return the merges of identifiers."""
        return [link for link in self._of(keys) if link.kind == MERGE]

    def separations_at(self, keys: Iterable[int]) -> list[Link]:
        """Return the separations of identifiers."""
        return [link for link in self._of(keys) if link.kind == SEPARATION]

    @property
    def blocked(self) -> frozenset[int]:
        """The identifiers that somebody blocked."""
        return frozenset(one.from_key for one in self._links.values() if one.kind == BLOCK)

    def _of(self, keys: Iterable[int]) -> list[Link]:
        if not self._links:
            return []
        names = {name for key in keys for name in self._at.get(key, ())}
        return [self._links[name] for name in sorted(names)]


def _rows(links: Iterable[Link], offset: int) -> pa.Table:
    rows = list(links)
    times = pa.array([one.made_time for one in rows], pa.int64()).cast(pa.timestamp("us"))
    texts = ("link", "kind", "from_kind", "to_kind", "made_by")
    columns: dict[str, pa.Array] = {
        name: pa.array([getattr(one, name) for one in rows], pa.string()) for name in texts
    }
    for name in ("from_key", "to_key"):
        columns[name] = pa.array([getattr(one, name) for one in rows], pa.int64())
    offsets = pa.array([offset] * len(rows), pa.int64())
    return pa.table(columns | {"made_time": times, "log_offset": offsets})
