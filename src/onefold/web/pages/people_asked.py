"""What people asked for: the register of exports and erasures, with its deadlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, page, signed_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

_DONE = frozenset({"done", "done late"})


@signed_in("settings", whole=True)
async def people_asked(request: Request) -> Response:
    """Show what people asked for, what is open and most pressing first."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _shown, workspace, asker)
    return page(request, "govern/requests.html", here="Settings", title="Requests", **shown)


routes = [Route("/govern/requests", people_asked)]


def _shown(workspace: Workspace, asker: Asker) -> dict[str, Any]:
    body = call(workspace, asker, "person requests", {}).body
    names = [column["name"] for column in body["columns"]]
    found = [dict(zip(names, row, strict=True)) for row in body["rows"]]
    kept = call(workspace, asker, "expiry show", {}).body
    return {
        "question": "What did people ask of us, and is it answered in time?",
        "answer": answer_of(found),
        "lead": "A person is named here by a number alone, which tells nothing once it is erased.",
        "rows": [row_of(one) for one in found],
        "kept": [[row[0] or f"imported {row[3]}", _days(row[1])] for row in kept["rows"]],
        "expired": " ".join(kept["notes"]),
    }


def answer_of(found: Sequence[Mapping[str, Any]]) -> list[object]:
    """Return the page's answer, in pieces."""
    if not found:
        return ["Nobody has asked for anything yet."]
    waiting = [one for one in found if one["standing"] not in _DONE]
    late = sum(one["standing"] == "overdue" for one in waiting)
    if not waiting:
        return [f"All {plural(len(found), 'request')} are answered."]
    told = f"{plural(len(waiting), 'request')} of {len(found)} wait"
    return [f"{told}; overdue: ", wording.watch(str(late)) if late else "none", "."]


def row_of(one: Mapping[str, Any]) -> list[object]:
    """Return the row of a request."""
    days = [str(one[name] or "")[:10] for name in ("received_time", "due_time", "done_time")]
    standing: object = one["standing"]
    if standing == "overdue":
        standing = {"tag": "overdue", "tone": "watch"}
    return [one["kind"], one["subject"], *days, standing, one["asked_by"]]


def _days(days: int | None) -> str:
    return "for good" if days is None else plural(days, "day")
