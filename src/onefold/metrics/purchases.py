"""Purchases as metrics read them: online and offline, one that was told both ways once."""

from typing import TYPE_CHECKING

from onefold.collect import questions
from onefold.metrics.records import PURCHASE_FIELDS, Metric

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View


def is_of_purchases(metric: Metric) -> bool:
    """Return whether any quantity of a metric is of purchases."""
    return any(term.table == "purchases" for term in metric.terms)


def purchases_of(view: "View", *, known: bool = True) -> "ir.Table":
    """Return every purchase once, as the rows of events are read.

    Args:
        view: Under which terms it is asked.
        known: Those with a person behind them; else those without.

    Returns:
        person_id, event_time, p_amount in micros, p_currency, p_origin, p_store, and
        sample_rate where anything was sampled.
    """
    found = questions.purchases(view)
    found = found.filter(found.person_id.notnull() if known else found.person_id.isnull())
    columns = {f"p_{name}": found[name] for name in ("currency", *PURCHASE_FIELDS)}
    if view.sampled:
        columns["sample_rate"] = found.sample_rate
    return found.select("person_id", event_time="time", p_amount="amount_micros", **columns)
