"""From YAML to a quantity: what is counted, summed or told apart, and of what."""

import re

from onefold.metrics.records import PURCHASE_FIELDS, RECORDED, UNIT_WORDS, UNITS, Term
from onefold.metrics.tables import columns_of, has_unit
from onefold.model.documents import Fields
from onefold.model.errors import did_you_mean

MEASURES = ("count", "sum", "distinct")
SESSION_COLUMNS = ("events", "actions", "discoveries")
OF = ("events", "sessions", "people", "purchases")
OF_SUMS = ("events", "sessions", "purchases", *RECORDED)
OF_DISTINCT = ("events", *RECORDED)
HAVING = (*SESSION_COLUMNS, "purchases", *RECORDED)
_BAND = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")


def read_term(fields: Fields, unit: str, *, money: bool = False) -> Term:
    """Return the quantity that fields define, of a metric whose independent unit is given.

    Args:
        fields: Those below `numerator` or `denominator`.
        unit: One of `UNITS`.
        money: Whether what is summed is money.

    Raises:
        BadInput: Something is missing, unknown or contradictory; with file, line and column.
    """
    said = [one for one in MEASURES if one in fields]
    if len(said) != 1:
        fields.refuse(
            "sum",
            "Say what to count or to sum, or what to tell apart.",
            "Write one of `count:`, `sum:` and `distinct:`.",
        )
    (measure,) = said
    if measure == "count":
        column, of = "", fields.choice("count", (*OF, *RECORDED, UNIT_WORDS[unit]))
        of = "people" if of == UNIT_WORDS[unit] and not _is_recorded_alone(fields, of) else of
    else:
        column = fields.text(measure)
        of = fields.choice("of", OF_SUMS if measure == "sum" else OF_DISTINCT, "events")
    term = Term(
        measure=measure,
        of=of,
        column=column,
        events=fields.texts("events", ()),
        where=_where(fields.fields("where")),
        having=fields.choice("having", HAVING, ""),
        at_least=fields.integer("at_least", 1, least=1),
        money=money,
        weights=_weights(fields.fields("weights")),
        points=_points(fields.fields("points")),
        cap=fields.number("cap", least=0.0) if "cap" in fields else None,
    )
    fields.close()
    _check_term(fields, term)
    _check_unit(fields, term, unit)
    _check_worth(fields, term)
    return term


def _is_recorded_alone(fields: Fields, of: str) -> bool:
    """Return whether a word that names imported rows and units alike means the rows."""
    return of in RECORDED and "events" not in fields and "having" not in fields


def _weights(fields: Fields | None) -> tuple[tuple[str, float], ...]:
    if fields is None:
        return ()
    return tuple((name, fields.number(name, least=0.0)) for name in fields.names())


def _points(fields: Fields | None) -> tuple[tuple[float, float, float], ...]:
    """Return the points of numbers: `9-10: 1` or `0: -1`; no number has two."""
    found: list[tuple[float, float, float]] = []
    for name in fields.names() if fields is not None else ():
        parts = _BAND.fullmatch(name)
        if parts is None or fields is None:
            fields and fields.refuse(name, f"`{name}` is no range.", "Write it as `9-10: 1`.")
            continue
        low = float(parts[1])
        high = float(parts[2]) if parts[2] else low
        if any(low <= other[1] and other[0] <= high for other in found) or high < low:
            fields.refuse(name, f"`{name}` overlaps another, or ends before it begins.", "Mend it.")
        found.append((low, high, fields.number(name)))
    return tuple(found)


