"""Dashboards: questions side by side, put together from the pages that ask them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from onefold.governance import may
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web.desk import ask, back, page, signed_in, text_of
from onefold.web.pages.distribution import DISTRIBUTION, distribution_shown
from onefold.web.pages.economics import ECONOMICS, economics_shown
from onefold.web.pages.explore import explored
from onefold.web.pages.explore_question import dimension_words
from onefold.web.pages.habits import LIFECYCLE, STICKINESS, lifecycle_shown, stickiness_shown
from onefold.web.pages.journeys import funnel_shown, retention_shown
from onefold.web.pages.paths import PATHS, paths_shown
from onefold.web.pages.pinning import PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

    Shown = dict[str, Any]

_ORIGINS = {
    "shipped": "comes with Onefold",
    "definitions": "from the definitions",
    "kept": "kept here",
}
_ASKED_BY: dict[str, tuple[str, Callable[[Workspace, Asker, dict[str, str]], Shown]]] = {
    "metric": ("/explore", explored),
    "funnel": ("/explore/funnel", funnel_shown),
    "paths": (PATHS, paths_shown),
    "distribution": (DISTRIBUTION, distribution_shown),
    "retention": ("/explore/retention", retention_shown),
    "economics": (ECONOMICS, economics_shown),
    "lifecycle": (LIFECYCLE, lifecycle_shown),
    "stickiness": (STICKINESS, stickiness_shown),
}
"""Question -> the page that asks it, and what answers there."""
_CHANGES = {
    "dashboard pin": "{} stands on it now.",
    "dashboard unpin": "It is taken off.",
    "dashboard keep": "`{}` is kept.",
    "dashboard drop": "`{}` is removed.",
}


@signed_in()
async def listed(request: Request) -> Response:
    """List the dashboards, and what may serve as a template."""
    return await _listed(request)


@signed_in()
async def one(request: Request) -> Response:
    """Show a dashboard with the answers to its questions."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _shown, workspace, asker, request.path_params["name"])
    return page(request, "explore/dashboard.html", here="Explore", **shown)


@signed_in()
async def as_yaml(request: Request) -> Response:
    """Give a dashboard as the YAML that git would hold."""
    workspace, asker = request.app.state.workspace, request.state.asker
    given = {"name": request.path_params["name"], "answers": False}
    told = (await ask(request, call, workspace, asker, "dashboard show", given)).body
    headers = {"content-disposition": f'attachment; filename="{told["dashboard"]}.yaml"'}
    return PlainTextResponse(told["text"], media_type="application/yaml", headers=headers)


@signed_in("compose")
async def change(request: Request) -> Response:
    """Put a question on a dashboard, take one off, keep or remove a whole one."""
    form, workspace = await request.form(), request.app.state.workspace
    what, name = text_of(form, "do"), text_of(form, "name")
    try:
        if what not in _CHANGES:
            raise BadInput(f"No change `{what[:40]}`.", "Use the buttons of the page.")
        given = _given(what, name, {part: text_of(form, part) for part in _PARTS})
        told = await ask(request, call, workspace, request.state.asker, what, given)
    except OnefoldError as error:
        return await _listed(request, error=error)
    kept = told.body["dashboard"]
    path = PATH if what == "dashboard drop" else address_of_board(kept)
    label = text_of(form, "label") or "The question"
    return back(request, path, _CHANGES[what].format(label if what == "dashboard pin" else kept))


routes = [
    Route(PATH, listed, methods=["GET"]),
    Route(PATH, change, methods=["POST"]),
    Route(PATH + "/{name}.yaml", as_yaml),
    Route(PATH + "/{name}", one),
]
_PARTS = ("place", "text", "label", "question")


def _given(what: str, name: str, form: Mapping[str, str]) -> dict[str, Any]:
    """Return what the call of a change takes.

    Raises:
        BadInput: The question of the form was tampered with.
    """
    if what == "dashboard keep":
        return {"text": form["text"]}
    if what == "dashboard unpin":
        return {"name": name, "place": form["place"]}
    if what == "dashboard drop":
        return {"name": name}
    try:
        question = json.loads(form["question"])
        asked = {part: question[part] for part in ("ask", "params", "days")}
    except (ValueError, KeyError, TypeError) as error:
        message = "The form names no question."
        raise BadInput(message, "Open the page of the question again.") from error
    return {"name": name, "label": form["label"], **asked}


