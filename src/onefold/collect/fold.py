"""Log rows to facts: exact dedupe, identifiers to keys, personal fields to the vault.

Source of exactly-once: DESIGN 3. An id counts once, however often it is sent again; a second,
different body under a known id waits in quarantine as a conflict.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect import rights
from onefold.collect.aside import ReaderAside, Told, told_of
from onefold.collect.consents import ConsentsFold, dropped_table, held_table, settle_imported
from onefold.collect.dialects.segment import Request, event_at, read
from onefold.collect.draft import Reader
from onefold.collect.erasures import links_in, since, up_to_erasure
from onefold.collect.gate import stripped
from onefold.collect.holding import event_in
from onefold.collect.imported import ReadRecords, RecordsFold, names_in
from onefold.collect.known_as import Blocked
from onefold.collect.linking import links_of
from onefold.collect.masking import same_but_masked
from onefold.collect.orders import OrdersFold
from onefold.collect.promote import arrow_column
from onefold.collect.records import CONFLICT, Incoming
from onefold.collect.reentry import Mended
from onefold.collect.rules import FoldRules
from onefold.collect.scrub import Scrub, Tombstone, content_hash, tombstone_in
from onefold.collect.scrub_records import ScrubRecords
from onefold.collect.sheet import Sheet, Waiting
from onefold.collect.staged import DIALECT
from onefold.collect.surroundings import ContextsFold, MarksFold
from onefold.consent import keeps_identifiers
from onefold.model.facts import TABLES
from onefold.model.ids import identifier_key
from onefold.model.kinds import CONTACT
from onefold.store import FactsWriter, Log, LogRow, SeenIds, Vault

_ID = ("message_hi", "message_lo")
_AT = ("log_offset", "place")
Ints = npt.NDArray[np.int64]
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
        edges: What events say of who is who, the columns of the table `edges` less `confidence`.
        blocked: Keys of identifiers that stand for nobody, of those told for the first time.
        contacts: Ids of imported contacts that changed.
        controls: Control entries.
        marked: Something of it is marked as no customer's.
        sampled: Some of its events are of a sample.
        stated: Something of it says what somebody's consent is from then on.
        erased: New rows of `erased`, whose ids are known for ever too.
        late: Offsets of rows that still name somebody erased; the log has to let go of them.
    """

    offset: int
    received_time: int
    events: pa.Table
    edges: pa.Table
    blocked: Sequence[int] = ()
    contacts: frozenset[str] = frozenset()
    controls: Sequence[LogRow] = ()
    marked: bool = False
    sampled: bool = False
    stated: bool = False
    erased: pa.Table | None = None
    late: tuple[int, ...] = ()


Write = Callable[[FactsWriter], Batch]
"""Writes a micro-batch in a transaction and returns what it added.

Raises DiskFull where the vault could not keep the names; nothing may be committed then.
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of the log that were read, and what writes them.

    Attributes:
        rows: How many; 0 at the end of the log.
        size: Bytes of their bodies.
        offset: The last one's.
        events: None of them is of an import.
        controls: Those that are control entries.
        write: Writes them into the facts.
    """

    rows: int
    size: int
    offset: int
    events: bool
    controls: Sequence[LogRow]
    write: Write


