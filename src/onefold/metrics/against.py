"""A metric beside the same of the days before: each period with its forerunner, and the change."""

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from onefold.metrics.compile import Span
from onefold.metrics.figures import change, measure
from onefold.metrics.records import Change, Metric
from onefold.metrics.running import cumulative
from onefold.model.records import Answer
from onefold.model.time import day_of, day_start
from onefold.model.words import plural

if TYPE_CHECKING:
    from onefold.store import View

_WORDS = {
    "better": "That is better, and beyond chance.",
    "worse": "That is worse, and beyond chance.",
    "no_difference": "That is no difference that matters.",
    "not_yet": "Chance alone can do that.",
}


def former_span(span: Span, zone: str) -> Span:
    """Return as many days directly before a span of whole days, microseconds UTC.

    >>> from onefold.model.time import DAY
    >>> former_span((7 * DAY, 14 * DAY), "UTC") == (0, 7 * DAY)
    True
    """
    first, after = (day_of(time, zone) for time in span)
    return day_start(first - (after - first), zone), span[0]


def against_former(
    view: "View",
    metric: Metric,
    *,
    from_time: int,
    to_time: int,
    every: str = "none",
    by: str | None = None,
    running: bool = False,
) -> Answer:
    """Return a metric as `measure` does, each row with `former`: the same of the days before.

    Periods stand beside those in the same place of the former days; a group beside itself. The
    first note tells the change of the whole, with its interval: of the same people where sums are
    compared, of two groups of people where times or quantiles are.

    Args:
        view: Under which terms it is asked.
        metric: What is measured.
        from_time: Start of a day, microseconds UTC, inclusive.
        to_time: Start of a day, microseconds UTC, exclusive.
        every: `none`, `day`, `week` or `month`.
        by: One of the metric's `splits`.
        running: Whether both are running totals, as `cumulative` has them.

    Raises:
        BadInput: The window, the period or the dimension cannot be used.
    """
    measured = cumulative if running else measure
    span = (from_time, to_time)
    before = former_span(span, view.zone)
    now = measured(view, metric, from_time=span[0], to_time=span[1], every=every, by=by)
    then = measured(view, metric, from_time=before[0], to_time=before[1], every=every, by=by)
    moved = change(view, metric, period=span, former=before)
    place = [column.name for column in now.columns].index("estimate")
    known, keys = _placed(then, every, by, place), _keys(now, every, by, place)
    rows = [(*row, known.get(key)) for key, row in zip(keys, now.rows, strict=True)]
    column = replace(now.columns[place], name="former")
    first = day_of(before[0], view.zone)
    return replace(
        now,
        columns=(*now.columns, column),
        rows=tuple(rows),
        definition=f"{now.definition} Former: the same of {_days(before, view.zone)}.",
        notes=(_sentence(moved, first, span, view.zone), *moved.notes, *now.notes),
    )


def _placed(then: Answer, every: str, by: str | None, place: int) -> dict[object, object]:
    """Return the former figures by where they belong."""
    keys = _keys(then, every, by, place)
    return {key: row[place] for key, row in zip(keys, then.rows, strict=True)}


def _keys(answer: Answer, every: str, by: str | None, place: int) -> list[object]:
    """Return of each row which period it is, counted from the first, its group and currency."""
    periods: dict[object, int] = {}
    found: list[object] = []
    for row in answer.rows:
        period = periods.setdefault(row[0], len(periods)) if every != "none" else 0
        group = row[1 if every != "none" else 0] if by else None
        found.append((period, group, getattr(row[place], "currency", None)))
    return found


def _sentence(moved: Change, first: date, span: Span, zone: str) -> str:
    days = (day_of(span[1], zone) - day_of(span[0], zone)).days
    before = f"the {plural(days, 'day')} before, from {first}"
    found = moved.relative
    if found.estimate is None:
        return f"Against {before}: there is nothing to compare with."
    change_words = f"Against {before}: {found.estimate:+.1%}"
    if found.low is None or found.high is None:
        return f"{change_words}. {found.note or 'Not enough data for an interval.'}"
    return f"{change_words} ({found.low:+.1%} to {found.high:+.1%}). {_WORDS[moved.verdict]}"


def _days(span: Span, zone: str) -> str:
    last = day_of(span[1], zone) - timedelta(days=1)
    return f"{day_of(span[0], zone)} to {last}"