def _where(fields: Fields | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if fields is None:
        return ()
    return tuple((name, fields.texts(name)) for name in fields.names())


def _check_term(fields: Fields, term: Term) -> None:
    if term.of == "events" and not term.events:
        fields.refuse("events", "`events` is missing.", "Name the events: `events: [pin_saved]`.")
    if term.table in RECORDED:
        _check_recorded(fields, term)
        return
    if term.of == "sessions" and (term.events or term.where):
        fields.refuse(
            "events", "Sessions have no events to name.", "Use `having: actions` or `discoveries`."
        )
    if term.table == "purchases":
        _check_purchases(fields, term)
        return
    if term.of == "people" and bool(term.events) == bool(term.having):
        fields.refuse(
            "events",
            "Say what makes a person count.",
            "Name `events`, or sessions by `having: actions`, not both.",
        )
    if term.having == "purchases":
        fields.refuse("having", "`having: purchases` is of people.", "Write `count: purchases`.")
    if term.having and (term.events or term.of == "events"):
        fields.refuse("having", "`having` is of sessions.", "Remove it, or count sessions.")
    if term.measure == "sum" and term.of == "sessions" and term.column not in SESSION_COLUMNS:
        fields.refuse(
            "sum",
            f"Sessions have no `{term.column}`.",
            f"Use one of: {', '.join(SESSION_COLUMNS)}.",
        )
    if term.at_least > 1 and term.of != "people":
        fields.refuse("at_least", "`at_least` is of people.", "Remove it, or count people.")


def _check_purchases(fields: Fields, term: Term) -> None:
    if term.events:
        fields.refuse(
            "events",
            "Purchases are not counted by names of events.",
            "Remove `events`, or count events.",
        )
    if term.having and term.of != "people":
        fields.refuse("having", "Purchases need no `having`.", "Remove it, or count people.")
    if term.at_least > 1 and term.of != "people":
        fields.refuse("at_least", "`at_least` is of people.", "Remove it, or count people.")
    if term.measure == "sum" and (term.column != "amount" or not term.money):
        fields.refuse(
            "sum",
            f"What purchases sum to is money, not `{term.column}`.",
            "Write `sum: amount` in the numerator, and `format: money`.",
        )
    for name, _ in term.where:
        if name not in PURCHASE_FIELDS:
            fields.refuse(
                "where",
                f"Purchases have no `{name}`.",
                f"Use one of: {', '.join(PURCHASE_FIELDS)}.",
            )


def _check_recorded(fields: Fields, term: Term) -> None:
    table, rows = term.table, term.of in RECORDED
    for name in ("events", *(("having", "at_least") if rows else ())):
        if name in fields:
            fields.refuse(name, f"`{table}` are imported rows.", f"Remove `{name}`.")
    if term.having and term.of not in {"people", table}:
        fields.refuse("having", f"`having: {table}` is of units.", f"Write `count: {table}`.")
    known = columns_of(table)
    for place, name in ((term.measure, term.column), *(("where", one) for one, _ in term.where)):
        if name and name not in known:
            near = did_you_mean(name, known)
            fix = f"Use one of: {', '.join(known)}."
            fields.refuse(place, f"`{table}` have no `{name}`.{near}", fix)


def _check_unit(fields: Fields, term: Term, unit: str) -> None:
    """Refuse what does not name the unit."""
    if term.table in RECORDED and not has_unit(term.table, unit):
        known = [one for one in UNITS if has_unit(term.table, one)]
        fields.refuse(
            "count" if "count" in fields else "of",
            f"`{term.table}` do not name the {unit}.",
            f"Make `unit` one of: {', '.join(known)}." if known else "Count something else.",
        )
    if unit != "person" and term.table in {"sessions", "purchases"}:
        fields.refuse(
            "count" if "count" in fields else "of",
            f"{term.table.capitalize()} are of persons, not of {UNIT_WORDS[unit]}.",
            "Remove `unit`, or count events or imported rows.",
        )


def _check_worth(fields: Fields, term: Term) -> None:
    if term.weights and (term.measure != "count" or term.of != "events"):
        fields.refuse("weights", "`weights` are of events that are counted.", "Remove `weights`.")
    for name, _ in term.weights:
        if name not in term.events:
            fix = f"Use one of: {', '.join(term.events)}."
            fields.refuse("weights", f"`{name}` is none of its events.", fix)
    if term.points and (term.measure != "sum" or term.of not in RECORDED or term.money):
        fix = "Write `sum: score`, `of: answers`."
        fields.refuse("points", "`points` are of a number of imported rows.", fix)
    if term.measure == "distinct" and term.of in {"sessions", "purchases"}:
        fields.refuse("of", f"{term.of} have nothing to tell apart.", "Tell events apart.")
    if term.cap is not None and term.of == "people":
        fields.refuse("cap", "A unit counts once; there is nothing to cap.", "Remove `cap`.")
