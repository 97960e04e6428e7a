"""Log rows to facts: exact dedupe, identifiers to keys, personal fields to the vault.

Source of exactly-once: DESIGN 3. An id counts once, however often it is sent again; a second,
different body under a known id waits in quarantine as a conflict.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onefold.collect import promote
from onefold.collect.dialects import segment
from onefold.collect.entities import fold_records
from onefold.collect.personal import personal
from onefold.collect.records import Incoming, Record
from onefold.collect.rules import FoldRules
from onefold.model.ids import identifier_key, message_hash
from onefold.store import FactsWriter, Log, LogRow, SeenIds, Vault
from onefold.store.schema import TABLES
from onefold.store.vault import PersonalField

Ints = npt.NDArray[np.int64]

CONFLICT = "Another event was sent before under the same message id."
_MOST_CACHED = 400_000
_DAY = 86_400_000_000
_RECORDS = msgspec.json.Decoder(list[Record])
_NOTHING: frozenset[str] = frozenset()
_ENVELOPE = tuple(TABLES["events"].columns)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a micro-batch adds to the facts; the other folds read this.

    Attributes:
        offset: Last log offset of the batch.
        received_time: Received time of its last row, microseconds.
        events: New rows of `events`.
        edges: (anonymous or former key, user key, kind, event time), one each.
        memberships: (identifier, account id, event time), one each.
    """

    offset: int
    received_time: int
    events: pa.Table
    edges: dict[tuple[int, int, str], int]
    memberships: dict[tuple[int, str], int]


