"""Log rows to facts: exact dedupe, identifiers to keys, personal fields to the vault.

Source of exactly-once: DESIGN 3. An id counts once, however often it is sent again; a second,
different body under a known id waits in quarantine as a conflict.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.dialects.segment import Request, event_at, read
from onefold.collect.draft import Draft, Reader
from onefold.collect.imported import ReadRecords, RecordsFold
from onefold.collect.promote import arrow_column
from onefold.collect.records import CONFLICT
from onefold.collect.rules import FoldRules
from onefold.collect.surroundings import ContextsFold, MarksFold
from onefold.model.facts import TABLES
from onefold.model.ids import identifier_key
from onefold.model.time import DAY
from onefold.store import FactsWriter, Log, LogRow, SeenIds, Vault

Ints = npt.NDArray[np.int64]

_Edges = dict[tuple[int, int, str], int]
_Content = tuple[str, str, bytes]
"""What two events under one id must share: kind, name, properties."""
_WAITS_AS = list(TABLES["quarantine"].natural)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a micro-batch adds to the facts; the other folds read this.

    Attributes:
        offset: Last log offset of the batch.
        received_time: Received time of its last row, microseconds.
        events: New rows of `events`.
        edges: (anonymous or former key, user key, kind, event time), one each.
        memberships: (identifier, account id, event time), one each.
        marked: Something of it is marked as no customer's.
        sampled: Some of its events are of a sample.
    """

    offset: int
    received_time: int
    events: pa.Table
    edges: _Edges
    memberships: dict[tuple[int, str], int]
    marked: bool = False
    sampled: bool = False


Write = Callable[[FactsWriter], Batch]
"""Writes a micro-batch in a transaction and returns what it added.

Raises DiskFull where the vault could not keep the names; nothing may be committed then.
"""


