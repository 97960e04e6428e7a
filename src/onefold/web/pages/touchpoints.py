"""Touchpoints: where people meet us, whose each is, and which we can only influence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.collect import questions
from onefold.model.records import Question
from onefold.model.words import plural
from onefold.web import wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.wording import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

MOST = 200


@signed_in()
async def touchpoints(request: Request) -> Response:
    """Show what is ours to change, and apart from it what we can only influence."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _shown, workspace, asker)
    return page(request, "data/touchpoints.html", here="Data", title="Touchpoints", **shown)


routes = [Route("/data/touchpoints", touchpoints)]


def _shown(workspace: Workspace, asker: Asker) -> dict[str, Any]:
    view = workspace.view(Question(asker=asker))
    found = questions.inventory(view, questions.read_said(workspace.definitions))
    ours = [one for one in found if one.control == "controllable"]
    others = [one for one in found if one.control != "controllable"]
    return {
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone),
        "question": "Where do people meet us, and who answers for it?",
        "answer": answer_of(found),
        "lead": "",
        "ours": [row_of(one, view.zone) for one in ours[:MOST]],
        "others": [row_of(one, view.zone) for one in others[:MOST]],
        "query": view.sql(view.events),
    }


def answer_of(found: Sequence[questions.Touchpoint]) -> list[object]:
    """Return the page's answer, in pieces."""
    if not found:
        return ["Nobody has met us yet."]
    unowned = sum(not one.owner for one in found)
    others = sum(one.control != "controllable" for one in found)
    told = f"At {plural(len(found), 'touchpoint')}, {number(others)} of which we only influence"
    if not unowned:
        return [f"{told}; each has an owner."]
    return [f"{told}; nobody answers for ", wording.watch(number(unowned)), "."]


def row_of(one: questions.Touchpoint, zone: str) -> list[object]:
    """Return the row of a touchpoint."""
    last = None if one.last_time is None else wording.moment(one.last_time, zone)
    owner: object = one.owner or {"tag": "nobody", "tone": "watch"}
    return [one.kind, one.name, owner, number(one.volume), number(one.former), last]
