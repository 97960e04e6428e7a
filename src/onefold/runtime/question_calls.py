"""Calls that ask of figures: metrics, funnels, retention."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from onefold.metrics import measure, questions
from onefold.model.errors import BadInput, unknown
from onefold.model.records import Answer
from onefold.model.time import day_of, day_start, parse_date, parse_duration
from onefold.runtime import call_params as take
from onefold.runtime.registry import Asked, Body, named
from onefold.store import View

if TYPE_CHECKING:
    from collections.abc import Callable

_DEFAULT_DAYS = 28
_NOT_TODAY = "Today is not counted: it is not over."


class FunnelParams(
    take.Segmented, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """A funnel over days; `from` is inclusive, `to` is exclusive; `within` is such as 7d."""

    events: tuple[str, ...]
    within: str = "7d"
    from_date: str | None = None
    to_date: str | None = None
    by: str | None = None


class PathsParams(
    take.Segmented, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """Paths from an event over days; `from` is inclusive, `to` is exclusive.

    `within` is `visit`, or a length such as 2h; `top` says how many events a step have a row.
    """

    event: str
    direction: Literal["after", "before"] = "after"
    steps: int = 4
    within: str = "visit"
    top: int = 6
    until: str = ""
    skip: tuple[str, ...] = ()
    collapse: Literal["", "repeats"] = ""
    from_date: str | None = None
    to_date: str | None = None
    by: str | None = None


class RetentionParams(
    take.Segmented,
    frozen=True,
    kw_only=True,
    rename={"from_date": "from", "to_date": "to", "back": "return"},
):
    """Retention over days; `from` is inclusive, `to` is exclusive."""

    start: str
    back: str
    every: take.Every = "week"
    kind: Literal["bounded", "rolling"] = "bounded"
    from_date: str | None = None
    to_date: str | None = None


@named("metric", take.MetricParams)
def _metric(asked: Asked, params: take.MetricParams) -> Body:
    """A metric with its intervals."""
    metrics = asked.workspace.metrics()
    if params.name not in metrics:
        raise unknown("metric", params.name, metrics)
    metric = metrics[params.name]
    if params.segment:
        questions.segments.check_of_people(metric)
    about = _about(asked, params)
    ask: Callable[..., Answer] = questions.cumulative if params.cumulative else measure
    if params.compare:
        ask = partial(questions.against_former, running=params.cumulative)
    from_time, to_time = about.span
    answer = ask(
        about.view,
        metric,
        from_time=from_time,
        to_time=to_time,
        every=params.every or ("day" if params.cumulative else "none"),
        by=params.by,
    )
    return about.told(answer)


@named("funnel", FunnelParams)
def _funnel(asked: Asked, params: FunnelParams) -> Body:
    """How many people did some events in their order within a while."""
    about, within = _about(asked, params), parse_duration(params.within)
    steps = questions.Steps(params.events, within, about.span, params.by)
    return about.told(questions.funnel(about.view, steps))


@named("funnel times", FunnelParams)
def _funnel_times(asked: Asked, params: FunnelParams) -> Body:
    """How long people took from the first step of a funnel to each later one."""
    about, within = _about(asked, params), parse_duration(params.within)
    steps = questions.Steps(params.events, within, about.span, params.by)
    return about.told(questions.funnel_times(about.view, steps))


@named("paths", PathsParams)
def _paths(asked: Asked, params: PathsParams) -> Body:
    """What people did after, or before, the first time that they did an event."""
    about = _about(asked, params)
    question = questions.Paths(
        params.event,
        about.span,
        params.direction,
        steps=params.steps,
        limit=None if params.within == "visit" else parse_duration(params.within),
        named=params.top,
        until=params.until,
        skipped=params.skip,
        collapsed=bool(params.collapse),
        by=params.by or None,
    )
    return about.told(questions.paths(about.view, question))


@named("retention", RetentionParams)
def _retention(asked: Asked, params: RetentionParams) -> Body:
    """Who came back in the periods after the first time, by cohort."""
    about = _about(asked, params)
    names = (params.start, params.back)
    question = questions.Returning(*names, params.every, about.span, params.kind)
    return about.told(questions.retention(about.view, question))


class HabitParams(
    take.Segmented, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """How people stay over days; `from` is inclusive, `to` exclusive; no event is any action."""

    event: str = ""
    every: take.Every | None = None
    from_date: str | None = None
    to_date: str | None = None


@named("lifecycle", HabitParams)
def _lifecycle(asked: Asked, params: HabitParams) -> Body:
    """Who is new, returning, resurrected and dormant, by period."""
    about = _about(asked, params)
    question = questions.Habit(params.event, params.every or "week", about.span)
    return about.told(questions.lifecycle(about.view, question))


@named("stickiness", HabitParams)
def _stickiness(asked: Asked, params: HabitParams) -> Body:
    """On how many days people were there."""
    about = _about(asked, params)
    question = questions.Habit(params.event, params.every or "day", about.span)
    return about.told(questions.stickiness(about.view, question))


class DistributionParams(
    take.Segmented, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """How something is spread over people; `from` is inclusive, `to` is exclusive.

    Without `of` it is how often they did the event; else what that property of it adds up to.
    """

    event: str
    of: str = ""
    edges: tuple[float, ...] = ()
    from_date: str | None = None
    to_date: str | None = None
    by: str | None = None


@named("distribution", DistributionParams)
def _distribution(asked: Asked, params: DistributionParams) -> Body:
    """How often people did an event, or what a number of it adds up to: how it is spread."""
    about = _about(asked, params)
    names = (params.event, about.span, params.of, params.edges, params.by or None)
    return about.told(questions.distribution(about.view, questions.Distribution(*names)))


class EconomicsParams(
    take.Asking, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """Cohorts of days; `name` says what a customer costs, `margin` which share is earned.

    `from` is inclusive, `to` is exclusive; without days, of this month and the five before.
    """

    name: str = "acquisition_cost"
    margin: float = 1.0
    from_date: str | None = None
    to_date: str | None = None


@named("economics", EconomicsParams)
def _economics(asked: Asked, params: EconomicsParams) -> Body:
    """What the people of each month brought since, and when they had paid back their cost."""
    metrics = asked.workspace.metrics()
    if params.name not in metrics:
        raise unknown("metric", params.name, metrics)
    view = asked.view(params)
    after = parse_date(params.to_date) if params.to_date else day_of(view.now, view.zone)
    first = params.from_date or questions.months_before(after).isoformat()
    span = span_of(view, first, after.isoformat())
    question = questions.Economics(metrics[params.name], span, params.margin)
    return questions.economics(view, question)


class CalendarParams(
    take.Asking, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """The calendar over days; `from` is inclusive, `to` is exclusive."""

    from_date: str | None = None
    to_date: str | None = None


@named("calendar", CalendarParams)
def _calendar(asked: Asked, params: CalendarParams) -> Body:
    """What the marketing calendar and the campaigns say of some days."""
    view = asked.view(params)
    span = span_of(view, params.from_date, params.to_date)
    written = questions.calendar.load_calendar(asked.workspace.definitions)
    return questions.calendar.calendar(view, written, span)


@dataclass(frozen=True, slots=True)
class _About:
    """Of whom and which days a question is."""

    view: View
    span: tuple[int, int]
    segment: questions.segments.Segment | None

    def told(self, answer: Answer) -> Answer:
        """Return an answer with what a reader has to know of its days and its people."""
        view, notes, definition = self.view, answer.notes, answer.definition
        if self.span[1] == day_start(day_of(view.now, view.zone), view.zone):
            notes = (*notes, _NOT_TODAY)
        if self.segment is not None:
            definition = f"{definition} {self.segment.as_filter}"
        return replace(answer, notes=notes, definition=definition)


def _about(asked: Asked, params: "_Question") -> _About:
    view = asked.view(params)
    span = span_of(view, params.from_date, params.to_date)
    if not params.segment:
        return _About(view, span, None)
    some, one = asked.workspace.among(view, params.segment, span[1])
    return _About(some, span, one)


_Question = (
    take.MetricParams
    | FunnelParams
    | PathsParams
    | RetentionParams
    | HabitParams
    | DistributionParams
)


def span_of(view: View, first: str | None, after: str | None) -> tuple[int, int]:
    """Return the bounds of the days asked for; without any, the last 28 whole days."""
    last = parse_date(after) if after else day_of(view.now, view.zone)
    start = parse_date(first) if first else last - timedelta(days=_DEFAULT_DAYS)
    if start >= last:
        message = f"The days from {start} to {last} are none: the day of --to is not counted."
        raise BadInput(message, "Let --to be a later day than --from.")
    return day_start(start, view.zone), day_start(last, view.zone)