class CollectFold:
    """Turns log rows into `events` with their contexts, and all other tables of collect."""

    KEEPS: ClassVar[Mapping[str, Sequence[str]]] = rights.KEEPS
    """Tables with the columns that hold keys of persons."""

    def __init__(
        self, *, identity_key: bytes, rules: FoldRules, seen: SeenIds, vault: Vault, log: Log
    ) -> None:
        self._identity_key = identity_key
        self._seen = seen
        self._vault = vault
        self._log = log
        self._rules = rules
        self._is_blocked = Blocked(rules.persons)
        self._reader = Reader(identity_key=identity_key, rules=rules)
        self._aside: ReaderAside | None = None
        self._pool = ThreadPoolExecutor(1, "reads ahead")
        self._ahead: Future[Stretch] | None = None
        self._records = RecordsFold(log, identity_key, since(rules.erasures), rules.expired_rows)
        self._orders = OrdersFold()
        self._contexts = ContextsFold()
        self._marks = MarksFold(self._reader.marks)
        self._consents = ConsentsFold()

    def read(self, after: int, most_bytes: int) -> Stretch:
        """Return the next rows after an offset of the log and what writes them.

        Reading asks nothing of the facts, so it may run ahead of the writing; what was read is
        to be written in the order of reading. After a failure of either make a new fold. What
        was read ahead is returned as far as it was read.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            return ahead.result()
        found = None if self._aside is None else self._aside.answer(after)
        if found is not None:
            told, sheet = found
            return self._stretch(told, sheet, self._records.read(told.controls))
        return self._read(after, most_bytes)

    def ask(self, after: int, most_bytes: int) -> bool:
        """Return whether a process of its own reads what comes next, for `read` to return.

        The first time it only begins that process, which takes a moment.
        """
        if self._aside is None and self._log.file is not None:
            self._aside = ReaderAside(
                self._log.file, identity_key=self._identity_key, rules=self._rules
            )
        return self._aside is not None and self._aside.ask(after, most_bytes)

    def read_ahead(self, after: int, most_bytes: int) -> None:
        """Read what comes next in a thread meanwhile, for `read` to return."""
        self._ahead = self._pool.submit(self._read, after, most_bytes)

    def close(self) -> None:
        """End what reads ahead, if there is anything; it begins again when it is wanted."""
        if self._aside is not None:
            self._aside.close()
            self._aside = None

    def _read(self, after: int, most_bytes: int) -> Stretch:
        rows = up_to_erasure(self._log.read(after, most_bytes=most_bytes))
        return self._stretch(told_of(rows), self._reader.read(rows), self._records.read(rows))

    def _stretch(self, told: Told, sheet: Sheet, records: ReadRecords) -> Stretch:
        sheet.notes.late += self._records.late()
        write = partial(self._write, told, sheet, records)
        return Stretch(
            rows=told.rows,
            size=told.size,
            offset=told.offset,
            events=not told.foreign,
            controls=told.controls,
            write=write,
        )

    def _write(self, told: Told, sheet: Sheet, records: ReadRecords, writer: FactsWriter) -> Batch:
        notes = sheet.notes
        named = notes.names | names_in(records)
        if named or notes.fields:
            names = [(key, kind, value) for key, (kind, value) in named.items()]
            self._vault.remember(names, notes.fields)
        keep, erased = self._fresh(sheet, writer)
        writer.insert("erased", erased)
        events = sheet.events if len(keep) == len(sheet) else sheet.events.take(pa.array(keep))
        writer.insert("events", events)
        self._orders.write(events, writer)
        self._contexts.write(events, notes.contexts, writer)
        writer.insert("echoes", _echoes_table(notes.echoes))
        writer.insert("quarantine", _quarantine_table(_not_waiting_yet(notes.waiting, writer)))
        self._records.write(records, writer)
        environments = sheet.events.column("environment")
        changes = [(environments[s].as_py(), notes.stated[s]) for s in _kept(notes.stated, keep)]
        stated = self._consents.write(told.controls, changes, events, writer)
        stated |= settle_imported(self._records.changed("consent"), writer)
        writer.insert("dropped", dropped_table(notes.dropped))
        writer.insert("held", held_table(told.controls))
        self._name_contacts()
        memberships = _memberships(events)
        marks = {sheet.identifier(spot): notes.marks[spot] for spot in _kept(notes.marks, keep)}
        marked = self._marks.write(marks, memberships, writer)
        edges = links_of(sheet, events, keep, self._identity_key)
        return Batch(
            offset=told.offset,
            received_time=told.received_time,
            events=events,
            edges=pa.concat_tables([edges, links_in(told.controls)]),
            blocked=[*notes.blocked, *self._blocked_in(records)],
            contacts=self._records.changed("contact"),
            controls=told.controls,
            erased=erased,
            late=tuple(notes.late),
            marked=marked or events.column("traffic").null_count < events.num_rows,
            sampled=events.column("sample_rate").null_count < events.num_rows,
            stated=stated,
        )

    def let_in(self, mended: Mended) -> Write | None:
        """Return what writes events that waited, as if they had counted at once.

        None where one of them was sent again and that counts already: which of two counts is for
        the order of the log to say, so the facts have to be built anew.
        """
        sheet = self._reader.read(mended.rows, mended.places)
        high, low = (sheet.events.column(name).to_numpy() for name in _ID)
        if self._seen.find(high, low).known.any():
            return None
        records = self._records.read(())
        at = [(offset, place) for offset, some in mended.places.items() for place in some]
        waited = pa.table(
            {
                "log_offset": pa.array([offset for offset, _ in at], pa.int64()),
                "place": pa.array([place for _, place in at], pa.int32()),
            }
        )

        def write(writer: FactsWriter) -> Batch:
            for table in ("quarantine", "echoes"):
                writer.delete(table, waited, list(_AT))
            return self._write(told_of(mended.rows), sheet, records, writer)

        return write

    def forget(self, keys: Collection[int], writer: FactsWriter) -> None:
        """Let go of persons; the log must have let go before, and a new fold is made afterwards."""
        rights.forget_events(keys, writer)
        self._records.forget(keys, writer)
        settle_imported(self._records.changed("consent"), writer)

    def where(self, keys: Collection[int], writer: FactsWriter) -> tuple[set[int], set[int]]:
        """Return the log offsets of events and of imported rows that may name persons."""
        return rights.where(keys, writer)

    def vacate(self, at: Collection[tuple[int, int]], writer: FactsWriter) -> None:
        """Keep no note of what stood at places of the log that are empty now."""
        rights.vacate(at, writer)

    def without_erased(self, rows: Sequence[LogRow], values: Sequence[bytes] = ()) -> list[LogRow]:
        """Return rows of the log as they are to be by the rules; `values` see `Scrub.row`."""
        events = Scrub(
            self._identity_key, self._rules.erasures, self._rules.retries, self._rules.expired
        )
        gone, old = since(self._rules.erasures), self._rules.expired_rows
        records = ScrubRecords(self._identity_key, gone, old)
        return [
            records.row(row) if row.dialect == DIALECT else events.row(row, values)
            for row in rows
            if row.dialect != "control"
        ]

    def tell(self, keys: Collection[int], writer: FactsWriter) -> dict[str, list[dict[str, Any]]]:
        """Return table -> rows of what is kept of persons."""
        return rights.tell(keys, writer)

    def kept(self) -> bool:
        """Bring the ids seen to the disk; return whether they are there."""
        return self._seen.flush()

    def committed(self, batch: Batch) -> None:
        """Remember the ids of a batch whose facts transaction is committed."""
        for table in (batch.events, batch.erased):
            if table is None or not table.num_rows:
                continue
            hi, lo, offset, place = (
                table.column(name).to_numpy()
                for name in ("message_hi", "message_lo", "log_offset", "place")
            )
            self._seen.add(hi, lo, offset, place.astype(np.int64))

    def _fresh(self, sheet: Sheet, writer: FactsWriter) -> tuple[Ints, pa.Table]:
        """Return the spots whose ids were never seen, and what was erased; others are settled."""
        high, low = (sheet.events.column(name).to_numpy() for name in _ID)
        seen = self._seen.find(high, low)
        first = _first_places(high, low)
        erased = _taken_first(sheet, self._seen, seen)
        again = np.flatnonzero(seen.known | (first != np.arange(len(high))))
        if not len(again):
            return np.arange(len(high)), erased
        # In the order of the log, each former row is read once, and near others.
        again = again[np.argsort(seen.offset[again], kind="stable")]
        originals = _Originals(self._original, np.unique(seen.offset[again]).tolist())
        offsets = sheet.offsets()[np.concatenate([again, first[again]])]
        copies = _Originals(self._original, np.unique(offsets).tolist())
        counted: Counter[tuple[int, str]] = Counter()
        for spot in again.tolist():
            former: _Content | Tombstone | None = _content(sheet, int(first[spot]))
            of, at = copies, sheet.place_of(int(first[spot]))
            if seen.known[spot]:
                of, at = originals, (int(seen.offset[spot]), int(seen.place[spot]))
                former = originals.get(*at)
            sheet.echo(spot)
            differs = self._differs(sheet, spot, former)
            if differs and not self._is_less(sheet, spot, of.kept(*at), copies):
                sheet.wait(spot, CONFLICT)
            else:
                counted[sheet.received_of(spot)] += 1
        writer.insert("duplicates", _duplicates_table(counted))
        return np.delete(np.arange(len(high)), again), erased

    def _differs(self, sheet: Sheet, spot: int, former: "_Content | Tombstone | None") -> bool:
        """Return whether an event says something else than the first under its id."""
        if not isinstance(former, Tombstone):
            return _differs(_content(sheet, spot), former)
        # What comes after an erasure is kept without its name, and cannot be compared.
        (offset,) = sheet.at(spot, ("log_offset",))
        said = content_hash(self._identity_key, _content(sheet, spot))
        return bool(offset < former.by and said != former.content)

    def _is_less(
        self, sheet: Sheet, spot: int, former: "_Kept | None", copies: "_Originals"
    ) -> bool:
        """Return whether one of two events is what is kept of the other without consent."""
        (purposes,) = sheet.at(spot, ("purposes",))
        if former is None or former.named == keeps_identifiers(purposes & 15):
            return False
        copy = copies.kept(*sheet.place_of(spot))
        if copy is None:
            return False
        whole, less = (former, copy) if former.named else (copy, former)
        event = event_in(stripped(whole.item, whole.event, whole.context, self._identity_key))
        return event is not None and not _differs(_said(event), _said(less.event))

    def _original(self, offsets: Sequence[int]) -> list[LogRow]:
        """Return rows of the log; one that cannot be rewritten is read as if it had been."""
        rows = self._log.rows(offsets)
        if not self._rules.erasures or self._log.file is not None:
            return rows
        scrub = Scrub(self._identity_key, self._rules.erasures, self._rules.retries)
        return [scrub.row(row) for row in rows]

    def _name_contacts(self) -> None:
        """Let the vault know the ids under which contacts stand among identifiers."""
        ids = self._records.changed("contact")
        if ids:
            keyed = (
                (identifier_key(self._identity_key, CONTACT, one), CONTACT, one) for one in ids
            )
            self._vault.remember(list(keyed))

    def _blocked_in(self, records: ReadRecords) -> list[int]:
        """Return the keys of identifiers in imported rows that stand for nobody."""
        named = names_in(records)
        return [key for key, (_, value) in named.items() if self._is_blocked(value)]


def _kept(spots: Iterable[int], keep: Ints) -> set[int]:
    """Return those of some spots whose events count."""
    return set(spots).intersection(keep.tolist()) if spots else set()


@dataclass(frozen=True, slots=True)
class _Kept:
    """An event as the log keeps it.

    Attributes:
        item: Its own bytes.
        event: The same, decoded.
        context: That of its request.
        named: Whether its person may be known.
    """

    item: bytes
    event: Incoming
    context: bytes
    named: bool


class _Originals:
    """Events read again from the log, such as the first under an id; a few rows are at hand."""

    def __init__(
        self, read_rows: Callable[[Sequence[int]], list[LogRow]], wanted: list[int]
    ) -> None:
        """Read rows that are `wanted`, by their offsets in order, a few at a time."""
        self._read_rows = read_rows
        self._wanted = wanted
        self._rows: dict[int, tuple[Request, LogRow] | None] = {}

    def get(self, offset: int, place: int) -> _Content | Tombstone | None:
        found = self._at(offset)
        if found and place < len(found[0].items):
            left = tombstone_in(found[0].items[place])
            if left is not None:
                return left
        kept = self.kept(offset, place)
        return None if kept is None else _said(kept.event)

    def kept(self, offset: int, place: int) -> _Kept | None:
        """Return what stands at a place; None where nothing can be read there."""
        found = self._at(offset)
        event = found and event_at(found[0], place, found[1].received_time)
        if not (found and event):
            return None
        request, row = found
        item, named = bytes(request.items[place]), keeps_identifiers(row.verdicts[place] & 15)
        return _Kept(item, event, request.context, named)

    def _at(self, offset: int) -> tuple[Request, LogRow] | None:
        if offset not in self._rows:
            start = bisect_left(self._wanted, offset)
            wanted = self._wanted[start : start + 64]
            self._rows = dict.fromkeys(wanted)
            for row in self._read_rows(wanted):
                self._rows[row.offset] = read(row.route, row.body), row
        return self._rows[offset]


def _said(event: Incoming) -> _Content:
    return event.kind, event.event, event.properties


def _content(sheet: Sheet, spot: int) -> _Content:
    """Return what an event says, as sent: the sheet's own has personal fields taken out."""
    kind, event, kept = sheet.at(spot, ("kind", "event", "properties"))
    return kind, event, sheet.notes.as_sent.get(spot, kept.encode())


