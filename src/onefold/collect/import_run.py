"""Imports: a file and its mapping to rows of the log, reconciled to the cent."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Named
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import msgspec
import pyarrow as pa

from onefold.collect import queries
from onefold.collect.blocks import read_blocks
from onefold.collect.columnar import read_columns, suits
from onefold.collect.entities import ENTITIES, LINKS, PERSONS
from onefold.collect.link_queries import known_ids
from onefold.collect.mapping import Mapping, read_mapping
from onefold.collect.reading import body_of, read_source
from onefold.collect.records import Code, Record
from onefold.collect.rows import Converter
from onefold.collect.runs import RUN, SOURCE, UNDO, RunEntry, run_id
from onefold.collect.staged import COLUMNS, DIALECT, ROWS, columns_body
from onefold.collect.veil import Veil
from onefold.model.errors import unknown
from onefold.model.money import Money
from onefold.model.records import Answer, Asker, Column
from onefold.model.time import Clock, format_time
from onefold.store import Log, NewRow, State, View

_starting = threading.Lock()
_given: WeakKeyDictionary[Log, int] = WeakKeyDictionary()
"""Log -> the time of the run that began last here; its entry may not be in the log yet."""
_COUNTS = 15
"""Verdict of a row that counts."""
_COLUMNS_FROM = 200_000
_COLUMNS_A_ROW = 16_384
"""Under a megabyte when packed, which a broker takes by default."""
_BYTES_A_COMMIT = 16_000_000
_RECORDS_A_ROW = 500
_ROWS_A_COMMIT = 20
_MOST_FAULTS = 20
_MOST_SHOWN = 3

Progress = Callable[[str, int, int | None], None]


class Keeper(Protocol):
    """What an import needs of a workspace."""

    @property
    def log(self) -> Log:
        """Where the records go."""
        ...

    @property
    def clock(self) -> Clock:
        """Tells when they came."""
        ...

    @property
    def identity_key(self) -> bytes:
        """Makes the ids of rows, and the keys by which persons are known."""
        ...


@dataclass(slots=True)
class _Sums:
    """What was read, and what of it counts."""

    read: int = 0
    kept: int = 0
    again: int = 0
    amounts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    faults: list[str] = field(default_factory=list)
    first: list[Record] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    links: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        self.read += 1
        if record.message_id in self.ids:
            self.again += 1
            return
        self.ids.add(record.message_id)
        micros, currency = record.fields.get("amount_micros"), record.fields.get("currency")
        if record.reason:
            self.faults.append(record.reason)
            if micros is None or not isinstance(currency, str):
                self.unreadable += 1
            else:
                self.left_out[currency] += micros
            return
        self.kept += 1
        for name, found in self.links.items():
            if record.fields.get(name) is not None:
                found[record.fields[name]] += 1
        if micros is not None and currency is not None:
            self.amounts[currency] += micros
        if len(self.first) < _MOST_SHOWN:
            self.first.append(record)

    def add_columns(self, rows: pa.Table) -> None:
        """Count rows all of which count."""
        self.read += rows.num_rows
        self.kept += rows.num_rows
        for name, found in self.links.items():
            for one in rows[name].drop_null().value_counts().to_pylist():
                found[one["values"]] += one["counts"]
        if "amount_micros" in rows.column_names:
            summed = rows.group_by("currency").aggregate([("amount_micros", "sum")])
            for currency, micros in zip(
                summed["currency"].to_pylist(), summed["amount_micros_sum"].to_pylist(), strict=True
            ):
                if currency is not None and micros is not None:
                    self.amounts[currency] += micros


def run(
    keeper: Keeper,
    mapping: Path,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    view: View | None = None,
    purposes: Sequence[str] = (),
    columns_from: int = _COLUMNS_FROM,
) -> Answer:
    """Bring in the records that a mapping file describes, and return the reconciliation.

    A row that was brought in before, and is the same, counts once; one whose key is known and
    whose values differ stands in place of the former. A bad row waits in quarantine with file,
    line and reason, and costs the others nothing. The run can be taken back (see `undo`).

    Args:
        keeper: The workspace; its log takes the records.
        mapping: The mapping file (YAML).
        dry_run: Read and judge everything, keep nothing.
        progress: Told how far it is.
        view: Tells what is known already; without it no link of a row is looked up.
        purposes: Of which consent may be told; with none named, of any.
        columns_from: Bytes of a CSV from which on it is read as columns, which makes no
            difference but to the time it takes.

    Returns:
        One row a currency (one row without money): rows read, kept, standing in the file twice,
        waiting; of the kept the links to what nobody knows (`orphans`, and by field where there
        are several), and the share of the others; sums of the kept and of the waiting; the run
        and the bad rows' reasons in the notes.

    Raises:
        NotFound: A file is not there.
        BadInput: Mapping or file cannot be used as a whole.
        DiskFull: There is no room; what was kept before counts once when it is run again.
    """
    described = read_mapping(mapping)
    now = _new_time(keeper)
    source = SOURCE + described.name
    started = RunEntry(
        run=run_id(source, now),
        source=source,
        run_time=now,
        environment=described.environment,
        entity=described.entity,
        file=described.origin,
    )
    linked = LINKS.get(described.table, {})
    sums = _Sums(links={name: Counter() for name in linked if name in described.columns})
    taken = _Taken(keeper, started, dry_run=dry_run)
    converter = Converter(described, now, keeper.identity_key, purposes=purposes)
    for part, row in _log_rows(converter, described, now, sums, columns_from):
        taken.add(row)
        if progress is not None:
            read = sums.read if part is None else min(sums.read, part)
            progress(f"Reading {described.origin}", read, part)
    taken.close(sums)
    orphans = None if view is None else _orphans(sums, described, view, keeper)
    return _reconciled(described, sums, orphans, run="" if dry_run else started.run)


def _orphans(sums: _Sums, mapping: Mapping, view: View, keeper: Keeper) -> dict[str, Counter[str]]:
    """Return field -> what rows name and nobody knows, with how many rows name each."""
    veil = Veil(keeper.identity_key)
    found: dict[str, Counter[str]] = {}
    for name, told in sums.links.items():
        if told:
            known = known_ids(view, LINKS[mapping.table][name])
            lost = {one: rows for one, rows in told.items() if veil.link(name, one) not in known}
            found[name] = Counter(lost)
    return found


class _Taken:
    """Brings the rows of a run to the log, some at a time; none in a dry run."""

    def __init__(self, keeper: Keeper, started: RunEntry, *, dry_run: bool) -> None:
        self._keeper = keeper
        self._started = started
        self._dry_run = dry_run
        self._rows = [_control(RUN, started)]
        self._bytes = 0

    def add(self, row: NewRow) -> None:
        self._rows.append(row)
        self._bytes += len(row.body)
        if len(self._rows) >= _ROWS_A_COMMIT or self._bytes >= _BYTES_A_COMMIT:
            self._append()

    def close(self, sums: _Sums) -> None:
        """Bring in what is left, and that the run is done."""
        done = msgspec.structs.replace(
            self._started,
            read=sums.read,
            kept=sums.kept,
            again=sums.again,
            waiting=len(sums.faults),
            done_time=max(self._started.run_time, self._keeper.clock()),
        )
        self._rows.append(_control(RUN, done))
        self._append()

    def _append(self) -> None:
        if not self._dry_run:
            self._keeper.log.append(self._rows)
        self._rows, self._bytes = [], 0


def _log_rows(
    converter: Converter, mapping: Mapping, now: int, sums: _Sums, columns_from: int
) -> Iterator[tuple[int | None, NewRow]]:
    """Yield how many rows there are, where that is known, and rows of the log."""
    if suits(mapping) and mapping.file.stat().st_size >= columns_from:
        body = body_of(mapping)
        total: int | None = body.count(b"\n") + 1
        found = read_columns(
            mapping, converter, list(read_blocks(mapping, body)), keep_first=_MOST_SHOWN
        )
        for table in found.good:
            sums.add_columns(table)
            for start in range(0, table.num_rows, _COLUMNS_A_ROW):
                part = table.slice(start, _COLUMNS_A_ROW)
                yield total, _columns_row(mapping, part, now)
        numbered = iter(found.others)
    else:
        source = read_source(mapping)
        numbered, total = source.rows, source.total
    for records in _groups(converter.record(line, raw) for line, raw in numbered):
        for record in records:
            sums.add(record)
        yield total, _row(mapping, records, now)


def _columns_row(mapping: Mapping, rows: pa.Table, now: int) -> NewRow:
    return NewRow(
        received_time=now,
        source=SOURCE + mapping.name,
        environment=mapping.environment,
        dialect=DIALECT,
        route=COLUMNS,
        body=columns_body(rows, mapping.entity, mapping.priority),
        verdicts=bytes([_COUNTS]) * rows.num_rows,
    )


def undo(state: State, view: View, asker: Asker, run: str, *, now: int) -> bool:
    """Take an import back: its rows count no more; return whether it stood until now.

    The folds obey the entry that the relay brings to the log: what stands then is what the other
    standing runs tell, as if this one had never been.

    Args:
        state: Takes the change and its audit entry.
        view: Tells which runs there are.
        asker: Who takes it back.
        run: Its id.
        now: The time, microseconds.

    Raises:
        NotFound: There is no such run.
    """
    found = {row["run"]: row for row in queries.import_runs(view)}
    if run not in found:
        raise unknown("run", run, found)
    row = found[run]
    if row["undone_time"] is not None:
        return False
    entry = RunEntry(run, row["source"], row["run_time"], undone_time=now)
    detail = {"entity": row["entity"], "file": row["file"]}
    body = msgspec.to_builtins(entry)
    with state.change(asker, "import.undo", run, detail=detail, entry=(UNDO, body)):
        pass
    return True


def latest(log: Log) -> RunEntry | None:
    """Return what the log said last of a run, or None before the first."""
    row = log.latest("control", RUN)
    return None if row is None else msgspec.json.decode(row.body, type=RunEntry)


def runs(view: View) -> Answer:
    """Return the runs that are known, the newest first, with what stands of each."""
    said = ("read", "kept", "again", "waiting")
    rows = queries.import_runs(view)
    return Answer(
        columns=(
            Column("run", "text"),
            Column("entity", "text"),
            Column("file", "text"),
            *(Column(name, "integer", "rows") for name in said),
            Column("run_time", "time"),
            Column("state", "text"),
        ),
        rows=tuple(
            (
                row["run"],
                row["entity"],
                row["file"],
                *(row[name] for name in said),
                row["run_time"],
                _state(row),
            )
            for row in rows
        ),
        definition="Runs of imports, the newest first. One that was broken off stands as far as "
        "it came; `onefold undo` takes it back too.",
        as_of_time=view.fresh_time,
    )


def _state(row: dict[str, Any]) -> str:
    if row["undone_time"] is not None:
        return "undone"
    return "stands" if row["done_time"] is not None else "broken off, or still under way"


def _new_time(keeper: Keeper) -> int:
    """Return the time of a run; no two runs of a log share one, whatever the clock says."""
    with _starting:
        last = keeper.log.latest("control", RUN)
        known = max(last.received_time if last else -1, _given.get(keeper.log, -1))
        _given[keeper.log] = now = max(keeper.clock(), known + 1)
    return now


def _control(route: str, entry: RunEntry) -> NewRow:
    return NewRow(
        received_time=entry.run_time,
        source="",
        environment="",
        dialect="control",
        route=route,
        body=msgspec.json.encode(entry),
        verdicts=b"",
    )


def _groups(records: Iterator[Record]) -> Iterator[list[Record]]:
    while group := list(islice(records, _RECORDS_A_ROW)):
        yield group


def _row(mapping: Mapping, records: list[Record], now: int) -> NewRow:
    return NewRow(
        received_time=now,
        source=SOURCE + mapping.name,
        environment=mapping.environment,
        dialect=DIALECT,
        route=ROWS,
        body=msgspec.json.encode(records),
        verdicts=bytes(Code.SCHEMA << 4 if one.reason else _COUNTS for one in records),
    )


def _reconciled(
    mapping: Mapping, sums: _Sums, orphans: Named[str, Counter[str]] | None, *, run: str
) -> Answer:
    counts: tuple[object, ...] = (
        mapping.table,
        sums.read,
        sums.kept,
        sums.again,
        len(sums.faults),
    )
    columns = [
        Column("table", "text"),
        Column("read", "integer", "rows"),
        Column("kept", "integer", "rows"),
        Column("again", "integer", "rows"),
        Column("waiting", "integer", "rows"),
    ]
    if orphans:
        each = {name: found.total() for name, found in orphans.items()}
        lost, linked = sum(each.values()), sum(sums.links[name].total() for name in orphans)
        columns += [Column("orphans", "integer", "rows"), Column("match_share", "share")]
        counts = (*counts, lost, round(1 - lost / linked, 4))
        if len(each) > 1:
            columns += [Column(f"{name}_orphans", "integer", "rows") for name in each]
            counts = (*counts, *each.values())
    rows: list[tuple[object, ...]] = [counts]
    if "amount_micros" in mapping.columns:
        columns += [Column("kept_sum", "money"), Column("waiting_sum", "money")]
        currencies = sorted({*sums.amounts, *sums.left_out})
        rows = [
            (*counts, Money(sums.amounts[one], one), Money(sums.left_out[one], one))
            for one in currencies
        ] or [(*counts, None, None)]
    return Answer(
        columns=tuple(columns),
        rows=tuple(rows),
        definition=(
            f"Rows of {mapping.origin} into `{mapping.table}`. Waiting rows are in quarantine; "
            "rows that stand in the file again, or were brought in before, count once."
        ),
        notes=tuple(_notes(mapping, sums, orphans or {}, run=run)),
    )


def _notes(
    mapping: Mapping, sums: _Sums, orphans: Named[str, Counter[str]], *, run: str
) -> Iterator[str]:
    if run:
        yield f"Run {run}; `onefold undo {run}` takes it back."
    else:
        yield "Nothing was kept: this was a dry run."
        for record in sums.first:
            yield f"{record.where}: {_shown(record)}"
    for name, found in orphans.items():
        if found:
            yield _lost(LINKS[mapping.table][name], found)
    yield from sums.faults[:_MOST_FAULTS]
    if len(sums.faults) > _MOST_FAULTS:
        yield f"{len(sums.faults) - _MOST_FAULTS:,} more rows wait; see `onefold quarantine list`."
    if sums.unreadable and (sums.amounts or sums.left_out):
        yield f"Of {sums.unreadable:,} waiting rows the amount cannot be read."


def _lost(table: str, found: Counter[str]) -> str:
    if table == PERSONS:
        count = f"{len(found):,} user ids of {found.total():,} rows"
        return f"No person was ever seen under {count}: mend the column, or identify them so."
    named = ", ".join(sorted(found)[:_MOST_SHOWN])
    more = f" and {len(found) - _MOST_SHOWN:,} more" if len(found) > _MOST_SHOWN else ""
    what = "invoice" if table == "spend" else ENTITIES[table]
    return f"No {what} is known as {named}{more}: bring the {what}s in, or mend the column."


def _shown(record: Record) -> str:
    parts = [f"key={record.key}"]
    for name, value in record.fields.items():
        if value is None:
            continue
        if name.endswith("_micros"):
            parts.append(f"{name.removesuffix('_micros')}={value / 1_000_000:.2f}")
        elif name.endswith("_time") and isinstance(value, int):
            parts.append(f"{name}={format_time(value)}")
        else:
            parts.append(f"{name}={value}")
    return ", ".join(parts)
