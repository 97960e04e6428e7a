"""A segment made in the browser: a form that writes its YAML, counts its members, keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.collect import catalogues
from onefold.metrics import questions
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.records import Question
from onefold.runtime import call
from onefold.web.desk import ask, back, page, signed_in, text_of
from onefold.web.pages.journeys import named_rows
from onefold.web.pages.segments import (
    BUILD,
    PATH,
    address_of_segment,
    answer_of,
    columns_of,
    row_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

RULES = 5
_FIELDS = ("label", "description", "owner", "purpose", "version")
_OF_RULE = ("join", "of", "name", "property", "values", "at_least", "at_most", "days")
JOIN = (
    {"value": "all", "label": "has to hold"},
    {"value": "any", "label": "one of these has to hold"},
    {"value": "not", "label": "may not hold"},
)
OF = (
    {"value": "did", "label": "did an event"},
    {"value": "trait", "label": "has a trait"},
    {"value": "account", "label": "is of an account whose"},
)
_MOST_NAMES = 60
_CHANGES = {"segment keep": "Segment `{}` is kept.", "segment drop": "Segment `{}` is removed."}
_SHOWN: dict[str, Any] = {"here": "Explore", "title": "Make a segment"}


@signed_in("compose")
async def build(request: Request) -> Response:
    """Show the form, the YAML that it makes, and who belongs to that."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _built, workspace, asker, dict(request.query_params))
    return page(request, "explore/build_segment.html", **_SHOWN, **shown)


@signed_in("compose")
async def keep(request: Request) -> Response:
    """Keep the segment of a text, or remove one that is kept."""
    form, workspace = await request.form(), request.app.state.workspace
    what, asker = text_of(form, "do"), request.state.asker
    text, name = text_of(form, "text"), text_of(form, "name")
    try:
        if what not in _CHANGES:
            raise BadInput(f"No change `{what[:40]}`.", "Use the buttons of the page.")
        given = {"text": text} if what == "segment keep" else {"name": name}
        told = (await ask(request, call, workspace, asker, what, given)).body
    except OnefoldError as error:
        shown = await ask(request, _built, workspace, asker, {"text": text})
        shown |= {"error": error, "status": error.status}
        return page(request, "explore/build_segment.html", **_SHOWN, **shown)
    kept = told["segment"]
    to = PATH if what == "segment drop" else address_of_segment(kept)
    return back(request, to, _CHANGES[what].format(kept))


routes = [Route(BUILD, build, methods=["GET"]), Route(BUILD, keep, methods=["POST"])]


def rules_of(params: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the rules of a form, those that say nothing too.

    >>> rules_of({"name_1": "order_paid", "days_1": "7"})[0]["name"]
    'order_paid'
    """
    return [
        {part: params.get(f"{part}_{place}", "").strip() for part in _OF_RULE}
        for place in range(1, RULES + 1)
    ]


def _built(workspace: Workspace, asker: Asker, params: Mapping[str, str]) -> dict[str, Any]:
    """Return the form as it was filled in, the text, and who belongs to it, or why it cannot."""
    fields = {name: params.get(name, "") for name in _FIELDS}
    fields["owner"] = fields["owner"] or asker.name
    rules, text, error, figure = rules_of(params), params.get("text", ""), None, None
    try:
        if name := params.get("segment"):
            text = questions.segments.segment_named(workspace.segments(), name).text
        if not text and fields["label"]:
            given = {key: value for key, value in fields.items() if value}
            told = [rule for rule in rules if rule["name"]]
            body = call(workspace, asker, "segment compose", {**given, "rules": told}).body
            text = body["text"]
        if text:
            figure = _figure(workspace, asker, text)
    except OnefoldError as found:
        error = found
    return {
        "fields": fields,
        "rules": rules,
        "text": text,
        "error": error,
        "figure": figure,
        "answer": _answer(text, error, figure),
        "join": JOIN,
        "of": OF,
        "purposes": list(questions.segments.PURPOSES),
        "columns_of_accounts": ", ".join(questions.segments.OF_ACCOUNTS),
        "path": BUILD,
        "known": list(catalogues.recorded(workspace.view(Question(asker))))[:_MOST_NAMES],
    }


def _answer(text: str, error: OnefoldError | None, figure: Mapping[str, Any] | None) -> str:
    if error:
        return "As it is written nobody can be counted."
    return str(figure["answer"]) if text and figure else "Say who belongs to it."


def _figure(workspace: Workspace, asker: Asker, text: str) -> dict[str, Any]:
    """Return who belonged to it by week over the last four, and how that is counted."""
    told = call(workspace, asker, "segment try", {"text": text, "every": "week"}).body
    rows = named_rows(told)
    return {
        "answer": answer_of(rows, "week"),
        "columns": columns_of("week"),
        "rows": [row_of(row) for row in reversed(rows)],
        "definition": told["definition"],
        "notes": told["notes"],
        "query": told["query"],
    }
