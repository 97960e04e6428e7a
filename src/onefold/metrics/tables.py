"""What the terms of a metric read: events, sessions, purchases and imported rows, alike."""

from typing import TYPE_CHECKING, Any

from onefold.metrics.purchases import purchases_of
from onefold.metrics.records import RECORDED, UNITS, Metric
from onefold.model.facts import CONTEXT, RECORD_TIMES, TABLES
from onefold.model.time import to_datetime
from onefold.model.zones import zone_offsets

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

    Spans = tuple[tuple[int, int], ...]

_WORDS_OF_PEOPLE = frozenset({"text", "subject", "title", "name", "sources", "properties"})
"""What somebody wrote is nothing to tell rows apart by."""

UNIT = "unit"
"""The column that names the independent unit where that is no person."""
_PERSON = "person_id"
_MICROS = "_micros"


def unit_column(metric: Metric) -> str:
    """Return the column of rows that names the unit they count for."""
    return _PERSON if metric.unit == "person" else UNIT


def columns_of(table: str) -> tuple[str, ...]:
    """Return by what imported rows may be told apart or summed, as definitions name it.

    Keys of persons are none of it; money is named without its unit, `amount`.

    >>> columns_of("answers")
    ('answer_id', 'survey', 'question', 'account_id', 'ticket_id', 'score')
    """
    told = TABLES[table].columns
    return tuple(
        name.removesuffix(_MICROS)
        for name, kind in told.items()
        if not name.endswith(("_key", "_keys", "_time", "_date"))
        and name not in _WORDS_OF_PEOPLE
        and kind in {"string", "int64"}
    )


def has_unit(table: str, unit: str) -> bool:
    """Return whether imported rows name a unit: a column of its own, or the key of a person."""
    column = "user_key" if unit == "person" else UNITS[unit]
    return column in TABLES[table].columns


def read_tables(view: "View", metric: Metric, spans: "Spans") -> dict[str, "ir.Table"]:
    """Return each table that a metric reads, with `event_time` or `start_time` and its unit.

    Rows of no unit are left out: they count for nobody.
    """
    found: dict[str, ir.Table] = {}
    for name in dict.fromkeys(term.table for term in metric.terms):
        if name == "sessions":
            found[name] = view.sessions
        elif name == "purchases":
            found[name] = purchases_of(view)
        elif name in RECORDED:
            # A cost is of a campaign, whoever came by it.
            unit = "campaign" if metric.kind == "acquisition" else metric.unit
            found[name] = _recorded(view, name, unit, spans)
        else:
            found[name] = view.person_events
    return found


def surrounded(events: "ir.Table", contexts: "ir.Table", asked: set[str | None]) -> "ir.Table":
    """Return the events with what a question asks of their surroundings, if anything."""
    names = [n for n in CONTEXT if n in asked and f"p_{n}" not in events.columns]
    if not names:
        return events
    around = contexts.select("key", *names)
    return events.left_join(around, events.context_key == around.key).drop("key")


def _recorded(view: "View", name: str, unit: str, spans: "Spans") -> "ir.Table":
    """Return imported rows in the shape of events: `event_time`, the unit, `p_` columns."""
    import ibis

    table = view.records[name]
    if unit == "person":
        people = view.people.select("key", _PERSON)
        table = table.inner_join(people, table.user_key == people.key)
        named = {_PERSON: table[_PERSON]}
    else:
        table = table.filter(table[UNITS[unit]].notnull())
        named = {UNIT: table[UNITS[unit]]}
    moment: Any = table[RECORD_TIMES[name]]
    if RECORD_TIMES[name].endswith("_date"):
        moment = _midnight(moment, spans, view.zone)
    columns: dict[str, Any] = {"event_time": moment, **named}
    for column in columns_of(name):
        told = column if column in table.columns else column + _MICROS
        columns[f"p_{column}"] = table[told]
    if view.sampled:
        columns["sample_rate"] = ibis.literal(1.0)
    return table.select(**columns)


def _midnight(day: Any, spans: "Spans", zone: str) -> Any:
    """Return when a day began in the zone, as UTC."""
    import ibis

    local = day.cast("timestamp")
    first, *later = zone_offsets(min(s[0] for s in spans), max(s[1] for s in spans), zone)
    moment = local - ibis.interval(seconds=first[1]) if first[1] else local
    for since, seconds in later:
        other = local - ibis.interval(seconds=seconds) if seconds else local
        turned = ibis.literal(to_datetime(since).replace(tzinfo=None), type="timestamp")
        moment = ibis.ifelse(other >= turned, other, moment)
    return moment
