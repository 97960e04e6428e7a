"""Imported rows to facts: each version kept with its run, so that a run can be taken back.

What stands is a function of the set of standing runs and of nothing else: not of the order in
which they came, nor of what was undone between them. So undo is to forget the rows of a run and
to settle its keys anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect import rights
from onefold.collect.promote import arrow_column
from onefold.collect.runs import RUN, UNDO, RunEntry, run_id
from onefold.collect.scrub_records import ScrubRecords
from onefold.collect.staged import DIALECT, Staged, read_staged, value_columns
from onefold.collect.veil import Names, Veil
from onefold.collect.versions import Contents, Version, merged
from onefold.model.facts import RECORD_CODES, RECORD_TABLES, TABLES
from onefold.model.time import DAY
from onefold.store import FactsWriter, Log, LogRow, planes

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_RECORD_COLUMNS = [name for name in TABLES["records"].columns if name != "parent_id"]
_ENTITIES = list(RECORD_CODES)
_PAIR = ["message_hi", "message_lo"]
_RUN = ["source", "run_time"]


_TOLD = frozenset({"contact", "consent"})
"""Entities of which other folds hear what changed."""

ReadRecords = list[Staged | tuple[str, RunEntry]]
"""Rows and control entries (route, entry) in the order of the log."""


class RecordsFold:
    """Turns imported rows into `records`, `quarantine` and the tables of entities."""

    def __init__(
        self,
        log: Log,
        identity_key: bytes,
        gone: Mapping[int, int] | None = None,
        expired: Mapping[str, int] | None = None,
    ) -> None:
        """Begin with what stands in the facts.

        Args:
            log: Tells what versions of a row say.
            identity_key: Of the workspace.
            gone: Keys of who is erased, as `erasures.since` tells them.
            expired: Table -> before when none of its rows is kept, microseconds.
        """
        self._veil = Veil(identity_key)
        self._scrub = ScrubRecords(identity_key, gone or {}, expired)
        self._gone = frozenset(gone or ())
        self._late: list[int] = []
        self._contents = Contents(log, self._veil, self._scrub.row)
        self._begun: tuple[str, int] | None = None
        self._folded: set[int] = set()
        """Digests of the log rows that were folded of the run that was begun under these eyes."""
        self._changed: dict[str, set[str]] = defaultdict(set)

    def changed(self, entity: str) -> frozenset[str]:
        """Return the keys of an entity whose rows the last `write` may have changed."""
        return frozenset(self._changed[entity])

    def read(self, rows: Sequence[LogRow]) -> ReadRecords:
        """Return what rows of the log hold of records; nothing is asked of the facts."""
        found: ReadRecords = []
        for row in rows:
            if row.dialect == DIALECT:
                staged = read_staged(row, self._veil)
                if any(map(self._may_go, staged)):
                    left = self._scrub.row(row)
                    if left is not row:
                        staged = read_staged(left, self._veil)
                        self._late.append(row.offset)
                found += staged
            elif row.dialect == "control" and row.route in {RUN, UNDO}:
                found.append((row.route, msgspec.json.decode(row.body, type=RunEntry)))
        return found

    def late(self) -> list[int]:
        """Return the offsets of rows read since it was last asked that name somebody erased."""
        found, self._late = self._late, []
        return found

    def _may_go(self, staged: Staged) -> bool:
        """Return whether rows may be old or name somebody erased: a second look is worth it."""
        if self._scrub.horizon(staged.entity):
            return True
        if not self._gone:
            return False
        if not self._gone.isdisjoint(staged.names):
            return True
        return staged.entity in rights.WHOLE or bool(staged.waiting.num_rows)

    def write(self, read: ReadRecords, writer: FactsWriter) -> None:
        """Write what was read, in the order of the log."""
        self._changed.clear()
        gathered: list[Staged] = []
        for one in read:
            if isinstance(one, Staged) and (not gathered or gathered[-1].joins(one)):
                gathered.append(one)
                continue
            self._bring(gathered, writer)
            gathered = [one] if isinstance(one, Staged) else []
            if not isinstance(one, Staged):
                route, entry = one
                if route == UNDO:
                    self._undo(entry, writer)
                if _note_run(entry, writer) and route == RUN:
                    self._begun, self._folded = (entry.source, entry.run_time), set()
        self._bring(gathered, writer)

    def forget(self, keys: Collection[int], writer: FactsWriter) -> None:
        """Let go of rows that are of persons, and settle those that named them.

        The log is asked what the latter say now, so it must have let go before.
        """
        found = planes.rows_of(writer, rights.IMPORTS, keys)
        for entity, (table, key) in RECORD_TABLES.items():
            named = pa.array({row[key] for row in found.get(table, ())}, pa.string())
            rows = _keyed(entity, named)
            if not len(named):
                continue
            if entity in rights.WHOLE:
                versions = writer.matching("records", rows, ["entity", "key"])
                rights.forget_messages(versions, writer)
                writer.delete(table, pa.table({key: named}), [key])
                self._note(entity, rows)
                self._settle_naming(key, named, writer)
            else:
                self._settle(entity, rows, writer)

    def _settle_naming(self, link: str, named: pa.Array, writer: FactsWriter) -> None:
        """Settle the rows of other entities that name some contacts or creators."""
        for entity, (table, key) in RECORD_TABLES.items():
            if key == link or link not in TABLES[table].columns:
                continue
            ids = writer.matching(table, pa.table({link: named}), [link])[key]
            self._settle(entity, _keyed(entity, ids), writer)

    def _bring(self, gathered: Sequence[Staged], writer: FactsWriter) -> None:
        """Bring in rows of one run, source and entity each, unless the run was taken back."""
        for group in _by_entity(gathered):
            first = group[0]
            if not _stands(first, writer):
                continue
            # No key of distinct rows stands in others of their run: each goes its own way.
            for distinct in (True, False):
                some = [one for one in group if one.distinct == distinct]
                rows = pa.concat_tables([one.rows for one in some]) if some else _NOTHING
                if rows.num_rows:
                    fresh = distinct and self._is_alone(some, writer)
                    self._keep(first, rows, writer, distinct=distinct, fresh=fresh)
            waiting = pa.concat_tables([one.waiting for one in group])
            if waiting.num_rows:
                _keep_waiting(first, waiting, writer)

    def _is_alone(self, group: Sequence[Staged], writer: FactsWriter) -> bool:
        """Return whether no row that stands can have a key of these.

        That is known of a run that was begun under these eyes, where no other of its entity
        stands; and of log rows that were not folded before, for a log may repeat one.
        """
        digests = {one.digest for one in group}
        again = len(digests) < len(group) or not self._folded.isdisjoint(digests)
        if again or self._begun != (group[0].source, group[0].run_time):
            return False
        self._folded |= digests
        named = pa.table({"entity": pa.array([group[0].entity], pa.string())})
        others = writer.matching("runs", named, ["entity"])
        mine = pc.equal(others["run_time"].cast(pa.int64()), group[0].run_time)
        standing = pc.and_(pc.is_null(others["undone_time"]), pc.invert(mine))
        return not pc.any(standing).as_py()

    def _keep(
        self, run: Staged, rows: pa.Table, writer: FactsWriter, *, distinct: bool, fresh: bool
    ) -> None:
        """Keep rows; `fresh` ones have keys that nothing stands under."""
        former = _NOTHING if fresh else writer.matching("records", _keys(rows), ["entity", "key"])
        if not fresh:
            again, told = _compared(run, rows, former)
            if told.any() or again.any():
                _count_duplicates(run, int((told | again).sum()), writer)
            if again.any():
                rows = rows.filter(pa.array(~again))
        placed = ["parent_id"] if run.entity == "account" else []
        writer.insert("records", rows.select([*_RECORD_COLUMNS, *placed]))
        if not distinct and _has_repeats(rows["key"]):
            self._settle(run.entity, _keys(rows), writer)
            return
        if not former.num_rows:
            self._write(run.entity, rows, run.source, writer)
            return
        known = _is_in(rows["key"], former["key"])
        self._write(run.entity, rows.filter(pa.array(~known)), run.source, writer)
        if known.any():
            self._replace(run, rows.filter(pa.array(known)), former, writer)

    def _write(self, entity: str, rows: pa.Table, source: str, writer: FactsWriter) -> None:
        """Insert rows of one source into the table of their entity."""
        if not rows.num_rows:
            return
        self._note(entity, rows)
        table, key = RECORD_TABLES[entity]
        columns = {name: rows[name] for name in value_columns(entity)}
        columns[key] = rows["key"]
        columns["known_time"] = rows["known_time"]
        columns["sources"] = pa.repeat(only(source), rows.num_rows)
        writer.insert(table, pa.table({name: columns[name] for name in TABLES[table].columns}))

    def _replace(self, run: Staged, rows: pa.Table, former: pa.Table, writer: FactsWriter) -> None:
        """Let rows stand in place of former versions; the plain cases without reading any."""
        newer = pc.greater_equal(former["known_time"], pc.min(rows["known_time"]))
        sources = _with_runs(former, writer)["source"]
        alien = pc.or_(pc.not_equal(sources, run.source), newer)
        mixed = _is_in(rows["key"], former["key"].filter(alien))
        before, now = _numbers(former, rows)
        changed = former["key"].filter(pa.array(~np.isin(before, now)))
        plain = rows.filter(pa.array(~mixed & _is_in(rows["key"], changed)))
        self._note(run.entity, plain)
        table, key = RECORD_TABLES[run.entity]
        writer.delete(table, plain.select(["key"]).rename_columns([key]), [key])
        self._write(run.entity, plain, run.source, writer)
        if mixed.any():
            self._settle(run.entity, _keys(rows.filter(pa.array(mixed))), writer)

    def _settle(self, entity: str, keys: pa.Table, writer: FactsWriter) -> None:
        """Write the rows of keys anew from all their standing versions."""
        self._note(entity, keys)
        table, key = RECORD_TABLES[entity]
        standing = _with_runs(writer.matching("records", keys, ["entity", "key"]), writer)
        versions: dict[str, list[Version]] = defaultdict(list)
        for row in standing.to_pylist():
            versions[row["key"]].append(Version.of(row))
        writer.delete(table, keys.select(["key"]).rename_columns([key]), [key])
        values = [merged(entity, found, self._contents) for found in versions.values()]
        columns = TABLES[table].columns
        arrays = [arrow_column([row[n] for row in values], kind) for n, kind in columns.items()]
        writer.insert(table, pa.Table.from_arrays(arrays, names=list(columns)))

    def _note(self, entity: str, rows: pa.Table) -> None:
        if entity in _TOLD:
            self._changed[entity].update(rows["key"].to_pylist())

    def _undo(self, entry: RunEntry, writer: FactsWriter) -> None:
        run = pa.table({"run_time": arrow_column([entry.run_time], "timestamp")})
        mine = writer.matching("records", run, ["run_time"])
        if not mine.num_rows:
            return
        writer.delete("records", run, ["run_time"])
        gone = mine.filter(mine["waiting"])
        if gone.num_rows:
            others = writer.matching("records", _pairs(gone), _PAIR)
            _forget(gone, _with_runs(others, writer), writer)
        counted = mine.filter(pc.invert(mine["waiting"]))
        for code in pc.unique(counted["entity"]).to_pylist():
            ours = counted.filter(pc.equal(counted["entity"], code))
            self._settle(_ENTITIES[code], _keys(ours), writer)


def names_in(read: ReadRecords) -> Names:
    """Return what the keys in rows that were read stand for, for the vault."""
    return {key: name for one in read if isinstance(one, Staged) for key, name in one.names.items()}


def only(source: str) -> str:
    """Return what `sources` says of a row all of whose fields one source told."""
    return msgspec.json.encode({"*": source}).decode()


def _by_entity(gathered: Sequence[Staged]) -> Iterator[list[Staged]]:
    found: dict[str, list[Staged]] = defaultdict(list)
    for one in gathered:
        found[one.entity].append(one)
    yield from found.values()


def _stands(run: Staged, writer: FactsWriter) -> bool:
    """Return whether a run counts; one that nobody announced is noted."""
    found = writer.matching("runs", _named(run.source, run.run_time), _RUN)
    if found.num_rows:
        return not found["undone_time"][0].is_valid
    name = run_id(run.source, run.run_time)
    entry = RunEntry(name, run.source, run.run_time, environment=run.environment, entity=run.entity)
    _note_run(entry, writer)
    return True


def _named(source: str, run_time: int) -> pa.Table:
    return pa.table({"source": [source], "run_time": arrow_column([run_time], "timestamp")})


def _note_run(entry: RunEntry, writer: FactsWriter) -> bool:
    """Keep what is known of a run, and return whether it is new.

    What an entry does not say stays as it was.
    """
    named = _named(entry.source, entry.run_time)
    former = writer.matching("runs", named, _RUN).to_pylist()
    columns = TABLES["runs"].columns
    said = {name: getattr(entry, name) for name in columns}
    if former:
        for name, kind in columns.items():
            if not said[name] and kind != "timestamp":
                said[name] = former[0][name]
    arrays = {name: arrow_column([said[name]], kind) for name, kind in columns.items()}
    for name in ("done_time", "undone_time"):
        if said[name] is None and former and former[0][name] is not None:
            arrays[name] = pa.array([former[0][name]], pa.timestamp("us"))
    writer.delete("runs", named, _RUN)
    writer.insert("runs", pa.table(arrays))
    return not former


_NOTHING = pa.table(
    {name: arrow_column([], kind) for name, kind in TABLES["records"].columns.items()}
)


def _keys(rows: pa.Table) -> pa.Table:
    return rows.select(["entity", "key"])


def _keyed(entity: str, keys: pa.Array | pa.ChunkedArray) -> pa.Table:
    code = pa.scalar(RECORD_CODES[entity], pa.int16())
    return pa.table({"entity": pa.repeat(code, len(keys)), "key": keys})


def _pairs(rows: pa.Table) -> pa.Table:
    return rows.select(_PAIR)


def _is_in(values: pa.ChunkedArray, among: pa.ChunkedArray) -> Flags:
    return pc.is_in(values, among.combine_chunks()).to_numpy()  # type: ignore[no-any-return]


def _has_repeats(keys: pa.ChunkedArray) -> bool:
    return len(keys.combine_chunks().dictionary_encode().dictionary) < len(keys)


def _compared(run: Staged, rows: pa.Table, former: pa.Table) -> tuple[Flags, Flags]:
    """Return which rows came in this run before, and which are known from another."""
    high = np.sort(rows["message_hi"].to_numpy())
    if not former.num_rows and (high[1:] != high[:-1]).all():
        nothing = np.zeros(rows.num_rows, dtype=np.bool_)
        return nothing, nothing
    before, now = _numbers(former, rows)
    in_run = pc.equal(former["run_time"].cast(pa.int64()), run.run_time).to_numpy()
    return ~_is_first(now) | np.isin(now, before[in_run]), np.isin(now, before)


def _is_first(numbers: Ints) -> Flags:
    first = np.zeros(len(numbers), dtype=np.bool_)
    first[np.unique(numbers, return_index=True)[1]] = True
    return first


def _numbers(former: pa.Table, rows: pa.Table) -> tuple[Ints, Ints]:
    """Return one number a message of each table, the same for the same id."""
    high, low = (np.concatenate([former[name].to_numpy(), rows[name].to_numpy()]) for name in _PAIR)
    order = np.lexsort((low, high))
    differs = (np.diff(high[order]) != 0) | (np.diff(low[order]) != 0)
    found = np.zeros(len(order), dtype=np.int64)
    found[order[1:]] = np.cumsum(differs)
    return found[: len(former)], found[len(former) :]


def _count_duplicates(run: Staged, count: int, writer: FactsWriter) -> None:
    day = pa.array([run.run_time // DAY], pa.int32()).cast(pa.date32())
    writer.insert(
        "duplicates", pa.table({"received_date": day, "source": [run.source], "events": [count]})
    )


def _with_runs(records: pa.Table, writer: FactsWriter) -> pa.Table:
    """Return rows of `records` with `source` and `environment` of their runs."""
    named = records.group_by("run_time").aggregate([])
    runs = writer.matching("runs", named, ["run_time"]).sort_by("run_time")
    known, times = (table["run_time"].cast(pa.int64()).to_numpy() for table in (runs, records))
    place = pa.array(np.searchsorted(known, times))
    for name in ("source", "environment"):
        records = records.append_column(name, runs[name].take(place))
    return records


def _keep_waiting(run: Staged, waiting: pa.Table, writer: FactsWriter) -> None:
    """Let bad rows wait; the same row for the same reason waits once."""
    former = writer.matching("records", _pairs(waiting), _PAIR)
    before, now = _numbers(former, waiting)
    first = _is_first(now)
    fresh = first & ~np.isin(now, before)
    writer.insert("records", waiting.filter(pa.array(first)).select(_RECORD_COLUMNS))
    rows = waiting.filter(pa.array(fresh))
    same = {"event": run.entity, "source": run.source, "environment": run.environment}
    columns = {name: pa.repeat(value, rows.num_rows) for name, value in same.items()}
    columns["received_time"] = rows["run_time"]
    for name in TABLES["quarantine"].columns:
        columns.setdefault(name, rows[name] if name in rows.column_names else None)
    writer.insert("quarantine", pa.table(columns))


def _forget(gone: pa.Table, others: pa.Table, writer: FactsWriter) -> None:
    """Take bad rows out of quarantine, but for those that another run told as well."""
    ids = _pairs(gone)
    standing = writer.matching("quarantine", ids, _PAIR)
    writer.delete("quarantine", ids, _PAIR)
    if not others.num_rows or not standing.num_rows:
        return
    # The first of the others that told a message takes the place of the one taken back.
    ordered = others.sort_by([("run_time", "ascending"), ("log_offset", "ascending")])
    heirs = {(row["message_hi"], row["message_lo"]): row for row in reversed(ordered.to_pylist())}
    kept = []
    for row in standing.to_pylist():
        heir = heirs.get((row["message_hi"], row["message_lo"]))
        if heir is not None:
            row |= {"log_offset": heir["log_offset"], "place": heir["place"]}
            row |= {"source": heir["source"], "environment": heir["environment"]}
            kept.append(row | {"received_time": heir["run_time"]})
    if kept:
        writer.insert("quarantine", pa.Table.from_pylist(kept, schema=standing.schema))