@dataclass(slots=True)
class _Draft:
    """Columns under construction: one entry an accepted event."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    promoted: list[tuple[Any, ...]] = field(default_factory=list)
    sources: list[Incoming | Record] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)
    previous: list[str | None] = field(default_factory=list)
    waiting: list[tuple[Any, ...]] = field(default_factory=list)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    fields: list[PersonalField] = field(default_factory=list)


class CollectFold:
    """Turns log rows into `events`, `quarantine`, `duplicates` and the imported tables."""

    def __init__(
        self, *, identity_key: bytes, rules: FoldRules, seen: SeenIds, vault: Vault, log: Log
    ) -> None:
        self._identity_key = identity_key
        self._rules = rules
        self._seen = seen
        self._vault = vault
        self._log = log
        self._promoter = promote.Promoter(rules.promoted)
        self._personal = {event: frozenset(names) for event, names in rules.personal.items()}
        self._described = {event: frozenset(names) for event, names in rules.described.items()}
        self._keys: dict[tuple[str, str], int] = {}
        self._known: set[int] = set()

    def fold(self, rows: Sequence[LogRow], writer: FactsWriter) -> Batch:
        """Write a micro-batch and return what it added.

        Raises:
            DiskFull: The vault could not keep the names; nothing may be committed.
        """
        draft = _Draft()
        for row in rows:
            self._take(row, draft)
        keep = self._fresh(draft, writer)
        self._remember(draft)
        events = self._table(draft, keep)
        writer.insert("events", events)
        writer.insert("quarantine", _quarantine_table(draft.waiting))
        fold_records((r for i in keep if isinstance(r := draft.sources[i], Record)), writer)
        return Batch(
            offset=rows[-1].offset,
            received_time=rows[-1].received_time,
            events=events,
            edges=self._edges(draft, keep),
            memberships=_memberships(draft, keep),
        )

    def committed(self, batch: Batch) -> None:
        """Remember the ids of a batch whose facts transaction is committed."""
        hi, lo, offset, place = (
            batch.events.column(name).to_numpy()
            for name in ("message_hi", "message_lo", "log_offset", "place")
        )
        self._seen.add(hi, lo, offset, place.astype(np.int64))

    def _take(self, row: LogRow, draft: _Draft) -> None:
        if row.dialect == "segment":
            items = segment.decode(row.route, row.body, row.received_time, row.source.encode())
            reasons = _reasons(row)
            for place, (event, verdict) in enumerate(zip(items, row.verdicts, strict=True)):
                if verdict >> 4:
                    reason = reasons.get(str(place)) or event.reason
                    draft.waiting.append(_waits(row, place, event.message_id, event.event, reason))
                else:
                    self._take_event(row, place, event, verdict & 15, draft)
        elif row.dialect == "records":
            for place, record in enumerate(_RECORDS.decode(row.body)):
                if row.verdicts[place] >> 4:
                    draft.waiting.append(
                        _waits(row, place, record.message_id, record.entity, record.reason)
                    )
                else:
                    _take_record(row, place, record, draft)
                    draft.promoted.append(self._promoter.nothing)

    def _take_event(
        self, row: LogRow, place: int, event: Incoming, purposes: int, draft: _Draft
    ) -> None:
        user = self._key("user_id", event.user_id, draft) if event.user_id else None
        anonymous = (
            self._key("anonymous_id", event.anonymous_id, draft) if event.anonymous_id else None
        )
        identifier = user if user is not None else anonymous
        properties, taken = personal(
            event.properties,
            traits=event.kind == "identify",
            described=self._described.get(event.event, _NOTHING),
        )
        classed = self._personal.get(event.event)
        if classed:
            properties, more = promote.take_out(properties, classed)
            taken = taken | more
        if taken and identifier is not None:
            draft.fields += [
                PersonalField(identifier, name, value, event.event_time)
                for name, value in taken.items()
            ]
        high, low = message_hash(event.message_id)
        draft.rows.append(
            (
                high,
                low,
                row.offset,
                place,
                event.kind,
                event.event,
                row.source,
                row.environment,
                event.event_time,
                row.received_time,
                event.time_basis,
                identifier,
                user,
                anonymous,
                event.group_id,
                purposes,
                properties.decode("utf-8", "replace"),
            )
        )
        draft.promoted.append(self._promoter.values(properties))
        draft.sources.append(event)

    def _key(self, kind: str, value: str, draft: _Draft) -> int:
        key = self._keys.get((kind, value))
        if key is None:
            if len(self._keys) > _MOST_CACHED:
                self._keys.clear()
            key = identifier_key(self._identity_key, kind, value)
            self._keys[kind, value] = key
        if key not in self._known:
            draft.names[key] = (kind, value)
        return key

    def _remember(self, draft: _Draft) -> None:
        if not draft.names and not draft.fields:
            return
        names = [(key, kind, value) for key, (kind, value) in draft.names.items()]
        self._vault.remember(names, draft.fields)
        if len(self._known) > _MOST_CACHED:
            self._known.clear()
        self._known.update(draft.names)

    def _fresh(self, draft: _Draft, writer: FactsWriter) -> Ints:
        """Return the places of the draft whose ids were never seen; the others are settled."""
        if not draft.rows:
            return np.empty(0, dtype=np.int64)
        high = np.fromiter((row[0] for row in draft.rows), dtype=np.int64, count=len(draft.rows))
        low = np.fromiter((row[1] for row in draft.rows), dtype=np.int64, count=len(draft.rows))
        seen = self._seen.find(high, low)
        pairs = np.stack([high, low], axis=1)
        _, first, group = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        fresh = ~seen.known
        fresh &= first[group.ravel()] == np.arange(len(draft.rows))
        again = np.flatnonzero(~fresh)
        if len(again):
            originals = _Originals(self._log)
            counted: Counter[tuple[int, str]] = Counter()
            for spot in again.tolist():
                row, event = draft.rows[spot], draft.sources[spot]
                if seen.known[spot]:
                    former = originals.get(int(seen.offset[spot]), int(seen.place[spot]))
                else:
                    former = draft.sources[int(first[group.ravel()[spot]])]
                if _differs(event, former):
                    draft.waiting.append(_conflict(row))
                else:
                    counted[row[9] // _DAY, row[6]] += 1
            writer.insert("duplicates", _duplicates_table(counted))
        return np.flatnonzero(fresh)

    def _table(self, draft: _Draft, keep: Ints) -> pa.Table:
        rows = [draft.rows[i] for i in keep]
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(_ENVELOPE)
        arrays = [
            promote.arrow_column(values, TABLES["events"].columns[name])
            for name, values in zip(_ENVELOPE, columns, strict=True)
        ]
        more = self._promoter.columns([draft.promoted[i] for i in keep])
        return pa.Table.from_arrays([*arrays, *more.values()], names=[*_ENVELOPE, *more])

    def _edges(self, draft: _Draft, keep: Ints) -> dict[tuple[int, int, str], int]:
        edges: dict[tuple[int, int, str], int] = {}
        for i in keep:
            row, event = draft.rows[i], draft.sources[i]
            user, anonymous, time = row[12], row[13], row[8]
            if user is None:
                continue
            found = [] if anonymous is None else [(anonymous, user, "identify")]
            if isinstance(event, Incoming) and event.previous_id:
                # An alias does not say which kind its former id was of: both may be meant.
                found += [
                    (identifier_key(self._identity_key, kind, event.previous_id), user, link)
                    for kind, link in (("anonymous_id", "identify"), ("user_id", "alias"))
                ]
            for edge in found:
                if edge[0] != edge[1] and time < edges.get(edge, time + 1):
                    edges[edge] = time
        return edges


class _Originals:
    """The first event under an id, read again from the log; a few rows are kept at hand."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._rows: dict[int, list[Incoming] | list[Record]] = {}

    def get(self, offset: int, place: int) -> Incoming | Record | None:
        if offset not in self._rows:
            if len(self._rows) > 64:
                self._rows.clear()
            self._rows[offset] = self._read(offset)
        items = self._rows[offset]
        return items[place] if place < len(items) else None

    def _read(self, offset: int) -> list[Incoming] | list[Record]:
        row = self._log.row(offset)
        if row is None:
            return []
        if row.dialect == "records":
            return _RECORDS.decode(row.body)
        return segment.decode(row.route, row.body, row.received_time, row.source.encode())


