"""Retention: of those who began in a period, how many came back in each of the later ones.

A person belongs to the period of the first beginning among the days asked. Both are whole periods
of the workspace's zone, set side by side by their start: no engine counts the weeks between two
days as another does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from onefold.metrics import asking
from onefold.metrics.asking import People
from onefold.metrics.compile import Ask, Span, period_of
from onefold.metrics.periods import check_window, open_periods, period_starts
from onefold.model.errors import BadInput, did_you_mean
from onefold.model.records import Answer, Column

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

KINDS = ("bounded", "rolling")
MOST_PERIODS = 120
"""Periods of one table, which has half their square of rows."""
_WORDS = {
    "bounded": "came back in just that period",
    "rolling": "came back in that period or a later one of these days",
}


@dataclass(frozen=True, slots=True)
class Returning:
    """What is asked of retention.

    Attributes:
        start: Name of the event that begins.
        back: Name of the event that tells of a return.
        every: `day`, `week` or `month`.
        span: From (inclusive) and to (exclusive), microseconds UTC: of both events.
        kind: `bounded` (in just that period) or `rolling` (in that period or later).
    """

    start: str
    back: str
    every: str
    span: Span
    kind: str = "bounded"


def retention(view: "View", asked: Returning) -> Answer:
    """Return a cohort table: a row a cohort and period.

    Columns: `cohort` (first day of the period of beginning), `people` in it, `period` (0 is the
    cohort's own, in which all of it was there), `returned`, `share` with `low`, `high`, `level`
    and `n`, and `whole`: whether the period was over and not cut by the last day.

    Raises:
        BadInput: The events, the period or the days cannot be used.
    """
    starts = _check(asked, view.zone)
    question = came_back(view, asked)
    cohorts: dict[date, People] = {}
    back: dict[tuple[date, int], People] = {}
    places = {day: place for place, day in enumerate(starts)}
    for row in view.ask(question).to_pylist():
        cohort, period = row["cohort"], row["period"]
        if cohort == period:
            cohorts[cohort] = People.of(row)
        else:
            back[cohort, places[period] - places[cohort]] = People.of(row)
    returned = bool(back)
    if asked.kind == "rolling":
        back = _summed(back, len(starts))
    over = min(view.now, asked.span[1])
    partly = set(open_periods(*asked.span, every=asked.every, zone=view.zone, now=over))
    rows = _rows(starts, cohorts, back, partly)
    return Answer(
        columns=_columns(),
        rows=tuple(rows),
        definition=_definition(asked),
        query=view.sql(question),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(*asked.span),
        notes=tuple(_notes(view, asked, cohorts, partly, returned=returned)),
    )


def came_back(view: "View", asked: Returning) -> "ir.Table":
    """Return the question: `cohort`, `period`, and the people of the cohort who were there then.

    In the cohort's own period these are all of it; in a later one those who came back, of a
    rolling question each person in the last such period only.
    """
    events = asking.events_of(view, (asked.start, asked.back), asked.span)
    return _came_back(events.op(), asked, view.zone)


@lru_cache(maxsize=64)
def _cohorts(events: Any, asked: Returning, zone: str) -> Any:
    from ibis import _

    rows = events.to_expr()
    begins = rows.filter(rows.event == asked.start)
    first = begins.group_by("person_id").aggregate(
        first_time=_.event_time.min(), weight=_.weight.min()
    )
    return first.mutate(cohort=_period(first.first_time, asked, zone))


@lru_cache(maxsize=64)
def _came_back(events: Any, asked: Returning, zone: str) -> "ir.Table":
    from ibis import _

    rows = events.to_expr()
    first = _cohorts(events, asked, zone)
    back = rows.filter(rows.event == asked.back).select("person_id", "event_time")
    back = back.mutate(period=_period(back.event_time, asked, zone))
    both = first.join(back.select("person_id", "period").distinct(), "person_id")
    later = both.filter(both.period > both.cohort)
    if asked.kind == "rolling":
        later = later.group_by("person_id", "cohort", "weight").aggregate(period=_.period.max())
    own = first.select("cohort", "weight", period=first.cohort)
    there = own.union(later.select("cohort", "weight", "period"))
    return there.group_by("cohort", "period").aggregate(**asking.counted())


def _period(moment: Any, asked: Returning, zone: str) -> Any:
    return period_of(moment, Ask((asked.span,), asked.every, None, zone))


def _check(asked: Returning, zone: str) -> tuple[date, ...]:
    """Return the first days of all periods."""
    asking.check_names((asked.start,), fewest=1, most=1, what="A beginning")
    asking.check_names((asked.back,), fewest=1, most=1, what="A return")
    if asked.kind not in KINDS:
        message = f"No retention `{asked.kind}`.{did_you_mean(asked.kind, KINDS)}"
        raise BadInput(message, f"Use one of: {', '.join(KINDS)}.")
    if asked.every == "none":
        raise BadInput("A retention of no periods.", "Say `day`, `week` or `month`.")
    check_window(*asked.span, asked.every)
    starts = period_starts(*asked.span, every=asked.every, zone=zone)
    if len(starts) > MOST_PERIODS:
        message = f"These days have {len(starts):,} periods of a {asked.every}."
        raise BadInput(message, f"Ask for at most {MOST_PERIODS}: fewer days, or longer periods.")
    return starts


def _summed(last: Mapping[tuple[date, int], People], count: int) -> dict[tuple[date, int], People]:
    """Return who came back in a period or later, from the last return of each."""
    found: dict[tuple[date, int], People] = {}
    for cohort in {cohort for cohort, _ in last}:
        came = People()
        for period in range(count, 0, -1):
            came += last.get((cohort, period), People())
            found[cohort, period] = came
    return found


def _rows(
    starts: Sequence[date],
    cohorts: Mapping[date, People],
    back: Mapping[tuple[date, int], People],
    partly: set[date],
) -> Iterator[tuple[object, ...]]:
    for place, cohort in enumerate(starts):
        people = cohorts.get(cohort, People())
        for period, day in enumerate(starts[place:]):
            some = back.get((cohort, period), People()) if period else people
            share = asking.share_of(some, people)
            ends = (share.estimate, share.low, share.high, share.level, share.n)
            if not period:
                # All of a cohort are in its own period, by what a cohort is.
                ends = (share.estimate, None, None, share.level, share.n)
            counts = (round(people.weight), period, round(some.weight))
            yield (cohort, *counts, *ends, day not in partly)


def _columns() -> tuple[Column, ...]:
    return (
        Column("cohort", "date"),
        Column("people", "integer", "people"),
        Column("period", "integer"),
        Column("returned", "integer", "people"),
        *(Column(name, "number", "share") for name in ("share", "low", "high", "level")),
        Column("n", "integer", "people"),
        Column("whole", "boolean"),
    )


def _definition(asked: Returning) -> str:
    return (
        f"People by the {asked.every} of their first {asked.start} of these days, and how many of "
        f"them did {asked.back} in each later {asked.every}: who {_WORDS[asked.kind]}. Period 0 is "
        f"the cohort's own {asked.every}. A period that was not over, or is cut by the last day, "
        "is not whole and may still grow. Weeks start on Monday. Only events with a person behind "
        "them. Interval: Wilson's, 95 %."
    )


def _notes(
    view: "View",
    asked: Returning,
    cohorts: Mapping[date, People],
    partly: set[date],
    *,
    returned: bool,
) -> Iterator[str]:
    if not (cohorts and returned):
        names = (asked.start, asked.back)
        yield from asking.unheard_notes(asking.unheard(view, names, asked.span))
    smallest = min((people.n for people in cohorts.values()), default=0)
    if smallest < asking.FEWEST_PEOPLE:
        yield (
            f"Not enough data for every interval: a cohort of {smallest}, where it takes "
            f"{asking.FEWEST_PEOPLE} people."
        )
    if partly:
        yield f"Not whole: {', '.join(day.isoformat() for day in sorted(partly))}."
    yield from view.marked_notes(*asked.span)
    if view.sampled:
        yield asking.SAMPLED
