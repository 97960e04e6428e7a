"""How people stay: new, returning, resurrected or dormant by period, and there on how many.

Who is new is told of all time that the View knows, and not of the days asked: who came a year ago
and comes again today has been away, and is not new.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from onefold.metrics import asking
from onefold.metrics.asking import People
from onefold.metrics.compile import Ask, Span, instant, period_of, within
from onefold.metrics.periods import check_window, cut_periods, open_periods, period_starts
from onefold.metrics.weights import weight_of
from onefold.metrics.wording import SESSION
from onefold.model.errors import BadInput
from onefold.model.records import Answer, Column
from onefold.model.time import DAY
from onefold.stats import Moments, mean

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

STATES = ("new", "returning", "resurrected", "dormant")
_BEFORE = 32 * DAY
"""Longer than any period: the one before the first is needed too."""


@dataclass(frozen=True, slots=True)
class Habit:
    """What is asked of how people stay.

    Attributes:
        event: Name of the event that tells that somebody was there; empty for any action.
        every: `day`, `week` or `month`.
        span: From (inclusive) and to (exclusive), microseconds UTC.
    """

    event: str
    every: str
    span: Span


def lifecycle(view: "View", asked: Habit) -> Answer:
    """Return how many people were new, returning, resurrected and dormant in each period.

    Columns: `period` (its first day), `new`, `returning`, `resurrected`, `dormant`, `there` (the
    first three), `share` of those who were there the period before that came again, with `low`,
    `high`, `level` and `n` (those of before), and `whole`: whether the period is over and not cut
    by the days asked.

    Raises:
        BadInput: The event, the period or the days cannot be used.
    """
    starts = _check(asked, view.zone)
    found = view.ask(_states(_there(view, asked), asked, view.zone)).to_pylist()
    counts = {(row["period"], row["state"]): People.of(row) for row in found}
    over = min(view.now, asked.span[1])
    partly = {
        *open_periods(*asked.span, every=asked.every, zone=view.zone, now=over),
        *cut_periods(*asked.span, every=asked.every, zone=view.zone),
    }
    return Answer(
        columns=(
            Column("period", "date"),
            *(Column(name, "integer", "people") for name in (*STATES, "there")),
            *(Column(name, "number", "share") for name in ("share", "low", "high", "level")),
            Column("n", "integer", "people"),
            Column("whole", "boolean"),
        ),
        rows=tuple(_lived(starts, counts, partly)),
        definition=_lifecycle_words(asked),
        query=view.sql(_states(_there(view, asked), asked, view.zone)),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(*asked.span),
        notes=tuple(_notes(view, asked, sorted(partly), heard=_is_heard(counts))),
    )


def stickiness(view: "View", asked: Habit) -> Answer:
    """Return on how many periods of a span people were there.

    Columns: `periods`, `people` who were there on so many, their `share` of all who were there at
    all with `low`, `high`, `level` and `n` (all), and `at_least`: the share of who was there on so
    many or more. The first note tells which share of all is there in an average period.

    Raises:
        BadInput: The event, the period or the days cannot be used.
    """
    starts = _check(asked, view.zone)
    question = _counted(_there(view, asked), asked, view.zone)
    found = {row["periods"]: People.of(row) for row in view.ask(question).to_pylist()}
    among = sum(found.values(), People())
    return Answer(
        columns=(
            Column("periods", "integer", asked.every),
            Column("people", "integer", "people"),
            *(Column(name, "number", "share") for name in ("share", "low", "high", "level")),
            Column("n", "integer", "people"),
            Column("at_least", "number", "share"),
        ),
        rows=tuple(_stuck(len(starts), found, among)),
        definition=_stickiness_words(asked),
        query=view.sql(question),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(*asked.span),
        notes=(
            *_average(asked, found, len(starts)),
            *_notes(view, asked, (), heard=bool(found)),
        ),
    )


def _there(view: "View", asked: Habit) -> Any:
    """Return when somebody was there until the span ends: `person_id`, `at`, `weight`."""
    import ibis

    if asked.event:
        rows: ir.Table = view.person_events
        rows = rows.filter(rows.event == asked.event, rows.kind == "track")
        moment = rows.event_time
    else:
        rows = view.sessions
        rows = rows.filter(rows.actions > 0)
        moment = rows.start_time
    weight = weight_of(rows) if view.sampled else ibis.literal(1.0)
    told = rows.select(person_id=rows.person_id, at=moment, weight=weight)
    return told.filter(told["at"] < instant(asked.span[1])).op()


@lru_cache(maxsize=64)
def _states(there: Any, asked: Habit, zone: str) -> "ir.Table":
    """Return `period`, `state` and its people."""
    import ibis
    from ibis import _

    visits = _periods(there.to_expr(), asked, zone)
    firsts = visits.group_by("person_id").aggregate(first=_.period.min())
    step = ibis.interval(**{f"{asked.every}s": 1})
    visits = visits.join(firsts, "person_id")
    before = visits.select("person_id", "weight", "period", "first")
    # A day and a while are a time to the engine, and only a time is made a day of again.
    before = before.mutate(next=(before.period.cast("timestamp") + step).cast("date"))
    here = visits.left_join(
        before.select(person_id="person_id", period="next", former="period"),
        ["person_id", "period"],
    )
    state = ibis.cases(
        (here.period == here.first, "new"),
        (here.former.notnull(), "returning"),
        else_="resurrected",
    )
    told = here.select(period="period", state=state, weight="weight")
    gone = before.select(period="next", person_id="person_id", weight="weight")
    gone = gone.anti_join(visits.select("person_id", "period"), ["person_id", "period"])
    away = gone.select(period="period", state=ibis.literal("dormant"), weight="weight")
    return told.union(away).group_by("period", "state").aggregate(**asking.counted())


@lru_cache(maxsize=64)
def _counted(there: Any, asked: Habit, zone: str) -> "ir.Table":
    """Return `periods` and the people who were there on so many of the span."""
    from ibis import _

    rows = there.to_expr()
    visits = _periods(rows.filter(within(rows["at"], asked.span)), asked, zone)
    persons = visits.group_by("person_id").aggregate(periods=_.count(), weight=_.weight.min())
    return persons.group_by("periods").aggregate(**asking.counted())


def _periods(rows: Any, asked: Habit, zone: str) -> Any:
    """Return each period in which each person was there, once."""
    from ibis import _

    ask = Ask(((asked.span[0] - _BEFORE, asked.span[1]),), asked.every, None, zone)
    told = rows.select("person_id", "weight", period=period_of(rows["at"], ask))
    return told.group_by("person_id", "period").aggregate(weight=_.weight.min())


def _check(asked: Habit, zone: str) -> tuple[date, ...]:
    """Return the first days of the periods."""
    if asked.event:
        asking.check_names((asked.event,), fewest=1, most=1, what="An event")
    if asked.every == "none":
        raise BadInput("A life of no periods.", "Say `day`, `week` or `month`.")
    check_window(*asked.span, asked.every)
    return period_starts(*asked.span, every=asked.every, zone=zone)


def _lived(
    starts: Sequence[date], counts: dict[tuple[date, str], People], partly: set[date]
) -> Iterator[tuple[object, ...]]:
    for period in starts:
        states = {name: counts.get((period, name), People()) for name in STATES}
        before = states["returning"] + states["dormant"]
        again = asking.share_of(states["returning"], before)
        there = sum((states[name] for name in STATES[:3]), People())
        people = (round(one.weight) for one in (*states.values(), there))
        ends = (again.estimate, again.low, again.high, again.level, again.n)
        yield (period, *people, *ends, period not in partly)


def _stuck(most: int, found: dict[int, People], among: People) -> Iterator[tuple[object, ...]]:
    for periods in range(1, most + 1):
        mine = found.get(periods, People())
        share = asking.share_of(mine, among)
        more = sum((one for count, one in found.items() if count >= periods), People())
        least = asking.share_of(more, among).estimate
        ends = (share.estimate, share.low, share.high, share.level, share.n)
        yield (periods, round(mine.weight), *ends, least)


def _average(asked: Habit, found: dict[int, People], most: int) -> Iterator[str]:
    """Return which share of all is there in an average period: mean periods a person, by all."""
    n = sum(one.n for one in found.values())
    if not n:
        return
    weight, squares = (
        sum(getattr(one, name) for one in found.values()) for name in ("weight", "squares")
    )
    days = sum(count * one.weight for count, one in found.items()) / most
    both = sum(count * one.squares for count, one in found.items()) / most
    spread = sum((count / most) ** 2 * one.squares for count, one in found.items())
    share = mean(Moments(n, (days, weight), ((spread, both), (both, squares))))
    ends = ""
    if share.low is not None and share.high is not None and n >= asking.FEWEST_PEOPLE:
        ends = f" ({max(share.low, 0.0):.1%} to {min(share.high, 1.0):.1%})"
    yield (
        f"In an average {asked.every} {share.estimate:.1%}{ends} of all {n:,} people were there: "
        "stickiness as a ratio, such as DAU by MAU for the days of a month."
    )


def _what(asked: Habit) -> str:
    return f"did {asked.event}" if asked.event else "did something, whatever it was"


def _lifecycle_words(asked: Habit) -> str:
    return (
        f"People by {asked.every}: new (the first {asked.every} of all time in which somebody "
        f"{_what(asked)}), returning (as in the {asked.every} before), resurrected (not in the one "
        f"before, but formerly) and dormant (in the one before and not in this one). Somebody "
        f"enters a state as the {asked.every} begins and leaves it as it ends. Share: of those who "
        "were there the period before, who came again. Weeks start on Monday. Interval: Wilson's, "
        f"95 %.{'' if asked.event else ' ' + SESSION}"
    )


def _stickiness_words(asked: Habit) -> str:
    return (
        f"People by the number of {asked.every}s of these days on which they {_what(asked)}; of "
        "all who did so at all. Weeks start on Monday. Interval: Wilson's, 95 %."
        f"{'' if asked.event else ' ' + SESSION}"
    )


def _is_heard(counts: Mapping[tuple[date, str], People]) -> bool:
    """Return whether somebody was there in one of the periods; who is dormant was there before."""
    return any(state != "dormant" for _, state in counts)


def _notes(view: "View", asked: Habit, partly: Sequence[date], *, heard: bool) -> Iterator[str]:
    if asked.event and not heard:
        yield from asking.unheard_notes(asking.unheard(view, (asked.event,), asked.span))
    if partly:
        yield f"Not whole: {', '.join(day.isoformat() for day in partly)}."
    yield from view.marked_notes(*asked.span)
    if view.sampled:
        yield asking.SAMPLED
