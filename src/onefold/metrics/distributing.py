"""Distributions: how a quantity is spread over people, such as how often they did something.

The quantity of a person is of the days asked: how many times the person did an event, or what a
number of that event adds up to. Whoever did not do it at all has no quantity, and is not among
them: who could have done it and did not is another question (a funnel, a share).
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from onefold.metrics import asking
from onefold.metrics.asking import People
from onefold.metrics.compile import Span, dimension_of, within
from onefold.metrics.periods import check_window
from onefold.metrics.weights import weight_of
from onefold.model.errors import BadInput
from onefold.model.records import Answer, Column, Estimate
from onefold.stats import ranges

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

    Rows = Sequence[dict[str, Any]]
    Bucket = tuple[float | None, float | None]

QUANTILES = {"median": 0.5, "p90": 0.9}
MOST_EDGES, MOST_GROUPS = 50, 12
_MOST_NUMBER = 9e9
"""A larger number of an event is left out: its millionths are no longer exact."""
_PARTS = 1_000_000
_TIMES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
_MOST_OWN_EDGES = 10


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is asked of a distribution.

    Attributes:
        event: Name of the event that is counted, or whose number is added up.
        span: From (inclusive) and to (exclusive), microseconds UTC.
        of: The property whose numbers are added up; empty counts how many times.
        edges: Where a bucket ends and the next begins, ascending; empty are round numbers that
            suit what is found.
        by: What the events are split by, or None.
    """

    event: str
    span: Span
    of: str = ""
    edges: tuple[float, ...] = ()
    by: str | None = None


def distribution(view: "View", asked: Distribution) -> Answer:
    """Return how a quantity is spread over the people who have any.

    Columns: the dimension under its own name (with `by`), `figure`: `median` and `p90`, or `share`,
    that of the people whose quantity is `at_least` so much and `below` so much (None is without
    end); `people` in it, `value` with `low`, `high` and `level`, and `n`, all who have a quantity.
    The shares of a group add up to one. Edges are the same for all groups.

    Raises:
        BadInput: The event, the days, the edges or the dimension cannot be used.
    """
    check(asked)
    question = quantities(view, asked)
    groups: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    found = view.ask(question).to_pylist()
    for row in found:
        groups[row["by"]].append(row)
    people = {name: _people(rows).weight for name, rows in groups.items()}
    shown = sorted(groups, key=lambda name: (-people[name], name is None, name or ""))
    buckets = buckets_of(asked, [float(row["value"]) for row in found])
    rows = [
        row for name in shown[:MOST_GROUPS] for row in _rows(asked, name, groups[name], buckets)
    ]
    return Answer(
        columns=_columns(asked),
        rows=tuple(rows),
        definition=_definition(asked),
        query=view.sql(question),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(*asked.span),
        notes=tuple(_notes(view, asked, groups)),
    )


def check(asked: Distribution) -> None:
    """Refuse what no distribution is.

    Raises:
        BadInput: The event, the days or the edges cannot be used.
    """
    check_window(*asked.span, "none")
    asking.check_names((asked.event,), fewest=1, most=1, what="A distribution")
    if len(asked.of) > asking.MOST_NAME:
        raise BadInput("That is no name of a property.", "Name one as it was sent.")
    if len(asked.edges) > MOST_EDGES:
        raise BadInput(f"{len(asked.edges)} edges.", f"Give at most {MOST_EDGES}.")
    if any(not abs(one) <= _MOST_NUMBER for one in asked.edges):
        raise BadInput("An edge is no number that a bucket can begin at.", "Give numbers, as 1,5.")
    if any(later <= former for former, later in pairwise(asked.edges)):
        raise BadInput("The edges do not ascend.", "Give each once, the least first: 1,5,20.")


def quantities(view: "View", asked: Distribution) -> "ir.Table":
    """Return the question: how many people have each quantity.

    Columns: `by`, `value` (the quantity), `weight` of each of the `units` people.
    """
    import ibis

    events = view.person_events
    meant: Any = events.filter(
        events.event == asked.event, events.kind == "track", within(events.event_time, asked.span)
    )
    meant, group = asking.split_by(view, meant, asked.by)
    amount = ibis.literal(1.0)
    if asked.of:
        amount = dimension_of(meant, asked.of).try_cast("float64")
    weight = weight_of(meant) if view.sampled else ibis.literal(1.0)
    rows = meant.select(person_id=meant.person_id, weight=weight, by=group, amount=amount)
    return _quantities(rows.op(), asked)


@lru_cache(maxsize=64)
def _quantities(events: Any, asked: Distribution) -> "ir.Table":
    from ibis import _

    rows = events.to_expr()
    value = _.count().cast("float64")
    if asked.of:
        # Whole millionths add up to the same in whatever order an engine takes them.
        rows = rows.filter(rows.amount.between(-_MOST_NUMBER, _MOST_NUMBER))
        value = (_.amount * _PARTS).round().cast("float64").sum() / _PARTS
    persons = rows.group_by("person_id", "by").aggregate(value=value, weight=_.weight.min())
    return persons.group_by("by", "value", "weight").aggregate(units=_.count())


