"""From YAML to a metric; every complaint says file, line, column, and what would be right."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from onefold.metrics.answering import read_answering
from onefold.metrics.quantities import read_term
from onefold.metrics.records import (
    PURCHASE_FIELDS,
    RECORDED,
    TIMED,
    UNIT_WORDS,
    UNITS,
    Metric,
    Term,
)
from onefold.metrics.tables import columns_of
from onefold.model.documents import Fields, read_document
from onefold.model.errors import BadInput

KINDS = ("count", "sum", "share", "ratio", "mean", "quantile", "time_to", "acquisition")
FORMATS = ("number", "percent", "money", "duration")
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
    usual = {"time_to": "duration", "acquisition": "money"}.get(kind, "number")
    form = fields.choice("format", FORMATS, usual)
    unit = fields.choice("unit", UNITS, "person")
    numerator, denominator = _terms(fields, kind, unit, money=form == "money")
    metric = Metric(
        name=fields.text("metric"),
        version=fields.integer("version", 1, least=1),
        label=fields.text("label"),
        description=fields.text("description"),
        owner=fields.text("owner"),
        purpose=fields.choice("purpose", PURPOSES, "analytics"),
        decision=fields.text("decision", ""),
        unit=unit,
        better=fields.choice("better", ("up", "down"), "up"),
        kind=kind,
        numerator=numerator,
        denominator=denominator,
        format=form,
        dimensions=fields.texts("dimensions", ()),
        minimum_people=fields.integer("minimum_people", 30, least=2),
        margin=fields.number("margin", 0.0, least=0.0),
        quantile=_quantile(fields, kind),
        lag_days=fields.integer("lag_days", 0) if kind == "acquisition" else 0,
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


def _terms(fields: Fields, kind: str, unit: str, *, money: bool) -> tuple[Term, Term | None]:
    """Return what is measured and what it is measured by; of a time its end and its beginning."""
    if kind == "time_to":
        return _ends(fields)
    if kind == "acquisition":
        cost = read_term(fields.required("cost"), "campaign", money=True)
        return cost, _deed(fields, "new")
    above = read_term(fields.required("numerator"), unit, money=money)
    if kind in {"share", "ratio", "mean", "quantile"}:
        return above, read_term(fields.required("denominator"), unit)
    if "denominator" in fields:
        fields.refuse(
            "denominator",
            f"A {kind} has no denominator.",
            "Remove it, or make `kind` a share, ratio or mean.",
        )
    return above, None


def _ends(fields: Fields) -> tuple[Term, Term | None]:
    """Return what ends a time and what begins it: two deeds, or imported rows that do both."""
    if "of" in fields:
        table = fields.choice("of", TIMED)
        for name in ("from", "to"):
            if name in fields:
                fix = "Remove it, or `of`."
                fields.refuse(name, f"`{table}` begin and end by themselves.", fix)
        return Term("count", table), None
    return _deed(fields, "to"), _deed(fields, "from")


def _deed(fields: Fields, name: str) -> Term:
    """Return what somebody does, as `events` and `where` below a name say it."""
    part = fields.required(name)
    events, where = part.texts("events"), part.fields("where")
    given = () if where is None else tuple((one, where.texts(one)) for one in where.names())
    part.close()
    return Term("count", "people", events=events, where=given)


def _quantile(fields: Fields, kind: str) -> float:
    if kind not in {"quantile", "time_to"}:
        if "quantile" in fields:
            fix = "Make `kind` quantile or time_to."
            fields.refuse("quantile", f"A {kind} has no quantile.", fix)
        return 0.5
    share = fields.number("quantile", 0.5, least=0.0)
    if not 0 < share < 1:
        fields.refuse("quantile", f"`quantile` is {share:g}.", "Write a share, such as 0.5 or 0.9.")
    return share


def _check(fields: Fields, metric: Metric) -> None:
    numerator, denominator = metric.numerator, metric.denominator
    if metric.kind == "sum" and numerator.measure != "sum":
        fields.refuse("kind", "A sum needs `sum:` in its numerator.", "Write `sum: <property>`.")
    if metric.kind == "count" and numerator.measure == "sum":
        fields.refuse("kind", "A count needs `count:` in its numerator.", "Write `count: events`.")
    if metric.kind == "share" and not (
        numerator.of == "people" and denominator is not None and denominator.of == "people"
    ):
        each = UNIT_WORDS[metric.unit]
        fields.refuse("kind", f"A share is {each} of {each}.", f"Write `count: {each}` in both.")
    each = UNIT_WORDS[metric.unit]
    if metric.kind in {"mean", "quantile"} and (denominator is None or denominator.of != "people"):
        fields.refuse(
            "kind", f"A {metric.kind} is per {metric.unit}.", f"Write `count: {each}` below."
        )
    if metric.kind == "acquisition":
        _check_acquisition(fields, metric)
        return
    if metric.kind == "quantile" and numerator.of == "people":
        fields.refuse("kind", "A quantile is of amounts.", "Count or sum something above.")
    if (metric.format == "duration") != (metric.kind == "time_to"):
        fields.refuse("format", "A duration is a `time_to`, and that is one.", "Remove `format`.")
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
    _check_recorded(fields, metric, tables)


def _check_acquisition(fields: Fields, metric: Metric) -> None:
    cost = metric.numerator
    if cost.measure != "sum" or cost.column != "amount" or cost.of != "ad_costs":
        fix = "Write `cost: {sum: amount, of: ad_costs}`."
        fields.refuse("cost", "The cost is the money of ads.", fix)
    if metric.unit != "person" or metric.format != "money":
        name = "unit" if metric.unit != "person" else "format"
        fields.refuse(name, "What a new customer costs is money a person.", f"Remove `{name}`.")
    if not set(metric.dimensions) <= {"channel"}:
        fix = "Write `dimensions: [channel]`, or remove it."
        fields.refuse("dimensions", "Costs and people have only their channel in common.", fix)


def _check_recorded(fields: Fields, metric: Metric, tables: set[str]) -> None:
    """Refuse dimensions that the imported rows do not have, all of them alike."""
    recorded = sorted(tables & set(RECORDED))
    if not recorded or not metric.dimensions:
        return
    known = set(columns_of(recorded[0])).intersection(*map(columns_of, recorded[1:]))
    if len(recorded) < len(tables) or not set(metric.dimensions) <= known:
        fix = f"Use one of: {', '.join(sorted(known))}." if len(recorded) == len(tables) else ""
        fields.refuse(
            "dimensions",
            f"Not all of {', '.join(sorted(tables))} can be split so.",
            fix or "Remove `dimensions`.",
        )