def _differs(event: _Content, former: _Content | None) -> bool:
    if former is None or event == former:
        return False
    if not same_but_masked(event[:2], former[:2]) or not event[2] or not former[2]:
        return True
    said, kept = msgspec.json.decode(event[2]), msgspec.json.decode(former[2])
    return not same_but_masked(said, kept)


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


def _taken_first(sheet: Sheet, ids: SeenIds, seen: Any) -> pa.Table:
    """Return the rows of `erased` that are new, and note what comes again after one of them."""
    left = sheet.notes.erased
    columns = [np.array([one[at] for one in left], dtype=np.int64) for at in range(4)]
    offset, place, high, low = columns
    rows = pa.table(
        {
            "message_hi": pa.array(high),
            "message_lo": pa.array(low),
            "log_offset": pa.array(offset),
            "place": pa.array(place.astype(np.int32)),
        }
    )
    if not left:
        return rows
    before = ids.find(high, low)
    mine = before.known & (before.offset == offset) & (before.place == place)
    count = len(sheet)
    every = [
        np.concatenate([sheet.events.column(name).to_numpy().astype(np.int64), column])
        for name, column in zip((*_AT, *_ID), (offset, place, high, low), strict=True)
    ]
    order = np.lexsort((every[1], every[0]))
    first = order[_first_places(every[2][order], every[3][order])]
    leader = np.empty_like(first)
    leader[order] = first
    events = np.flatnonzero((leader[:count] >= count) & ~seen.known)
    seen.known[events] = True
    seen.offset[events] = every[0][leader[events]]
    seen.place[events] = every[1][leader[events]]
    fresh = (~before.known | mine) & (leader[count:] == np.arange(count, len(leader)))
    return rows.filter(pa.array(fresh))


