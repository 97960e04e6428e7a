"""What an address asks on the Explore page, its parts and the filters that change them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from onefold.consent import PURPOSES
from onefold.metrics import questions
from onefold.model.errors import BadInput, did_you_mean, unknown
from onefold.model.records import Question
from onefold.model.time import parse_date, week_of
from onefold.web.pages.of_whom import of_whom
from onefold.web.pages.traffic import LetIn, Traffic, let_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onefold.metrics import Metric
    from onefold.model.records import Asker

EVERY = {"day": "by day", "week": "by week", "month": "by month", "none": "in all"}
FIRST = "saves_per_session"
LONGEST_DAYS = 800

COMPARED = {"": "nothing", "former": "the days before"}
"""What stands beside a figure."""
COUNTED = {"": "each by itself", "true": "all so far"}
"""What the figure of a period is of."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The question as the address has it.

    Attributes:
        metric: What is measured.
        every: `day`, `week`, `month` or `none`.
        by: A dimension, or empty.
        from_date: First day.
        to_date: Day after the last.
        purpose: What the answer is for.
        include: What marked traffic is let in; empty for none, `all` for all of it.
        compare: `former` to set the days before beside it, or empty.
        segment: Of whose members alone, at the end of the days; empty for everybody.
        cumulative: Whether each period tells all days from the first to its end.
    """

    metric: Metric
    every: str
    by: str
    from_date: date
    to_date: date
    purpose: str
    include: str = ""
    compare: str = ""
    segment: str = ""
    cumulative: bool = False

    def question(self, asker: Asker) -> Question:
        """Return under which terms it is asked."""
        return Question(asker=asker, purpose=self.purpose, include=LetIn(self.include).marks)

    def address(self, path: str = "/explore", **changed: str) -> str:
        """Return the address of this question, with some parts changed; empty ones go."""
        parts = self.params() | {"include": self.include} | changed
        if parts["every"] == "none":
            parts["cumulative"] = ""  # In all, the total is the figure itself.
        return f"{path}?{urlencode({name: value for name, value in parts.items() if value})}"

    def params(self) -> dict[str, str]:
        """Return the parts of the address, but for whose traffic it lets in."""
        return {
            "metric": self.metric.name,
            "every": self.every,
            "by": self.by,
            "from": self.from_date.isoformat(),
            "to": self.to_date.isoformat(),
            "purpose": self.purpose,
            "compare": self.compare,
            "segment": self.segment,
            "cumulative": "true" if self.cumulative else "",
        }


def asked_of(params: Mapping[str, str], known: Mapping[str, Metric], *, today: date) -> Asked:
    """Return the question of an address; what it leaves out takes a sensible value.

    Raises:
        NotFound: There is no such metric.
        BadInput: A part of it cannot be used.
    """
    name = params.get("metric") or (FIRST if FIRST in known else min(known))
    if name not in known:
        raise unknown("metric", name, known)
    every = _one_of("period", params.get("every") or "week", EVERY)
    to_date = parse_date(params["to"]) if params.get("to") else today
    from_date = parse_date(params["from"]) if params.get("from") else first_day(to_date, every)
    if from_date >= to_date:
        message = f"The days end on {to_date}, on or before {from_date}, their first."
        raise BadInput(message, "Give a later end; the end itself is left out.")
    if (to_date - from_date).days > LONGEST_DAYS:
        message = f"{(to_date - from_date).days} days are more than {LONGEST_DAYS}."
        raise BadInput(message, "Ask for fewer days.")
    by = params.get("by") or ""
    metric = known[name]
    if by and by not in metric.splits:
        by_known = metric.splits
        fix = f"Use one of: {', '.join(by_known)}." if by_known else "Ask it whole."
        raise BadInput(f"`{name}` cannot be split by `{by}`.{did_you_mean(by, by_known)}", fix)
    purpose = _one_of("purpose", params.get("purpose") or metric.purpose, PURPOSES)
    compare = _one_of("comparison", params.get("compare") or "", COMPARED)
    segment = params.get("segment") or ""
    if segment:
        questions.segments.check_of_people(metric)
    days, include = (from_date, to_date), let_in(params).text
    total = _one_of("way to count", params.get("cumulative") or "", COUNTED)
    if total:
        questions.check_running(metric, every)
    return Asked(metric, every, by, *days, purpose, include, compare, segment, bool(total))


def first_day(to_date: date, every: str) -> date:
    """Return where a question begins that names no first day: at the start of a whole period.

    >>> first_day(date(2026, 11, 22), "week")
    datetime.date(2026, 9, 28)
    """
    if every == "week":
        return week_of(to_date - timedelta(days=1)) - timedelta(weeks=7)
    if every == "month":
        return (to_date - timedelta(weeks=26)).replace(day=1)
    return to_date - timedelta(weeks=4)


def period_end(start: date, every: str) -> date:
    """Return the day after the last of a period.

    >>> period_end(date(2026, 12, 1), "month")
    datetime.date(2027, 1, 1)
    """
    if every == "month":
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    return start + timedelta(days={"day": 1, "week": 7}[every])


def _one_of(what: str, value: str, known: Mapping[str, object]) -> str:
    if value not in known:
        message = f"No {what} `{value}`.{did_you_mean(value, known)}"
        raise BadInput(message, f"Use one of: {', '.join(known)}.")
    return value


def span_words(from_date: date, to_date: date) -> str:
    """Return days in words, the last one included.

    >>> span_words(date(2026, 11, 16), date(2026, 11, 23))
    '16–22 November'
    >>> span_words(date(2026, 10, 26), date(2026, 11, 23))
    '26 October to 22 November'
    """
    last = to_date - timedelta(days=1)
    if from_date == last:
        return f"{last.day} {last:%B}"
    if (from_date.year, from_date.month) == (last.year, last.month):
        return f"{from_date.day}–{last.day} {last:%B}"
    first = f"{from_date.day} {from_date:%B}" + (
        "" if from_date.year == last.year else f" {from_date.year}"
    )
    return f"{first} to {last.day} {last:%B}" + (
        "" if from_date.year == last.year else f" {last.year}"
    )


def dimension_words(by: str) -> str:
    """Return how a page calls a dimension.

    >>> dimension_words("campaign_id")
    'campaign'
    """
    return by.replace("_id", "").replace("_", " ")


def filters_of(
    asked: Asked,
    known: Mapping[str, Metric],
    *,
    today: date,
    segments: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, object]]:
    """Return the filters of the page: the parts of the question, each with its other values.

    Args:
        asked: The question.
        known: All metrics by name.
        today: The day of asking.
        segments: What pages call each segment, by name.
    """
    found = [
        {
            "label": each.label,
            "href": asked.address(
                metric=name,
                by="",
                purpose="",
                segment=asked.segment if each.of_people else "",
                **({} if each.kind in questions.ADDED_KINDS else {"cumulative": ""}),
            ),
            "current": each is asked.metric,
        }
        for name, each in sorted(known.items())
    ]
    return [
        {"label": "Metric", "value": asked.metric.label, "options": found},
        {
            "label": "Every",
            "value": EVERY[asked.every].removeprefix("by "),
            "options": _options(asked, "every", EVERY.items(), asked.every),
        },
        *([_counted_filter(asked)] if _may_run(asked) else []),
        _by_filter(asked),
        *([_segment_filter(asked, segments)] if asked.metric.of_people else []),
        _days_filter(asked, today),
        {
            "label": "Purpose",
            "value": asked.purpose,
            "options": _options(asked, "purpose", ((p, p) for p in PURPOSES), asked.purpose),
        },
        {
            "label": "Beside",
            "value": COMPARED[asked.compare],
            "options": _options(asked, "compare", COMPARED.items(), asked.compare),
        },
        Traffic(LetIn(asked.include), "/explore", asked.params()).control(),
    ]


def _options(
    asked: Asked, part: str, values: Iterable[tuple[str, str]], current: str
) -> list[dict[str, object]]:
    """Return the choices of one part of the question: value and label each."""
    return [
        {"label": label, "href": asked.address(**{part: value}), "current": value == current}
        for value, label in values
    ]


def _may_run(asked: Asked) -> bool:
    return asked.every != "none" and asked.metric.kind in questions.ADDED_KINDS


def _counted_filter(asked: Asked) -> dict[str, object]:
    chosen = asked.params()["cumulative"]
    options = _options(asked, "cumulative", COUNTED.items(), chosen)
    return {"label": "Periods", "value": COUNTED[chosen], "options": options}


def _by_filter(asked: Asked) -> dict[str, object]:
    known = asked.metric.splits
    values = [("", "nothing"), *((name, dimension_words(name)) for name in known)]
    return {
        "label": "By",
        "value": dimension_words(asked.by) if asked.by else "nothing",
        "options": _options(asked, "by", values, asked.by),
        "note": "" if known else "It counts sessions, which have no property of events.",
    }


def _segment_filter(asked: Asked, segments: Mapping[str, str]) -> dict[str, object]:
    options = of_whom(segments, asked.segment)
    return {
        "label": "Of",
        "value": options[asked.segment],
        "options": _options(asked, "segment", options.items(), asked.segment),
        "note": "" if segments else "Segments that are made stand here.",
    }


def _days_filter(asked: Asked, today: date) -> dict[str, object]:
    kept = {
        "metric": asked.metric.name,
        "every": asked.every,
        "by": asked.by,
        "purpose": asked.purpose,
        "include": asked.include,
        "compare": asked.compare,
        "segment": asked.segment,
        "cumulative": asked.params()["cumulative"],
    }
    ends = (("From", "from", asked.from_date), ("To, left out itself", "to", asked.to_date))
    spans = []
    for weeks in (4, 8, 26):
        first = today - timedelta(weeks=weeks)
        parts = {"from": first.isoformat(), "to": today.isoformat()}
        current = (asked.from_date, asked.to_date) == (first, today)
        href = asked.address(**parts)
        spans.append({"label": f"last {weeks} weeks", "href": href, "current": current})
    return {
        "label": "Days",
        "value": span_words(asked.from_date, asked.to_date),
        "options": spans,
        "fields": [
            {"label": label, "name": name, "type": "date", "value": day.isoformat()}
            for label, name, day in ends
        ],
        "kept": {name: value for name, value in kept.items() if value},
        "action": "/explore",
    }
