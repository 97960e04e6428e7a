"""A trace: the way of everything that one act of a sender brought, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.collect import catalogues
from onefold.model.errors import BadInput
from onefold.model.traces import is_trace_id
from onefold.model.words import plural
from onefold.web import wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.pages.tail import ENVIRONMENTS, message_row, read_of, way_of
from onefold.web.wording import number, watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

tail = catalogues.tail

MOST_WAYS = 10
"""Messages whose way is written out; the table has all of them."""


@signed_in()
async def trace_page(request: Request) -> Response:
    """Show what came under one trace."""
    workspace, asker = request.app.state.workspace, request.state.asker
    name = request.path_params["name"].lower()
    if not is_trace_id(name):
        message = f"`{name[:80]}` is no id of a trace."
        raise BadInput(message, "Give the 32 hex digits of a traceparent or traceresponse.")
    environment = request.query_params.get("environment", ENVIRONMENTS[0])
    if environment not in ENVIRONMENTS:
        raise BadInput(f"No environment `{environment[:40]}`.", f"Use {', '.join(ENVIRONMENTS)}.")
    shown = await ask(request, _shown, workspace, asker, name, environment)
    return page(request, "data/trace.html", here="Data", title="A trace", **shown)


routes = [Route("/data/trace/{name}", trace_page)]


def _shown(workspace: Workspace, asker: Asker, name: str, environment: str) -> dict[str, Any]:
    read = read_of(workspace, asker, {"environment": environment})
    found = tail.under_trace(read, name)
    zone = read.view.zone
    rows = [message_row(one, zone, {}) for one in found]
    for row, one in zip(rows, found, strict=True):
        cells: Any = row["cells"]
        chosen = f"environment={environment}&at={one.offset}.{one.place}#way"
        cells[0] = {"href": f"/data/tail?{chosen}", "label": one.event or one.kind}
    ways = [
        way_of(one, workspace, read) | {"place": f"offset {number(one.offset)}, place {one.place}"}
        for one in found[:MOST_WAYS]
    ]
    return {
        "question": f"What became of the trace {name}?",
        "answer": answer_of(found),
        "lead": "",
        "filters": [
            {
                "label": "Environment",
                "value": environment,
                "options": [
                    {"label": each, "href": f"?environment={each}", "current": each == environment}
                    for each in ENVIRONMENTS
                ],
            }
        ],
        "fresh": wording.freshness(read.view.fresh_time, read.view.now, zone=zone),
        "rows": rows,
        "ways": ways,
        "zone": zone,
    }


def answer_of(found: Sequence[catalogues.tail.Message]) -> list[object]:
    """Return the page's answer, in pieces."""
    if not found:
        return ["Nothing was kept under it."]
    requests = len({one.offset for one in found})
    told: list[object] = [
        f"{plural(len(found), 'message')} in {plural(requests, 'request')}: ",
        f"{number(sum(one.verdict == tail.COUNTS for one in found))} in the figures",
    ]
    waiting = sum(one.verdict == tail.WAITS for one in found)
    if waiting:
        told += [", ", watch(f"{number(waiting)} waiting")]
    coming = sum(one.verdict == tail.ON_ITS_WAY for one in found)
    return [*told, f", {number(coming)} on the way." if coming else "."]
