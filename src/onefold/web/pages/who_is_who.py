"""Who is who: what asks for a decision, what was decided, and the way to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.governance import may
from onefold.model.errors import BadInput
from onefold.model.time import parse_time
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, back, page, signed_in, text_of
from onefold.web.wording import number, share

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

PATH = "/customers/who-is-who"
KINDS = {"merge": "one person", "separation": "kept apart", "block": "stands for nobody"}
EVIDENCE = {
    "identify": "sent under both",
    "alias": "alias call",
    "trait": "trait",
    "external_id": "external id",
    "device": "device",
    "contact": "imported contact",
}
DONE = {
    "merge": "They are one person now.",
    "unmerge": "They are two persons now.",
    "block": "It stands for nobody now.",
    "unblock": "It counts again.",
    "join": "They are one person now.",
    "apart": "They stay apart.",
}


@signed_in("see_persons")
async def who_is_who(request: Request) -> Response:
    """Show what asks for a decision, and what was decided."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _shown, workspace, asker)
    return page(request, "customers/who_is_who.html", here="Customers", title="Who is who", **shown)


@signed_in("merge", whole=True)
async def decide(request: Request) -> Response:
    """Take a decision and go back."""
    form = await request.form()
    said = {name: text_of(form, name) for name in ("do", "one", "other", "separation")}
    workspace, asker = request.app.state.workspace, request.state.asker
    words = await ask(request, _decided, workspace, asker, said)
    return back(request, PATH, words)


routes = [Route(PATH, who_is_who), Route(PATH, decide, methods=["POST"])]


def _decided(workspace: Workspace, asker: Asker, said: dict[str, str]) -> str:
    what = said["do"]
    if what not in DONE:
        message = f"No decision `{what}`."
        raise BadInput(message, f"Use one of: {', '.join(DONE)}.")
    params: dict[str, str] = {"one": said["one"], "other": said["other"]}
    name = f"person {what}"
    if what in {"join", "apart"}:
        name, params = "person decide", {"separation": said["separation"], "verdict": what}
    elif what in {"block", "unblock"}:
        params = {"id": said["one"]}
    body = call(workspace, asker, name, params).body
    return DONE[what] if body["changed"] else str(body["notes"][0])


def _shown(workspace: Workspace, asker: Asker) -> dict[str, Any]:
    body = call(workspace, asker, "person review", {}).body
    zone = workspace.settings.zone
    asking = [_asking(each, zone) for each in body["asking"]]
    answer = "Nothing asks for a decision."
    if asking:
        verb = "asks" if len(asking) == 1 else "ask"
        answer = f"{plural(len(asking), 'pair')} that somebody separated {verb} for a decision."
    return {
        "question": "Who is who, and who decided it?",
        "answer": answer,
        "lead": "Evidence joins by itself; what people decided outweighs it, and can be undone.",
        "asking": asking,
        "decided": [_row(each, zone) for each in body["links"]],
        "undo": [_undo(each) for each in body["links"]],
        "decided_note": f"{number(len(body['links']))} in force, the latest first",
        # A decision is about everybody it touches, also about who is not shown.
        "decides": may(asker, "merge") and workspace.sight(asker).whole,
        "path": PATH,
    }


def _asking(each: dict[str, Any], zone: str) -> dict[str, Any]:
    day = wording.day(parse_time(each["separated_time"]), zone, year=True)
    return {
        "separation": each["separation"],
        "title": f"{each['one']} and {each['other']}",
        "note": f"separated by {each['separated_by']} on {day}",
        "rows": [
            [
                edge["from"],
                edge["to"],
                EVIDENCE[edge["evidence"]],
                edge["source"],
                share(edge["confidence"]),
                wording.day(parse_time(edge["first_time"]), zone),
            ]
            for edge in each["evidence"]
        ],
    }


def _row(each: dict[str, Any], zone: str) -> list[object]:
    made = wording.day(parse_time(each["made_time"]), zone, year=True)
    other = "" if each["kind"] == "block" else each["to"]
    return [each["from"], other or None, KINDS[each["kind"]], each["made_by"], made]


def _undo(each: dict[str, Any]) -> dict[str, str]:
    undoing = {"merge": "unmerge", "separation": "merge", "block": "unblock"}
    label = {"merge": "Unmerge", "separation": "Join", "block": "Unblock"}
    words = each["from"] if each["kind"] == "block" else f"{each['from']} and {each['to']}"
    return {
        "label": f"{label[each['kind']]} {words}",
        "do": undoing[each["kind"]],
        "one": each["from"],
        "other": each["to"],
    }
