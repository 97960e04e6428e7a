"""Instrumentation: is what is sent what was planned, and is it whole?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.model.records import Question
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.remembered import remembered
from onefold.web.wording import better, coded, count_word, number, share, watch, worse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

_KEPT_SECONDS = 60
_KINDS = {
    "unseen": "Never came",
    "unplanned": "Nobody described it",
    "undocumented": "No owner or meaning",
    "stale": "Fell silent",
    "drift": "A field changed",
    "volume": "An odd day",
    "waiting": "Waits in quarantine",
    "ids": "Identifiers",
    "journey": "A planned journey",
}


@signed_in()
async def instrumentation(request: Request) -> Response:
    """Show what is wrong with what is sent, each with what mends it."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _shown, workspace, asker)
    return page(request, "data/instrumentation.html", here="Data", title="Instrumentation", **shown)


routes = [Route("/data/instrumentation", instrumentation)]


def _shown(workspace: Workspace, asker: Asker) -> dict[str, Any]:
    view = workspace.view(Question(asker=asker))
    key = ("instrumentation", asker.role, asker.scopes)
    found = remembered(
        workspace,
        key,
        lambda: call(workspace, asker, "audit-instrumentation", {}).body,
        sight=view.sight,
        seconds=_KEPT_SECONDS,
    )
    findings = [dict(zip(_names(found), row, strict=True)) for row in found["rows"]]
    return {
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone),
        "question": "Is what is sent what was planned?",
        "answer": answer_of(findings, found["described_events"], found["seen_events"]),
        "lead": lead_of(findings),
        "tiles": tiles_of(found),
        "findings": [finding_row(each) for each in findings],
        "journeys": [row for each in found["journeys"] for row in journey_rows(each)],
        "method": found["definition"],
        "query": found["query"],
        "anything": bool(view.fresh_time),
    }


def _names(found: dict[str, Any]) -> list[str]:
    return [column["name"] for column in found["columns"]]


def answer_of(findings: list[dict[str, str]], described: int, seen: int) -> list[object]:
    """Return the page's answer, in pieces."""
    bent = sum(each["level"] == "wrong" for each in findings)
    rest = len(findings) - bent
    if not findings and not described:
        return ["Nothing is planned yet: no event is described."]
    if not findings:
        came = f"{number(seen)} of {plural(described, 'described event')} come"
        return [better("Yes"), f": {came}, and nothing about them is odd."]
    if not bent:
        return ["Yes, but ", watch(f"{plural(rest, 'thing')} should be looked at"), "."]
    told: list[object] = ["No: ", worse(f"{_some(bent)} figures")]
    return [*told, f", and {plural(rest, 'other')} should be looked at." if rest else "."]


def _some(count: int) -> str:
    return "one thing bends" if count == 1 else f"{count_word(count).lower()} things bend"


def lead_of(findings: list[dict[str, str]]) -> str:
    """Return the quiet line under the answer: the first thing to mend."""
    return f"First: {findings[0]['fix']}" if findings else ""


def tiles_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the four tiles."""
    merged = found["merged_share"]
    tiles = [
        {
            "name": "Described events that came",
            "figure": f"{number(found['seen_events'])} of {number(found['described_events'])}",
            "note": "ever",
        },
        {
            "name": "Documented",
            "figure": share(found["documented_share"], 0),
            "note": "of the events of 28 days have an owner and a meaning",
        },
        {
            "name": "Persons merged",
            "figure": "–" if merged is None else share(merged, 1),
            "note": (
                "shown to those who may see persons"
                if merged is None
                else f"of {plural(found['persons'], 'person')} have two identifiers or more"
            ),
        },
        {
            "name": "Tests of chance",
            "figure": number(found["tests"]),
            "note": f"together {share(found['false_alarm_rate'], 0)} false alarms at the most",
        },
    ]
    return [{"values": [], **tile} for tile in tiles]


def finding_row(each: dict[str, str]) -> list[object]:
    """Return the row of one finding."""
    tag = {"tag": "wrong" if each["level"] == "wrong" else "look at it"}
    tone = "worse" if each["level"] == "wrong" else "watch"
    return [_KINDS[each["kind"]], tag | {"tone": tone}, coded(each["what"]), coded(each["fix"])]


def journey_rows(each: dict[str, Any]) -> list[list[object]]:
    """Return a row a step of a planned journey."""
    rows: list[list[object]] = []
    for place, (step, reached) in enumerate(zip(each["steps"], each["reached"], strict=True)):
        before = each["reached"][place - 1] if place else 0
        rows.append(
            [
                each["journey"],
                f"{place + 1}. {step}",
                number(reached),
                share(reached / before) if before else None,
            ]
        )
    return rows
