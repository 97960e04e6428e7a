"""What metrics ask of the facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from onefold.metrics.compile import Ask, compiled, currency_of_row, moment_columns, within
from onefold.metrics.purchases import is_of_purchases, purchases_of
from onefold.metrics.records import Metric
from onefold.metrics.tables import read_tables
from onefold.stats import Moments

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View


@dataclass(frozen=True, slots=True)
class Cell:
    """The moments of a (period, dimension), and with two sides the persons of each."""

    period: date | None
    dimension: str | None
    moments: Moments
    people: tuple[int, ...]


def cells(view: "View", metric: Metric, ask: Ask) -> Iterator[Cell]:
    """Yield the moments of a metric by period and dimension, those without anybody left out."""
    sums, products = moment_columns(len(metric.terms) * ask.sides)
    for row in view.ask(compiled(view, metric, ask)).to_pylist():
        if row["n"]:
            moments = Moments.from_sums(
                row["n"], [row[name] for name in sums], [row[name] for name in products]
            )
            people = tuple(int(row.get(f"n{i}", row["n"])) for i in range(ask.sides))
            yield Cell(row.get("period"), row.get("dimension"), moments, people)


def currencies(view: "View", metric: Metric, ask: Ask) -> tuple[str, ...]:
    """Return the currencies of a metric's money in a window, the most frequent first."""
    found = view.ask(_currencies(view, metric, ask)).to_pylist()
    return tuple(row["currency"] for row in found)


def _currencies(view: "View", metric: Metric, ask: Ask) -> "ir.Table":
    import ibis

    table = metric.numerator.table
    events = read_tables(view, metric, ask.spans)[table]
    named: Any = events.event.isin(metric.numerator.events) if table == "events" else True
    inside = ibis.or_(*(within(events.event_time, span) for span in ask.spans))
    meant = events.filter(named, inside)
    counted = meant.group_by(currency=currency_of_row(meant)).aggregate(rows=meant.count())
    return counted.order_by(ibis.desc("rows"), "currency")


def nobodys_events(view: "View", metric: Metric, ask: Ask) -> int:
    """Return how many of a metric's events in the window have no person, and so are left out."""
    names = {name for term in metric.terms for name in term.events}
    if not names:
        return 0
    events = view.events
    meant: Any = events.filter(
        events.identifier.isnull(),
        events.event.isin(sorted(names)),
        within(events.event_time, ask.spans[0]),
    )
    return int(view.ask(meant.aggregate(rows=meant.count())).to_pylist()[0]["rows"])


def nobodys_purchases(view: "View", metric: Metric, ask: Ask) -> int:
    """Return how many purchases of the window have no person, and so are left out."""
    if not is_of_purchases(metric):
        return 0
    found = purchases_of(view, known=False)
    meant: Any = found.filter(within(found.event_time, ask.spans[0]))
    return int(view.ask(meant.aggregate(rows=meant.count())).to_pylist()[0]["rows"])


def lacks_discoveries(view: "View", metric: Metric) -> bool:
    """Return whether a metric asks for discoveries and no session of the facts ever had one."""
    if not any("discoveries" in {term.having, term.column} for term in metric.terms):
        return False
    found = view.sessions.filter(view.sessions.discoveries > 0).limit(1)
    return not view.ask(found.select("discoveries")).num_rows
