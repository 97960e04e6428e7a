"""Sessions: spans of activity of one identifier as sent, at most 30 minutes apart.

The table is a function of the set of events, however late they come: a new span takes in every
span that it touches within 30 minutes.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect import Batch
from onefold.model.facts import TABLES
from onefold.store import FactsWriter, planes

GAP = 30 * 60 * 1_000_000
"""Two events further apart than this, with none between, are of two sessions (microseconds)."""

PEOPLE = ""
"""What sessions have for a mark where people made them."""

_KEY = ["identifier", "environment", "traffic", "start_time"]

Ints = npt.NDArray[np.int64]

_COLUMNS = (
    "identifier",
    "start_time",
    "end_time",
    "events",
    "actions",
    "discoveries",
    "purposes",
    "clocked",
    "sample_rate",
)
_ALLOWED, _REFUSED = 15, 15 << 4
"""Of `purposes`: what is allowed, and what an event refused itself."""
_PARTS = 1_000_000
"""Rates are whole millionths here, so that spans are all of integers."""


class SessionsFold:
    """Keeps `sessions`."""

    KEEPS: ClassVar[Mapping[str, Sequence[str]]] = {"sessions": ("identifier",)}
    """Tables with the columns that hold keys of persons."""

    def __init__(self, *, passive: frozenset[str], discoveries: frozenset[str]) -> None:
        """What is passive is no action: impressions and system events of the catalogue."""
        self._passive = pa.array(sorted(passive), pa.string())
        self._discoveries = pa.array(sorted(discoveries), pa.string())

    def fold(self, batch: Batch, writer: FactsWriter) -> None:
        """Write the spans of a micro-batch, merged with those that stand."""
        events = batch.events.filter(pc.is_valid(batch.events.column("identifier")))
        if not events.num_rows:
            return
        for environment in events.column("environment").unique().to_pylist():
            of_it = events.filter(pc.equal(events.column("environment"), environment))
            marks = of_it.column("traffic").fill_null(PEOPLE)
            for traffic in marks.unique().to_pylist():
                self._fold_traffic(of_it.filter(pc.equal(marks, traffic)), writer)

    def forget(self, keys: Collection[int], writer: FactsWriter) -> None:
        """Let go of the sessions of identifiers."""
        planes.delete_of(writer, self.KEEPS, keys)

    def tell(self, keys: Collection[int], writer: FactsWriter) -> dict[str, list[dict[str, Any]]]:
        """Return table -> rows of what is kept of persons."""
        return planes.rows_of(writer, self.KEEPS, keys)

    def _fold_traffic(self, events: pa.Table, writer: FactsWriter) -> None:
        """Fold events of one environment and one mark: spans of two never touch."""
        environment = events.column("environment")[0].as_py()
        traffic = events.column("traffic")[0].as_py() or PEOPLE
        spans = _merged(self._points(events))
        since = int(spans[1].min()) - GAP
        keys = pa.table({"identifier": pa.array(np.unique(spans[0]), pa.int64())})
        found = writer.matching(
            "sessions", keys, ["identifier"], since=("end_time", _timestamp(since))
        )
        ours = pc.and_(
            pc.equal(found.column("environment"), environment),
            pc.equal(found.column("traffic"), traffic),
        )
        found = found.filter(ours)
        if found.num_rows:
            standing = _columns(found)
            spans = _merged(np.concatenate([spans, standing], axis=1))
            writer.delete(
                "sessions",
                found.select(_KEY),
                _KEY,
                since=("end_time", _timestamp(since)),
            )
        writer.insert("sessions", _table(spans, environment, traffic))

    def _points(self, events: pa.Table) -> Ints:
        names = events.column("event")
        tracked = pc.equal(events.column("kind"), "track")
        passive = pc.is_in(names, value_set=self._passive)
        actions = pc.and_(tracked, pc.invert(passive))
        discoveries = pc.and_(tracked, pc.is_in(names, value_set=self._discoveries))
        clocked = pc.not_equal(events.column("time_basis"), "sent")
        times = _numpy(events.column("event_time").cast(pa.int64()))
        return np.stack(
            [
                _numpy(events.column("identifier")),
                times,
                times,
                np.ones(events.num_rows, dtype=np.int64),
                _numpy(actions.cast(pa.int64())),
                _numpy(discoveries.cast(pa.int64())),
                _numpy(events.column("purposes").cast(pa.int64())),
                _numpy(clocked.cast(pa.int64())),
                _millionths(events.column("sample_rate")),
            ]
        )


def _merged(spans: Ints) -> Ints:
    """Return spans of which no two of one identifier are within the gap; shape (9, n) to (9, m).

    Rows: identifier, start, end, events, actions, discoveries, purposes (all must allow one; above
    the mask what any refused),
    clocked (a time of it rests on our clock), sample_rate (the greatest: that span was seen if any
    event of it was).
    """
    spans = spans[:, np.lexsort((spans[1], spans[0]))]
    identifier, start, end = spans[0], spans[1], spans[2]
    reach = _running_end(identifier, end)
    first = np.ones(spans.shape[1], dtype=np.bool_)
    first[1:] = (identifier[1:] != identifier[:-1]) | (start[1:] - reach[:-1] > GAP)
    at = np.flatnonzero(first)
    return np.stack(
        [
            identifier[at],
            start[at],
            np.maximum.reduceat(end, at),
            *(np.add.reduceat(spans[row], at) for row in (3, 4, 5)),
            np.bitwise_and.reduceat(spans[6] & _ALLOWED, at)
            | np.bitwise_or.reduceat(spans[6] & _REFUSED, at),
            np.bitwise_or.reduceat(spans[7], at),
            np.maximum.reduceat(spans[8], at),
        ]
    )


def _running_end(identifier: Ints, end: Ints) -> Ints:
    """Return the latest end so far within each identifier (sorted by identifier, start)."""
    if np.all(end[1:] >= end[:-1]):
        return end
    # Ranks of the ends grow within a group and from group to group, so one running maximum does.
    new_group = np.concatenate([[False], identifier[1:] != identifier[:-1]])
    group = np.cumsum(new_group)
    order = np.lexsort((end, group))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    highest = np.maximum.accumulate(rank)
    return np.asarray(end[order][highest], dtype=np.int64)


def _columns(table: pa.Table) -> Ints:
    whole = [_numpy(table.column(name).cast(pa.int64())) for name in _COLUMNS[:-1]]
    return np.stack([*whole, _millionths(table.column("sample_rate"))])


def _millionths(rates: Any) -> Ints:
    if rates.null_count == len(rates):
        return np.full(len(rates), _PARTS, dtype=np.int64)
    parts = np.rint(rates.fill_null(1.0).to_numpy() * _PARTS)
    return np.asarray(np.maximum(parts, 1), dtype=np.int64)


def _rates(parts: Ints) -> pa.Array:
    return pa.array(parts / _PARTS, pa.float64(), mask=parts == _PARTS)


def _table(spans: Ints, environment: str, traffic: str) -> pa.Table:
    kinds = TABLES["sessions"].columns
    arrays: dict[str, Any] = {}
    for name, values in zip(_COLUMNS[:-1], spans[:-1], strict=True):
        column = pa.array(values, pa.int64())
        if kinds[name] == "timestamp":
            column = column.cast(pa.timestamp("us"))
        elif kinds[name] == "int16":
            column = column.cast(pa.int16())
        elif kinds[name] == "boolean":
            column = column.cast(pa.bool_())
        arrays[name] = column
    arrays["sample_rate"] = _rates(spans[-1])
    arrays["environment"] = pa.array([environment] * spans.shape[1], pa.string())
    arrays["traffic"] = pa.array([traffic] * spans.shape[1], pa.string())
    return pa.table(arrays)


def _numpy(column: Any) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _timestamp(micros: int) -> Any:
    return pa.scalar(micros, pa.timestamp("us")).as_py()
