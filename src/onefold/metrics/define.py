"""From YAML to a metric; every complaint says file, line, column, and what would be right."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from onefold.metrics.answering import read_answering
from onefold.metrics.records import PURCHASE_FIELDS, Metric, Term
from onefold.model.documents import Fields, read_document
from onefold.model.errors import BadInput

KINDS = ("count", "sum", "share", "ratio", "mean")
FORMATS = ("number", "percent", "money")
SESSION_COLUMNS = ("events", "actions", "discoveries")
OF = ("events", "sessions", "people", "purchases")
OF_SUMS = ("events", "sessions", "purchases")
HAVING = (*SESSION_COLUMNS, "purchases")
PURPOSES = ("analytics", "personalization", "advertising", "sharing")


def parse_metric(text: str, path: str) -> Metric:
    """Return the metric that a YAML document defines.

    Args:
        text: The document.
        path: How complaints name the file.

    Raises:
        BadInput: Something is missing, unknown or contradictory; with file, line and column.
    """
    fields = read_document(text, path)
    kind = fields.choice("kind", KINDS)
    form = fields.choice("format", FORMATS, "number")
    metric = Metric(
        name=fields.text("metric"),
        version=fields.integer("version", 1, least=1),
        label=fields.text("label"),
        description=fields.text("description"),
        owner=fields.text("owner"),
        purpose=fields.choice("purpose", PURPOSES, "analytics"),
        decision=fields.text("decision", ""),
        unit=fields.choice("unit", ("person",), "person"),
        better=fields.choice("better", ("up", "down"), "up"),
        kind=kind,
        numerator=_term(fields.required("numerator"), money=form == "money"),
        denominator=_denominator(fields, kind),
        format=form,
        dimensions=fields.texts("dimensions", ()),
        minimum_people=fields.integer("minimum_people", 30, least=2),
        margin=fields.number("margin", 0.0, least=0.0),
        answering=read_answering(fields),
    )
    fields.close()
    _check(fields, metric)
    return metric


def load_metrics(folder: Path | None = None) -> dict[str, Metric]:
    """Return all metrics by name: those shipped, then those of a folder, which win.

    Raises:
        BadInput: A definition cannot be used, or two files define the same name.
    """
    found = dict(_shipped())
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*.y*ml")) if folder else ():
        place = f"{path.parent.name}/{path.name}"
        metric = parse_metric(path.read_text(encoding="utf-8"), place)
        if metric.name in seen:
            raise BadInput(
                f"{path.name} and {seen[metric.name]} both define `{metric.name}`.",
                "Give one of them another name.",
            )
        seen[metric.name] = path.name
        found[metric.name] = metric
    return found


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Metric]:
    folder = files("onefold.metrics") / "seeds"
    texts = {item.name: item.read_text(encoding="utf-8") for item in folder.iterdir()}
    metrics = [parse_metric(texts[name], f"seeds/{name}") for name in sorted(texts)]
    return {metric.name: metric for metric in metrics}


def _denominator(fields: Fields, kind: str) -> Term | None:
    if kind in {"share", "ratio", "mean"}:
        return _term(fields.required("denominator"))
    if "denominator" in fields:
        fields.refuse(
            "denominator",
            f"A {kind} has no denominator.",
            "Remove it, or make `kind` a share, ratio or mean.",
        )
    return None


def _term(fields: Fields, *, money: bool = False) -> Term:
    if ("count" in fields) == ("sum" in fields):
        fields.refuse(
            "sum", "Say what to count or what to sum.", "Write `count:` or `sum:`, not both."
        )
    measure = "count" if "count" in fields else "sum"
    if measure == "count":
        column, of = "", fields.choice("count", OF)
    else:
        column, of = fields.text("sum"), fields.choice("of", OF_SUMS, "events")
    term = Term(
        measure=measure,
        of=of,
        column=column,
        events=fields.texts("events", ()),
        where=_where(fields.fields("where")),
        having=fields.choice("having", HAVING, ""),
        at_least=fields.integer("at_least", 1, least=1),
        money=money,
    )
    fields.close()
    _check_term(fields, term)
    return term


def _where(fields: Fields | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if fields is None:
        return ()
    return tuple((name, fields.texts(name)) for name in fields.names())


def _check_term(fields: Fields, term: Term) -> None:
    if term.of == "events" and not term.events:
        fields.refuse("events", "`events` is missing.", "Name the events: `events: [pin_saved]`.")
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


def _check(fields: Fields, metric: Metric) -> None:
    numerator, denominator = metric.numerator, metric.denominator
    if metric.kind == "sum" and numerator.measure != "sum":
        fields.refuse("kind", "A sum needs `sum:` in its numerator.", "Write `sum: <property>`.")
    if metric.kind == "count" and numerator.measure != "count":
        fields.refuse("kind", "A count needs `count:` in its numerator.", "Write `count: events`.")
    if metric.kind == "share" and not (
        numerator.of == "people" and denominator is not None and denominator.of == "people"
    ):
        fields.refuse("kind", "A share is people of people.", "Write `count: people` in both.")
    if metric.kind == "mean" and not (denominator is not None and denominator.of == "people"):
        fields.refuse("kind", "A mean is per person.", "Write `count: people` below.")
    if metric.format == "money" and (numerator.measure != "sum" or numerator.of == "sessions"):
        fields.refuse(
            "format", "Money is a sum of events or purchases.", "Write `sum: <money property>`."
        )
    tables = {term.table for term in metric.terms}
    if "purchases" in tables and not set(metric.dimensions) <= metric.purchase_fields:
        fields.refuse(
            "dimensions",
            "Purchases cannot be split by a property of events.",
            f"Where all terms are of purchases, use: {', '.join(PURCHASE_FIELDS)}.",
        )
    if metric.dimensions and "sessions" in tables:
        fields.refuse(
            "dimensions",
            "A metric of sessions cannot be split by a property of events.",
            "Remove `dimensions`.",
        )
