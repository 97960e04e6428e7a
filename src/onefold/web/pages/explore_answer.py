"""The sentence that answers an Explore page: what it compares, and whether that is chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from onefold import metrics
from onefold.model.time import day_start
from onefold.web import wording
from onefold.web.pages.explore_question import period_end, span_words
from onefold.web.wording import NO_BREAK, number, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from onefold.metrics import Metric
    from onefold.model.records import Estimate
    from onefold.store import View
    from onefold.web.pages.explore_question import Asked

    Row = Mapping[str, Any]


class Pair(NamedTuple):
    """Two rows of an answer that its sentence compares.

    Attributes:
        this: The later period, or the group that has most.
        that: The period before it, or the group that has least.
        groups: From how many groups they were picked; 0 where they are periods.
    """

    this: Row
    that: Row
    groups: int


class Compared(NamedTuple):
    """What a test of a pair says.

    Attributes:
        effect: Relative for periods, absolute for groups; with an interval where it can be told.
        verdict: `better`, `worse`, `no_difference` or `not_yet`, as `metrics.change` has it.
    """

    effect: Estimate
    verdict: str


def told(metric: Metric, value: float | None, currency: str = "") -> str:
    """Return a figure as this metric reads it."""
    if metric.format == "percent":
        return share(value, 2)
    if metric.format == "money":
        return wording.money(value, currency or "USD")
    if metric.format == "duration":
        return wording.duration(value)
    return number(value)


def pair_of(asked: Asked, rows: Sequence[Row], *, today: date) -> Pair | None:
    """Return what is to be compared: the last two periods that are over, or most and least."""
    known = _known(rows)
    if not known or asked.cumulative:
        return None
    if asked.by:
        here = _last_period(asked, known, today=today)
        if len({row["group"] for row in here}) < 2:
            return None
        ranked = _ranked(here)
        return Pair(ranked[0], ranked[-1], len(ranked))
    line = _line(known)
    if asked.every == "none" or len(line) < 2:
        return None
    whole = [row for row in line if is_whole(asked, row, today=today)]
    if len(whole) < 2 or period_end(whole[-2]["period"], asked.every) != whole[-1]["period"]:
        return None
    return Pair(whole[-1], whole[-2], 0)


def is_whole(asked: Asked, row: Row, *, today: date) -> bool:
    """Return whether a row's period is over and lies within the days asked for."""
    if asked.every == "none":
        return True
    first: date = row["period"]
    over = period_end(first, asked.every) <= min(asked.to_date, today)
    return over and first >= asked.from_date


def part_of(asked: Asked, row: Row, *, today: date) -> str:
    """Return why a row's period is not whole: `so far`, `in part`; empty where it is."""
    if is_whole(asked, row, today=today):
        return ""
    going_on = period_end(row["period"], asked.every) > today
    told_all = asked.to_date >= today and row["period"] >= asked.from_date
    return "so far" if going_on and told_all else "in part"


def begun(asked: Asked, rows: Sequence[Row], *, today: date) -> list[Row]:
    """Return the rows whose period has begun: what has not happened is no zero."""
    return [row for row in rows if asked.every == "none" or row["period"] <= today]


def compared(view: View, asked: Asked, pair: Pair) -> Compared:
    """Return a proper test of the difference of a pair.

    Periods by the change of the same persons, with the covariance of both periods; groups by their
    difference, with the covariance of the persons who are in both and room for having been picked.
    """
    metric = asked.metric
    if not pair.groups:
        now, former = (_span(view, asked, row) for row in (pair.this, pair.that))
        change = metrics.change(view, metric, period=now, former=former)
        return Compared(change.relative, change.verdict)
    effect = metrics.questions.contrast(
        view,
        metric,
        period=_span(view, asked, pair.this),
        groups=(asked.by, (pair.this["value"] or "", pair.that["value"] or "")),
        picked_from=pair.groups,
        currency=pair.this["currency"],
    )
    apart = effect.low is not None and effect.low > 0
    return Compared(effect, "better" if apart else "not_yet")


def _span(view: View, asked: Asked, row: Row) -> tuple[int, int]:
    """Return the time of a row's period, within the days asked for."""
    first, after = asked.from_date, asked.to_date
    if asked.every != "none":
        first = max(first, row["period"])
        after = min(after, period_end(row["period"], asked.every))
    return day_start(first, view.zone), day_start(after, view.zone)


def answer_words(
    asked: Asked, rows: Sequence[Row], *, today: date, test: Compared | None
) -> list[object]:
    """Return the answer: the last whole figure, and how it stands to the one before it.

    Args:
        asked: The question.
        rows: Its answer.
        today: The day that is not over.
        test: Of the pair that is compared; None where nothing is.
    """
    metric = asked.metric
    known = _known(rows)
    if not known:
        days = span_words(asked.from_date, asked.to_date)
        if any(row["n"] for row in rows):
            return [f"{metric.label}: not known yet, {days}: {not_reached(metric)}."]
        return [f"Nothing was counted from {days}."]
    pair = pair_of(asked, rows, today=today)
    if asked.by:
        here = _last_period(asked, known, today=today)
        begins = "" if asked.every == "none" else f"{when(asked.every, here[0]['period'])}, "
        words = _split_words(metric, here, pair, test)
        return [f"{begins[:1].upper()}{begins[1:]}", *words] if begins else words
    if pair is not None and test is not None:
        return [f"{metric.label} ", *_moved(metric, pair, test, asked.every)]
    line = _line(known)
    if asked.cumulative:
        return _so_far(metric, line[-1], since=asked.from_date)
    whole = [row for row in line if is_whole(asked, row, today=today)]
    last = (whole or line)[-1]
    figure = wording.bold(told(metric, last["estimate"], last["currency"]))
    said: list[object] = [f"{metric.label}: ", figure, _range(metric, last)]
    if asked.every != "none":
        said.append(f", {when(asked.every, last['period'])}")
        if any(row["n"] and row["period"] > last["period"] for row in rows):
            said.append(f"; of those who came later {not_reached(metric)}")
    return [*said, "."]


