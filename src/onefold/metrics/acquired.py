"""What a new customer costs: money told by the ad platforms by people seen for the first time.

Both sides know a channel: the platforms tell that of a cost, and a person's is that of the first
event that made a customer of them. Blended, all costs go by all new people, whoever brought them.
"""

from datetime import date
from typing import TYPE_CHECKING, Any

from onefold.metrics.compile import (
    Ask,
    currency_of_row,
    dimension_of,
    in_order,
    meant,
    period_of,
    within,
)
from onefold.metrics.records import Metric
from onefold.metrics.tables import read_tables, surrounded
from onefold.metrics.weights import weight_of
from onefold.model.records import Estimate
from onefold.model.time import DAY
from onefold.stats import ranges

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

Place = tuple[date | None, str | None]
NOBODY_NEW = "Nobody new came, so there is nothing to share the cost."
_A_TURN = 7200
"""Seconds that a day of a lag may be longer or shorter where clocks turn, and more."""


def question(view: "View", metric: Metric, ask: Ask) -> "ir.Table":
    """Return who is new in a window: `period` and `dimension` as asked, `new`, `weight`, `square`.

    New is who first did in it what makes a customer, of all time that the View knows.
    """
    new = new_people(view, metric, ask)
    sums = {"new": new.count(), "weight": new.each.sum(), "square": (new.each * new.each).sum()}
    keys = _keys(ask)
    return new.group_by(*keys).aggregate(**sums) if keys else new.aggregate(**sums)


def new_people(view: "View", metric: Metric, ask: Ask) -> Any:
    """Return who is new in a window: `person_id`, `start`, `each` (the weight).

    With `period` and `dimension` as asked: that of the first event that made a customer of them.
    """
    import ibis

    assert metric.denominator is not None  # noqa: S101 - as it is defined
    told = {name for name, _ in metric.denominator.where} | {ask.by}
    events = surrounded(read_tables(view, metric, ask.spans)["events"], view.contexts, told)
    made = events.filter(meant(events, metric.denominator))
    columns: dict[str, Any] = {"start": made.event_time.min()}
    if ask.by:
        value, order = dimension_of(made, ask.by), in_order(made)
        columns["dimension"] = value.first(order_by=order, include_null=True)
    if view.sampled:
        columns["each"] = weight_of(made).min()
    firsts = made.group_by("person_id").aggregate(**columns)
    new: Any = firsts.filter(within(firsts.start, ask.spans[0]))
    if ask.every != "none":
        new = new.mutate(period=period_of(new.start, ask))
    return new.mutate(each=new.each if view.sampled else ibis.literal(1.0))


def estimates(view: "View", metric: Metric, ask: Ask) -> dict[Place, Estimate]:
    """Return what a new customer cost in each period and channel that has a cost or anybody new."""
    people = {_place(row): row for row in view.ask(question(view, metric, ask)).to_pylist()}
    costs = view.ask(_costs(view, metric, ask)).to_pylist()
    money = {_place(row): float(row["micros"] or 0) for row in costs}
    return {place: _each(money.get(place, 0.0), people.get(place)) for place in {*people, *money}}


def _each(micros: float, told: dict[str, Any] | None) -> Estimate:
    """Return a cost by people; it is known, and how many came is what chance moves."""
    if told is None or not told["new"]:
        return Estimate(None, None, None, 0, note=NOBODY_NEW)
    number = int(told["new"])
    came = ranges.counted(number, weight=float(told["weight"]), squares=float(told["square"]))
    assert came.estimate is not None  # noqa: S101 - somebody came
    low, high = (micros / end if end else None for end in (came.high, came.low))
    return Estimate(micros / came.estimate, low, high, number, came.level)


def _costs(view: "View", metric: Metric, ask: Ask) -> "ir.Table":
    """Return what was spent, as long before the window as it takes to bring somebody."""
    import ibis

    lag = metric.lag_days * DAY
    spans = tuple((start - lag, end - lag) for start, end in ask.spans)
    costs = read_tables(view, metric, spans)[metric.numerator.table]
    costs = costs.filter(meant(costs, metric.numerator))
    if ask.currency is not None:
        costs = costs.filter(currency_of_row(costs) == ask.currency)
    moment: Any = costs.event_time
    if lag:
        # Begun two hours into the day, it is of that day wherever clocks were turned between.
        moment = moment + ibis.interval(seconds=lag // 1_000_000 + _A_TURN)
    columns: dict[str, Any] = {"amount": costs.p_amount, "moment": moment}
    if ask.by:
        columns["dimension"] = costs[f"p_{ask.by}"].lower()
    rows: Any = costs.select(**columns)
    rows = rows.filter(within(rows.moment, ask.spans[0]))
    if ask.every != "none":
        rows = rows.mutate(period=period_of(rows.moment, ask))
    micros = rows.amount.sum().cast("float64")
    keys = _keys(ask)
    return rows.group_by(*keys).aggregate(micros=micros) if keys else rows.aggregate(micros=micros)


def _keys(ask: Ask) -> list[str]:
    return [*(["period"] if ask.every != "none" else []), *(["dimension"] if ask.by else [])]


def _place(row: dict[str, Any]) -> Place:
    return row.get("period"), row.get("dimension")
