"""Frozen cohorts: who was in one stays in it, and beside it who they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.routing import Route

from onefold.governance import may
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.time import parse_time
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, back, page, signed_in, text_of
from onefold.web.pages.of_whom import segment_labels
from onefold.web.wording import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

PATH = "/customers/cohorts"
MOST = 200
_FROZEN = ("name", "event", "from", "to", "segment")


@signed_in("see_persons")
async def cohorts(request: Request) -> Response:
    """Show the frozen cohorts, and the members of the one that is chosen."""
    return await _show(request)


@signed_in("define", whole=True)
async def change(request: Request) -> Response:
    """Freeze a cohort, or take one back, as the pressed button says."""
    form, workspace = await request.form(), request.app.state.workspace
    what, name = text_of(form, "do"), text_of(form, "name")
    given = {"name": name}
    if what == "cohort freeze":
        told = {part: text_of(form, part) for part in _FROZEN}
        given = {part: value for part, value in told.items() if value}
    try:
        if what not in {"cohort freeze", "cohort dissolve"}:
            raise BadInput(f"No change `{what[:40]}`.", "Use the buttons of the page.")
        await ask(request, call, workspace, request.state.asker, what, given)
    except OnefoldError as error:
        return await _show(request, error=error)
    frozen = what == "cohort freeze"
    path = f"{PATH}?{urlencode({'cohort': name})}" if frozen else PATH
    return back(request, path, f"`{name}` is {'frozen' if frozen else 'taken back'}.")


routes = [Route(PATH, cohorts, methods=["GET"]), Route(PATH, change, methods=["POST"])]


async def _show(request: Request, *, error: OnefoldError | None = None) -> Response:
    workspace, asker = request.app.state.workspace, request.state.asker
    chosen = request.query_params.get("cohort", "")
    segment = request.query_params.get("segment", "")
    shown = await ask(request, _shown, workspace, asker, chosen, segment)
    named = {"here": "Customers", "title": "Frozen cohorts", "error": error}
    return page(
        request, "customers/cohorts.html", status=error.status if error else 200, **named, **shown
    )


def _shown(workspace: Workspace, asker: Asker, chosen: str, segment: str) -> dict[str, Any]:
    found = call(workspace, asker, "cohort list", {}).body["rows"]
    zone, names = workspace.settings.zone, [row[0] for row in found]
    chosen = chosen or (names[0] if names else "")
    members: dict[str, Any] = {"rows": [], "notes": []}
    if chosen:
        members = call(workspace, asker, "cohort show", {"name": chosen, "last": MOST}).body
    return {
        "question": "Who was in it, and who are they now?",
        "answer": answer_of(found),
        "lead": "Members stay as they were when it was frozen; what changed stands beside.",
        "cohorts": [_row(row, zone) for row in found],
        "chosen": chosen,
        "members": [_member(*row) for row in members["rows"]],
        "notes": members["notes"],
        "names": names,
        "changes": may(asker, "define") and workspace.sight(asker).whole,
        "path": PATH,
        "segments": [
            {"value": one, "label": words}
            for one, words in {"": "none", **segment_labels(workspace)}.items()
        ],
        "segment": segment,
    }


def answer_of(found: Sequence[Sequence[Any]]) -> str:
    """Return the page's answer."""
    if not found:
        return "No cohort is frozen."
    changed = sum(row[4] + row[5] + row[6] for row in found)
    one = len(found) == 1
    told = "One cohort stands" if one else f"{plural(len(found), 'cohort')} stand"
    told += " as frozen"
    if not changed:
        return f"{told}; nobody in {'it' if one else 'them'} has changed."
    return f"{told}; of who is who, {plural(changed, 'change')} since."


def _row(row: Sequence[Any], zone: str) -> list[object]:
    name, how, time, *counts = row
    led = {"href": f"{PATH}?{urlencode({'cohort': name})}", "label": name}
    return [led, how, wording.moment(parse_time(time), zone), *map(number, counts)]


def _member(member: str, known_as: str, change: str, now: str, others: str) -> list[object]:
    words = known_as or f"Person {member}"
    who: object = words
    if now and "," not in now:
        who = {"href": f"/customers/people/{now}", "label": words}
    stands = {"tag": change, "tone": "watch"} if change else "as it was"
    return [who, stands, now if now != member else None, others or None]