def _so_far(metric: Metric, last: Row, *, since: date) -> list[object]:
    """Return what a running total has come to."""
    figure = wording.bold(told(metric, last["estimate"], last["currency"]))
    begun = f" since {since.day} {since:%B %Y}"
    return [f"{metric.label}: ", figure, _range(metric, last), f", in all{begun}."]


def not_reached(metric: Metric) -> str:
    """Return why a time is not known though somebody is in it."""
    return f"fewer than {share(metric.quantile, 0)} have done so yet"


def left_out_words(asked: Asked, rows: Sequence[Row], *, today: date) -> str:
    """Return which period the comparison leaves out and why; empty where all are whole."""
    said = []
    if asked.every != "none" and rows and not asked.cumulative:
        last = max(rows, key=lambda row: row["period"])
        if not is_whole(asked, last, today=today):
            name = {"day": "", "week": "week from ", "month": ""}[asked.every]
            words = f"{name}{_named(asked.every, last['period'])}"
            cut = part_of(asked, last, today=today) == "in part"
            why = "only a part of it was asked for" if cut else "it is not over"
            subject = "Today" if last["period"] == today else f"The {words}" if name else words
            said.append(f"{subject} is not compared: {why}.")
    if asked.to_date == today:
        said.append("Today is not counted: it is not over.")
    elif asked.to_date > today and asked.every != "day":
        said.append("Today is counted so far: it is not over.")
    return " ".join(said)


def _known(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["estimate"] is not None and row["n"]]


def _line(known: Sequence[Row]) -> list[Row]:
    """Return the rows of the first currency; there is one where money is not asked."""
    return [row for row in known if row["currency"] == known[0]["currency"]]


def _last_period(asked: Asked, known: Sequence[Row], *, today: date) -> list[Row]:
    """Return the rows of the last period that is over, else of the last there is."""
    line = _line(known)
    if asked.every == "none":
        return line
    whole = [row for row in line if is_whole(asked, row, today=today)]
    last = max(row["period"] for row in whole or line)
    return [row for row in line if row["period"] == last]


def _ranked(here: Sequence[Row]) -> list[Row]:
    return sorted(here, key=lambda row: (-float(row["estimate"]), row["group"]))


def _moved(metric: Metric, pair: Pair, test: Compared, every: str) -> list[object]:
    """Return how a figure moved since the period before, with the range of its change."""
    figure = told(metric, pair.this["estimate"], pair.this["currency"])
    then = f"{told(metric, pair.that['estimate'], pair.that['currency'])} the {every} before"
    on, effect = when(every, pair.this["period"]), test.effect
    if effect.estimate is None or effect.low is None or effect.high is None:
        why = effect.note or "Not enough data to tell whether it moved."
        return [f"was {figure} {on} and {then}. {why}"]
    ends = f"{number(effect.low * 100, 1)} to {number(effect.high * 100, 1)}{NO_BREAK}%"
    change = f"{share(effect.estimate, signed=True)}, range {ends}"
    if test.verdict == "no_difference":
        return [f"was {figure} {on} and {then}: no difference that matters ({change})."]
    if test.verdict == "not_yet":
        return [f"was {figure} {on} and {then}; chance alone can do that ({change})."]
    words = f"{'rose' if effect.estimate > 0 else 'fell'} to {figure}"
    tone = wording.better if test.verdict == "better" else wording.worse
    return [tone(words), f" {on}, from {then} ({change})."]


def _split_words(
    metric: Metric, here: Sequence[Row], pair: Pair | None, test: Compared | None
) -> list[object]:
    ranked = _ranked(here)
    high, low = ranked[0], ranked[-1]
    words = f"{high['group']} has most, {told(metric, high['estimate'], high['currency'])}"
    if pair is None or test is None:
        return [words, "."]
    said = [words, f"; {low['group']} least, {told(metric, low['estimate'], low['currency'])}"]
    if test.effect.low is None:
        return [*said, f". {test.effect.note or 'Not enough data to tell them apart.'}"]
    if test.verdict == "better":
        return [*said, "."]
    return [*said, "; that is no further apart than chance alone can bring them."]


def _range(metric: Metric, row: Row) -> str:
    if row["low"] is None or row["high"] is None:
        return ""
    low, high = (
        told(metric, row["low"], row["currency"]),
        told(metric, row["high"], row["currency"]),
    )
    return f", low {low}, high {high}"


def when(every: str, period: date) -> str:
    """Return when a period was, in words.

    >>> from datetime import date
    >>> when("week", date(2026, 11, 16))
    'in the week from 16 November'
    """
    if every == "month":
        return f"in {period:%B}"
    words = _named(every, period)
    return f"in the week from {words}" if every == "week" else f"on {words}"


def _named(every: str, period: date) -> str:
    return f"{period:%B}" if every == "month" else f"{period.day} {period:%B}"


def row_words(asked: Asked, row: Row, *, today: date) -> str:
    """Return how the table names the period of a row, and whether it is over."""
    day: date = row["period"]
    name = f"{day:%B %Y}" if asked.every == "month" else f"{day:%a} {day.day} {day:%B}"
    part = part_of(asked, row, today=today)
    return f"{name}, {part}" if part else name
