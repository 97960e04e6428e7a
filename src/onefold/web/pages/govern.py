"""Govern: what waits to be signed, who signs what, the trail to take along, the scorecard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from onefold.governance import approvals, audits, may
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, back, page, signed_in, text_of
from onefold.web.wording import coded, watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

MOST = 100
_TONES = {"waiting": "watch", "failed": "worse", "refused": "worse", "approved": "better"}
_STANDS = {
    "approved": "Yes. All have signed.",
    "making": "It is being made.",
    "failed": "It was signed, and failed. It may be tried again as it is, or withdrawn.",
    "refused": "No. It was refused.",
    "withdrawn": "It was withdrawn.",
}
_VERDICTS = {"proven here": "better", "fails here": "worse"}
_CHANGED = {
    "approval draft": "What stands in the definitions is asked for.",
    "approval need": "Who has to sign it is kept.",
    "approval assign": "Who signs for it is kept.",
}
"""Call that a form of the page makes -> what is said then."""
_WITHDRAWN = ("waiting", "approved", "failed")
_WORDS = {"sign": "is signed", "refuse": "is refused", "comment": "has your comment"}


@signed_in(whole=True)
async def govern(request: Request) -> Response:
    """Show the queue, the matrix and, to whom the trail is open, the scorecard."""
    workspace, asker = request.app.state.workspace, request.state.asker
    function = request.query_params.get("for", "")
    function = function if function in approvals.FUNCTIONS else ""
    shown = await ask(request, _shown, workspace, asker, function)
    return page(request, "govern/govern.html", here="Settings", title="Govern", **shown)


@signed_in(whole=True)
async def draft(request: Request) -> Response:
    """Show one change, and what was said of it."""
    return await _draft_page(request)


@signed_in(whole=True)
async def decide(request: Request) -> Response:
    """Sign a change, refuse it or say something of it."""
    form, workspace = await request.form(), request.app.state.workspace
    verdict, number = text_of(form, "verdict"), request.path_params["number"]
    try:
        await ask(
            request,
            approvals.say,
            workspace.state,
            number,
            verdict,
            text_of(form, "comment"),
            function=text_of(form, "function"),
            asker=request.state.asker,
            now=workspace.clock(),
        )
    except OnefoldError as error:
        return await _draft_page(request, error=error)
    return back(request, f"/govern/drafts/{number}", f"Draft {number} {_WORDS[verdict]}.")


@signed_in(whole=True)
async def change(request: Request) -> Response:
    """Ask for what stands in the definitions, or say who signs what, as the button says."""
    form, workspace = await request.form(), request.app.state.workspace
    what = text_of(form, "do")
    given: dict[str, Any] = {}
    if what == "approval need":
        needs = [name for name in approvals.FUNCTIONS if name in form.getlist("needs")]
        given = {"kind": text_of(form, "kind"), "needs": needs}
        given["four_eyes"] = bool(text_of(form, "four_eyes"))
    elif what == "approval assign":
        users = [part.strip() for part in text_of(form, "users").split(",") if part.strip()]
        given = {"function": text_of(form, "function"), "users": users}
    try:
        if what not in _CHANGED:
            raise BadInput(f"No change `{what[:40]}`.", "Use the buttons of the page.")
        await ask(request, call, workspace, request.state.asker, what, given)
    except OnefoldError as error:
        said = f"{error.message} {error.fix}"
        return back(request, "/govern", said, title="Not done", kind="refused")
    return back(request, "/govern", _CHANGED[what])


@signed_in(whole=True)
async def withdraw(request: Request) -> Response:
    """Take a change back that is not made."""
    form, workspace = await request.form(), request.app.state.workspace
    number = request.path_params["number"]
    given = {"draft": number, "comment": text_of(form, "comment")}
    try:
        await ask(request, call, workspace, request.state.asker, "approval withdraw", given)
    except OnefoldError as error:
        return await _draft_page(request, error=error)
    return back(request, f"/govern/drafts/{number}", f"Draft {number} is withdrawn.")


@signed_in("audit", whole=True)
async def trail_lines(request: Request) -> Response:
    """Give the trail as JSON lines."""
    state = request.app.state.workspace.state
    text = await ask(request, lambda: "".join(f"{line}\n" for line in audits.as_lines(state)))
    return _file(text, "application/x-ndjson", "trail.jsonl")


@signed_in("audit", whole=True)
async def trail_sheet(request: Request) -> Response:
    """Give the trail as CSV."""
    text = await ask(request, audits.as_csv, request.app.state.workspace.state)
    return _file(text, "text/csv", "trail.csv")


routes = [
    Route("/govern", govern, methods=["GET"]),
    Route("/govern", change, methods=["POST"]),
    Route("/govern/trail.jsonl", trail_lines, methods=["GET"]),
    Route("/govern/trail.csv", trail_sheet, methods=["GET"]),
    Route("/govern/drafts/{number:int}", draft, methods=["GET"]),
    Route("/govern/drafts/{number:int}", decide, methods=["POST"]),
    Route("/govern/drafts/{number:int}/withdraw", withdraw, methods=["POST"]),
]


def _file(text: str, media_type: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"{media_type}; charset=utf-8", headers=headers)


def _shown(workspace: Workspace, asker: Asker, function: str) -> dict[str, Any]:
    state, zone = workspace.state, workspace.settings.zone
    found = approvals.drafts(state, function=function)
    waiting = [one for one in approvals.drafts(state) if one.standing == "waiting"]
    card = call(workspace, asker, "scorecard", {}).body["rows"] if may(asker, "audit") else []
    held = approvals.holders(state)
    return {
        "question": "What waits for whom, and can all of it be proven?",
        "answer": answer_of(waiting),
        "lead": "",
        "filters": [_filter(function)],
        "queue": [queue_row(one, zone) for one in found[:MOST]],
        "more": max(0, len(found) - MOST),
        "matrix": [
            [
                rule.kind.replace("_", " "),
                ", ".join(rule.needs) or "nobody",
                "somebody else than who asks" if rule.four_eyes else "also who asks",
            ]
            for rule in approvals.matrix(state)
        ],
        "holders": [[name, ", ".join(held[name]) or "owners alone"] for name in held],
        "card": [
            [area, question, {"tag": verdict, "tone": _VERDICTS.get(verdict, "")}, coded(said)]
            for area, question, verdict, said in card
        ],
        "sees_trail": may(asker, "audit"),
        "asks": may(asker, "define"),
        "rules": may(asker, "settings"),
        "kinds": [{"value": kind, "label": kind.replace("_", " ")} for kind in approvals.KINDS],
        "functions": approvals.FUNCTIONS,
    }


def answer_of(waiting: Sequence[approvals.Draft]) -> list[object]:
    """Return the page's answer, in pieces."""
    if not waiting:
        return ["Nothing waits to be signed."]
    legal = sum("legal" in one.open for one in waiting)
    waits = "waits" if len(waiting) == 1 else "wait"
    told: list[object] = [watch(plural(len(waiting), "change")), f" {waits} to be signed"]
    if legal:
        told.append(f", {legal} of them by legal")
    return [*told, "."]


