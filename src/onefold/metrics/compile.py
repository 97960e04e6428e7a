"""A metric becomes one question: sufficient statistics over persons, by period and dimension."""

from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import combinations_with_replacement, starmap
from typing import TYPE_CHECKING, Any

from onefold.metrics.records import UNITS, Metric, Term
from onefold.metrics.tables import read_tables, surrounded, unit_column
from onefold.metrics.weights import capped, weighs_rows, weight_of, weighted_persons
from onefold.model.errors import BadInput
from onefold.model.facts import CONTEXT
from onefold.model.money import MICROS
from onefold.model.time import to_datetime
from onefold.model.zones import zone_offsets

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a metric, apart from the tables.

    Attributes:
        spans: One window (from, to), or two to compare: now, before. Microseconds UTC.
        every: `none`, `day`, `week` or `month`.
        by: A dimension, or None.
        zone: The zone of the days.
        currency: Only money of this currency; None where money is not asked.
        among: Values of a dimension to set side by side, each with terms of its own: the dimension
            and its values, of which the empty one is what has none. None where nothing is.
        running: Whether what has been counted in one period is not counted again in a later one.
    """

    spans: tuple[Span, ...]
    every: str
    by: str | None
    zone: str
    currency: str | None = None
    among: tuple[str, tuple[str, ...]] | None = None
    running: bool = False

    @property
    def sides(self) -> int:
        """Return how many times the terms are asked: for each span, or for each group."""
        return len(self.spans) * (len(self.among[1]) if self.among else 1)

    def variables(self, metric: Metric) -> list[tuple[Term, Span]]:
        """Return the terms of each side in turn, with their span."""
        if self.among is None:
            return [(term, span) for span in self.spans for term in metric.terms]
        by, groups = self.among
        return [
            (replace(term, where=(*term.where, (by, (group,)))), span)
            for group in groups
            for span in self.spans
            for term in metric.terms
        ]


def compiled(view: "View", metric: Metric, ask: Ask) -> "ir.Table":
    """Return the question: a row a (period, dimension), with n, sums and sums of products.

    Columns: `period` (a date; only with a period), `dimension` (only with one), `n`, with two
    spans or groups `n0` and `n1`, then `s0`... and `q00`, `q01`... as
    `onefold.stats.Moments.from_sums` takes them. Variables are the terms of the metric, for each
    side in turn.
    """
    return _compiled(metric, ask, read_of(view, metric, ask), weighted=view.sampled)


def units_compiled(view: "View", metric: Metric, ask: Ask) -> "ir.Table":
    """Return the question of a quantile: how many units have each value.

    Columns: `period` and `dimension` as of `compiled`, `value`, `weight` (how many a unit stands
    for), `units` (how many of them there are).
    """
    return _units(metric, ask, read_of(view, metric, ask), weighted=view.sampled)


def read_of(view: "View", metric: Metric, ask: Ask) -> tuple[tuple[str, Any], ...]:
    """Return the tables that a question reads, by name, as what they can be looked up by."""
    tables = read_tables(view, metric, ask.spans)
    if "events" in tables:
        asked = {name for term, _ in ask.variables(metric) for name, _ in term.where} | {ask.by}
        tables["events"] = surrounded(tables["events"], view.contexts, asked)
    # An operation can be looked up by; an expression is compared into another expression.
    return tuple((name, table.op()) for name, table in tables.items())


@lru_cache(maxsize=256)
def _compiled(
    metric: Metric, ask: Ask, tables: tuple[tuple[str, Any], ...], *, weighted: bool
) -> "ir.Table":
    per_unit, keys = _of_units(metric, ask, tables, weighted=weighted)
    return _statistics(per_unit, metric, ask, keys)


@lru_cache(maxsize=64)
def _units(
    metric: Metric, ask: Ask, tables: tuple[tuple[str, Any], ...], *, weighted: bool
) -> "ir.Table":
    per_unit, keys = _of_units(metric, ask, tables, weighted=weighted)
    there = per_unit.filter(per_unit.v1 > 0)
    told = there.select(*keys, value=there.v0 / there.v1, weight=there.v1)
    return told.group_by(*keys, "value", "weight").aggregate(units=told.count())


def _of_units(
    metric: Metric, ask: Ask, tables: tuple[tuple[str, Any], ...], *, weighted: bool
) -> tuple[Any, list[str]]:
    """Return a row a (period, dimension, unit) with its variables, and the names of the first."""
    rows, keys = amounts_of(metric, ask, tables, weighted=weighted)
    units = weighted_persons if weighted else per_person
    return units(rows, metric, ask.variables(metric), keys), keys


def amounts_of(
    metric: Metric, ask: Ask, tables: tuple[tuple[str, Any], ...], *, weighted: bool
) -> tuple[Any, list[str]]:
    """Return the rows of all tables with what each adds, and which of their columns are keys."""
    keys = [*(["period"] if ask.every != "none" else []), *(["dimension"] if ask.by else [])]
    variables = ask.variables(metric)
    parts = [
        _amounts(table.to_expr(), name, variables, ask, metric=metric, weighted=weighted)
        for name, table in sorted(tables, key=lambda one: _ORDER.get(one[0], len(_ORDER)))
    ]
    return reduce(lambda above, below: above.union(below), parts), keys


_ORDER = {"events": 0, "sessions": 1, "purchases": 2}
"""Tables in the order in which a query reads them."""


def _amounts(
    table: "ir.Table",
    name: str,
    variables: list[tuple[Term, Span]],
    ask: Ask,
    *,
    metric: Metric,
    weighted: bool,
) -> Any:
    """Return the rows of one table with the amount that each adds to each variable.

    Where rows have weights (see `metrics.weights`), with the weight for each variable.
    """
    import ibis

    moment = table.start_time if name == "sessions" else table.event_time
    mine = [term for term, _ in variables if term.table == name]
    inside = ibis.or_(*(within(moment, span) for span in dict.fromkeys(ask.spans)))
    wanted = table.filter(inside, ibis.or_(*(meant(table, term) for term in mine)))
    moment = wanted.start_time if name == "sessions" else wanted.event_time
    unit = unit_column(metric)
    columns: dict[str, Any] = {unit: unit_of(wanted, metric)}
    if ask.every != "none":
        columns["period"] = period_of(moment, ask)
    if ask.by:
        columns["dimension"] = dimension_of(wanted, ask.by)
    for place, (term, span) in enumerate(variables):
        if term.table != name:
            columns[f"v{place}"] = ibis.literal(0).cast("float64")
            if weighted:
                columns[f"w{place}"] = ibis.null("float64")
            continue
        counts = meant(wanted, term)
        if len(ask.spans) > 1:
            counts &= within(moment, span)
        if ask.currency is not None and term.measure == "sum":
            counts &= currency_of_row(wanted) == ask.currency
        if term.measure == "distinct":
            keys = [
                columns[key]
                for key in columns
                if not (key.startswith(("v", "w")) or (ask.running and key == "period"))
            ]
            counts = _first_of(wanted, counts, dimension_of(wanted, term.column), keys)
        columns[f"v{place}"] = ibis.ifelse(counts, _amount(wanted, term), 0).cast("float64")
        if weighted:
            columns[f"w{place}"] = ibis.ifelse(counts, weight_of(wanted), ibis.null("float64"))
            if weighs_rows(metric.kind, term):
                columns[f"v{place}"] = columns[f"v{place}"] * weight_of(wanted)
    found = wanted.select(**columns)
    return found if metric.unit == "person" else found.filter(found[unit].notnull())


def unit_of(table: Any, metric: Metric) -> Any:
    """Return which unit a row counts for; null where it is of none."""
    name = unit_column(metric)
    if name in table.columns:
        return table[name]
    # Of events the account is the customer's, and not a property of that name.
    if metric.unit == "account":
        return table.account_id
    found = dimension_of(table, UNITS[metric.unit])
    return found.nullif("")


def in_order(table: Any) -> list[Any]:
    """Return the columns that put rows in one order, whatever order they came in."""
    named = ("event_time", "message_hi", "message_lo")
    return [table[name] for name in named if name in table.columns]


def _first_of(table: Any, counts: Any, value: Any, keys: list[Any]) -> Any:
    """Return whether a row is the first that counts of its unit with its value."""
    import ibis

    number = ibis.row_number().over(group_by=[*keys, counts, value], order_by=in_order(table))
    return counts & value.notnull() & (number == 0)


def per_person(
    rows: Any, metric: Metric, variables: list[tuple[Term, Span]], keys: list[str]
) -> Any:
    """Return a row a (period, dimension, person) with the person's own value of each variable."""
    import ibis

    names = [f"v{place}" for place in range(len(variables))]
    summed = rows.group_by(*keys, unit_column(metric)).aggregate(
        **{name: rows[name].sum() for name in names}
    )
    values: dict[str, Any] = {}
    for name, (term, _) in zip(names, variables, strict=True):
        value = summed[name]
        if term.of == "people":
            value = ibis.ifelse(summed[name] >= term.at_least, 1, 0).cast("float64")
        values[name] = capped(value, term)
    if metric.per_unit:
        # Only what belongs to the people below is counted above.
        for above, below in zip(names[::2], names[1::2], strict=True):
            values[above] = ibis.ifelse(values[below] > 0, values[above], 0)
    told = summed.select(*keys, **values)
    return told.filter(ibis.or_(*(told[name] != 0 for name in names)))


