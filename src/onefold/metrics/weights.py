"""Sampled events weigh one over their rate: totals of all persons from those that were kept.

A source that samples keeps a person or nobody, so the person stays the unit. A total is that of
Horvitz & Thompson (1952), JASA 47: each amount by one over the probability that it was kept. Means
and shares are ratios of two such totals, and their intervals are linearised: Särndal, Swensson &
Wretman (1992), Model Assisted Survey Sampling, chapter 5. The moments of weighted values are all
that takes, so the same sums serve as without weights.
"""

from typing import Any

from onefold.metrics.records import Metric, Term
from onefold.metrics.tables import unit_column


def weight_of(table: Any) -> Any:
    """Return how many events or sessions a row stands for: one, unless it was sampled."""
    import ibis

    return ibis.literal(1.0) / table.sample_rate.fill_null(1.0)


def weighs_rows(kind: str, term: Term) -> bool:
    """Return whether each row of a term is weighed by itself, and not the person.

    A count, a sum or a ratio is of totals, to which every row adds. A share or a mean is of
    persons, and so is what counts persons.
    """
    return kind in {"count", "sum", "ratio"} and term.of != "people"


def capped(value: Any, term: Term, weight: Any = None) -> Any:
    """Return a unit's amount, or what it counts for at most; of the weight it stands for."""
    import ibis

    if term.cap is None:
        return value
    return ibis.least(value, ibis.literal(term.cap) if weight is None else weight * term.cap)


def weighted_persons(
    rows: Any, metric: Metric, variables: list[tuple[Term, Any]], keys: list[str]
) -> Any:
    """Return a row a (period, dimension, person) with the person's weighted value of each variable.

    One who was seen by two sources of different rates is there with the greater probability of
    the two, and seen to have done something with that of the source that tells it.
    """
    import ibis

    sums: dict[str, Any] = {}
    for place, (term, _) in enumerate(variables):
        weight = rows[f"w{place}"]
        sums[f"v{place}"] = rows[f"v{place}"].sum()
        sums[f"w{place}"] = weight.min() if term.of == "people" else weight.max()
    summed = rows.group_by(*keys, unit_column(metric)).aggregate(**sums)
    values: dict[str, Any] = {}
    for place, (term, _) in enumerate(variables):
        value = summed[f"v{place}"]
        if term.of == "people":
            value = ibis.ifelse(value >= term.at_least, 1.0, 0.0)
        weight = summed[f"w{place}"].fill_null(1.0)
        if weighs_rows(metric.kind, term):
            value = capped(value, term, weight)
        else:
            value = capped(value, term) * weight
        values[f"v{place}"] = value
    if metric.per_unit:
        _tie(values, summed)
    per_person = summed.select(*keys, **values)
    return per_person.filter(ibis.or_(*(per_person[name] != 0 for name in values)))


def _tie(values: dict[str, Any], summed: Any) -> None:
    """Count above only who counts below, by the smaller of the two probabilities."""
    import ibis

    for above in range(0, len(values), 2):
        top, below = f"v{above}", f"v{above + 1}"
        own = summed[f"w{above}"].fill_null(1.0)
        joint = ibis.greatest(own, summed[f"w{above + 1}"].fill_null(1.0))
        values[top] = ibis.ifelse(values[below] > 0, values[top] / own * joint, 0.0)
