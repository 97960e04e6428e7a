"""How people stay: their life by period, and on how many days they were there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.runtime import call
from onefold.web import charts
from onefold.web.desk import signed_in
from onefold.web.drawing import interval
from onefold.web.pages import taking
from onefold.web.pages.journeys import (
    EVERY,
    Address,
    answered,
    asked_terms,
    common,
    days_of,
    heard_of,
    named_rows,
    page_of,
    share_words,
    shared_filters,
    view_of,
)
from onefold.web.pages.of_whom import segment_labels
from onefold.web.pages.pinning import pinning
from onefold.web.wording import number, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace
    from onefold.store import View

    Rows = Sequence[Mapping[str, Any]]

LIFECYCLE, STICKINESS = "/explore/lifecycle", "/explore/stickiness"
STATES = ("new", "returning", "resurrected", "dormant")
_MOST_ROWS = 31
"""So many numbers of days have a row; the others stand in what is taken along."""


@signed_in()
async def lifecycle(request: Request) -> Response:
    """Show who is new, returning, resurrected and dormant, by period."""
    return await answered(request, lifecycle_shown, "explore/habits.html", "Lifecycle")


@signed_in()
async def stickiness(request: Request) -> Response:
    """Show on how many days people were there."""
    return await answered(request, stickiness_shown, "explore/habits.html", "Stickiness")


routes = [Route(LIFECYCLE, lifecycle), Route(STICKINESS, stickiness)]


def lifecycle_shown(workspace: Workspace, asker: Asker, given: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows for the lifecycle of an address."""
    params, view, filters = _begun(workspace, asker, given, LIFECYCLE, every="week")
    body = call(workspace, asker, "lifecycle", _terms(params)).body
    rows = named_rows(body)
    every = params["every"]
    heads = ("New", "Returning", "Resurrected", "Dormant", "There", "Came again", "Low", "High")
    return {
        **page_of(view, filters, body),
        "question": f"Who is new, who stays, who goes, {days_of(params)}?",
        "answer": _lived(rows, every),
        "chart": _chart(rows),
        "chart_name": f"People by {every}",
        "groups": list(STATES),
        "columns": [
            {"day": "Day", "week": "Week from", "month": "Month"}[every],
            *({"label": head, "kind": "number"} for head in heads),
            "Whole",
        ],
        "rows": [_life_row(row) for row in reversed(rows)],
        "empty": not any(row["there"] or row["dormant"] for row in rows),
        "pin": pinning(workspace, asker, "lifecycle", params),
        "ways": taking.ways_of("lifecycle", params),
    }


def stickiness_shown(workspace: Workspace, asker: Asker, given: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows for the stickiness of an address."""
    params, view, filters = _begun(workspace, asker, given, STICKINESS, every="day")
    body = call(workspace, asker, "stickiness", _terms(params)).body
    rows = named_rows(body)
    every = params["every"]
    most = max((row["high"] or row["share"] or 0.0 for row in rows), default=0.0) or 1.0
    return {
        **page_of(view, filters, body),
        "question": f"On how many {every}s are people there, {days_of(params)}?",
        "answer": _stuck(rows, body["notes"], every),
        "columns": [
            f"{every.capitalize()}s",
            {"label": "People", "kind": "number"},
            {"label": "Share", "kind": "number"},
            {"label": "Low", "kind": "number"},
            {"label": "High", "kind": "number"},
            {"label": f"Range, 0 to {share(most, 0)}", "kind": "bar"},
            {"label": "On so many or more", "kind": "number"},
        ],
        "rows": [_stuck_row(row, most) for row in rows[:_MOST_ROWS]],
        "empty": not any(row["people"] for row in rows),
        "pin": pinning(workspace, asker, "stickiness", params),
        "ways": taking.ways_of("stickiness", params),
    }


def _begun(
    workspace: Workspace, asker: Asker, given: Mapping[str, str], path: str, *, every: str
) -> tuple[dict[str, str], View, list[dict[str, Any]]]:
    """Return the parts of an address, the View, and the page's filters."""
    named = {"event": given.get("event", ""), "every": given.get("every") or every}
    params = common(workspace, given) | named
    view = view_of(workspace, asker, params)
    address = Address(path, params)
    events = {"": "any action"} | {one: one for one in (*heard_of(view), params["event"]) if one}
    typed = address.form({"label": "Event", "name": "event", "value": params["event"]})
    filters = [
        address.filter("There by", "event", events, **typed),
        address.filter("Every", "every", {one: one for one in EVERY}),
        *shared_filters(address, segment_labels(workspace)),
    ]
    return params, view, filters


def _terms(params: Mapping[str, str]) -> dict[str, Any]:
    return {**asked_terms(params), "event": params["event"], "every": params["every"]}


def _lived(rows: Rows, every: str) -> str:
    known = [row for row in rows if row["whole"] and row["n"]]
    if not known:
        return f"No {every} with one before it is over yet."
    last = known[-1]
    reach = f" ({share(last['low'])} to {share(last['high'])})" if last["low"] is not None else ""
    return (
        f"Of those who were there the {every} before, {share(last['share'])}{reach} came again in "
        f"that from {last['period']}; {number(last['new'])} were new and "
        f"{number(last['resurrected'])} came back after longer."
    )


def _stuck(rows: Rows, notes: Sequence[str], every: str) -> str:
    people = sum(row["people"] for row in rows)
    if not people:
        return "Nobody was there in these days."
    alone = rows[0]["people"] if rows else 0
    average = next((note for note in notes if note.startswith("In an average")), "")
    sentence = average.partition(":")[0]
    once = f"{share(alone / people)} of {number(people)} people came on one {every} alone"
    return f"{sentence}; {once}." if sentence else f"{once}."


def _chart(rows: Rows) -> charts.Spec | None:
    if len(rows) < 2:
        return None
    points: list[charts.Row] = [
        {"day": str(row["period"]), "group": state, "value": row[state]}
        | ({} if row["whole"] else {"part": "in part"})
        for row in rows
        for state in STATES
    ]
    return charts.lines(points, groups=STATES, value_format=",.3~r")


def _life_row(row: Mapping[str, Any]) -> list[object]:
    counts = [number(row[name]) for name in (*STATES, "there")]
    ends = [share_words(row[name]) for name in ("share", "low", "high")]
    return [str(row["period"]), *counts, *ends, "yes" if row["whole"] else "in part"]


def _stuck_row(row: Mapping[str, Any], most: float) -> list[object]:
    bar: object = f"Not enough data: {row['n']} of 30"
    if row["low"] is not None and row["high"] is not None:
        bar = interval(
            row["share"],
            row["low"],
            row["high"],
            axis=(0.0, most),
            reference=None,
            unit="%",
            scale=100.0,
        )
    ends = [share_words(row[name]) for name in ("share", "low", "high")]
    return [str(row["periods"]), number(row["people"]), *ends, bar, share_words(row["at_least"])]