def _statistics(units: Any, metric: Metric, ask: Ask, keys: list[str]) -> Any:
    """Return the sums; `n` counts persons, `n0` and `n1` those of each side."""
    import ibis

    size = len(metric.terms)
    columns = [units[f"v{place}"] for place in range(size * ask.sides)]
    sums: dict[str, Any] = {"n": units.count()}
    if ask.sides > 1:
        for place in range(ask.sides):
            own = columns[place * size : (place + 1) * size]
            sums[f"n{place}"] = ibis.or_(*(column != 0 for column in own)).cast("int64").sum()
    for place, column in enumerate(columns):
        sums[f"s{place}"] = column.sum()
    for i, j in combinations_with_replacement(range(len(columns)), 2):
        sums[f"q{i}{j}"] = (columns[i] * columns[j]).sum()
    return units.group_by(*keys).aggregate(**sums) if keys else units.aggregate(**sums)


def moment_columns(size: int) -> tuple[list[str], list[str]]:
    """Return the names of the columns of sums and of sums of products.

    >>> moment_columns(2)
    (['s0', 's1'], ['q00', 'q01', 'q11'])
    """
    pairs = combinations_with_replacement(range(size), 2)
    return [f"s{i}" for i in range(size)], list(starmap("q{}{}".format, pairs))