async def _listed(request: Request, *, error: OnefoldError | None = None) -> Response:
    workspace, asker = request.app.state.workspace, request.state.asker
    told = (await ask(request, call, workspace, asker, "dashboard list", {})).body
    names = [column["name"] for column in told["columns"]]
    found = [dict(zip(names, row, strict=True)) for row in told["rows"]]
    own = [each for each in found if each["origin"] != "shipped"]
    ready = [each for each in found if each["origin"] == "shipped"]
    count = plural(len(own), "dashboard") if own else "No dashboard of your own yet"
    return page(
        request,
        "explore/dashboards.html",
        here="Explore",
        title="Dashboards",
        status=error.status if error else 200,
        question="Which questions stand together?",
        answer=f"{count}, and {plural(len(ready), 'template')} to begin with.",
        own=[_row(each) for each in own],
        ready=[_row(each) for each in ready],
        composes=may(asker, "compose"),
        path=PATH,
        error=error,
    )


def _row(one: Mapping[str, Any]) -> list[object]:
    return [
        {"href": address_of_board(one["dashboard"]), "label": one["label"]},
        one["description"] or None,
        str(one["questions"]),
        one["owner"] or None,
        f"v{one['version']}, {_ORIGINS[one['origin']]}",
    ]


def address_of_board(name: str) -> str:
    """Return where a dashboard stands."""
    return f"{PATH}/{quote(name, safe='')}"


def _shown(workspace: Workspace, asker: Asker, name: str) -> Shown:
    given = {"name": name, "answers": False}
    one = call(workspace, asker, "dashboard show", given).body
    tiles = [_tile_shown(workspace, asker, tile) for tile in one["tiles"]]
    fresh = next((tile["fresh"] for tile in tiles if tile.get("fresh")), None)
    owner = f"; {one['owner']} answers for it." if one["owner"] else "."
    return {
        "title": one["label"],
        "question": one["description"] or "What do these questions say?",
        "answer": answer_of(one["label"], [tile.get("verdict") or "" for tile in tiles]),
        "said": f"Version {one['version']}, {_ORIGINS[one['origin']]}{owner}",
        "tiles": tiles,
        "name": one["dashboard"],
        "label": one["label"],
        "composes": may(asker, "compose") and one["origin"] != "definitions",
        "kept": one["origin"] == "kept",
        "path": PATH,
        "yaml": f"{address_of_board(one['dashboard'])}.yaml",
        "fresh": fresh,
    }


def answer_of(label: str, verdicts: Sequence[str]) -> str:
    """Return what the figures over time say, each against its period before.

    >>> answer_of("Market", ["better", "no_difference", "not_yet", ""])
    'Market: of 3 figures, 1 is better than the period before and 2 have not moved beyond chance.'
    >>> answer_of("Creators", [""])
    'Creators: one question.'
    """
    compared = [one for one in verdicts if one]
    if not compared:
        count = "one question" if len(verdicts) == 1 else plural(len(verdicts), "question")
        return f"{label}: {count}."
    said = [
        f"{many} {'is' if many == 1 else 'are'} {word} than the period before"
        for word in ("better", "worse")
        if (many := compared.count(word))
    ]
    rest = sum(one not in {"better", "worse"} for one in compared)
    if rest == len(compared):
        return f"{label}: of {plural(rest, 'figure')}, none has moved beyond chance."
    if rest:
        said.append(f"{rest} {'has' if rest == 1 else 'have'} not moved beyond chance")
    return f"{label}: of {plural(len(compared), 'figure')}, {' and '.join(said)}."


def _tile_shown(workspace: Workspace, asker: Asker, tile: Mapping[str, Any]) -> Shown:
    """Return a question with its answer as its own page has it."""
    path, shown_by = _ASKED_BY[tile["ask"]]
    address = address_of(tile["ask"], tile["params"])
    try:
        shown = shown_by(workspace, asker, address)
    except OnefoldError as error:
        shown = {"trouble": {"words": error.message, "fix": error.fix}}
    by = f", by {dimension_words(address['by'])}" if address.get("by") else ""
    named = f"{shown['chart_name']}{by}" if "chart_name" in shown else shown.get("question")
    heading = tile["label"] or named or tile["ask"]
    href = f"{path}?{urlencode(address)}"
    return {**shown, "heading": heading, "href": href, "ask": tile["ask"]}


def address_of(asked: str, params: Mapping[str, str | Sequence[str]]) -> dict[str, str]:
    """Return the parts of the address of the page that asks a question.

    >>> address_of("funnel", {"events": ("seen", "saved"), "within": "1d"})
    {'events': 'seen, saved', 'within': '1d'}
    """
    parts = {
        name: value if isinstance(value, str) else ", ".join(value)
        for name, value in params.items()
    }
    if asked in {"economics", "metric"}:
        parts["metric"] = parts.pop("name", "")
    if asked == "metric":
        parts.setdefault("every", "none")
    parts.pop("environment", None)
    return {name: value for name, value in parts.items() if value}