def queue_row(one: approvals.Draft, zone: str) -> dict[str, object]:
    """Return a draft as a row that leads to its page."""
    found = [check.name.replace("_", " ") for check in one.checks if not check.clear]
    return {
        "cells": [
            {"href": f"/govern/drafts/{one.id}", "label": f"{one.id} {one.subject}"},
            one.kind.replace("_", " "),
            {"tag": one.standing, "tone": _TONES.get(one.standing, "")},
            ", ".join(one.open) if one.standing == "waiting" else None,
            ", ".join(found) or None,
            one.asked_by,
            wording.moment(one.asked_time, zone),
        ]
    }


def _filter(function: str) -> dict[str, object]:
    options = [
        {"label": name or "everybody", "href": f"?for={name}" if name else "?", "current": c}
        for name in ("", *approvals.FUNCTIONS)
        for c in (name == function,)
    ]
    return {"label": "Waits for", "value": function or "everybody", "options": options}


async def _draft_page(request: Request, *, error: OnefoldError | None = None) -> Response:
    workspace, asker = request.app.state.workspace, request.state.asker
    number = request.path_params["number"]
    shown = await ask(request, _one, workspace, asker, number)
    status = error.status if error else 200
    named = {"here": "Settings", "title": f"Draft {number}", "error": error}
    return page(request, "govern/draft.html", status=status, **named, **shown)


def _one(workspace: Workspace, asker: Asker, number: int) -> dict[str, Any]:
    state, zone = workspace.state, workspace.settings.zone
    one = approvals.draft_of(state, number)
    mine = [name for name in one.open if approvals.signs(state, asker, one, name)]
    signs = any(approvals.signs(state, asker, one, name) for name in one.needs)
    return {
        "question": f"May this {one.kind.replace('_', ' ')} go on?",
        "answer": standing_of(one),
        "lead": f"{one.subject}, asked for by {one.asked_by}.",
        "number": one.id,
        "detail": one.detail,
        "checks": [
            [
                check.name.replace("_", " "),
                {
                    "tag": "clear" if check.clear else "found",
                    "tone": "" if check.clear else "watch",
                },
                check.why,
            ]
            for check in one.checks
        ],
        "said": [
            [s.by, s.function or None, s.verdict, s.comment or None, wording.moment(s.time, zone)]
            for s in one.said
        ],
        "withdraws": one.standing in _WITHDRAWN and (signs or one.asked_by == asker.name),
        "mine": mine if one.standing == "waiting" else [],
    }


def standing_of(one: approvals.Draft) -> list[object]:
    """Return how a draft stands, in pieces."""
    if one.standing == "waiting":
        return ["It waits for ", watch(", ".join(one.open)), "."]
    return [_STANDS.get(one.standing, "It was made.")]
