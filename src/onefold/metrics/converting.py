"""How long people take from the first step of a funnel to each later one.

Counted is the first time that a person comes to a step, from the latest beginning that led there:
the rule by which the funnel counts persons (`metrics.funnels`), so both are of the same people.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from onefold.metrics import asking
from onefold.metrics.asking import People
from onefold.metrics.funnels import MOST_GROUPS, Steps, check, walked
from onefold.model.records import Answer, Column, Estimate
from onefold.model.time import DAY, HOUR, MINUTE, duration_words
from onefold.stats import ranges

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

    Rows = Sequence[dict[str, Any]]

QUANTILES = {"median": 0.5, "p90": 0.9}
_SECOND = 1_000_000
_ENDS = (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY)


def funnel_times(view: "View", steps: Steps) -> Answer:
    """Return how long people took from the first step of a funnel to each later one.

    Columns: the dimension under its own name (with `by`), `step` (from 2), `event`, `figure`:
    `median` and `p90` (seconds), or `share`, that of the people of the step who took more than
    `over` and at most `until` (seconds; the first such row begins with no time at all); `value`
    with `low`, `high` and `level`, and `n`, the people who came to the step.

    Raises:
        BadInput: The steps, the days or the dimension cannot be used.
    """
    check(steps)
    question = taken(view, steps)
    groups: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    for row in view.ask(question).to_pylist():
        groups[row["by"]].append(row)
    people = {name: sum(_weight(row) for row in found) for name, found in groups.items()}
    shown = sorted(groups, key=lambda name: (-people[name], name is None, name or ""))
    rows = [row for name in shown[:MOST_GROUPS] for row in _rows(steps, name, groups[name])]
    return Answer(
        columns=_columns(steps),
        rows=tuple(rows),
        definition=_definition(steps),
        query=view.sql(question),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(*steps.span),
        notes=tuple(_notes(view, steps, groups)),
    )


def taken(view: "View", steps: Steps) -> "ir.Table":
    """Return the question: how many people took how long to come to each step.

    Columns: `by`, `step` (from 2), `value` (seconds), `weight` of each of the `units` people.
    """
    events = asking.events_of(view, steps.events, steps.span, by=steps.by)
    return _taken(events.op(), steps)


@lru_cache(maxsize=64)
def _taken(events: Any, steps: Steps) -> "ir.Table":
    import ibis
    from ibis import _

    first, *later = walked(events, steps)
    people = first.group_by("person_id", "begun_in").aggregate(weight=_.weight.min())
    each = []
    for place, way in enumerate(later, start=2):
        took = (way.moment - way.begun).argmin(way.moment) / _SECOND
        came = way.group_by("person_id", "begun_in").aggregate(value=took)
        same = [came.person_id == people.person_id, came.begun_in.identical_to(people.begun_in)]
        each.append(
            people.join(came, same).select(
                by=people.begun_in,
                step=ibis.literal(place, "int64"),
                value=came.value,
                weight=people.weight,
            )
        )
    told = each[0].union(*each[1:]) if each[1:] else each[0]
    return told.group_by("by", "step", "value", "weight").aggregate(units=_.count())


def _weight(row: dict[str, Any]) -> float:
    return float(row["weight"]) * int(row["units"])


def _people(rows: "Rows") -> People:
    units = sum(int(row["units"]) for row in rows)
    squares = sum(float(row["weight"]) * _weight(row) for row in rows)
    return People(units, sum(map(_weight, rows)), squares)


def _rows(steps: Steps, name: str | None, found: "Rows") -> Iterator[tuple[object, ...]]:
    for place, event in enumerate(steps.events[1:], start=2):
        here = sorted((row for row in found if row["step"] == place), key=lambda row: row["value"])
        head = (*((name,) if steps.by else ()), place, event)
        for figure, share in QUANTILES.items():
            yield (*head, figure, None, None, *_ended(_quantile(here, share)))
        among, over = _people(here), 0.0
        for until in _until(steps.within):
            first = not over
            some = [row for row in here if (first or row["value"] > over) and row["value"] <= until]
            value = asking.share_of(_people(some), among)
            yield (*head, "share", over, until, *_ended(value))
            over = until


def _until(within: int) -> Iterator[float]:
    """Return the ends of the stretches in seconds; the last is the length of the funnel."""
    for end in (*(one for one in _ENDS if one < within), within):
        yield end / _SECOND


def _quantile(rows: "Rows", share: float) -> Estimate:
    values, counts, weights = (
        np.array([row[name] for row in rows], dtype=np.float64)
        for name in ("value", "units", "weight")
    )
    found = ranges.quantile(values, share, counts=counts, weights=weights)
    if found.n < asking.FEWEST_PEOPLE:
        return replace(found, low=None, high=None)
    return found


def _ended(value: Estimate) -> tuple[object, ...]:
    return (value.estimate, value.low, value.high, value.level, value.n)


def _columns(steps: Steps) -> tuple[Column, ...]:
    return (
        *((Column(steps.by, "text"),) if steps.by else ()),
        Column("step", "integer"),
        Column("event", "text"),
        Column("figure", "text"),
        Column("over", "number", "seconds"),
        Column("until", "number", "seconds"),
        *(Column(name, "number") for name in ("value", "low", "high")),
        Column("level", "number", "share"),
        Column("n", "integer", "people"),
    )


def _definition(steps: Steps) -> str:
    split = f" Split by {steps.by} of the first step." if steps.by else ""
    return (
        f"How long people took from {steps.events[0]} to each later step of "
        f"{', then '.join(steps.events)}, within {duration_words(steps.within)}: to the first time "
        "that they came to it, from the latest first step that led there. Only of those who came "
        "to it in these days; who needs longer than the funnel lasts is not among them. Interval "
        f"of a median or 90th percentile: by binomial ranks; of a share: Wilson's; 95 %.{split}"
    )


def _notes(
    view: "View", steps: Steps, groups: dict[str | None, list[dict[str, Any]]]
) -> Iterator[str]:
    if not groups:
        yield from asking.unheard_notes(asking.unheard(view, steps.events, steps.span))
    last = len(steps.events)
    counts = [_people([row for row in found if row["step"] == last]).n for found in groups.values()]
    smallest = min(counts, default=0)
    if smallest < asking.FEWEST_PEOPLE:
        yield (
            f"Not enough data for {'every' if steps.by else 'an'} interval of the last step: "
            f"{smallest} of {asking.FEWEST_PEOPLE} people."
        )
    if len(groups) > MOST_GROUPS:
        yield f"The {MOST_GROUPS} largest of {len(groups):,} groups."
    yield from view.marked_notes(*steps.span)
    if view.sampled:
        yield asking.SAMPLED
