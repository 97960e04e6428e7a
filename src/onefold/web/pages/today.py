"""Today: was it a good week, and what is worth doing next?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold import advice
from onefold.governance import may, trail
from onefold.model.errors import BadInput
from onefold.model.records import Question
from onefold.web import charts, wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.drawing import interval, shared_axis
from onefold.web.pages.advice_shown import advice_block, decisions_seen, known_of, tests_of
from onefold.web.pages.today_figures import (
    SHOWN,
    Figure,
    Measured,
    measured,
    most_moved,
    periods,
    told_moves,
)
from onefold.web.pages.today_story import held, what_changed
from onefold.web.pages.traffic import LetIn, Traffic, let_in
from onefold.web.remembered import remembered
from onefold.web.wording import better, coded, number, share, worse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.advice import Known
    from onefold.experiments import Experiment
    from onefold.model.records import Asker
    from onefold.runtime import Workspace
    from onefold.store import View

KEPT_SECONDS = 120
"""Figures of whole days hardly move; their age stands below them."""
PERIODS = {"7": "week", "28": "28 days"}
QUESTION = {
    "7": "Was it a good week, and what is worth doing next?",
    "28": "Were they good weeks, and what is worth doing next?",
}


@signed_in()
async def today(request: Request) -> Response:
    """Answer the question of the day."""
    workspace, asker = request.app.state.workspace, request.state.asker
    days = request.query_params.get("days", "7")
    if days not in PERIODS:
        raise BadInput(f"No period of `{days}` days.", f"Use one of: {', '.join(PERIODS)}.")
    chosen = let_in(request.query_params)
    shown = await ask(request, _shown, workspace, asker, days, chosen)
    workspace.uses.note(asker, "today", SHOWN, now=workspace.clock())
    return page(request, "today/today.html", here="Today", title="Today", **shown)


routes = [Route("/", today)]


def _shown(workspace: Workspace, asker: Asker, days: str, chosen: LetIn) -> dict[str, Any]:
    view = workspace.view(Question(asker=asker, include=chosen.marks))
    traffic = Traffic(chosen, "/", {} if days == "7" else {"days": days})
    frame: dict[str, Any] = {
        "question": QUESTION[days],
        "filters": [*_filters(view, days, chosen), traffic.control()],
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone, label=_label(view)),
    }
    if view.fresh_time is None:
        return frame | {"empty": True, "answer": "No event has come yet."}
    asked, known, tests = _asked(workspace, view, int(days))
    label = _label(view)
    frame["fresh"] = wording.freshness(
        view.fresh_time, view.now, zone=view.zone, label=label, asked_time=asked.fresh_time
    )
    figures = asked.figures
    advised = advice.advise(view, workspace.state, known=known)
    decided = decisions_seen(workspace, view)
    whole_trail = may(asker, "audit") and workspace.sight(asker).whole
    entries = trail(workspace.state, most=200) if whole_trail else []
    now, former = periods(view, int(days))
    whole = (former[0], now[1])
    return frame | {
        "empty": False,
        "answer": _answer(figures),
        "lead": _lead(view, figures),
        "tiles": _tiles(asked, view),
        "advice": advice_block(advised, asker, traffic.address(chosen), zone=view.zone),
        "no_accounts": not advised.considered,
        "changed": what_changed(view, tests, decided, entries, asked.totals),
        "held": held(view, decided),
        "moved": _moved(asked, view),
        "table": _table(figures),
        "period": PERIODS[days],
        "left_out": traffic.left_out(view, whole, of="these days and those before"),
    }


def _asked(
    workspace: Workspace, view: View, days: int
) -> tuple[Measured, Known, tuple[Experiment, ...]]:
    """Return what the page rests on; figures are asked for while advice asks for its part."""
    tests = tests_of(workspace)
    key = ("today", wording.day(view.now, view.zone), days, view.question.include)
    folder = workspace.definitions / "metrics"
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="today") as beside:
        asked = beside.submit(
            remembered,
            workspace,
            key,
            partial(measured, view, folder, days),
            sight=view.sight,
            seconds=KEPT_SECONDS,
        )
        known = known_of(workspace, view, tests=tests)
        return asked.result(), known, tests


def _label(view: View) -> str:
    return wording.moment(view.now, view.zone)


def _filters(view: View, days: str, chosen: LetIn) -> list[dict[str, Any]]:
    now, former = periods(view, int(days))
    options = [
        {"label": f"last {words}", "href": chosen.address("/", days=name), "current": name == days}
        for name, words in PERIODS.items()
    ]
    return [
        {"label": "Days", "value": _span(now, view.zone), "options": options},
        {"label": "Against", "value": _span(former, view.zone)},
        {"label": "Purpose", "value": view.question.purpose},
    ]


def _span(period: tuple[int, int], zone: str) -> str:
    first, last = (wording.day(each, zone).split(" ", 1)[1] for each in (period[0], period[1] - 1))
    if first.split()[1] == last.split()[1]:
        return f"{first.split()[0]}–{last}"
    return f"{first} – {last}"


def _answer(figures: tuple[Figure, ...]) -> list[object]:
    """Return the sentence that the figures make: what rose and what fell, beyond chance."""
    clear = told_moves(figures)
    pieces: list[object] = []
    for word, tone in (("better", better), ("worse", worse)):
        first = next((each for each in clear if each.change.verdict == word), None)
        if first is not None:
            pieces += [f"{first.metric.label} ", tone(_moved_words(first)), ". "]
    if pieces:
        return pieces
    moved = sum(each.change.verdict in {"better", "worse"} for each in figures)
    if moved:
        seen = wording.count_word(len(figures)).lower()
        which = "The one that moved" if moved == 1 else "Those that moved"
        return [f"Cannot tell. {which} may be the chance of looking at {seen} figures."]
    if any(each.change.relative.low is not None for each in figures):
        return ["No figure moved beyond its range: whether it was better, it cannot tell."]
    return ["Not enough data yet to say whether it was a good period."]


def _lead(view: View, figures: tuple[Figure, ...]) -> str:
    """Return what the answer rests on: whole days, and as many looks as there are figures."""
    seen = wording.count_word(len(figures)).lower()
    return (
        f"Today, {wording.day(view.now, view.zone)}, is not counted: it is not over. Each range "
        f"below is of its figure alone; the sentence above allows for looking at {seen}."
    )


def _moved_words(figure: Figure) -> str:
    relative = figure.change.relative.estimate or 0.0
    return f"{'rose' if relative > 0 else 'fell'} {share(abs(relative))}"


def _tiles(asked: Measured, view: View) -> list[dict[str, Any]]:
    known = [
        (each.change.relative.low * 100, each.change.relative.high * 100)
        for each in asked.figures
        if each.change.relative.low is not None and each.change.relative.high is not None
    ]
    axis = shared_axis(known)
    return [_tile(each, axis, asked, view) for each in asked.figures]


def _tile(each: Figure, axis: tuple[float, float], asked: Measured, view: View) -> dict[str, Any]:
    relative, metric = each.change.relative, each.metric
    figure, unit = each.words()
    tile: dict[str, Any] = {
        "name": metric.label,
        "figure": figure,
        "unit": unit,
        "href": f"/explore/metrics/{metric.name}",
        "values": each.values,
        "former": each.former_values,
        "badges": asked.badges(each, view.now),
    }
    if relative.estimate is None or relative.low is None or relative.high is None:
        have = each.change.now.n
        if each.change.notes and not each.change.now.estimate:
            return tile | {"change": "Cannot tell", "note": coded(each.change.notes[-1])}
        if have < metric.minimum_people:
            return tile | {"too_few": {"have": have, "need": metric.minimum_people, "when": ""}}
        before = f"Before: {each.change.former.n:,} of {metric.minimum_people:,} people it takes."
        note = relative.note if relative.estimate is None else before
        return tile | {"change": "Cannot tell", "note": note}
    word = each.change.verdict
    change = share(relative.estimate, signed=True)
    tile["bar"] = interval(
        relative.estimate * 100,
        relative.low * 100,
        relative.high * 100,
        axis=axis,
        better="down" if metric.better == "down" else "up",
        unit="%",
    )
    low, high = (number(end * 100, 1) for end in (relative.low, relative.high))
    tile["range"] = f"{low} to {high}"
    tile["change"] = {"not_yet": "Cannot tell", "no_difference": "No difference"}.get(word, change)
    tile["tone"] = word if word in {"better", "worse"} else ""
    return tile


def _moved(asked: Measured, view: View) -> dict[str, Any] | None:
    """Return the chart of the figure that moved most, with its table."""
    figure = most_moved(asked.figures)
    if figure is None or not figure.points:
        return None
    scale = 1e-6 if figure.metric.format == "money" else 1.0
    rows = []
    for point in figure.points:
        value = point.value
        if value.estimate is None:
            continue
        row = {"day": point.start_date.isoformat(), "value": value.estimate * scale}
        if value.low is not None and value.high is not None:
            row |= {"low": value.low * scale, "high": value.high * scale}
        rows.append(row)
    form = {"percent": ".1%", "money": "$,.3f"}.get(figure.metric.format, ",.2f")
    if figure.metric.format == "number" and rows and float(str(rows[-1]["value"])) >= 100:
        form = ",.0f"
    spec = charts.line_with_band(rows, value_format=form)
    return {
        "title": f"{figure.metric.label}, by day",
        "name": f"{figure.metric.label}, by day, with the 95 % range of each day",
        "aside": "the figure that moved most; the band is the 95 % range of each day",
        "spec": spec,
        "columns": [
            "Day",
            *({"label": name, "kind": "number"} for name in ("Low", "Estimate", "High", "People")),
        ],
        "rows": [
            [
                point.start_date.isoformat(),
                figure.said(point.value.low),
                figure.said(point.value.estimate),
                figure.said(point.value.high),
                number(point.value.n),
            ]
            for point in figure.points
        ],
        "badges": {
            **asked.badges(figure, view.now),
            "href": f"/explore/metrics/{figure.metric.name}",
        },
    }


def _table(figures: tuple[Figure, ...]) -> dict[str, Any]:
    columns: list[object] = [
        "Figure",
        *({"label": name, "kind": "number"} for name in ("Now", "Before", "Change", "Low", "High")),
        "So",
    ]
    words = {"not_yet": "cannot tell", "no_difference": "no difference"}
    rows = []
    for each in figures:
        change, relative = each.change, each.change.relative
        rows.append(
            [
                {"href": f"/explore/metrics/{each.metric.name}", "label": each.metric.label},
                each.said(change.now.estimate),
                each.said(change.former.estimate),
                *(
                    None if end is None else share(end, signed=True)
                    for end in (relative.estimate, relative.low, relative.high)
                ),
                words.get(change.verdict, change.verdict),
            ]
        )
    return {"columns": columns, "rows": rows}
