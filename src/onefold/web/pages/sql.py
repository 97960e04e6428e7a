"""A question of one's own in SQL: the editor, its answer as a table and as a file, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from onefold.consent import PURPOSES
from onefold.model.cells import sheet
from onefold.model.errors import NotFound, OnefoldError
from onefold.model.ids import new_secret
from onefold.model.records import Question
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, back, page, signed_in, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

PATH = "/explore/sql"
FIRST = """\
select event, count(*) as events, count(distinct person_id) as people
from person_events
group by event
order by events desc"""
"""What stands in the editor before anything was written."""
_ROWS = ("100", "1000", "5000")
_MOST_IN_A_FILE = 100_000
_NUMBERS = ("integer", "number")


@signed_in("see_persons")
async def sql(request: Request) -> Response:
    """Show the editor, and the answer where one was asked for."""
    workspace, asker = request.app.state.workspace, request.state.asker
    params = _params(request.query_params)
    asked = bool(request.query_params.get("ask"))
    shown: dict[str, Any] = {"answer": "Write one SELECT over what you may see."}
    try:
        shown |= await ask(request, _around, workspace, asker)
        if asked:
            body = await ask(request, _answered, workspace, asker, params)
            shown |= _shown(body, params)
    except OnefoldError as error:
        shown |= {
            "status": error.status,
            "trouble": {"words": error.message, "fix": error.fix},
            "answer": "This question has no answer.",
        }
    context: dict[str, Any] = {
        "params": params,
        "purposes": list(PURPOSES),
        "row_limits": list(_ROWS),
        "run": new_secret("page_"),
    }
    return page(request, "explore/sql.html", here="Explore", title="SQL", **context, **shown)


@signed_in("see_persons")
async def sql_csv(request: Request) -> Response:
    """Return the answer as CSV; no cell of it can become a formula of a spreadsheet."""
    workspace, asker = request.app.state.workspace, request.state.asker
    params = {**_params(request.query_params), "rows": str(_MOST_IN_A_FILE)}
    body = await ask(request, _answered, workspace, asker, params)
    text = sheet([each["name"] for each in body["columns"]], body["rows"])
    headers = {"content-disposition": 'attachment; filename="answer.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@signed_in("see_persons")
async def cancel(request: Request) -> Response:
    """End the question that was asked from a page, and lead back to its text."""
    workspace, asker = request.app.state.workspace, request.state.asker
    form = await request.form()
    to = f"{PATH}?{urlencode({'q': text_of(form, 'q')})}"
    try:
        # Not among the questions: they may all be busy.
        call(workspace, asker, "sql cancel", {"name": text_of(form, "run")})
    except NotFound:
        words = "None runs that was asked from this page: it has ended."
        return back(request, to, words, title="Nothing to cancel", kind="stale")
    return back(request, to, "The question was ended.", title="Cancelled")


routes = [
    Route(PATH, sql),
    Route(f"{PATH}.csv", sql_csv),
    Route(f"{PATH}/cancel", cancel, methods=["POST"]),
]


def _params(given: Mapping[str, str]) -> dict[str, str]:
    return {
        "q": given.get("q", "").strip() or FIRST,
        "purpose": given.get("purpose") or "analytics",
        "as_of": given.get("as_of", ""),
        "rows": given.get("rows") or _ROWS[1],
        "run": given.get("run", ""),
    }


def _around(workspace: Workspace, asker: Asker) -> dict[str, Any]:
    """Return what stands around every answer: the tables, and how fresh they are."""
    rows = call(workspace, asker, "sql tables", {}).body["rows"]
    tables: dict[str, list[str]] = {}
    for name, column, _ in rows:
        tables.setdefault(name, []).append(column)
    view = workspace.view(Question(asker=asker))
    return {
        "tables": [(name, ", ".join(columns)) for name, columns in tables.items()],
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone),
    }


def _answered(workspace: Workspace, asker: Asker, params: Mapping[str, str]) -> dict[str, Any]:
    asked = {
        "query": params["q"],
        "purpose": params["purpose"],
        "as_of": params["as_of"] or None,
        "rows": params["rows"],
        "name": params["run"],
    }
    return call(workspace, asker, "sql", asked).body


def _shown(body: Mapping[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
    number = [each["type"] in _NUMBERS for each in body["columns"]]
    left = body["excluded_by_consent"]
    said = f"{plural(left, 'event')}, by consent" if left else "No event"
    kept = {name: params[name] for name in ("q", "purpose", "as_of") if params[name]}
    return {
        "answer": f"{plural(len(body['rows']), 'row')}.",
        "columns": [
            {"label": each["name"], "kind": "number" if of else ""}
            for each, of in zip(body["columns"], number, strict=True)
        ],
        "rows": [[_cell(each) for each in row] for row in body["rows"]],
        "counted": [("Definition", body["definition"]), ("Left out", said)],
        "notes": body["notes"],
        "query": body["query"],
        "csv": f"{PATH}.csv?{urlencode(kept)}",
    }


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
