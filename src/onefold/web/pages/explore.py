"""Explore: any metric by day, week or month and by dimension, every part of it in the address."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.routing import Route

from onefold import metrics
from onefold.governance import may
from onefold.model.errors import OnefoldError, did_you_mean, unknown
from onefold.model.money import Money
from onefold.model.records import MARKED, Question
from onefold.model.time import day_of, day_start
from onefold.model.words import plural
from onefold.web import charts, wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.drawing import interval, round_up
from onefold.web.pages import taking
from onefold.web.pages.answered_for import answered_for, certified_words, history_of
from onefold.web.pages.explore_answer import (
    answer_words,
    begun,
    compared,
    left_out_words,
    not_reached,
    pair_of,
    part_of,
    row_words,
    told,
)
from onefold.web.pages.explore_question import (
    EVERY,
    Asked,
    asked_of,
    dimension_words,
    filters_of,
    first_day,
    span_words,
)
from onefold.web.pages.of_whom import of_whom, segment_labels
from onefold.web.pages.pinning import pinning
from onefold.web.pages.traffic import LetIn
from onefold.web.wording import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.metrics import Metric
    from onefold.model.records import Answer, Asker
    from onefold.runtime import Workspace
    from onefold.store import View

GROUPS = 5
"""So many groups get a line of their own; the rest stand in the table."""


@signed_in()
async def explore(request: Request) -> Response:
    """Answer the question of the address."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, explored, workspace, asker, dict(request.query_params))
    return page(request, "explore/explore.html", here="Explore", **shown)


@signed_in()
async def metric_page(request: Request) -> Response:
    """Show one metric: what is counted, by whom, for which decision."""
    workspace, name = request.app.state.workspace, request.path_params["name"]
    known = await ask(request, _metrics, workspace)
    if name not in known:
        raise unknown("metric", name, known)
    shown = await ask(request, _defined, workspace, request.state.asker, known[name])
    return page(request, "explore/metric.html", here="Explore", title=known[name].label, **shown)


routes = [
    Route("/explore", explore),
    Route("/explore/metrics/{name}", metric_page),
]


def _metrics(workspace: Workspace) -> dict[str, Metric]:
    return workspace.metrics()