def _differs(event: Incoming | Record, former: Incoming | Record | None) -> bool:
    if former is None:
        return False
    if isinstance(event, Record) or isinstance(former, Record):
        return type(event) is not type(former)
    if (event.kind, event.event) != (former.kind, former.event):
        return True
    if event.properties == former.properties:
        return False
    return bool(msgspec.json.decode(event.properties) != msgspec.json.decode(former.properties))


def _reasons(row: LogRow) -> dict[str, str]:
    return msgspec.json.decode(row.reasons, type=dict[str, str]) if row.reasons else {}


def _waits(row: LogRow, place: int, message_id: str, event: str, reason: str) -> tuple[Any, ...]:
    high, low = message_hash(message_id)
    return (
        row.offset,
        place,
        high,
        low,
        event,
        row.source,
        row.environment,
        reason,
        row.received_time,
    )


def _conflict(row: tuple[Any, ...]) -> tuple[Any, ...]:
    high, low, offset, place, _, event, source, environment, _, received, *_ = row
    return (offset, place, high, low, event, source, environment, CONFLICT, received)


def _take_record(row: LogRow, place: int, record: Record, draft: _Draft) -> None:
    high, low = message_hash(record.message_id)
    account = record.key if record.entity == "account" else record.fields.get("account_id")
    draft.rows.append(
        (
            high,
            low,
            row.offset,
            place,
            "import",
            record.entity,
            row.source,
            row.environment,
            record.event_time,
            row.received_time,
            "received" if record.event_time == row.received_time else "sent",
            None,
            None,
            None,
            account,
            15,
            msgspec.json.encode(record.fields, order="sorted").decode(),
        )
    )
    draft.sources.append(record)


def _memberships(draft: _Draft, keep: Ints) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = {}
    for i in keep:
        row = draft.rows[i]
        if row[11] is not None and row[14]:
            key = (row[11], row[14])
            if row[8] < found.get(key, row[8] + 1):
                found[key] = row[8]
    return found


def _quarantine_table(waiting: list[tuple[Any, ...]]) -> pa.Table:
    columns = TABLES["quarantine"].columns
    values = list(zip(*waiting, strict=True)) if waiting else [()] * len(columns)
    arrays = [
        promote.arrow_column(column, kind)
        for column, kind in zip(values, columns.values(), strict=True)
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
