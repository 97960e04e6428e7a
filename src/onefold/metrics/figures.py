"""Figures with their intervals: a table, a change, a line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING

from onefold.metrics import acquired, queries, spreads, wording
from onefold.metrics.closing import Closed, Stood, beside, closed_figures
from onefold.metrics.compile import Ask, Span, compiled
from onefold.metrics.periods import check_window, cut_periods, open_periods, period_starts
from onefold.metrics.records import Change, Metric, Point
from onefold.model.errors import BadInput, did_you_mean
from onefold.model.money import Money
from onefold.model.records import Answer, Column, Estimate
from onefold.stats import Moments, families, mean, ranges, verdict, wilson
from onefold.stats import change as relative_change

NO_ONE = "Nobody is in it."
NO_CONTRAST = (
    "Quantiles of groups stand each with its interval; they are not tested against others."
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View


def measure(
    view: "View",
    metric: Metric,
    *,
    from_time: int,
    to_time: int,
    every: str = "none",
    by: str | None = None,
) -> Answer:
    """Return a metric over a window as a table that explains itself.

    Columns: `period` (a date, with `every`), the dimension under its own name (with `by`),
    `estimate`, `low`, `high`, `level`, `n`. Money has a row a currency. Periods are of the
    workspace's zone, weeks from Monday; every period of the window has a row, also an empty one.
    Below `minimum_people` the interval is left out. Where a period of the window is closed, its
    row is as it was closed, and two columns more tell what is counted now where that differs
    (`recomputed`) and why (`reason`).

    Args:
        view: Under which terms it is asked.
        metric: What is measured.
        from_time: Start, microseconds UTC, inclusive.
        to_time: End, microseconds UTC, exclusive.
        every: `none`, `day`, `week` or `month`.
        by: One of the metric's `splits`.

    Raises:
        BadInput: The window, the period or the dimension cannot be used.
    """
    ask = ask_of(view, metric, (from_time, to_time), every=every, by=by)
    closed = closed_figures(view, metric, ask)
    asks = asks_of(view, metric, ask, closed)
    found = [(one, told) for one in asks for told in stood_of(view, metric, one, closed)]
    rows = [row_of(metric, one, told, closed=bool(closed)) for one, told in found]
    whole, span = every == "none", {"every": every, "zone": view.zone}
    notes = wording.notes(
        metric,
        smallest=min((told[2].value.n for _, told in found), default=0),
        nobodys=queries.nobodys_events(view, metric, ask),
        unknown_buyers=queries.nobodys_purchases(view, metric, ask),
        undiscovered=queries.lacks_discoveries(view, metric),
        cut=() if whole else cut_periods(from_time, to_time, **span),
        unfinished=() if whole else open_periods(from_time, to_time, now=view.now, **span),
        currencies=[one.currency or "" for one in asks if one.currency is not None],
    )
    return Answer(
        columns=columns_of(metric, ask, closed=bool(closed)),
        rows=tuple(rows),
        definition=wording.definition(metric),
        query=view.sql(_question(view, metric, asks[0])),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(from_time, to_time),
        notes=(
            *notes,
            *wording.closed_notes(closed),
            *view.marked_notes(from_time, to_time),
            *sampled_notes(view),
        ),
    )


def _question(view: "View", metric: Metric, ask: Ask) -> "ir.Table":
    if metric.kind == "acquisition":
        return acquired.question(view, metric, ask)
    return (spreads.question if metric.is_spread else compiled)(view, metric, ask)


def sampled_notes(view: "View") -> tuple[str, ...]:
    """Return what is to be said where events stand for more than one."""
    if not view.sampled:
        return ()
    return ("What a source sampled weighs one over its rate; `n` is who was really seen.",)


def change(view: "View", metric: Metric, *, period: Span, former: Span) -> Change:
    """Return a metric now, then, and its relative change of the same persons with interval.

    Args:
        view: Under which terms it is asked.
        metric: What is measured.
        period: From (inclusive) and to (exclusive), microseconds UTC.
        former: The same of the period it is compared with.

    Money is told in the most frequent currency; others are named in the notes.
    """
    check_window(*period, "none")
    check_window(*former, "none")
    ask = Ask((period, former), "none", None, view.zone)
    is_money = metric.format == "money"
    known = queries.currencies(view, metric, ask) if is_money else ()
    currency = known[0] if known else ("" if is_money else None)
    if not metric.is_summed:
        return _spread_change(view, metric, (period, former), known)
    ask = Ask(ask.spans, ask.every, ask.by, ask.zone, currency)
    found = next(iter(queries.cells(view, metric, ask)), None)
    both = found.moments if found else _nobody(2 * len(metric.terms))
    people = found.people if found else (0, 0)
    now, then = (
        estimate_of(metric, _part(both, len(metric.terms), place=place, people=people[place]))
        for place in (0, 1)
    )
    relative = relative_change(both)
    short = min(now.n, then.n)
    if short < metric.minimum_people:
        note = wording.too_few(metric, short)
        relative = Estimate(relative.estimate, None, None, relative.n, relative.level, note)
    notes = [f"Also in {', '.join(known[1:])}, apart."] if known[1:] else []
    if not now.estimate and queries.lacks_discoveries(view, metric):
        notes.append(wording.NO_DISCOVERY)
    return Change(
        now=now,
        former=then,
        relative=relative,
        verdict=verdict(relative, margin=metric.margin, better=metric.better),
        currency=currency or "",
        notes=tuple(notes),
    )


def _spread_change(
    view: "View", metric: Metric, spans: tuple[Span, Span], known: Sequence[str]
) -> Change:
    """Return the change of a quantile; each period has its own people or is taken to."""
    currency = known[0] if known else ("" if metric.format == "money" else None)
    asks = [Ask((span,), "none", None, view.zone, currency) for span in spans]
    now, then = (next(_estimates(view, metric, ask))[2] for ask in asks)
    relative = ranges.relative_apart(now, then)
    return Change(
        now=now,
        former=then,
        relative=relative,
        verdict=verdict(relative, margin=metric.margin, better=metric.better),
        currency=currency or "",
        notes=(f"Also in {', '.join(known[1:])}, apart.",) if known[1:] else (),
    )


def contrast(
    view: "View",
    metric: Metric,
    *,
    period: Span,
    groups: tuple[str, tuple[str, str]],
    picked_from: int = 2,
    currency: str = "",
) -> Estimate:
    """Return one group's figure less another's, of a period, with an interval.

    A person may be in both groups; the interval allows for it, and for that the two were picked.

    Args:
        view: Under which terms it is asked.
        metric: What is measured.
        period: From (inclusive) and to (exclusive), microseconds UTC.
        groups: One of the metric's `splits` and two of its values; the empty one is what has none.
        picked_from: From how many groups the two were picked, as the most and the least.
        currency: Of money, which the estimate has in micros.
    """
    check_window(*period, "none")
    if not metric.is_summed:
        return Estimate(None, None, None, 0, note=NO_CONTRAST)
    money = currency if metric.format == "money" else None
    ask = Ask((period,), "none", None, view.zone, money, among=groups)
    found = next(iter(queries.cells(view, metric, ask)), None)
    if found is None:
        return Estimate(None, None, None, 0, note=wording.too_few(metric, 0))
    value = families.contrast(found.moments, groups=picked_from)
    short = min(found.people)
    if short < metric.minimum_people:
        return replace(value, low=None, high=None, note=wording.too_few(metric, short))
    return value


def series(
    view: "View", metric: Metric, *, from_time: int, to_time: int, every: str = "day"
) -> tuple[Point, ...]:
    """Return a metric period by period, as a line needs it; money in its most frequent currency.

    Every period of the window has a point; one without anybody has an estimate of None, or of
    zero for counts and sums.
    """
    asked = ask_of(view, metric, (from_time, to_time), every=every, by=None)
    closed = closed_figures(view, metric, asked)
    ask = asks_of(view, metric, asked, closed)[0]
    return tuple(
        Point(start, one.value, ask.currency or "", one.closed, one.recomputed, one.reason)
        for start, _, one in stood_of(view, metric, ask, closed)
        if start is not None
    )


def recount(
    view: "View", metric: Metric, *, from_time: int, to_time: int, every: str
) -> Iterator[tuple[date, str, Estimate]]:
    """Yield first day, currency and figure of every period as counted now, closed or not."""
    for ask in asks_of(
        view, metric, ask_of(view, metric, (from_time, to_time), every=every, by=None)
    ):
        for start, _, value in _estimates(view, metric, ask):
            if start is not None:
                yield start, ask.currency or "", value


def ask_of(view: "View", metric: Metric, span: Span, *, every: str, by: str | None) -> Ask:
    """Return a question of one window.

    Raises:
        BadInput: The window, the period or the dimension cannot be used.
    """
    check_window(*span, every)
    if by is not None:
        known = metric.splits
        if by not in known:
            raise BadInput(
                f"`{metric.name}` cannot be split by `{by}`.{did_you_mean(by, known)}",
                f"Use one of: {', '.join(known)}."
                if known
                else "What it counts has nothing to be split by; ask it whole.",
            )
    return Ask((span,), every, by, view.zone)


def asks_of(
    view: "View", metric: Metric, ask: Ask, closed: Mapping[date, Closed] = MappingProxyType({})
) -> tuple[Ask, ...]:
    """Return the same question for each currency, of closed figures too; itself where no money."""
    if metric.format != "money":
        return (ask,)
    found = dict.fromkeys(queries.currencies(view, metric, ask))
    found |= dict.fromkeys(name for one in closed.values() for name in one.values if name)
    return tuple(replace(ask, currency=currency) for currency in found or ("",))


def stood_of(
    view: "View", metric: Metric, ask: Ask, closed: Mapping[date, Closed]
) -> list[tuple[date | None, str | None, Stood]]:
    """Return every period and dimension in order, a closed period as it was closed."""
    found = list(_estimates(view, metric, ask))
    if not closed:
        return [(period, dimension, Stood(value)) for period, dimension, value in found]
    now = [(period, value) for period, _, value in found if period is not None]
    told = beside(view, metric, ask, now, closed=closed, nobody=figure_of_nobody(metric))
    return [(period, None, one) for period, one in told]


def row_of(
    metric: Metric, ask: Ask, told: tuple[date | None, str | None, Stood], *, closed: bool
) -> tuple[object, ...]:
    """Return the row of an answer that `columns_of` heads; with `closed`, two cells more."""
    period, dimension, stood = told
    value = stood.value
    head: list[object] = [] if period is None else [period]
    if ask.by:
        head.append(dimension)
    ends = [_shown(metric, ask, end) for end in (value.estimate, value.low, value.high)]
    tail: list[object] = []
    if closed:
        now = stood.recomputed
        tail = [None if now is None else _shown(metric, ask, now.estimate), stood.reason]
    return (*head, *ends, value.level, value.n, *tail)


def _shown(metric: Metric, ask: Ask, value: float | None) -> object:
    return _money(value, ask.currency or "") if metric.format == "money" else value


def _money(micros: float | None, currency: str) -> Money | None:
    return None if micros is None else Money(round(micros), currency)


def _estimates(
    view: "View", metric: Metric, ask: Ask
) -> Iterator[tuple[date | None, str | None, Estimate]]:
    """Yield every period and dimension in order; what has nobody is there too."""
    found = _figures(view, metric, ask)
    periods: tuple[date | None, ...] = (None,)
    if ask.every != "none":
        periods = period_starts(*ask.spans[0], every=ask.every, zone=ask.zone)
    dimensions: list[str | None] = [None]
    if ask.by:
        seen = {dimension for _, dimension in found}
        dimensions = sorted(seen, key=lambda name: (name is None, name or ""))
    nobody = figure_of_nobody(metric)
    for period, dimension in product(periods, dimensions):
        yield period, dimension, found.get((period, dimension), nobody)


def figure_of_nobody(metric: Metric) -> Estimate:
    """Return what a metric says where there is nobody."""
    if not metric.is_summed:
        return Estimate(None, None, None, 0, note=NO_ONE)
    return estimate_of(metric, _nobody(len(metric.terms)))


def _figures(
    view: "View", metric: Metric, ask: Ask
) -> dict[tuple[date | None, str | None], Estimate]:
    """Return the figures of the periods and dimensions that have anybody."""
    if metric.is_summed:
        cells = queries.cells(view, metric, ask)
        return {(one.period, one.dimension): estimate_of(metric, one.moments) for one in cells}
    made = acquired if metric.kind == "acquisition" else spreads
    found = made.estimates(view, metric, ask)
    return {place: _enough(metric, value) for place, value in found.items()}


def _enough(metric: Metric, value: Estimate) -> Estimate:
    """Return a figure without interval where there are too few for one."""
    if value.estimate is None or value.n >= metric.minimum_people:
        return value
    return replace(value, low=None, high=None, note=wording.too_few(metric, value.n))


def estimate_of(metric: Metric, moments: Moments) -> Estimate:
    """Return the figure of one cell; n is the number of persons it is measured by."""
    if metric.kind in {"count", "sum"}:
        return ranges.total(moments)
    if metric.kind == "share" and _plain(moments):
        value = wilson(round(moments.sums[0]), round(moments.sums[1]))
    elif metric.kind == "share":
        value = _within_bounds(mean(moments))
    else:
        value = mean(moments)
    return _enough(metric, value)


def _plain(moments: Moments) -> bool:
    """Return whether every person weighs one, so that the counts are those of trials."""
    return all(moments.products[place][place] == moments.sums[place] for place in (0, 1))


def _within_bounds(share: Estimate) -> Estimate:
    low, high = (
        None if end is None else min(max(end, 0.0), 1.0) for end in (share.low, share.high)
    )
    return replace(share, low=low, high=high)


def _part(both: Moments, size: int, *, place: int, people: int) -> Moments:
    """Return the moments of one of two periods, of the persons who were there."""
    chosen = slice(place * size, (place + 1) * size)
    products = tuple(row[chosen] for row in both.products[chosen])
    return Moments(n=people, sums=both.sums[chosen], products=products)


def _nobody(size: int) -> Moments:
    return Moments(0, (0.0,) * size, ((0.0,) * size,) * size)


def columns_of(metric: Metric, ask: Ask, *, closed: bool) -> tuple[Column, ...]:
    """Return the columns of an answer; with `closed`, what is counted now and why it differs."""
    kind = "money" if metric.format == "money" else "number"
    unit = {"percent": "share", "duration": "seconds"}.get(metric.format, "")
    head = [Column("period", "date")] if ask.every != "none" else []
    if ask.by:
        head.append(Column(ask.by, "text"))
    return (
        *head,
        *(Column(name, kind, unit) for name in ("estimate", "low", "high")),
        Column("level", "number", "share"),
        Column("n", "integer", metric.units),
        *((Column("recomputed", kind, unit), Column("reason", "text")) if closed else ()),
    )