def explored(workspace: Workspace, asker: Asker, params: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows for the question of an address, or why there is no answer."""
    known = _metrics(workspace)
    today = day_of(workspace.clock(), workspace.settings.zone)
    try:
        asked = asked_of(params, known, today=today)
        view = workspace.view(asked.question(asker))
        answer, view = _told(workspace, view, asked)
    except OnefoldError as error:
        return {
            "title": "Explore",
            "status": error.status,
            "trouble": _trouble(error, params, known),
        }
    workspace.uses.note(asker, "metric", (asked.metric.name,), now=workspace.clock())
    if asked.segment:
        workspace.uses.note(asker, "segment", (asked.segment,), now=workspace.clock())
    labels, marks = segment_labels(workspace), _marks(workspace, view, asked)
    shown = shown_of(asked, answer, known, view=view, marks=marks, segments=labels)
    parts = asked.params() | {"include": asked.include}
    return {
        **shown,
        "pin": pinning(workspace, asker, "metric", parts),
        "ways": taking.ways_of("metric", parts),
    }


def _trouble(
    error: OnefoldError, params: Mapping[str, str], known: Mapping[str, Metric]
) -> dict[str, object]:
    """Return what a page says when a question cannot be answered, its mend first."""
    ways = [
        {"label": "Ask the first question", "href": "/explore"},
        {"label": "All metrics", "href": "/explore/metrics"},
    ]
    meant = (
        did_you_mean(params.get("metric", ""), known)
        .strip(" ?")
        .rpartition("`")[0]
        .rpartition("`")[2]
    )
    if params.get("metric", "") not in known and meant:
        address = f"/explore?{urlencode({**params, 'metric': meant})}"
        ways = [{"label": f"Ask for {meant}", "href": address}, *ways[1:]]
    return {"words": error.message, "fix": error.fix, "ways": ways}


def _marks(
    workspace: Workspace, view: View, asked: Asked
) -> tuple[metrics.questions.calendar.Mark, ...]:
    """Return the days worth a mark; a calendar that cannot be read marks none."""
    if asked.every == "none":
        return ()
    try:
        written = metrics.questions.calendar.load_calendar(workspace.definitions)
    except OnefoldError:
        written = ()
    days = (asked.from_date, asked.to_date)
    span = (day_start(days[0], view.zone), day_start(days[1], view.zone))
    return metrics.questions.calendar.marks_of(view, written, span)


def _mark_words(mark: metrics.questions.calendar.Mark) -> str:
    until = f" to {mark.until}" if mark.until > mark.day else ""
    return f"{mark.day}{until}: {mark.text}"


def _told(workspace: Workspace, view: View, asked: Asked) -> tuple[Answer, View]:
    """Return the answer, and the View that it is of: of a segment's members, if one is named."""
    if not asked.segment:
        return _answer(view, asked), view
    some, one = workspace.among(view, asked.segment, day_start(asked.to_date, view.zone))
    answer = _answer(some, asked)
    return replace(answer, definition=f"{answer.definition} {one.as_filter}"), some


def _answer(view: View, asked: Asked) -> Answer:
    asks = metrics.questions
    measured: Callable[..., Answer] = asks.cumulative if asked.cumulative else metrics.measure
    if asked.compare:
        measured = partial(asks.against_former, running=asked.cumulative)
    return measured(
        view,
        asked.metric,
        from_time=day_start(asked.from_date, view.zone),
        to_time=day_start(asked.to_date, view.zone),
        every=asked.every,
        by=asked.by or None,
    )


def shown_of(
    asked: Asked,
    answer: Answer,
    known: Mapping[str, Metric],
    *,
    view: View,
    marks: Sequence[metrics.questions.calendar.Mark] = (),
    segments: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return what the page shows of an answered question."""
    metric = asked.metric
    today = day_of(view.now, view.zone)
    rows = begun(asked, cells_of(answer), today=today)
    pair = pair_of(asked, rows, today=today)
    test = compared(view, asked, pair) if pair else None
    currencies = sorted({row["currency"] for row in rows if row["currency"]})
    seconds = None if view.fresh_time is None else max((view.now - view.fresh_time) / 1e6, 0.0)
    return {
        "title": metric.label,
        "question": question_words(asked, segments),
        "answer": answer_words(asked, rows, today=today, test=test),
        "verdict": test.verdict if test and pair and not pair.groups else "",
        "lead": " ".join(filter(None, (metric.decision, left_out_words(asked, rows, today=today)))),
        "filters": filters_of(asked, known, today=today, segments=segments),
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone),
        "chart": chart_of(asked, rows, today=today, marks=marks),
        "marks": [_mark_words(mark) for mark in marks],
        "chart_name": f"{metric.label} {EVERY[asked.every]}{_so_far(asked)}"
        f"{_in_words(metric, rows)}",
        "groups": _legend(asked, rows),
        "columns": columns_of(asked, rows),
        "rows": table_rows(asked, rows, today=today),
        "counted": _counted(asked, answer),
        "notes": answer.notes,
        "query": answer.query,
        "empty": not any(row["n"] for row in rows),
        "badges": {
            "version": metric.version,
            "certified": certified_words(metric),
            "href": f"/explore/metrics/{metric.name}",
            "seconds": seconds,
            "n": sum(row["n"] for row in rows) if asked.every == "none" else None,
        },
        "currencies": currencies,
    }


def cells_of(answer: Answer) -> list[dict[str, Any]]:
    """Return the rows of an answer by name; money apart into amount (units) and currency."""
    names = [column.name for column in answer.columns]
    found = []
    for row in answer.rows:
        cell: dict[str, Any] = dict(zip(names, row, strict=True)) | {"currency": ""}
        for name in ("estimate", "low", "high", "recomputed", "former"):
            value = cell.get(name)
            if isinstance(value, Money):
                cell["currency"], cell[name] = value.currency, value.micros
        group = [name for name in names if name not in _OWN]
        cell["value"] = cell[group[0]] if group else None
        cell["group"] = group_name(group[0], cell["value"]) if group else ""
        found.append(cell)
    return found


_MOST_MARKS = 12
"""So many days have a line; all stand below the chart."""
NOW, BEFORE = "these days", "the days before"
_OWN = {"period", "estimate", "low", "high", "level", "n", "recomputed", "reason", "former"}


def question_words(asked: Asked, segments: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the question in words; `segments` says what pages call each."""
    metric = asked.metric
    of = f" of {of_whom(segments, asked.segment)[asked.segment]}" if asked.segment else ""
    by = f", by {dimension_words(asked.by)}" if asked.by else ""
    days = span_words(asked.from_date, asked.to_date)
    how = f"{EVERY[asked.every]}{_so_far(asked)}{by}"
    return f"{metric.label}{of} {how}, {days}: how much, and which way?"


def _so_far(asked: Asked) -> str:
    return ", all so far" if asked.cumulative else ""


def group_name(by: str, group: object) -> str:
    """Return how a page calls a value of a dimension.

    >>> group_name("surface", "home_feed"), group_name("campaign_id", "c_1"), group_name("x", None)
    ('Home feed', 'c_1', 'unknown')
    """
    if group in {None, ""}:
        return "unknown"
    return str(group).replace("_", " ").capitalize() if by == "surface" else str(group)


def _legend(asked: Asked, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if asked.every == "none":
        return []
    return groups_of(rows) if asked.by else [NOW, BEFORE] if asked.compare else []


def groups_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the groups by how many people they have, the largest first."""
    people: dict[str, int] = {}
    for row in rows:
        name = row["group"]
        people[name] = people.get(name, 0) + row["n"]
    return sorted(people, key=lambda name: (-people[name], name))[:GROUPS]


def chart_of(
    asked: Asked,
    rows: Sequence[Mapping[str, Any]],
    *,
    today: date,
    marks: Sequence[metrics.questions.calendar.Mark] = (),
) -> charts.Spec | None:
    """Return the chart: a line in its band, lines by group, or nothing for a single figure.

    A period that is not whole is drawn dashed and named so; `marks` are dashed lines of days.
    """
    if asked.every == "none" or len({row["period"] for row in rows}) < 2:
        return None
    # A period without money has no currency; it belongs to the line all the same.
    currency = next((row["currency"] for row in rows if row["currency"]), "")
    money = "$,.2f" if currency == "USD" else ",.2f"
    forms = {"percent": ".1%", "money": money, "number": ",.3~r", "duration": ",.3~r"}
    form = forms[asked.metric.format]
    line = [row for row in rows if row["currency"] in {currency, ""}]
    scale = 1 / _unit(asked.metric, _axis(line)[1])[0]
    if asked.by:
        groups = groups_of(line)
        points: list[charts.Row] = [
            _placed(asked, row, today=today)
            | {"value": row["estimate"] * scale, "group": row["group"]}
            for row in line
            if row["estimate"] is not None and row["group"] in groups
        ]
        return charts.lines(points, groups=groups, value_format=form)
    if asked.compare:
        return _beside_former(asked, line, scale, form, today=today)
    ends = (("value", "estimate"), ("low", "low"), ("high", "high"))
    band: list[charts.Row] = [
        _placed(asked, row, today=today)
        # One end alone, of a time that is not known yet, is no range that could be drawn.
        | {
            key: None if None in {row[name], row["estimate"]} else row[name] * scale
            for key, name in ends
        }
        for row in line
    ]
    first = min(row["period"] for row in line)
    calendar: list[charts.Row] = [
        {"day": max(mark.day, first).isoformat(), "name": mark.text} for mark in marks[:_MOST_MARKS]
    ]
    return charts.line_with_band(band, value_format=form, calendar=calendar)


def _beside_former(
    asked: Asked, line: Sequence[Mapping[str, Any]], scale: float, form: str, *, today: date
) -> charts.Spec:
    """Return two lines: the figure, and that of the days before at the same places."""
    points: list[charts.Row] = [
        _placed(asked, row, today=today) | {"value": row[name] * scale, "group": group}
        for name, group in (("estimate", NOW), ("former", BEFORE))
        for row in line
        if row[name] is not None
    ]
    return charts.lines(points, groups=(NOW, BEFORE), value_format=form)


def _in_words(metric: Metric, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return in what a chart's values are, where its axis does not say so."""
    word = _unit(metric, _axis(rows)[1])[1]
    return f", in {word}" if word else ""


def _unit(metric: Metric, most: float) -> tuple[float, str]:
    """Return in what a metric's values are drawn: how many of theirs it has, and its word."""
    if metric.format == "duration":
        return wording.duration_unit(most)
    return (1e6, "") if metric.format == "money" else (1.0, "")


def _placed(asked: Asked, row: Mapping[str, Any], *, today: date) -> dict[str, object]:
    """Return where a row stands in time, and why its period is not whole, if it is not."""
    part = part_of(asked, row, today=today)
    placed: dict[str, object] = {"day": row["period"].isoformat()}
    if row.get("reason"):
        placed["moved"] = row["reason"]
    return placed | ({"part": part} if part else {})


def columns_of(asked: Asked, rows: Sequence[Mapping[str, Any]]) -> list[object]:
    """Return the columns of the table; the first heads the rows."""
    head: list[object] = []
    if asked.every != "none":
        head.append({"day": "Day", "week": "Week from", "month": "Month"}[asked.every])
    if asked.by:
        head.append(dimension_words(asked.by).capitalize())
    if not head:
        head.append("Days")
    axis = _axis(rows)
    low, high = (told(asked.metric, end, _currency(rows)) for end in axis)
    return [
        *head,
        {"label": asked.metric.label, "kind": "number"},
        {"label": "Low", "kind": "number"},
        {"label": "High", "kind": "number"},
        {"label": f"Range, {low} to {high}", "kind": "bar"},
        {"label": asked.metric.units.capitalize(), "kind": "number"},
        *([{"label": "Counted now", "kind": "number"}, "Why"] if _any_closed(rows) else []),
        *([{"label": BEFORE.capitalize(), "kind": "number"}] if asked.compare else []),
    ]


def _any_closed(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether an answer has closed periods, and so the two columns beside them."""
    return any("reason" in row for row in rows)


def _currency(rows: Sequence[Mapping[str, Any]]) -> str:
    return next((row["currency"] for row in rows if row["currency"]), "")


def _axis(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    ends = [
        float(row[name]) for row in rows for name in ("high", "estimate") if row[name] is not None
    ]
    return 0.0, round_up(max([*ends, 1e-9]))


def table_rows(
    asked: Asked, rows: Sequence[Mapping[str, Any]], *, today: date
) -> list[list[object]]:
    """Return the table with its intervals, latest period first."""
    axis = _axis(rows)
    ordered = list(rows)
    if asked.every != "none":
        ordered.sort(key=lambda row: row["period"], reverse=True)
    return [_table_row(asked, row, axis, today=today) for row in ordered]


def _table_row(
    asked: Asked, row: Mapping[str, Any], axis: tuple[float, float], *, today: date
) -> list[object]:
    metric, currency = asked.metric, row["currency"]
    head: list[object] = []
    if asked.every != "none":
        head.append(row_words(asked, row, today=today))
    if asked.by:
        head.append(row["group"])
    if not head:
        so_far = ", so far" if asked.to_date > today else ""
        head.append(f"{span_words(asked.from_date, asked.to_date)}{so_far}")
    ends = [
        None if row[name] is None else told(metric, row[name], currency)
        for name in ("estimate", "low", "high")
    ]
    beside: list[object] = []
    if "reason" in row:
        now = row["recomputed"]
        beside = [None if now is None else told(metric, now, currency), row["reason"] or None]
    if asked.compare:
        beside.append("–" if row["former"] is None else told(metric, row["former"], currency))
    return [*head, *ends, _bar(metric, row, axis), number(row["n"]), *beside]


def _bar(metric: Metric, row: Mapping[str, Any], axis: tuple[float, float]) -> object:
    if row["estimate"] is None:
        return not_reached(metric) if metric.is_spread and row["n"] else "nobody"
    if row["low"] is None or row["high"] is None:
        return f"Not enough data: {row['n']} of {metric.minimum_people}"
    percent = metric.format == "percent"
    size, word = _unit(metric, axis[1])
    scale = 100.0 if percent else 1 / size
    return interval(
        row["estimate"],
        max(row["low"], axis[0]),
        row["high"],
        axis=axis,
        reference=None,
        unit="%" if percent else word or row["currency"],
        scale=scale,
        decimals=2,
    )


def _counted(asked: Asked, answer: Answer) -> list[tuple[str, object]]:
    left = answer.excluded_by_consent
    return [
        ("Definition", answer.definition),
        ("Purpose", f"{asked.purpose}: only what consent allows for it"),
        (
            "Left out",
            f"{plural(left, 'event')} of these days, by consent"
            if left
            else "No event of these days, by consent",
        ),
        ("Days", f"{asked.from_date} to {asked.to_date}, the end left out; weeks start on Monday"),
        ("Bots and tests", _marked_words(asked, answer)),
    ]


def _marked_words(asked: Asked, answer: Answer) -> str:
    """Return what became of traffic that is no customer's."""
    said = [note for note in answer.notes if note.startswith(MARKED)]
    told = f"Let in: {LetIn(asked.include).words.removeprefix('and ')}" if asked.include else ""
    parts = [*([told] if told else []), *(note.rstrip(".") for note in said)]
    return ". ".join([*parts, "Only production; other environments are not in it"])


def _defined(workspace: Workspace, asker: Asker, metric: Metric) -> dict[str, Any]:
    view = workspace.view(Question(asker=asker, purpose=metric.purpose))
    today = day_of(view.now, view.zone)
    asked = Asked(metric, "week", "", first_day(today, "week"), today, metric.purpose)
    answer = _answer(view, asked)
    rows = cells_of(answer)
    dimensions = ", ".join(dimension_words(each) for each in metric.splits) or "nothing"
    return {
        "question": f"What is {metric.label.lower()}?",
        "answer": metric.description,
        "lead": metric.decision,
        "pairs": [
            ("Name", metric.name),
            *answered_for(metric),
            ("Counted", answer.definition),
            ("Decides", metric.decision or "nothing named"),
            ("Better", "more" if metric.better == "up" else "less"),
            ("Purpose", metric.purpose),
            ("May be split by", dimensions),
            ("Interval from", f"{plural(metric.minimum_people, metric.unit, metric.units)} on"),
        ],
        "chart": chart_of(asked, rows, today=today),
        "columns": columns_of(asked, rows),
        "rows": table_rows(asked, rows, today=today),
        "href": f"/explore?metric={metric.name}",
        "query": answer.query,
        "history": history_of(workspace, asker, metric.name),
        "certified": certified_words(metric),
        "name": metric.name,
        "kept_here": metric.standing.origin == "kept" and may(asker, "compose"),
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone),
    }
