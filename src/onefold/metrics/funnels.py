"""Funnels: who did some events in their order within a while, whichever first one began it.

A person may begin many times, and the beginning that leads furthest counts: a funnel that looks
at the first touch alone misses whoever came back and went through. The latest beginning that led
to a step leaves the most time for the next, so one value a row is enough: the rule of ClickHouse's
`windowFunnel`, which is its oracle.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from onefold.metrics import asking
from onefold.metrics.asking import People
from onefold.metrics.compile import Span
from onefold.metrics.periods import check_window
from onefold.model.errors import BadInput
from onefold.model.records import Answer, Column
from onefold.model.time import duration_words

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

FEWEST_STEPS, MOST_STEPS = 2, 12
MOST_GROUPS = 50


@dataclass(frozen=True, slots=True)
class Steps:
    """What is asked of a funnel.

    Attributes:
        events: Names of events in their order.
        within: From the first to the last step at most so long, microseconds.
        span: From (inclusive) and to (exclusive), microseconds UTC: of all steps.
        by: What the first step is split by, or None.
    """

    events: tuple[str, ...]
    within: int
    span: Span
    by: str | None = None


def funnel(view: "View", steps: Steps) -> Answer:
    """Return how many people went how far through some events.

    Columns: the dimension under its own name (with `by`), `step` (from 1), `event`, `persons` who
    came to it, `share` of those of the first step with `low`, `high`, `level` and `n`, and
    `of_former`, the share of those of the step before.

    Raises:
        BadInput: The steps, the days or the dimension cannot be used.
    """
    check(steps)
    question = reached(view, steps)
    groups = _groups(view.ask(question).to_pylist(), len(steps.events))
    shown = sorted(groups, key=lambda name: (-groups[name][0].weight, name is None, name or ""))
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


def reached(view: "View", steps: Steps) -> "ir.Table":
    """Return the question: by group and furthest step (`level`), the persons who came no further.

    Columns: `level`, `by`, and `n`, `weight`, `squares` as `People` takes them.
    """
    events = asking.events_of(view, steps.events, steps.span, by=steps.by)
    return _reached(events.op(), steps)


@lru_cache(maxsize=64)
def _reached(events: Any, steps: Steps) -> "ir.Table":
    import ibis
    from ibis import _

    came = [
        way.select(
            "person_id",
            by=way.begun_in,
            level=ibis.literal(place, "int64"),
            # That of the beginnings: what was sampled later does not make more people begin.
            weight=way.weight if place == 1 else ibis.null("float64"),
        )
        for place, way in enumerate(walked(events, steps), start=1)
    ]
    persons = came[0].union(*came[1:]).group_by("person_id", "by")
    furthest = persons.aggregate(level=_.level.max(), weight=_.weight.min())
    return furthest.group_by("by", "level").aggregate(**asking.counted())


def walked(events: Any, steps: Steps) -> "tuple[ir.Table, ...]":
    """Return, step by step, the events of `asking.events_of` that brought their person to it.

    Columns: `person_id`, `begun_in`, the group that the way began in, `moment` and `weight` of the
    event, and `begun`, the latest beginning (microseconds) that led to it.
    """
    # What a person did at one moment is one; and what is aggregated is worked out once, however
    # many steps look at it.
    rows = events.to_expr().group_by("person_id", "event", "moment", "by")
    rows = rows.aggregate(weight=lambda t: t.weight.min())
    first = rows.filter(rows.event == steps.events[0])
    ways = [first.select("person_id", "moment", "weight", begun_in=first.by, begun=first.moment)]
    for former, event in pairwise(steps.events):
        ways.append(_next(rows, ways[-1], event, steps, later=event == former))
    return tuple(ways)


def _next(rows: Any, former: Any, event: str, steps: Steps, *, later: bool) -> Any:
    """Return the events that go on from those of the step before.

    Of two steps of one event the second is a later one; other events may be of one moment.
    """
    import ibis

    # Whatever a person does goes on with each group that came so far; others sort in vain.
    came = former.select("person_id", "begun_in").distinct()
    coming = rows.filter(rows.event == event).join(came, "person_id")
    columns = ("person_id", "begun_in", "moment", "weight")
    both = former.select(*columns, "begun", comes=ibis.literal(value=False)).union(
        coming.select(*columns, begun=ibis.null("int64"), comes=ibis.literal(value=True))
    )
    of = {"group_by": ["person_id", *(["begun_in"] if steps.by else [])], "order_by": "moment"}
    until = ibis.range_window(**of, **_LATER if later else _BY_THEN)
    found = both.mutate(before=both.begun.max().over(until))
    found = found.filter(found.comes, found.moment - found.before <= steps.within)
    return found.select(*columns, begun=found.before)


_LATER: dict[str, Any] = {"preceding": (None, 1)}
"""Rows up to a microsecond before one: not itself, nor what is of its moment."""
_BY_THEN: dict[str, Any] = {"preceding": None, "following": 0}


def check(steps: Steps) -> None:
    """Refuse steps that no funnel has.

    Raises:
        BadInput: The days, the names or the length cannot be used.
    """
    check_window(*steps.span, "none")
    asking.check_names(steps.events, fewest=FEWEST_STEPS, most=MOST_STEPS, what="A funnel")
    if steps.within <= 0:
        raise BadInput("A funnel within no time.", "Give it some, such as 7d, 12h or 30m.")


def _groups(rows: Sequence[dict[str, Any]], count: int) -> dict[str | None, list[People]]:
    """Return by group how many came to each step or further."""
    found: dict[str | None, list[People]] = {}
    for row in rows:
        came = found.setdefault(row["by"], [People()] * count)
        some = People.of(row)
        for place in range(row["level"]):
            came[place] += some
    return found


def _rows(steps: Steps, name: str | None, came: list[People]) -> Iterator[tuple[object, ...]]:
    former = came[0]
    for place, some in enumerate(came):
        share = asking.share_of(some, came[0])
        of_former = asking.share_of(some, former).estimate
        head = (name,) if steps.by else ()
        ends = (share.estimate, share.low, share.high, share.level, share.n)
        yield (*head, place + 1, steps.events[place], round(some.weight), *ends, of_former)
        former = some


def _columns(steps: Steps) -> tuple[Column, ...]:
    return (
        *((Column(steps.by, "text"),) if steps.by else ()),
        Column("step", "integer"),
        Column("event", "text"),
        Column("persons", "integer", "people"),
        *(Column(name, "number", "share") for name in ("share", "low", "high", "level")),
        Column("n", "integer", "people"),
        Column("of_former", "number", "share"),
    )


def _definition(steps: Steps) -> str:
    split = (
        f" Split by {steps.by} of the first step: who began in several groups is in each."
        if steps.by
        else ""
    )
    return (
        f"People who did {', then '.join(steps.events)} within {duration_words(steps.within)} of "
        "the first, each step at the time of the one before or later, whichever first one led "
        "furthest; the same event again only later. All steps are of these days, so who began on "
        "the last of them had less time. Shares are of the people of the first step, and of those "
        "of the step before. Only events with a person behind them. Interval: Wilson's, "
        f"95 %.{split}"
    )


def _notes(view: "View", steps: Steps, groups: dict[str | None, list[People]]) -> Iterator[str]:
    if any(not came[-1].n for came in groups.values()) or not groups:
        yield from asking.unheard_notes(asking.unheard(view, steps.events, steps.span))
    smallest = min((came[0].n for came in groups.values()), default=0)
    if smallest < asking.FEWEST_PEOPLE:
        yield (
            f"Not enough data for {'every' if steps.by else 'an'} interval: {smallest} of "
            f"{asking.FEWEST_PEOPLE} people."
        )
    if len(groups) > MOST_GROUPS:
        yield f"The {MOST_GROUPS} largest of {len(groups):,} groups."
    yield from view.marked_notes(*steps.span)
    if view.sampled:
        yield asking.SAMPLED
