"""Segments: who belongs to each, how that moves, and what may be asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.routing import Route

from onefold.governance import may
from onefold.metrics import questions
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import charts
from onefold.web.desk import ask, page, signed_in
from onefold.web.pages.journeys import (
    EVERY,
    Address,
    answered,
    asked_terms,
    common,
    days_of,
    named_rows,
    page_of,
    share_words,
    shared_filters,
    view_of,
)
from onefold.web.wording import number, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

    Rows = Sequence[Mapping[str, Any]]

PATH, BUILD = "/explore/segments", "/explore/build/segment"
_ASK = {
    "A metric": "/explore",
    "A funnel": "/explore/funnel",
    "What came next": "/explore/paths",
    "Who came back": "/explore/retention",
    "New and gone": "/explore/lifecycle",
    "How often": "/explore/stickiness",
    "How it is spread": "/explore/distribution",
}
_MEMBERS = "Members"


@signed_in()
async def listed(request: Request) -> Response:
    """List the segments, with how many belong to each now."""
    workspace, asker = request.app.state.workspace, request.state.asker
    told = (await ask(request, call, workspace, asker, "segment list", {})).body
    found = named_rows(told)
    return page(
        request,
        "explore/segments.html",
        here="Explore",
        title="Segments",
        question="Whom may a question be of?",
        answer=_count(found),
        rows=[_row(one) for one in found],
        definition=told["definition"],
        composes=may(asker, "compose"),
        build=BUILD,
    )


@signed_in()
async def segment(request: Request) -> Response:
    """Show how many belong to a segment over time, and who came and went."""
    name = request.path_params["name"]

    def shown(workspace: Workspace, asker: Asker, given: dict[str, str]) -> dict[str, Any]:
        return segment_shown(workspace, asker, name, given)

    return await answered(request, shown, "explore/segment.html", name)


routes = [Route(PATH, listed), Route(PATH + "/{name}", segment)]


def address_of_segment(name: str) -> str:
    """Return where a segment stands."""
    return f"{PATH}/{quote(name, safe='')}"


def segment_shown(
    workspace: Workspace, asker: Asker, name: str, given: dict[str, str]
) -> dict[str, Any]:
    """Return what the page shows of a segment over the days of an address."""
    one = questions.segments.segment_named(workspace.segments(), name)
    every = given.get("every") or "day"
    params = {**common(workspace, given), "segment": "", "every": every}
    address = Address(address_of_segment(name), params)
    filters = [
        address.filter("Every", "every", {each: each for each in EVERY}),
        # It is of its own members: of whom needs no choice.
        *shared_filters(address, {})[1:],
    ]
    terms = {part: value for part, value in asked_terms(params).items() if part != "segment"}
    body = call(workspace, asker, "segment show", {**terms, "name": name, "every": every}).body
    rows = named_rows(body)
    whole = workspace.sight(asker).whole
    return {
        **page_of(view_of(workspace, asker, params), filters, body),
        "title": one.label,
        "question": f"Who is {one.label}, and how many, {days_of(params)}?",
        "answer": answer_of(rows, every),
        "said": one.description,
        "chart": _chart(rows),
        "chart_name": f"{_MEMBERS} at the end of each {every}",
        "columns": columns_of(every),
        "rows": [row_of(row) for row in reversed(rows)],
        "pairs": _pairs(one),
        "asks": [
            {"label": label, "href": f"{path}?{urlencode({'segment': name})}"}
            for label, path in _ASK.items()
        ],
        "name": name,
        "kept": one.origin == questions.segments.KEPT and may(asker, "compose"),
        "freezes": may(asker, "define") and may(asker, "see_persons") and whole,
        "build": BUILD,
    }


def answer_of(rows: Rows, every: str) -> str:
    """Return how many belong to it at the end of the days, and how that moved.

    >>> row = {"members": 4, "share": None, "entered": 5, "left": 1}
    >>> answer_of([row], "week")
    '4 people are in it; from week to week 5 came in and 1 went out.'
    """
    if not rows:
        return "Nobody is in it."
    last = rows[-1]
    came, went = (sum(row[part] for row in rows) for part in ("entered", "left"))
    part = "" if last["share"] is None else f", {share(last['share'])} of all who were ever seen"
    head = f"{plural(last['members'], 'person is', 'people are')} in it{part}"
    moved = f"{number(came)} came in and {number(went)} went out"
    return f"{head}; from {every} to {every} {moved}."


def columns_of(every: str) -> list[object]:
    """Return the columns of the table of members by period."""
    return [
        {"day": "Day", "week": "Week from", "month": "Month", "none": "Days from"}[every],
        *(
            {"label": head, "kind": "number"}
            for head in (_MEMBERS, "Share of all seen", "Came in", "Went out")
        ),
    ]


def row_of(row: Mapping[str, Any]) -> list[object]:
    """Return the row of a period."""
    counts = [number(row[part]) for part in ("entered", "left")]
    return [str(row["period"]), number(row["members"]), share_words(row["share"]), *counts]


def _count(found: Rows) -> str:
    if not found:
        return "No segment is made yet: every question is of everybody."
    return f"{plural(len(found), 'segment')}, each with its members as of any day."


def _row(one: Mapping[str, Any]) -> list[object]:
    where = {"kept": "kept here", "definitions": "in git"}[one["origin"]]
    return [
        {"href": address_of_segment(one["segment"]), "label": one["label"]},
        one["who"],
        number(one["members"]),
        one["purpose"],
        one["owner"],
        f"v{one['version']}, {where}",
    ]


def _pairs(one: questions.segments.Segment) -> list[tuple[str, object]]:
    return [
        ("Who", f"{one.words}."),
        ("For", f"{one.purpose}: nobody is in it who may not be asked of for that"),
        ("Owner", one.owner),
        ("Version", str(one.version)),
    ]


def _chart(rows: Rows) -> charts.Spec | None:
    if len(rows) < 2:
        return None
    points: list[charts.Row] = [
        {"day": str(row["period"]), "group": _MEMBERS, "value": row["members"]} for row in rows
    ]
    return charts.lines(points, groups=[_MEMBERS], value_format=",.3~r")
