"""Who belongs to which account, over time: the same whatever the order in which it is told.

An identifier belongs to an account from the event that tells so until one tells another account.
A row of `memberships` is such a change; two told at one instant go by the account's id. Rows are a
function of the set of events: what comes late between what stands is made anew from the events.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect import Batch
from onefold.store import FactsWriter

_MOST_CACHED = 400_000
_Point = tuple[int, str]
"""When an account was told that the telling before had not named, and which: microseconds, id."""
_Run = tuple[int, int, str]
"""First and last time of one account told again and again without another between."""


class MembershipsFold:
    """Keeps `memberships`; remembers what stands of those who came of late."""

    def __init__(self) -> None:
        self._points: dict[int, list[_Point]] = {}
        self._last: dict[int, int] = {}
        """When an identifier was last told an account, where that is known for sure."""

    def fold(self, batch: Batch, writer: FactsWriter) -> None:
        """Write what a micro-batch, whose events are written, says of who belongs where."""
        runs = _runs(batch.events)
        if not runs:
            return
        if len(self._points) > _MOST_CACHED:
            self._points.clear()
            self._last.clear()
        self._look_up(runs.keys() - self._points.keys(), writer)
        changed, unclear = set(), set()
        for identifier, told in runs.items():
            found = self._taken(identifier, told)
            if found is None:
                unclear.add(identifier)
            elif found:
                changed.add(identifier)
        if unclear:
            self._make_anew(unclear, writer)
        self._write(changed | unclear, writer)

    def _look_up(self, identifiers: Iterable[int], writer: FactsWriter) -> None:
        keys = _keys(identifiers)
        if not keys.num_rows:
            return
        standing: dict[int, list[_Point]] = defaultdict(list)
        for identifier, point in _told(writer.matching("memberships", keys, ["identifier"])):
            standing[identifier].append(point)
        for identifier in keys.column("identifier").to_pylist():
            self._points[identifier] = sorted(standing[identifier])

    def _taken(self, identifier: int, runs: Sequence[_Run]) -> bool | None:
        """Take in what is told; return whether that changed anything, None where it is unclear."""
        points = self._points[identifier]
        last = self._last.get(identifier)
        if not points or (last is not None and runs[0][0] > last):
            before = len(points)
            for first, _, account in runs:
                if not points or points[-1][1] != account:
                    points.append((first, account))
            self._last[identifier] = runs[-1][1]
            return len(points) > before
        if not all(_stands(points, run) for run in runs):
            return self._moved(identifier, runs)
        if last is not None:
            self._last[identifier] = max(last, runs[-1][1])
        return False

    def _moved(self, identifier: int, runs: Sequence[_Run]) -> bool | None:
        """Let the first account begin earlier, where it is the only one; None where it is not."""
        points = self._points[identifier]
        if len(points) > 1 or len(runs) > 1 or runs[0][2] != points[0][1]:
            return None
        self._points[identifier] = [(min(points[0][0], runs[0][0]), runs[0][2])]
        return True

    def _make_anew(self, identifiers: set[int], writer: FactsWriter) -> None:
        """Read again all that was ever told of some identifiers."""
        columns = ("identifier", "event_time", "account_id")
        events = writer.matching("events", _keys(identifiers), ["identifier"], columns=columns)
        for identifier, runs in _runs(events).items():
            self._points[identifier] = [(first, account) for first, _, account in runs]
            self._last[identifier] = runs[-1][1]

    def _write(self, identifiers: set[int], writer: FactsWriter) -> None:
        if not identifiers:
            return
        writer.delete("memberships", _keys(identifiers), ["identifier"])
        rows = [(key, *point) for key in sorted(identifiers) for point in self._points[key]]
        columns = {
            "identifier": pa.array([row[0] for row in rows], pa.int64()),
            "account_id": pa.array([row[2] for row in rows], pa.string()),
            "from_time": pa.array([row[1] for row in rows], pa.int64()).cast(pa.timestamp("us")),
        }
        writer.insert("memberships", pa.table(columns))


def _stands(points: Sequence[_Point], run: _Run) -> bool:
    """Return whether what stands says already what is told: that account, all the time."""
    first, last, account = run
    at = bisect_right(points, (first, account))
    return at > 0 and points[at - 1][1] == account and at == bisect_right(points, (last, account))


def _runs(events: pa.Table) -> dict[int, list[_Run]]:
    """Return for each identifier that is told an account its runs, in order."""
    told = events.filter(
        pc.and_(pc.is_valid(events["identifier"]), pc.is_valid(events["account_id"]))
    )
    if not told.num_rows:
        return {}
    keys = ("identifier", "event_time", "account_id")
    told = told.select(keys).sort_by([(key, "ascending") for key in keys]).combine_chunks()
    identifiers = told["identifier"].to_numpy()
    times = told["event_time"].cast(pa.int64()).to_numpy()
    accounts = told["account_id"].combine_chunks().dictionary_encode()
    codes = accounts.indices.to_numpy()
    begins = np.ones(len(codes), np.bool_)
    begins[1:] = (identifiers[1:] != identifiers[:-1]) | (codes[1:] != codes[:-1])
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], len(codes)) - 1
    names = accounts.dictionary.to_pylist()
    found: dict[int, list[_Run]] = defaultdict(list)
    for identifier, first, last, code in zip(
        identifiers[starts].tolist(),
        times[starts].tolist(),
        times[ends].tolist(),
        codes[starts].tolist(),
        strict=True,
    ):
        found[identifier].append((first, last, names[code]))
    return found


def _told(rows: pa.Table) -> Iterable[tuple[int, _Point]]:
    times = rows.column("from_time").cast(pa.int64()).to_pylist()
    names = rows.column("account_id").to_pylist()
    return zip(rows.column("identifier").to_pylist(), zip(times, names, strict=True), strict=True)


def _keys(identifiers: Iterable[int]) -> pa.Table:
    return pa.table({"identifier": pa.array(sorted(identifiers), pa.int64())})