def _echoes_table(echoes: Sequence[tuple[int, int, int | None, bool]]) -> pa.Table:
    return pa.table(
        {
            "log_offset": pa.array([one[0] for one in echoes], pa.int64()),
            "place": pa.array([one[1] for one in echoes], pa.int32()),
            "identifier": pa.array([one[2] for one in echoes], pa.int64()),
            "waits": pa.array([one[3] for one in echoes], pa.bool_()),
        }
    )


def _memberships(events: pa.Table) -> set[tuple[int, str]]:
    """Return (identifier, account) as group calls and contexts told."""
    told = events.filter(
        pc.and_(pc.is_valid(events["identifier"]), pc.is_valid(events["account_id"]))
    )
    pairs = told.group_by(["identifier", "account_id"]).aggregate([])
    return set(zip(*(column.to_pylist() for column in pairs.columns), strict=True))


def _not_waiting_yet(waiting: list[Waiting], writer: FactsWriter) -> list[Waiting]:
    """Return what waits for the first time: sent again for the same reason, it waits once."""
    if not waiting:
        return waiting
    high = pa.table({"message_hi": pa.array({row[2] for row in waiting}, pa.int64())})
    found = writer.matching("quarantine", high, ["message_hi"]).select(_WAITS_AS).to_pylist()
    known = {tuple(row[name] for name in _WAITS_AS) for row in found}
    fresh: list[Waiting] = []
    for row in waiting:
        key = row[2:8]
        if key not in known:
            known.add(key)
            fresh.append(row)
    return fresh


def _quarantine_table(waiting: list[Waiting]) -> pa.Table:
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
