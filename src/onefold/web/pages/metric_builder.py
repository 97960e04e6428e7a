"""A metric made in the browser: a form that writes its YAML, tries it, and keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.routing import Route

from onefold.collect import catalogues
from onefold.consent import PURPOSES
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.records import Question
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, back, page, signed_in, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

PATH = "/explore/build"
HOW = (
    {"value": "count", "label": "How many events"},
    {"value": "sum", "label": "Sum of a property"},
    {"value": "distinct", "label": "Different values of a property, of each person"},
    {"value": "mean", "label": "Mean per person"},
    {"value": "quantile", "label": "Median per person"},
    {"value": "share", "label": "Share of people"},
    {"value": "ratio", "label": "Ratio to other events, or to sessions"},
    {"value": "time_to", "label": "Time from other events to these"},
)
_FIELDS = (
    *("label", "how", "events", "below", "property", "filter", "values", "at_least", "cap"),
    *(
        "format",
        "better",
        "description",
        "owner",
        "purpose",
        "decision",
        "moves",
        "version",
        "unit",
    ),
)
UNITS = (
    {"value": "person", "label": "Person"},
    {"value": "account", "label": "Account of the customer"},
    {"value": "creator", "label": "Creator"},
    {"value": "item", "label": "Item"},
    {"value": "campaign", "label": "Campaign"},
)
"""What counts for itself; sessions stand below a ratio."""
_FORMATS = ("number", "percent", "money")
_MOST_NAMES = 60
_CHANGES = {"metric keep": "Metric `{}` is kept.", "metric drop": "Metric `{}` is removed."}


@signed_in("compose")
async def build(request: Request) -> Response:
    """Show the form, the YAML that it makes, and the figure of that."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _built, workspace, asker, dict(request.query_params))
    return page(request, "explore/build.html", here="Explore", title="Make a metric", **shown)


@signed_in("compose")
async def keep(request: Request) -> Response:
    """Keep the metric of a text, or remove one that is kept."""
    form, workspace = await request.form(), request.app.state.workspace
    what, asker = text_of(form, "do"), request.state.asker
    text, name = text_of(form, "text"), text_of(form, "name")
    try:
        if what not in _CHANGES:
            raise BadInput(f"No change `{what[:40]}`.", "Use the buttons of the page.")
        given = {"text": text} if what == "metric keep" else {"name": name}
        told = (await ask(request, call, workspace, asker, what, given)).body
    except OnefoldError as error:
        shown = await ask(request, _built, workspace, asker, {"text": text, "error": ""})
        shown |= {"error": error, "status": error.status}
        return page(request, "explore/build.html", here="Explore", title="Make a metric", **shown)
    kept = told["metric"]
    to = "/explore/metrics" if what == "metric drop" else f"/explore/metrics/{quote(kept, safe='')}"
    said = _CHANGES[what].format(kept)
    return back(request, to, " ".join((said, *told.get("waits", ()))))


routes = [Route(PATH, build, methods=["GET"]), Route(PATH, keep, methods=["POST"])]


def _built(workspace: Workspace, asker: Asker, params: Mapping[str, str]) -> dict[str, Any]:
    """Return the form as it was filled in, the text, and what that says, or why it cannot."""
    fields = {name: params.get(name, "") for name in _FIELDS}
    fields["owner"] = fields["owner"] or asker.name
    text, error, figure = params.get("text", ""), None, None
    try:
        if name := params.get("metric"):
            text = _standing(workspace, asker, name)
        if not text and fields["label"]:
            given = {key: value for key, value in fields.items() if value}
            text = call(workspace, asker, "metric compose", given).body["text"]
        if text:
            figure = _figure(workspace, asker, text)
    except OnefoldError as found:
        error = found
    return {
        "fields": fields,
        "text": text,
        "error": error,
        "figure": figure,
        "answer": _answer(text, error),
        "how": HOW,
        "purposes": list(PURPOSES),
        "formats": _FORMATS,
        "units": UNITS,
        "path": PATH,
        "known": _heard(workspace, asker),
    }


def _answer(text: str, error: OnefoldError | None) -> str:
    if error:
        return "As it is written it cannot be asked."
    return "Look at its figure, then keep it." if text else "Say what to count."


def _standing(workspace: Workspace, asker: Asker, name: str) -> str:
    """Return the YAML of a metric that is kept or stands in git, with the next version.

    Raises:
        NotFound: There is none of that name.
    """
    rows = call(workspace, asker, "metric history", {"name": name}).body["rows"]
    return next((row[-1] for row in rows if row[-1]), "")


def _heard(workspace: Workspace, asker: Asker) -> list[str]:
    """Return the names of events that came, the most frequent first, as this asker sees them."""
    return list(catalogues.recorded(workspace.view(Question(asker))))[:_MOST_NAMES]


def _figure(workspace: Workspace, asker: Asker, text: str) -> dict[str, Any]:
    """Return the figure of the last four weeks and how it is counted."""
    told = call(workspace, asker, "metric try", {"text": text}).body
    names = [column["name"] for column in told["columns"]]
    return {
        "columns": ["Figure", "Low", "High", {"label": "Counted for", "kind": "number"}],
        "rows": [_row(dict(zip(names, row, strict=True))) for row in told["rows"]],
        "definition": told["definition"],
        "notes": told["notes"],
        "query": told["query"],
    }


def _row(cells: Mapping[str, Any]) -> list[object]:
    ends = [_said(cells[name]) for name in ("estimate", "low", "high")]
    return [*ends, wording.number(cells["n"])]


def _said(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, int | float):
        return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
    return str(value)