def within(moment: Any, span: Span) -> Any:
    """Return whether a time lies in a span, its start included, its end not."""
    return (moment >= instant(span[0])) & (moment < instant(span[1]))


def instant(micros: int) -> Any:
    """Return a literal of a time, UTC without zone as the facts keep it."""
    import ibis

    return ibis.literal(to_datetime(micros).replace(tzinfo=None), type="timestamp")


def period_of(moment: Any, ask: Ask) -> Any:
    """Return the first day of the period in the zone, by adding the offset of the time."""
    import ibis

    first, *later = zone_offsets(ask.spans[0][0], ask.spans[0][1], ask.zone)
    local = _shifted(moment, first[1])
    for since, seconds in later:
        local = ibis.ifelse(moment < instant(since), local, _shifted(moment, seconds))
    return local.truncate({"day": "D", "week": "W", "month": "M"}[ask.every]).date()


def _shifted(moment: Any, seconds: int) -> Any:
    import ibis

    return moment + ibis.interval(seconds=seconds) if seconds else moment


def meant(table: Any, term: Term) -> Any:
    """Return whether a row belongs to a term."""
    import ibis

    if term.table == "sessions":
        return table[term.having] > 0 if term.having else ibis.literal(value=True)
    if term.table == "events":
        meant: Any = table.event.isin(term.events) & (table.kind == "track")
    else:
        meant = ibis.literal(value=True)
    for name, values in term.where:
        value = dimension_of(table, name)
        meant &= (value.fill_null("") if "" in values else value).isin(values)
    return meant


def _amount(table: Any, term: Term) -> Any:
    """Return what a row adds: one, or its amount; doubles hold micros exactly to nine billion."""
    import ibis

    if term.weights:
        weights = dict(term.weights)
        plain = [(table.event == name, ibis.literal(weight)) for name, weight in weights.items()]
        return ibis.cases(*plain, else_=1.0)
    if term.measure != "sum":
        return ibis.literal(1)
    if term.points:
        number = table[f"p_{term.column}"].cast("float64")
        bands = [
            (number.between(low, high), ibis.literal(worth)) for low, high, worth in term.points
        ]
        return ibis.cases(*bands, else_=0.0)
    if term.of == "sessions":
        return table[term.column].cast("float64")
    promoted = f"p_{term.column}"
    if promoted in table.columns and table[promoted].type().is_integer():
        return table[promoted].cast("float64").fill_null(0)
    if promoted in table.columns:
        amount = table[promoted].try_cast("float64")
    else:
        amount = _property(table, term.column).try_cast("float64")
    return ((amount * MICROS).round() if term.money else amount).cast("float64").fill_null(0)


def currency_of_row(table: Any) -> Any:
    """Return the currency of an event, empty where it has none."""
    return dimension_of(table, "currency").fill_null("")


def dimension_of(table: Any, name: str) -> Any:
    """Return a property of events, or what carried them, as text; null where there is none.

    `source`, `event` and `environment` are of the envelope, and what surrounds an event
    (`model.facts.CONTEXT`) where the table has it, unless a described property has that name. All
    else is what the event says of itself: `account_id` is the advertiser of an ad, not the company
    of who saw it.

    Raises:
        BadInput: The name stands for no text of an event.
    """
    if name in {"event", "source", "environment"}:
        return table[name]
    if f"p_{name}" in table.columns:
        return table[f"p_{name}"].cast("string")
    if name in CONTEXT and name in table.columns:
        return table[name]
    if "properties" not in table.columns:
        raise BadInput(f"There is no `{name}` to split by.", "Use a property of its events.")
    return _property(table, name)


def _property(table: Any, name: str) -> Any:
    # RFC 6901, so that a dot or a bracket in a name is only that.
    return _text_at()(table.properties, "/" + name.replace("~", "~0").replace("/", "~1"))


@lru_cache(maxsize=1)
def _text_at() -> Any:
    """Return the engine's own way to take a text out of a JSON document by a pointer."""
    import ibis

    def json_extract_string(document: str, pointer: str) -> str:
        raise AssertionError(document, pointer)  # the engine does it

    return ibis.udf.scalar.builtin(json_extract_string)
