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
import pyarrow.compute as pc

from onefold.collect import promote
from onefold.collect.dialects.stored import read_one, read_stored
from onefold.collect.entities import fold_records
from onefold.collect.personal import personal
from onefold.collect.records import Incoming, Record
from onefold.collect.rules import FoldRules
from onefold.model.facts import TABLES
from onefold.model.ids import IDENTIFIER_KINDS, identifier_key, message_digest, message_hash
from onefold.store import FactsWriter, Log, LogRow, SeenIds, Vault

Ints = npt.NDArray[np.int64]

CONFLICT = "Another event was sent before under the same message id."
_Edges = dict[tuple[int, int, str], int]
_MOST_CACHED = 400_000
_WAITING = 16
"""Verdict bytes from here on are of events that do not count."""
_DAY = 86_400_000_000
_RECORDS = msgspec.json.Decoder(list[Record])
_WAITS_AS = list(TABLES["quarantine"].natural)
_NOTHING: frozenset[str] = frozenset()
_VALUES = (
    "place",
    "kind",
    "event",
    "event_time",
    "time_basis",
    "identifier",
    "user_key",
    "anonymous_key",
    "account_id",
    "purposes",
    "properties",
)


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
    """Columns under construction.

    Attributes:
        rows: The log rows read.
        at: Place in `rows`, one entry an accepted event; all lists below are as long.
        digests: 128-bit hashes of the message ids.
        values: Place in its row, then the columns of `_VALUES` in order.
        promoted: Values of the promoted columns.
        items: As decoded.
        waiting: Rows of `quarantine`.
        names: Key -> kind and value, of identifiers that the vault may not know yet.
        fields: Personal fields for the vault.
    """

    rows: Sequence[LogRow]
    at: list[int] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    values: list[tuple[Any, ...]] = field(default_factory=list)
    promoted: list[tuple[Any, ...]] = field(default_factory=list)
    items: list[Incoming | Record] = field(default_factory=list)
    waiting: list[tuple[Any, ...]] = field(default_factory=list)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    fields: list[tuple[int, str, str, int]] = field(default_factory=list)

    def row(self, spot: int) -> LogRow:
        """Return the log row of an accepted event."""
        return self.rows[self.at[spot]]


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
        # Identifiers that the vault holds, with their keys; a part of them, to save the asking.
        self._keys: dict[str, dict[str, int]] = {kind: {} for kind in IDENTIFIER_KINDS}

    def fold(self, rows: Sequence[LogRow], writer: FactsWriter) -> Batch:
        """Write a micro-batch and return what it added.

        Raises:
            DiskFull: The vault could not keep the names; nothing may be committed.
        """
        draft = _Draft(rows)
        for at, row in enumerate(rows):
            if row.dialect == "segment":
                self._take_request(at, row, draft)
            elif row.dialect == "records":
                self._take_records(at, row, draft)
        high, low = _halves(draft.digests)
        keep = self._fresh(draft, high, low, writer)
        self._remember(draft)
        events = self._table(draft, high, low, keep)
        writer.insert("events", events)
        writer.insert("quarantine", _quarantine_table(_not_waiting_yet(draft.waiting, writer)))
        records = (item for i in keep if isinstance(item := draft.items[i], Record))
        fold_records(records, writer)
        return Batch(
            offset=rows[-1].offset,
            received_time=rows[-1].received_time,
            events=events,
            edges=self._edges(draft, events, keep),
            memberships=_memberships(events),
        )

    def committed(self, batch: Batch) -> None:
        """Remember the ids of a batch whose facts transaction is committed."""
        hi, lo, offset, place = (
            batch.events.column(name).to_numpy()
            for name in ("message_hi", "message_lo", "log_offset", "place")
        )
        self._seen.add(hi, lo, offset, place.astype(np.int64))

    def _take_request(self, at: int, row: LogRow, draft: _Draft) -> None:
        items = read_stored(row.route, row.body, row.received_time, row.source.encode())
        reasons = _reasons(row)
        users, devices = self._keys["user_id"], self._keys["anonymous_id"]
        plain_values, classed = self._promoter.plain_values, self._personal
        for place, (event, verdict) in enumerate(zip(items, row.verdicts, strict=True)):
            if verdict >= _WAITING:
                reason = reasons.get(str(place)) or event.reason
                draft.waiting.append(_waits(row, place, event.message_id, event.event, reason))
                continue
            user, anonymous = event.user_id, event.anonymous_id
            user_key = anonymous_key = None
            if user is not None:
                user_key = users.get(user) or self._new_key("user_id", user, draft)
            if anonymous is not None:
                anonymous_key = devices.get(anonymous) or self._new_key(
                    "anonymous_id", anonymous, draft
                )
            identifier = anonymous_key if user_key is None else user_key
            properties = event.properties
            promoted = plain_values(properties)
            if promoted is None or event.event in classed:
                properties = self._less_personal(event, identifier, draft)
                promoted = self._promoter.values(properties)
            draft.at.append(at)
            draft.digests.append(message_digest(event.message_id))
            draft.values.append(
                (
                    place,
                    event.kind,
                    event.event,
                    event.event_time,
                    event.time_basis,
                    identifier,
                    user_key,
                    anonymous_key,
                    event.group_id,
                    verdict,
                    str(properties, "utf-8", "replace"),
                )
            )
            draft.promoted.append(promoted)
            draft.items.append(event)

    def _less_personal(self, event: Incoming, identifier: int | None, draft: _Draft) -> bytes:
        """Return an event's properties less what is personal, which goes to the vault."""
        properties, taken = personal(
            event.properties,
            traits=event.kind == "identify",
            described=self._described.get(event.event, _NOTHING),
        )
        classed = self._personal.get(event.event)
        if classed:
            properties, more = promote.take_out(properties, classed)
            taken = taken | more
        if identifier is not None:
            draft.fields += [
                (identifier, name, value, event.event_time) for name, value in taken.items()
            ]
        return properties

    def _take_records(self, at: int, row: LogRow, draft: _Draft) -> None:
        for place, record in enumerate(_RECORDS.decode(row.body)):
            if row.verdicts[place] >= _WAITING:
                draft.waiting.append(
                    _waits(row, place, record.message_id, record.entity, record.reason)
                )
                continue
            draft.at.append(at)
            draft.digests.append(message_digest(record.message_id))
            draft.values.append(_record_values(row, place, record))
            draft.promoted.append(self._promoter.nothing)
            draft.items.append(record)

    def _new_key(self, kind: str, value: str, draft: _Draft) -> int:
        """Return the key of an identifier that the vault may not know yet."""
        key = identifier_key(self._identity_key, kind, value)
        draft.names[key] = (kind, value)
        return key

    def _remember(self, draft: _Draft) -> None:
        if not draft.names and not draft.fields:
            return
        names = [(key, kind, value) for key, (kind, value) in draft.names.items()]
        self._vault.remember(names, draft.fields)
        for known in self._keys.values():
            if len(known) > _MOST_CACHED:
                known.clear()
        for key, kind, value in names:
            self._keys[kind][value] = key

    def _fresh(self, draft: _Draft, high: Ints, low: Ints, writer: FactsWriter) -> Ints:
        """Return the places of the draft whose ids were never seen; the others are settled."""
        seen = self._seen.find(high, low)
        first = _first_places(high, low)
        again = np.flatnonzero(seen.known | (first != np.arange(len(high))))
        if not len(again):
            return np.arange(len(high))
        originals = _Originals(self._log)
        counted: Counter[tuple[int, str]] = Counter()
        for spot in again.tolist():
            row, item = draft.row(spot), draft.items[spot]
            if seen.known[spot]:
                former = originals.get(int(seen.offset[spot]), int(seen.place[spot]))
            else:
                former = draft.items[int(first[spot])]
            if _differs(item, former):
                name = item.event if isinstance(item, Incoming) else item.entity
                place = draft.values[spot][0]
                draft.waiting.append(_waits(row, place, item.message_id, name, CONFLICT))
            else:
                counted[row.received_time // _DAY, row.source] += 1
        writer.insert("duplicates", _duplicates_table(counted))
        return np.delete(np.arange(len(high)), again)

    def _table(self, draft: _Draft, high: Ints, low: Ints, keep: Ints) -> pa.Table:
        chosen = keep.tolist()
        values = [draft.values[i] for i in chosen]
        columns = list(zip(*values, strict=True)) if values else [()] * len(_VALUES)
        kinds = TABLES["events"].columns
        arrays = {
            name: promote.arrow_column(column, kinds[name])
            for name, column in zip(_VALUES, columns, strict=True)
        }
        at = np.asarray(draft.at, dtype=np.int64)[keep] if chosen else keep
        arrays["message_hi"] = pa.array(high[keep])
        arrays["message_lo"] = pa.array(low[keep])
        for name, column in (
            ("log_offset", [row.offset for row in draft.rows]),
            ("source", [row.source for row in draft.rows]),
            ("environment", [row.environment for row in draft.rows]),
            ("received_time", [row.received_time for row in draft.rows]),
        ):
            arrays[name] = promote.arrow_column(column, kinds[name]).take(pa.array(at))
        more = self._promoter.columns([draft.promoted[i] for i in chosen])
        ordered = {name: arrays[name] for name in kinds} | more
        return pa.table(ordered)

    def _edges(
        self, draft: _Draft, events: pa.Table, keep: Ints
    ) -> dict[tuple[int, int, str], int]:
        both = events.filter(
            pc.and_(pc.is_valid(events["user_key"]), pc.is_valid(events["anonymous_key"]))
        )
        firsts = both.group_by(["anonymous_key", "user_key"]).aggregate([("event_time", "min")])
        edges = {
            (anonymous, user, "identify"): time
            for anonymous, user, time in zip(
                firsts["anonymous_key"].to_pylist(),
                firsts["user_key"].to_pylist(),
                firsts["event_time_min"].cast(pa.int64()).to_pylist(),
                strict=True,
            )
            if anonymous != user
        }
        for spot in np.flatnonzero(pc.equal(events["kind"], "alias").to_numpy()):
            event, user = draft.items[int(keep[spot])], events["user_key"][int(spot)].as_py()
            if not isinstance(event, Incoming) or not event.previous_id or user is None:
                continue
            # An alias does not say which kind its former id was of: both may be meant.
            for kind, link in (("anonymous_id", "identify"), ("user_id", "alias")):
                edge = (identifier_key(self._identity_key, kind, event.previous_id), user, link)
                if edge[0] != user:
                    edges[edge] = min(event.event_time, edges.get(edge, event.event_time))
        return edges


class _Originals:
    """The first event under an id, read again from the log; a few rows are kept at hand."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._rows: dict[int, LogRow | None] = {}

    def get(self, offset: int, place: int) -> Incoming | Record | None:
        if offset not in self._rows:
            if len(self._rows) > 64:
                self._rows.clear()
            self._rows[offset] = self._log.row(offset)
        row = self._rows[offset]
        if row is None:
            return None
        if row.dialect == "records":
            return _RECORDS.decode(row.body)[place]
        return read_one(row.route, row.body, row.received_time, place)


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


def _record_values(row: LogRow, place: int, record: Record) -> tuple[Any, ...]:
    account = record.key if record.entity == "account" else record.fields.get("account_id")
    return (
        place,
        "import",
        record.entity,
        record.event_time,
        "received" if record.event_time == row.received_time else "sent",
        None,
        None,
        None,
        account,
        15,
        msgspec.json.encode(record.fields, order="sorted").decode(),
    )


def _halves(digests: Sequence[bytes]) -> tuple[Ints, Ints]:
    """Return the high and the low half of 128-bit digests as signed integers."""
    words = np.frombuffer(b"".join(digests), dtype=">i8").astype(np.int64).reshape(-1, 2)
    return words[:, 0].copy(), words[:, 1].copy()


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
