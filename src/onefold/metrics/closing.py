"""Closed periods: figures as they were when a day, a week or a month was closed.

Closing is an entry of the log with the figures. The first closing of a period stands, whatever
comes afterwards; what would be counted today is told beside it, with the reason.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from onefold.metrics.compile import Ask, period_of, within
from onefold.metrics.periods import cut_periods, next_period, period_start
from onefold.metrics.records import Metric
from onefold.model.facts import TABLES
from onefold.model.records import Estimate
from onefold.model.time import DAY, day_of, from_datetime
from onefold.store import FactsWriter, LogRow

if TYPE_CHECKING:
    from onefold.store import View

ROUTE = "period.close"
"""Route of the control entries that close periods."""

REASONS = (
    "late",
    "merge",
    "unmerge",
    "withdrawal",
    "consent",
    "erasure",
    "retention",
    "undo",
    "definition",
)
"""Why a closed figure may differ from what would be counted today, as they are told."""
OTHER = "other"
"""The reason where nothing that is kept of the log since then tells one."""

_SAME = 1e-9
"""Figures that differ relatively by no more are one: sums of floats depend on their order."""


class Figure(msgspec.Struct, frozen=True):
    """A figure of a closed period, as it was counted then.

    Attributes:
        metric: Its name.
        version: Of the definition that counted it.
        purpose: Under which purpose it was asked.
        currency: ISO code for money, else empty.
        estimate, low, high: The figure and its interval; money in micros.
        level: Coverage of the interval.
        n: How many people stand behind it.
    """

    metric: str
    version: int
    purpose: str
    currency: str
    estimate: float | None
    low: float | None
    high: float | None
    level: float
    n: int


class ClosedPeriod(msgspec.Struct, frozen=True):
    """A period that is closed.

    Attributes:
        every: `day`, `week` or `month`.
        start_date: Its first day in the workspace's zone.
        figures: Every metric that was in force.
    """

    every: str
    start_date: date
    figures: tuple[Figure, ...]


class Closing(msgspec.Struct, frozen=True):
    """What a control entry of `ROUTE` says.

    Attributes:
        environment: Of which environment the figures are.
        closed_time: When they were counted, microseconds UTC.
        facts_offset: Up to which row of the log the facts held then.
        periods: The periods that it closes.
    """

    environment: str
    closed_time: int
    facts_offset: int
    periods: tuple[ClosedPeriod, ...]


class PeriodsFold:
    """Keeps `closed`, and in `moved` the decisions that may move a figure of any period."""

    def __init__(self, causes: Mapping[str, str]) -> None:
        """Take the route of a control entry -> which of `REASONS` it gives."""
        self._causes = causes

    def fold(self, controls: Sequence[LogRow], writer: FactsWriter) -> None:
        """Write what control entries close; a period that is closed already stays as it is."""
        for row in controls:
            if row.route == ROUTE:
                _close(msgspec.json.decode(row.body, type=Closing), row.offset, writer)
            elif row.route in self._causes:
                _move(self._causes[row.route], row, writer)


def _close(entry: Closing, offset: int, writer: FactsWriter) -> None:
    lengths = pa.array([one.every for one in entry.periods], pa.string())
    starts = pa.array([one.start_date for one in entry.periods], pa.date32())
    named = pa.table({"every": lengths, "start_date": starts})
    columns = ("every", "start_date", "environment")
    rows = writer.matching("closed", named, ["every", "start_date"], columns=columns).to_pylist()
    stands = {(row["every"], row["start_date"]) for row in rows if _of(row, entry)}
    fresh = []
    for period in entry.periods:
        name = (period.every, period.start_date)
        if name not in stands:
            stands.add(name)
            own = {"every": period.every, "start_date": period.start_date}
            fresh += [own | msgspec.structs.asdict(figure) for figure in period.figures]
    if not fresh:
        return
    told = {
        "environment": entry.environment,
        "closed_time": entry.closed_time,
        "facts_offset": entry.facts_offset,
        "log_offset": offset,
    }
    writer.insert("closed", _table("closed", [row | told for row in fresh]))


def _of(row: Mapping[str, Any], entry: Closing) -> bool:
    return bool(row["environment"] == entry.environment)


def _move(cause: str, row: LogRow, writer: FactsWriter) -> None:
    """Write a decision; definitions that the folds go by as before move nothing."""
    detail = _rules_hash(row) if cause == "definition" else ""
    if detail:
        named = pa.table({"cause": [cause]})
        stands = writer.matching("moved", named, ["cause"]).to_pylist()
        if stands and max(stands, key=lambda one: one["log_offset"])["detail"] == detail:
            return
    told = {"cause": cause, "detail": detail, "log_offset": row.offset}
    writer.insert("moved", _table("moved", [told]))


def _rules_hash(row: LogRow) -> str:
    rules = msgspec.json.decode(row.body).get("fold", {})
    return blake2b(msgspec.json.encode(rules, order="sorted"), digest_size=16).hexdigest()


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    types = {
        "string": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "date": pa.date32(),
    }
    columns = {}
    for column, kind in TABLES[name].columns.items():
        values = [row[column] for row in rows]
        if kind == "timestamp":
            columns[column] = pa.array(values, pa.int64()).cast(pa.timestamp("us"))
        else:
            columns[column] = pa.array(values, types[kind])
    return pa.table(columns)


@dataclass(frozen=True, slots=True)
class Closed:
    """A metric of a closed period.

    Attributes:
        version: Of the definition that counted it.
        closed_time: When, microseconds UTC.
        facts_offset: Up to which row of the log the facts held then.
        values: Currency, or empty -> the figure; none of a currency that nobody used then.
    """

    version: int
    closed_time: int
    facts_offset: int
    values: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Stood:
    """A figure of a period, closed or not.

    Attributes:
        value: As closed where the period is closed, else as counted now.
        closed: Whether the period is closed.
        recomputed: What is counted now, where that differs; else None.
        reason: Why it differs: some of `REASONS`, or `OTHER`; empty where it does not.
    """

    value: Estimate
    closed: bool = False
    recomputed: Estimate | None = None
    reason: str = ""


def closed_figures(view: "View", metric: Metric, ask: Ask) -> dict[date, Closed]:
    """Return the closed periods of a question, by their first day.

    None are closed for who may not see every row, nor where the question is of other terms than
    those of the closing, by a dimension, or of no periods. A period that the window cuts is not
    as it was closed.
    """
    if view.closed is None or ask.every == "none" or ask.by is not None:
        return {}
    table: Any = view.closed
    mine = table.filter(table.metric == metric.name, table.every == ask.every)
    span = ask.spans[0]
    cut = set(cut_periods(*span, every=ask.every, zone=ask.zone))
    first = period_start(day_of(span[0], ask.zone), ask.every)
    last = day_of(max(span[1] - 1, span[0]), ask.zone)
    found: dict[date, Closed] = {}
    for row in view.ask(mine.filter(mine.start_date.between(first, last))).to_pylist():
        start = row["start_date"]
        if start in cut:
            continue
        if start not in found:
            time = from_datetime(row["closed_time"].replace(tzinfo=UTC))
            found[start] = Closed(row["version"], time, row["facts_offset"], {})
        ends = (row["estimate"], row["low"], row["high"])
        found[start].values[row["currency"]] = Estimate(*ends, row["n"], row["level"])
    return found


def beside(
    view: "View",
    metric: Metric,
    ask: Ask,
    now: Iterable[tuple[date, Estimate]],
    *,
    closed: Mapping[date, Closed],
    nobody: Estimate,
) -> list[tuple[date, Stood]]:
    """Return each period as it stands, and what is counted now where that differs.

    Args:
        view: Under which terms it is asked.
        metric: What is measured.
        ask: The question; its currency says which figures are meant.
        now: First day and figure of each period, as counted now.
        closed: What `closed_figures` returned for it.
        nobody: What the metric says of nobody: a currency that was not there when it was closed.
    """
    then: list[tuple[date, Estimate, Estimate | None]] = []
    for start, value in now:
        before = closed.get(start)
        stood = None if before is None else before.values.get(ask.currency or "", nobody)
        then.append((start, value, stood))
    moved = [start for start, value, stood in then if stood and not _same(value, stood)]
    why = _reasons(view, metric, ask, {start: closed[start] for start in moved})
    return [
        (start, Stood(value))
        if stood is None
        else (start, Stood(stood, closed=True))
        if start not in why
        else (start, Stood(stood, closed=True, recomputed=value, reason=why[start]))
        for start, value, stood in then
    ]


def _same(one: Estimate, other: Estimate) -> bool:
    if one.estimate is None or other.estimate is None:
        return one.estimate is other.estimate
    return math.isclose(one.estimate, other.estimate, rel_tol=_SAME, abs_tol=_SAME)


def _reasons(
    view: "View", metric: Metric, ask: Ask, closed: Mapping[date, Closed]
) -> dict[date, str]:
    """Return why figures of periods moved: what came since, and could move that period."""
    if not closed:
        return {}
    last = _last_moves(view, ask, min(one.facts_offset for one in closed.values()))
    by_session = any(term.table == "sessions" for term in metric.terms)
    found = {}
    for start, one in closed.items():
        near: list[date | None] = [None, start]
        if by_session:
            # A late event joins a session that began before, or one that ended after.
            near.append(period_start(start - timedelta(days=1), ask.every))
            near.append(next_period(start, ask.every))
        causes = {
            cause
            for (cause, period), offset in last.items()
            if period in near and offset > one.facts_offset
        }
        if one.version != metric.version:
            causes.add("definition")
        found[start] = ", ".join(cause for cause in REASONS if cause in causes) or OTHER
    return found


def _last_moves(view: "View", ask: Ask, since: int) -> dict[tuple[str, date | None], int]:
    """Return (cause, period) -> the last row of the log that gave it; None is any period."""
    if view.moves is None:
        return {}
    around = (ask.spans[0][0] - 31 * DAY, ask.spans[0][1] + 31 * DAY)
    wider = Ask((around,), ask.every, None, ask.zone)
    moves: Any = view.moves()
    moves = moves.filter(moves.log_offset > since)
    timed = moves.filter(moves.event_time.notnull(), within(moves.event_time, around))
    timed = timed.mutate(period=period_of(timed.event_time, wider))
    grouped = timed.group_by("cause", "period").aggregate(last=lambda t: t.log_offset.max())
    any_time = moves.filter(moves.event_time.isnull()).group_by("cause")
    whole = any_time.aggregate(last=lambda t: t.log_offset.max())
    return {
        (row["cause"], row.get("period")): row["last"]
        for asked in (grouped, whole)
        for row in view.ask(asked).to_pylist()
    }