def buckets_of(asked: Distribution, values: Sequence[float]) -> list["Bucket"]:
    """Return the buckets, each from an edge (inclusive) to the next; None is without end.

    An open bucket at either end is there where somebody is in it, or where edges were given.
    """
    if not values:
        return []
    edges = list(asked.edges) or _round_edges(min(values), max(values), times=not asked.of)
    inner: list[Bucket] = list(pairwise(edges))
    first: list[Bucket] = [(None, edges[0])] if min(values) < edges[0] else []
    last: list[Bucket] = [(edges[-1], None)] if max(values) >= edges[-1] or asked.edges else []
    return [*first, *inner, *last]


def _round_edges(least: float, most: float, *, times: bool) -> list[float]:
    """Return edges at round numbers, the last above all; times one by one up to five.

    >>> _round_edges(1, 3, times=True), _round_edges(1, 30, times=True)
    ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 11.0, 21.0, 51.0])
    >>> _round_edges(0.5, 30, times=False)
    [0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]
    """
    if times:
        found = [one for one in _TIMES if one <= most + 1]
        end = 10.0
        while found[-1] <= most:
            found.append(end + 1)
            end *= 2.5 if str(end).startswith("2") else 2
        return found
    if most <= 0:
        return [0.0] if least < 0 else [0.0, 1.0]
    rounds = [part * 10.0**power for power in range(-6, 11) for part in (1, 2, 5)]
    rounds = [round(one, 6) for one in rounds]
    above = bisect_right(rounds, most)
    positive = least if least > 0 else most / 1000
    below = max(bisect_right(rounds, positive) - 1, 0, above - _MOST_OWN_EDGES)
    return [0.0, *rounds[below : above + 1]]


def _people(rows: "Rows") -> People:
    units = sum(int(row["units"]) for row in rows)
    weight = sum(float(row["weight"]) * int(row["units"]) for row in rows)
    squares = sum(float(row["weight"]) ** 2 * int(row["units"]) for row in rows)
    return People(units, weight, squares)


def _rows(
    asked: Distribution, name: str | None, rows: "Rows", buckets: Sequence["Bucket"]
) -> Iterator[tuple[object, ...]]:
    head = (name,) if asked.by else ()
    ordered = sorted(rows, key=lambda row: float(row["value"]))
    among = _people(ordered)
    for figure, share in QUANTILES.items():
        found = _quantile(ordered, share)
        yield (*head, figure, None, None, round(among.weight), *_ended(found))
    for least, below in buckets:
        here = [
            row
            for row in ordered
            if (least is None or row["value"] >= least) and (below is None or row["value"] < below)
        ]
        some = _people(here)
        value = asking.share_of(some, among)
        yield (*head, "share", least, below, round(some.weight), *_ended(value))


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


def _columns(asked: Distribution) -> tuple[Column, ...]:
    unit = "" if asked.of else "times"
    return (
        *((Column(asked.by, "text"),) if asked.by else ()),
        Column("figure", "text"),
        Column("at_least", "number", unit),
        Column("below", "number", unit),
        Column("people", "integer", "people"),
        *(Column(name, "number") for name in ("value", "low", "high")),
        Column("level", "number", "share"),
        Column("n", "integer", "people"),
    )


def _definition(asked: Distribution) -> str:
    what = f"How many times people did {asked.event} in these days"
    among = "of all who did so at all"
    if asked.of:
        what = f"What {asked.of} of {asked.event} adds up to for each of the people in these days"
        among = (
            "of all with a number there, added as it was sent, of whatever unit or currency; what "
            "is no number, or beyond nine billion, is left out"
        )
    split = (
        f" Split by {asked.by} of the events: who did so in several groups is in each, with what "
        "was done there."
        if asked.by
        else ""
    )
    return (
        f"{what}; shares are {among}. A share is of those who come to `at_least` so much and "
        "`below` so much. Only events with a person behind them. Interval of a share: Wilson's; of "
        f"a median or 90th percentile: by binomial ranks; 95 %.{split}"
    )


def _notes(
    view: "View", asked: Distribution, groups: dict[str | None, list[dict[str, Any]]]
) -> Iterator[str]:
    if not groups:
        silent = asking.unheard(view, (asked.event,), asked.span)
        yield from asking.unheard_notes(silent)
        if asked.of and not silent:
            yield f"No `{asked.event}` of these days has a number `{asked.of}`: is it sent?"
    smallest = min((_people(rows).n for rows in groups.values()), default=0)
    if smallest < asking.FEWEST_PEOPLE:
        yield (
            f"Not enough data for {'every' if asked.by else 'an'} interval: {smallest} of "
            f"{asking.FEWEST_PEOPLE} people."
        )
    if len(groups) > MOST_GROUPS:
        yield f"The {MOST_GROUPS} largest of {len(groups):,} groups."
    yield from view.marked_notes(*asked.span)
    if view.sampled:
        yield asking.SAMPLED
