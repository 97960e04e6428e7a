"""Figures that are quantiles: of what units have, and of how long they took.

Who has not done it yet is no one left out, but one who took longer than was seen so far
(censoring); a figure without them would call slow what is quick.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from onefold.metrics.compile import (
    Ask,
    dimension_of,
    in_order,
    instant,
    meant,
    period_of,
    unit_of,
    units_compiled,
    within,
)
from onefold.metrics.records import TIMED, Metric
from onefold.metrics.tables import read_tables, surrounded, unit_column
from onefold.metrics.weights import weight_of
from onefold.model.records import Estimate
from onefold.stats import ranges

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

Place = tuple[date | None, str | None]


def question(view: "View", metric: Metric, ask: Ask) -> "ir.Table":
    """Return what a quantile asks of the facts: a row a value that some units have.

    Columns: `period` and `dimension` as asked; `value` (of times, seconds), `ended` (of times:
    whether it ended then), `weight`, `units`.
    """
    if metric.kind == "quantile":
        return units_compiled(view, metric, ask)
    return _times(view, metric, ask)


def estimates(view: "View", metric: Metric, ask: Ask) -> dict[Place, Estimate]:
    """Return the quantile of each period and dimension that has anybody."""
    groups: dict[Place, list[dict[str, Any]]] = defaultdict(list)
    for row in view.ask(question(view, metric, ask)).to_pylist():
        groups[row.get("period"), row.get("dimension")].append(row)
    return {place: _estimate(metric, rows) for place, rows in groups.items()}


def _estimate(metric: Metric, rows: Iterable[dict[str, Any]]) -> Estimate:
    found = sorted(rows, key=lambda row: row["value"])
    values, counts, weights = (
        np.array([row[name] for row in found], dtype=np.float64)
        for name in ("value", "units", "weight")
    )
    if metric.kind == "quantile":
        return ranges.quantile(values, metric.quantile, counts=counts, weights=weights)
    ended = np.array([row["ended"] for row in found], dtype=np.bool_)
    return ranges.time_quantile(values, ended, metric.quantile, counts=counts, weights=weights)


def _times(view: "View", metric: Metric, ask: Ask) -> "ir.Table":
    """Return how long units took, or were seen not to; of the units that began in the window."""
    import ibis

    tables = read_tables(view, metric, ask.spans)
    name = metric.numerator.table
    spans = (
        _rows_that_end(view, name, ask)
        if name in TIMED
        else _from_first_to_next(view, metric, tables[name], ask)
    )
    until = instant(min(view.now, view.fresh_time) if view.fresh_time is not None else view.now)
    begun = spans.filter(within(spans.start, ask.spans[0]), spans.start <= until)
    ended = begun.end.notnull() & (begun.end <= until)
    seen = ibis.ifelse(ended, begun.end, until)
    columns: dict[str, Any] = {
        "value": seen.delta(begun.start, unit="second").cast("float64"),
        "ended": ended.fill_null(False),
        "weight": begun.weight,
    }
    if ask.every != "none":
        columns["period"] = period_of(begun.start, ask)
    if ask.by:
        columns["dimension"] = begun.dimension
    told = begun.select(**columns)
    return told.group_by(*columns).aggregate(units=told.count())


def _rows_that_end(view: "View", name: str, ask: Ask) -> "ir.Table":
    """Return imported rows that begin and end, each for itself."""
    import ibis

    begin, end = TIMED[name]
    table = view.records[name]
    columns: dict[str, Any] = {"start": table[begin], "end": table[end]}
    if ask.by:
        columns["dimension"] = table[ask.by].cast("string")
    columns["weight"] = ibis.literal(1.0)
    # A clock that ran back makes no time of less than nothing.
    found = table.select(**columns).filter(table[begin].notnull())
    return found.mutate(end=ibis.ifelse(found.end < found.start, found.start, found.end))


def _from_first_to_next(view: "View", metric: Metric, events: "ir.Table", ask: Ask) -> "ir.Table":
    """Return when each unit first did what begins the time, and next what ends it."""
    import ibis

    assert metric.denominator is not None  # noqa: S101 - a time has both ends, as it is defined
    asked = {name for term in metric.terms for name, _ in term.where} | {ask.by}
    events = surrounded(events, view.contexts, asked)
    unit = unit_column(metric)
    rows = (
        events.mutate(**{unit: unit_of(events, metric)}) if unit not in events.columns else events
    )
    rows = rows.filter(rows[unit].notnull())
    start = rows.filter(meant(rows, metric.denominator))
    told: dict[str, Any] = {"start": start.event_time.min()}
    if view.sampled:
        told["weight"] = weight_of(start).min()
    if ask.by:
        value, order = dimension_of(start, ask.by), in_order(start)
        told["dimension"] = value.first(order_by=order, include_null=True)
    firsts = start.group_by(unit).aggregate(**told)
    if not view.sampled:
        firsts = firsts.mutate(weight=ibis.literal(1.0))
    ends = rows.filter(meant(rows, metric.numerator)).select(unit, at="event_time")
    after = ends.inner_join(firsts.select(unit, "start"), unit)
    after = after.filter(after["at"] >= after.start)
    nexts = after.group_by(unit).aggregate(end=after["at"].min())
    return firsts.left_join(nexts, unit).drop(f"{unit}_right")
