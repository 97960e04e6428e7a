"""Calls that ask of figures: metrics, funnels, retention."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from onefold.metrics import measure, questions
from onefold.model.errors import BadInput, unknown
from onefold.model.records import Answer
from onefold.model.time import day_of, day_start, parse_date, parse_duration
from onefold.runtime import call_params as take
from onefold.runtime.registry import Asked, Body, named
from onefold.store import View

_DEFAULT_DAYS = 28
_NOT_TODAY = "Today is not counted: it is not over."


class FunnelParams(
    take.Asking, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """A funnel over days; `from` is inclusive, `to` is exclusive; `within` is such as 7d."""

    events: tuple[str, ...]
    within: str = "7d"
    from_date: str | None = None
    to_date: str | None = None
    by: str | None = None


class RetentionParams(
    take.Asking,
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
    view = asked.view(params)
    from_time, to_time = span_of(view, params.from_date, params.to_date)
    ask = questions.against_former if params.compare else measure
    answer = ask(
        view,
        metrics[params.name],
        from_time=from_time,
        to_time=to_time,
        every=params.every or "none",
        by=params.by,
    )
    return _told(answer, view, to_time)


@named("funnel", FunnelParams)
def _funnel(asked: Asked, params: FunnelParams) -> Body:
    """How many people did some events in their order within a while."""
    view = asked.view(params)
    span = span_of(view, params.from_date, params.to_date)
    within = parse_duration(params.within)
    answer = questions.funnel(view, questions.Steps(params.events, within, span, params.by))
    return _told(answer, view, span[1])


@named("retention", RetentionParams)
def _retention(asked: Asked, params: RetentionParams) -> Body:
    """Who came back in the periods after the first time, by cohort."""
    view = asked.view(params)
    span = span_of(view, params.from_date, params.to_date)
    question = questions.Returning(params.start, params.back, params.every, span, params.kind)
    return _told(questions.retention(view, question), view, span[1])


class HabitParams(
    take.Asking, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """How people stay over days; `from` is inclusive, `to` exclusive; no event is any action."""

    event: str = ""
    every: take.Every | None = None
    from_date: str | None = None
    to_date: str | None = None


@named("lifecycle", HabitParams)
def _lifecycle(asked: Asked, params: HabitParams) -> Body:
    """Who is new, returning, resurrected and dormant, by period."""
    view = asked.view(params)
    span = _span(view, params.from_date, params.to_date)
    question = questions.Habit(params.event, params.every or "week", span)
    return _told(questions.lifecycle(view, question), view, span[1])


@named("stickiness", HabitParams)
def _stickiness(asked: Asked, params: HabitParams) -> Body:
    """On how many days people were there."""
    view = asked.view(params)
    span = _span(view, params.from_date, params.to_date)
    question = questions.Habit(params.event, params.every or "day", span)
    return _told(questions.stickiness(view, question), view, span[1])


def _told(answer: Answer, view: View, to_time: int) -> Answer:
    whole = to_time == day_start(day_of(view.now, view.zone), view.zone)
    return replace(answer, notes=(*answer.notes, _NOT_TODAY)) if whole else answer


def span_of(view: View, first: str | None, after: str | None) -> tuple[int, int]:
    """Return the bounds of the days asked for; without any, the last 28 whole days."""
    last = parse_date(after) if after else day_of(view.now, view.zone)
    start = parse_date(first) if first else last - timedelta(days=_DEFAULT_DAYS)
    if start >= last:
        message = f"The days from {start} to {last} are none: the day of --to is not counted."
        raise BadInput(message, "Let --to be a later day than --from.")
    return day_start(start, view.zone), day_start(last, view.zone)
