"""Cohort economics: what the people of a month brought since, beside what it cost to win them.

A person belongs to the month of the first event that made a customer of them, of all time; what
they buy from that moment on is theirs. Both are whole months of the workspace's zone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from onefold.metrics import acquired, asking, queries
from onefold.metrics.asking import People
from onefold.metrics.compile import Ask, Span, currency_of_row, period_of, within
from onefold.metrics.periods import check_window, cut_periods, open_periods, period_starts
from onefold.metrics.purchases import purchases_of
from onefold.metrics.records import Metric
from onefold.model.errors import BadInput
from onefold.model.money import Money
from onefold.model.records import Answer, Column, Estimate
from onefold.stats import Moments, mean

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

MOST_MONTHS = 60
NO_PURCHASE = "None of them bought anything in these days."
_MONTHS_BEFORE = 5
"""So many months stand before the last, where a question names no days."""


@dataclass(frozen=True, slots=True)
class Economics:
    """What is asked of cohorts' economics.

    Attributes:
        cost: The metric of what a new customer costs: it says what makes one, too.
        span: From (inclusive) and to (exclusive), microseconds UTC: of all that is counted.
        margin: Which share of what they pay is earned, above 0 and at most 1.
    """

    cost: Metric
    span: Span
    margin: float = 1.0


@dataclass(frozen=True, slots=True)
class _Brought:
    """What people paid in some months, as sums over them: micros, weighted.

    Attributes:
        amount: Sum of what each paid.
        squares: Sum of the squares of that.
        crossed: Sum of its products with the weight of each.
    """

    amount: float = 0.0
    squares: float = 0.0
    crossed: float = 0.0

    def __add__(self, other: "_Brought") -> "_Brought":
        """Return what was paid by then; `squares` of a month is what it adds to those before."""
        return _Brought(
            self.amount + other.amount, self.squares + other.squares, self.crossed + other.crossed
        )


def economics(view: "View", asked: Economics) -> Answer:
    """Return a row a cohort and month since: what each of its people brought by the end of it.

    Columns: `cohort` (first day of its month), `people`, `month` (0 is the cohort's own), `earned`
    by each of them so far with `low`, `high`, `level` and `n`, `cost` of winning each, `payback`
    (the first month by whose end they earned their cost; none where they have not), the earliest
    and latest that chance allows for (`payback_low`, `payback_high`), and `whole`: whether the
    month was over and not cut by the last day. A currency has rows of its own.

    Raises:
        BadInput: The metric is not one of winning customers; the days or the margin are wrong.
    """
    months = _check(asked, view.zone)
    ask = Ask((asked.span,), "month", None, view.zone)
    people = _people(view, asked, ask)
    counted = people.group_by("cohort").aggregate(
        n=people.count(), weight=people.each.sum(), squares=(people.each * people.each).sum()
    )
    cohorts = {row["cohort"]: People.of(row) for row in view.ask(counted).to_pylist()}
    partly = set(
        open_periods(*asked.span, every="month", zone=view.zone, now=min(view.now, asked.span[1]))
    )
    rows: list[tuple[object, ...]] = []
    unpaid: list[str] = []
    paid = False
    for currency in _currencies(view, asked, ask) or ("",):
        costs = acquired.estimates(view, asked.cost, replace(ask, currency=currency))
        brought = _by_month(view.ask(_bought(view, people, ask, currency)).to_pylist())
        paid |= bool(brought)
        for cohort, some in sorted(cohorts.items()):
            cost = costs.get((cohort, None))
            each = cost.estimate if cost and cost.estimate else None
            if each is None:
                unpaid.append(f"{cohort:%Y-%m}{f' in {currency}' if currency else ''}")
            after = [month for month in months if month >= cohort]
            told = _cumulated(brought.get(cohort, {}), some, after, asked.margin)
            rows += _rows(cohort, some, told, each, currency, [m not in partly for m in after])
    return Answer(
        columns=_columns(),
        rows=tuple(rows),
        definition=_definition(asked),
        query=view.sql(_bought(view, people, ask, None)),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(*asked.span),
        notes=(
            *((NO_PURCHASE,) if cohorts and not paid else ()),
            *_notes(view, asked, cohorts, unpaid),
        ),
    )


def _check(asked: Economics, zone: str) -> tuple[date, ...]:
    """Return the first days of all months."""
    if asked.cost.kind != "acquisition":
        message = f"`{asked.cost.name}` is not what a new customer costs."
        raise BadInput(message, "Name a metric of the kind `acquisition`.")
    if not 0 < asked.margin <= 1:
        message = f"A margin of {asked.margin:g} is no share of what people pay."
        raise BadInput(message, "Write it as 0.4 for 40 %: above 0 and at most 1.")
    check_window(*asked.span, "month")
    months = period_starts(*asked.span, every="month", zone=zone)
    if len(months) > MOST_MONTHS:
        message = f"These days have {len(months)} months."
        raise BadInput(message, f"Ask for at most {MOST_MONTHS}: fewer days.")
    return months


def _people(view: "View", asked: Economics, ask: Ask) -> Any:
    """Return who was won in the days: `person_id`, `start`, `each`, `cohort`."""
    return acquired.new_people(view, asked.cost, ask).rename(cohort="period")


def _bought(view: "View", people: Any, ask: Ask, currency: str | None) -> "ir.Table":
    """Return what each cohort paid by month: `amount`, and what the month adds to other sums.

    Of a person who paid `b` before and `a` in a month, the square of what was paid grows from
    b*b to (a + b)*(a + b); the sums of such differences are those of the squares by then.
    """
    import ibis
    from ibis import _

    bought: Any = purchases_of(view)
    bought = bought.filter(within(bought.event_time, ask.spans[0]))
    if currency is not None:
        bought = bought.filter(currency_of_row(bought) == currency)
    bought = bought.select("person_id", "event_time", "p_amount")
    theirs = people.join(bought, "person_id").filter(_.event_time >= _.start)
    theirs = theirs.mutate(month=period_of(theirs.event_time, ask))
    paid = theirs.group_by("person_id", "cohort", "each", "month").aggregate(
        a=_.p_amount.cast("float64").sum()
    )
    window = ibis.cumulative_window(group_by=paid.person_id, order_by=paid.month)
    paid = paid.mutate(by_then=paid.a.sum().over(window))
    before = paid.by_then - paid.a
    square = paid.each * paid.each
    rows = paid.select(
        "cohort",
        "month",
        amount=paid.a * paid.each,
        squares=(paid.by_then * paid.by_then - before * before) * square,
        crossed=paid.a * square,
    )
    sums = {name: rows[name].sum() for name in ("amount", "squares", "crossed")}
    found: ir.Table = rows.group_by("cohort", "month").aggregate(**sums)
    return found


def _currencies(view: "View", asked: Economics, ask: Ask) -> tuple[str, ...]:
    """Return the currencies of what was paid and of what it cost, the most frequent first."""
    bought: Any = purchases_of(view)
    bought = bought.filter(within(bought.event_time, ask.spans[0]))
    counted = bought.group_by(currency=currency_of_row(bought)).aggregate(rows=bought.count())
    ordered = view.ask(counted.order_by(counted.rows.desc(), "currency")).to_pylist()
    paid = [row["currency"] for row in ordered]
    return tuple(dict.fromkeys((*paid, *queries.currencies(view, asked.cost, ask))))


def _by_month(rows: Sequence[Mapping[str, Any]]) -> dict[date, dict[date, _Brought]]:
    found: dict[date, dict[date, _Brought]] = {}
    for row in rows:
        sums = (float(row[name]) for name in ("amount", "squares", "crossed"))
        found.setdefault(row["cohort"], {})[row["month"]] = _Brought(*sums)
    return found


def _cumulated(
    brought: Mapping[date, _Brought], some: People, months: Sequence[date], margin: float
) -> list[Estimate]:
    """Return what each of some people earned by the end of each month, in micros."""
    found, by_then = [], _Brought()
    for month in months:
        by_then += brought.get(month, _Brought())
        amount, squares = by_then.amount * margin, by_then.squares * margin**2
        crossed = by_then.crossed * margin
        if some.squares == some.n:
            value = mean(Moments(some.n, (amount,), ((squares,),)))
        else:
            products = ((squares, crossed), (crossed, some.squares))
            value = mean(Moments(some.n, (amount, some.weight), products))
        if some.n < asking.FEWEST_PEOPLE:
            value = replace(value, low=None, high=None)
        found.append(value)
    return found


def first_reaching(values: Sequence[float | None], goal: float | None) -> int | None:
    """Return the place of the first value that reaches a goal; None where none does.

    >>> first_reaching([1.0, 2.5, 4.0], 2.0), first_reaching([1.0, None], 2.0)
    (1, None)
    """
    if goal is None:
        return None
    reached = (place for place, value in enumerate(values) if value is not None and value >= goal)
    return next(reached, None)


def months_before(after: date) -> date:
    """Return the first day of the month five before that of the last of some days.

    >>> months_before(date(2026, 3, 1)), months_before(date(2026, 11, 23))
    (datetime.date(2025, 9, 1), datetime.date(2026, 6, 1))
    """
    last = after - timedelta(days=1)
    year, month = divmod(last.year * 12 + last.month - 1 - _MONTHS_BEFORE, 12)
    return date(year, month + 1, 1)


def _rows(
    cohort: date,
    some: People,
    told: Sequence[Estimate],
    cost: float | None,
    currency: str,
    whole: Sequence[bool],
) -> Iterator[tuple[object, ...]]:
    back = first_reaching([one.estimate for one in told], cost)
    soonest = first_reaching([one.high for one in told], cost)
    latest = first_reaching([one.low for one in told], cost)
    spent = _money(cost, currency)
    for month, one in enumerate(told):
        ends = (_money(value, currency) for value in (one.estimate, one.low, one.high))
        counts = (cohort, round(some.weight), month)
        paid = (spent, back, soonest, latest)
        yield (*counts, *ends, one.level, one.n, *paid, whole[month])


def _money(micros: float | None, currency: str) -> Money | None:
    return Money(round(micros), currency) if micros is not None and currency else None


def _columns() -> tuple[Column, ...]:
    return (
        Column("cohort", "date"),
        Column("people", "integer", "people"),
        Column("month", "integer"),
        *(Column(name, "money", "of each person") for name in ("earned", "low", "high")),
        Column("level", "number", "share"),
        Column("n", "integer", "people"),
        Column("cost", "money", "of each person"),
        *(Column(name, "integer", "months") for name in ("payback", "payback_low", "payback_high")),
        Column("whole", "boolean"),
    )


def _definition(asked: Economics) -> str:
    made = asked.cost.denominator
    events = ", ".join(made.events) if made else ""
    paid = "what they paid" if asked.margin == 1 else f"{asked.margin:.0%} of what they paid"
    return (
        f"People by the month of their first {events}, and {paid} from then on, of each of them by "
        "the end of each month since; month 0 is the cohort's own. A purchase that was told by an "
        "event and by an import counts once. Cost: what was spent by the new people of the month, "
        f"as `{asked.cost.name}` (version {asked.cost.version}) counts it. Payback: the first "
        "month by whose end they brought that; its range is the first month in which the upper, "
        "and the first in which the lower end does. Interval: Student's t over the people of the "
        "cohort, those who bought nothing with them, 95 %."
    )


def _notes(
    view: "View", asked: Economics, cohorts: Mapping[date, People], unpaid: Sequence[str]
) -> Iterator[str]:
    if not cohorts:
        yield "Nobody new came in these days."
    smallest = min((people.n for people in cohorts.values()), default=asking.FEWEST_PEOPLE)
    if smallest < asking.FEWEST_PEOPLE:
        yield (
            f"Not enough data for every interval: a cohort of {smallest}, where it takes "
            f"{asking.FEWEST_PEOPLE} people."
        )
    if unpaid:
        known = ", ".join(dict.fromkeys(unpaid))
        yield f"No cost is told of {known}: when they pay back is not known."
    if cut := cut_periods(*asked.span, every="month", zone=view.zone):
        yield f"Cut by the days asked: {', '.join(f'{month:%Y-%m}' for month in cut)}."
    if asked.margin == 1:
        yield "Without a margin, all that people pay counts as earned."
    yield from view.marked_notes(*asked.span)
    if view.sampled:
        yield asking.SAMPLED
