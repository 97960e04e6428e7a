"""A count or a sum as a running total: from the first day to the end of each period.

Each period adds what every unit has come to by its end, less what it had come to before it, so one
question tells all totals, of different people too: whoever was counted adds nothing a second time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from onefold.metrics import figures, queries, wording
from onefold.metrics.closing import Closed, Stood, closed_figures
from onefold.metrics.compile import Ask, amounts_of, per_person, read_of
from onefold.metrics.periods import cut_periods, open_periods, period_starts
from onefold.metrics.records import Metric
from onefold.metrics.tables import unit_column
from onefold.metrics.weights import weighted_persons
from onefold.model.errors import BadInput
from onefold.model.records import Answer, Estimate
from onefold.model.time import day_of
from onefold.stats import Moments

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

    Place = tuple[date | None, str | None]

KINDS = ("count", "sum")
"""Kinds of metrics that have a running total."""
NOT_ADDED = (
    "Periods of it are closed, but different ones cannot be added up from the figures of their "
    "periods: all is as counted now."
)


def cumulative(
    view: "View",
    metric: Metric,
    *,
    from_time: int,
    to_time: int,
    every: str = "day",
    by: str | None = None,
) -> Answer:
    """Return a count or a sum from the first day to the end of each period.

    Columns are those of `measure`. The figure of a period is what `measure` would tell of all days
    from the first to the end of that period: of a count of people, the different ones so far.
    Where a total is one of amounts, each closed period adds what it was closed with: `recomputed`
    tells the total as counted now where that differs, `reason` why, and the interval is as far
    around the total as that of what is counted now is around it. A total falls where a period
    itself is below zero, and nowhere else.

    Args:
        view: Under which terms it is asked.
        metric: What is measured; a count or a sum.
        from_time: Start, microseconds UTC, inclusive.
        to_time: End, microseconds UTC, exclusive.
        every: `day`, `week` or `month`.
        by: One of the metric's `splits`.

    Raises:
        BadInput: The metric has no running total, or as `measure` does.
    """
    check(metric, every)
    ask = figures.ask_of(view, metric, (from_time, to_time), every=every, by=by)
    closed = closed_figures(view, metric, ask)
    asks = figures.asks_of(view, metric, ask, closed)
    added = closed if is_added(metric) else {}
    found = [(one, told) for one in asks for told in _totals(view, metric, one, added)]
    rows = [figures.row_of(metric, one, told, closed=bool(added)) for one, told in found]
    span = {"every": every, "zone": view.zone}
    notes = wording.notes(
        metric,
        smallest=min((told[2].value.n for _, told in found), default=0),
        nobodys=queries.nobodys_events(view, metric, ask),
        unknown_buyers=queries.nobodys_purchases(view, metric, ask),
        undiscovered=queries.lacks_discoveries(view, metric),
        cut=cut_periods(from_time, to_time, **span),
        unfinished=open_periods(from_time, to_time, now=view.now, **span),
        currencies=[one.currency or "" for one in asks if one.currency is not None],
    )
    return Answer(
        columns=figures.columns_of(metric, ask, closed=bool(added)),
        rows=tuple(rows),
        definition=f"{wording.definition(metric)} {_words(metric, day_of(from_time, view.zone))}",
        query=view.sql(question(view, metric, asks[0])),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(from_time, to_time),
        notes=(
            *notes,
            *wording.closed_notes(added),
            *((NOT_ADDED,) if closed and not added else ()),
            *view.marked_notes(from_time, to_time),
            *figures.sampled_notes(view),
        ),
    )


def check(metric: Metric, every: str) -> None:
    """Refuse a running total of a metric that has none, and one of no periods.

    Raises:
        BadInput: See above.
    """
    if metric.kind not in KINDS:
        raise BadInput(
            f"`{metric.name}` is a {metric.kind.replace('_', ' ')}: it has no running total.",
            "Ask it without, or the running total of a count or a sum.",
        )
    if every == "none":
        raise BadInput("A running total of no periods.", "Say `day`, `week` or `month`.")


def is_added(metric: Metric) -> bool:
    """Return whether its total is the sum of its periods: of amounts, and not of different ones."""
    term = metric.numerator
    return term.of != "people" and term.measure != "distinct" and term.cap is None


def question(view: "View", metric: Metric, ask: Ask) -> "ir.Table":
    """Return the question: by period and dimension, what its units came to by its end and before.

    Columns: `period`, `dimension` (only with one), `side` (1 by the end, 0 before), and of the
    units with anything in that period `n` (those that come to anything), `s0` and `q00`: the sum of
    what they come to, and of its squares.
    """
    ask = replace(ask, running=True)
    return _question(metric, ask, read_of(view, metric, ask), weighted=view.sampled)


@lru_cache(maxsize=64)
def _question(
    metric: Metric, ask: Ask, tables: tuple[tuple[str, Any], ...], *, weighted: bool
) -> "ir.Table":
    import ibis

    rows, keys = amounts_of(metric, ask, tables, weighted=weighted)
    unit = unit_column(metric)
    of = {"group_by": [*(key for key in keys if key != "period"), unit], "order_by": "period"}
    lower = metric.numerator.of == "people"
    sums: dict[str, Any] = {"v0": rows.v0.sum()}
    if weighted:
        sums["w0"] = rows.w0.min() if lower else rows.w0.max()
    summed = rows.group_by(*keys, unit).aggregate(**sums)
    sides = []
    for side, window in enumerate(
        (ibis.window(preceding=(None, 1), **of), ibis.window(preceding=None, following=0, **of))
    ):
        told: dict[str, Any] = {"v0": summed.v0.sum().over(window).fill_null(0.0)}
        if weighted:
            told["w0"] = (summed.w0.min() if lower else summed.w0.max()).over(window)
        sides.append(summed.select(*keys, unit, side=ibis.literal(side, "int64"), **told))
    units = weighted_persons if weighted else per_person
    told_of = units(sides[0].union(sides[1]), metric, ask.variables(metric), [*keys, "side"])
    return told_of.group_by(*keys, "side").aggregate(
        n=told_of.count(), s0=told_of.v0.sum(), q00=(told_of.v0 * told_of.v0).sum()
    )


def _totals(
    view: "View", metric: Metric, ask: Ask, closed: Mapping[date, Closed]
) -> Iterator[tuple[date, str | None, Stood]]:
    """Yield the total of every period and dimension in order, as it stands."""
    found = _added(view, metric, ask)
    dimensions: list[str | None] = [None]
    if ask.by:
        named = {dimension for _, dimension in found}
        dimensions = sorted(named, key=lambda name: (name is None, name or ""))
    starts = period_starts(*ask.spans[0], every=ask.every, zone=ask.zone)
    now: dict[Place, Estimate] = {}
    for dimension in dimensions:
        n, sums, squares = 0, 0.0, 0.0
        for start in starts:
            more = found.get((start, dimension), (0, 0.0, 0.0))
            n, sums, squares = n + more[0], sums + more[1], squares + more[2]
            moments = Moments(n, (sums,), ((squares,),))
            now[start, dimension] = figures.estimate_of(metric, moments)
    moved = _moved(view, metric, ask, closed)
    for start in starts:
        for dimension in dimensions:
            yield start, dimension, _stands(now[start, dimension], *moved.get(start, (0.0, "")))


def _added(view: "View", metric: Metric, ask: Ask) -> dict["Place", tuple[int, float, float]]:
    """Return how many units, sum and squares each period and dimension adds to its total."""
    found: dict[Place, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for row in view.ask(question(view, metric, ask)).to_pylist():
        mine = found[row["period"], row.get("dimension")]
        for place, name in enumerate(("n", "s0", "q00")):
            mine[place] += float(row[name]) * (1 if row["side"] else -1)
    return {key: (int(mine[0]), mine[1], mine[2]) for key, mine in found.items()}


def _moved(
    view: "View", metric: Metric, ask: Ask, closed: Mapping[date, Closed]
) -> dict[date, tuple[float, str]]:
    """Return by how much the closed periods so far differ from what is counted now, and why."""
    if not closed:
        return {}
    found: dict[date, tuple[float, str]] = {}
    apart, reasons = 0.0, dict[str, None]()
    for start, _, stood in figures.stood_of(view, metric, ask, closed):
        if stood.recomputed is not None and start is not None:
            apart += (stood.value.estimate or 0.0) - (stood.recomputed.estimate or 0.0)
            reasons |= dict.fromkeys(stood.reason.split(", "))
        if start is not None and reasons:
            found[start] = (apart, ", ".join(reasons))
    return found


def _stands(now: Estimate, apart: float, reason: str) -> Stood:
    if not reason:
        return Stood(now)
    low, high = (None if end is None else end + apart for end in (now.low, now.high))
    value = replace(now, estimate=(now.estimate or 0.0) + apart, low=low, high=high)
    return Stood(value, closed=True, recomputed=now, reason=reason)


def _words(metric: Metric, first: date) -> str:
    words = f"Running total: of all days from {first} to the end of each period"
    if is_added(metric):
        return f"{words}, each closed period as it was closed."
    return f"{words}, each of the {metric.units} once, so it is not the sum of the periods."