class CollectFold:
    """Turns log rows into `events` with their contexts, and all other tables of collect."""

    def __init__(
        self, *, identity_key: bytes, rules: FoldRules, seen: SeenIds, vault: Vault, log: Log
    ) -> None:
        self._identity_key = identity_key
        self._seen = seen
        self._vault = vault
        self._log = log
        self._reader = Reader(identity_key=identity_key, rules=rules)
        self._records = RecordsFold(log)
        self._contexts = ContextsFold()
        self._marks = MarksFold(self._reader.marks)

    def read(self, rows: Sequence[LogRow]) -> Write:
        """Return what writes a micro-batch of the log.

        Reading asks nothing of the facts, so it may run ahead of the writing; what was read is
        to be written in the order of reading. After a failure of either make a new fold.
        """
        draft = self._reader.read(rows)
        records = self._records.read(rows)
        return partial(self._write, draft, self._reader.table(draft), records)

    def _write(
        self, draft: Draft, table: pa.Table, records: ReadRecords, writer: FactsWriter
    ) -> Batch:
        if draft.names or draft.fields:
            names = [(key, kind, value) for key, (kind, value) in draft.names.items()]
            self._vault.remember(names, draft.fields)
        keep = self._fresh(draft, table, writer)
        events = table if len(keep) == len(draft) else table.take(pa.array(keep))
        writer.insert("events", events)
        self._contexts.write(events, draft.contexts, writer)
        writer.insert("quarantine", _quarantine_table(_not_waiting_yet(draft.waiting, writer)))
        self._records.write(records, writer)
        memberships = _memberships(events)
        told = {draft.identifier(spot): draft.marks[spot] for spot in _kept(draft.marks, keep)}
        marked = self._marks.write(told, memberships, writer)
        return Batch(
            offset=draft.rows[-1].offset,
            received_time=draft.rows[-1].received_time,
            events=events,
            edges=_identify_edges(events) | self._alias_edges(draft, keep),
            memberships=memberships,
            marked=marked or events.column("traffic").null_count < events.num_rows,
            sampled=events.column("sample_rate").null_count < events.num_rows,
        )

    def committed(self, batch: Batch) -> None:
        """Remember the ids of a batch whose facts transaction is committed."""
        hi, lo, offset, place = (
            batch.events.column(name).to_numpy()
            for name in ("message_hi", "message_lo", "log_offset", "place")
        )
        self._seen.add(hi, lo, offset, place.astype(np.int64))

    def _fresh(self, draft: Draft, table: pa.Table, writer: FactsWriter) -> Ints:
        """Return the places of the draft whose ids were never seen; the others are settled."""
        high, low = (table.column(name).to_numpy() for name in ("message_hi", "message_lo"))
        seen = self._seen.find(high, low)
        first = _first_places(high, low)
        again = np.flatnonzero(seen.known | (first != np.arange(len(high))))
        if not len(again):
            return np.arange(len(high))
        originals = _Originals(self._log)
        counted: Counter[tuple[int, str]] = Counter()
        for spot in again.tolist():
            former: _Content | None = _content(draft, int(first[spot]))
            if seen.known[spot]:
                former = originals.get(int(seen.offset[spot]), int(seen.place[spot]))
            if _differs(_content(draft, spot), former):
                draft.wait(spot, CONFLICT)
            else:
                row = draft.row(spot)
                counted[row.received_time // DAY, row.source] += 1
        writer.insert("duplicates", _duplicates_table(counted))
        return np.delete(np.arange(len(high)), again)

    def _alias_edges(self, draft: Draft, keep: Ints) -> _Edges:
        edges: _Edges = {}
        kept = set(keep.tolist()) if draft.previous_ids else set()
        for spot, former in draft.previous_ids.items():
            user, time = draft.user_keys[spot], draft.times[spot]
            if spot not in kept or user is None:
                continue
            # An alias does not say which kind its former id was of: both may be meant.
            for kind, link in (("anonymous_id", "identify"), ("user_id", "alias")):
                edge = (identifier_key(self._identity_key, kind, former), user, link)
                if edge[0] != user:
                    edges[edge] = min(time, edges.get(edge, time))
        return edges


def _kept(spots: Iterable[int], keep: Ints) -> set[int]:
    """Return those of some spots whose events count."""
    return set(spots).intersection(keep.tolist()) if spots else set()


class _Originals:
    """The first event under an id, read again from the log; a few rows are kept at hand."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._rows: dict[int, tuple[Request, int] | None] = {}

    def get(self, offset: int, place: int) -> _Content | None:
        if offset not in self._rows:
            if len(self._rows) > 64:
                self._rows.clear()
            row = self._log.row(offset)
            self._rows[offset] = (
                None if row is None else (read(row.route, row.body), row.received_time)
            )
        found = self._rows[offset]
        event = found and event_at(found[0], place, found[1])
        return (event.kind, event.event, event.properties) if event else None


def _content(draft: Draft, spot: int) -> _Content:
    """Return what an event says, as sent: the draft's own has personal fields taken out."""
    sent = draft.as_sent.get(spot, draft.properties[spot])
    return draft.kinds[spot], draft.events[spot], sent


def _differs(event: _Content, former: _Content | None) -> bool:
    if former is None or event == former:
        return False
    if event[:2] != former[:2] or not event[2] or not former[2]:
        return True
    return bool(msgspec.json.decode(event[2]) != msgspec.json.decode(former[2]))


def _first_places(high: Ints, low: Ints) -> Ints:
    """Return for each id the place of its first equal in the batch."""
    first = np.arange(len(high))
    order = np.lexsort((first, low, high))
    same = (high[order][1:] == high[order][:-1]) & (low[order][1:] == low[order][:-1])
    if not same.any():
        return first
    group = np.concatenate([[0], np.cumsum(~same)])
    leader = order[np.flatnonzero(np.concatenate([[True], ~same]))]
    first[order] = leader[group]
    return first


def _identify_edges(events: pa.Table) -> _Edges:
    """Return anonymous and user keys that were sent together -> the earliest time."""
    both = events.filter(
        pc.and_(pc.is_valid(events["user_key"]), pc.is_valid(events["anonymous_key"]))
    )
    firsts = both.group_by(["anonymous_key", "user_key"]).aggregate([("event_time", "min")])
    return {
        (anonymous, user, "identify"): time
        for anonymous, user, time in zip(
            firsts["anonymous_key"].to_pylist(),
            firsts["user_key"].to_pylist(),
            firsts["event_time_min"].cast(pa.int64()).to_pylist(),
            strict=True,
        )
        if anonymous != user
    }


def _memberships(events: pa.Table) -> dict[tuple[int, str], int]:
    """Return (identifier, account) -> earliest time, as group calls and contexts told."""
    told = events.filter(
        pc.and_(pc.is_valid(events["identifier"]), pc.is_valid(events["account_id"]))
    )
    firsts = told.group_by(["identifier", "account_id"]).aggregate([("event_time", "min")])
    return {
        (identifier, account): time
        for identifier, account, time in zip(
            firsts["identifier"].to_pylist(),
            firsts["account_id"].to_pylist(),
            firsts["event_time_min"].cast(pa.int64()).to_pylist(),
            strict=True,
        )
    }


def _not_waiting_yet(waiting: list[tuple[Any, ...]], writer: FactsWriter) -> list[tuple[Any, ...]]:
    """Return what waits for the first time: sent again for the same reason, it waits once."""
    if not waiting:
        return waiting
    high = pa.table({"message_hi": pa.array({row[2] for row in waiting}, pa.int64())})
    found = writer.matching("quarantine", high, ["message_hi"]).select(_WAITS_AS).to_pylist()
    known = {tuple(row[name] for name in _WAITS_AS) for row in found}
    fresh: list[tuple[Any, ...]] = []
    for row in waiting:
        key = row[2:8]
        if key not in known:
            known.add(key)
            fresh.append(row)
    return fresh


def _quarantine_table(waiting: list[tuple[Any, ...]]) -> pa.Table:
    columns = TABLES["quarantine"].columns
    values = list(zip(*waiting, strict=True)) if waiting else [()] * len(columns)
    arrays = [
        arrow_column(column, kind) for column, kind in zip(values, columns.values(), strict=True)
    ]
    return pa.Table.from_arrays(arrays, names=list(columns))


def _duplicates_table(counted: Counter[tuple[int, str]]) -> pa.Table:
    return pa.table(
        {
            "received_date": pa.array([day for day, _ in counted], pa.int32()).cast(pa.date32()),
            "source": pa.array([source for _, source in counted], pa.string()),
            "events": pa.array(list(counted.values()), pa.int64()),
        }
    )
