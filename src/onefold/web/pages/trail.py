"""The audit trail: who changed what, looked through by who, what and to what; is it whole?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from starlette.routing import Route

from onefold.model.time import parse_time
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.wording import better, worse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

PATH = "/govern/trail"
MOST = 100
_LONGEST = 200
_MOST_DIGITS = 18


@signed_in("audit", whole=True)
async def audit_trail(request: Request) -> Response:
    """Show the newest entries of the trail that fit what is looked for."""
    given = request.query_params
    sought = {name: given.get(name, "").strip()[:_LONGEST] for name in ("actor", "action")}
    sought["subject"] = given.get("subject", "").strip()[:_LONGEST]
    before = given.get("before", "")
    whole = given.get("read") == "whole"
    older = before.isascii() and before.isdigit() and 0 < len(before) <= _MOST_DIGITS
    shown = await ask(
        request,
        _shown,
        request.app.state.workspace,
        request.state.asker,
        sought,
        int(before) or None if older else None,
        whole=whole,
    )
    return page(request, "govern/trail.html", here="Settings", title="Audit trail", **shown)


routes = [Route(PATH, audit_trail, methods=["GET"])]


def _shown(
    workspace: Workspace,
    asker: Asker,
    sought: dict[str, str],
    before: int | None,
    *,
    whole: bool,
) -> dict[str, Any]:
    verdict = call(workspace, asker, "audit verify", {"new": not whole}).body
    params: dict[str, Any] = {**sought, "last": MOST + 1}
    if before is not None:
        params["before"] = before
    found = call(workspace, asker, "audit show", params).body["rows"]
    rows, zone = found[:MOST], workspace.settings.zone
    kept = {name: words for name, words in sought.items() if words}
    older = {**kept, "before": rows[-1][0]} if len(found) > MOST else None
    return {
        "question": "Who changed what, and is the trail whole?",
        "answer": answer_of(verdict),
        "lead": verdict["why"],
        "read": read_of(verdict, zone),
        "rows": [_row(entry, zone) for entry in rows],
        "sought": sought,
        "narrowed": bool(kept) or before is not None,
        "older": f"?{urlencode(older)}" if older else "",
        "path": PATH,
    }


def answer_of(verdict: Mapping[str, Any]) -> list[object]:
    """Return the page's answer, in pieces."""
    entries = plural(verdict["entries"], "entry", "entries")
    if verdict["whole"]:
        return [better("It is whole"), f": {entries}, each following from the one before."]
    return [worse(f"It is broken at entry {verdict['broken_at']:,}"), "."]


def read_of(verdict: Mapping[str, Any], zone: str) -> str:
    """Return how much of the trail was followed for this answer, and when all of it was."""
    when = wording.moment(parse_time(verdict["read_time"]), zone)
    if verdict["read_from"] == 1:
        return f"Every entry was followed at {when}."
    fresh = verdict["entries"] - verdict["read_from"] + 1
    since = (
        f"{plural(fresh, 'entry', 'entries')} since, followed now" if fresh else "none came since"
    )
    return f"Every entry was followed at {when}; {since}."


def _row(entry: list[Any], zone: str) -> list[object]:
    number, time, actor, action, subject, detail = entry
    when = wording.moment(parse_time(time), zone)
    return [f"{number:,}", when, actor, action, subject, _told(detail)]


def _told(detail: str) -> str | None:
    """Return what an entry says besides, in words; as it stands where it is of another form."""
    try:
        found = msgspec.json.decode(detail)
    except msgspec.DecodeError:
        return detail
    if not isinstance(found, dict):
        return detail
    return ", ".join(f"{name}: {_plain(value)}" for name, value in found.items()) or None


def _plain(value: object) -> str:
    if isinstance(value, list):
        return " and ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
