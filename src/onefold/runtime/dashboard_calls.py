"""Calls about dashboards: questions that stand together, asked anew each time one looks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

import msgspec

from onefold.metrics import dashboards
from onefold.model.errors import BadInput, Conflict, OnefoldError
from onefold.model.records import Answer, Column
from onefold.model.time import day_of
from onefold.runtime import call_params as take
from onefold.runtime.registry import CALLS, Asked, Body, call, named, taken_by
from onefold.runtime.workspace import Workspace

QUESTIONS = (
    "distribution",
    "economics",
    "funnel",
    "lifecycle",
    "metric",
    "paths",
    "retention",
    "stickiness",
)
"""What may stand on a dashboard."""

_Text = Annotated[str, msgspec.Meta(max_length=2_000)]
_WHOLE = Annotated[str, msgspec.Meta(max_length=100_000)]


class BoardParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A dashboard by its name."""

    name: str


class BoardShowParams(BoardParams, frozen=True, kw_only=True):
    """A dashboard by its name, with the answers to its questions or without."""

    answers: bool = True


class KeepParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A dashboard as YAML."""

    text: _WHOLE


class PinParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question for a dashboard: what is asked, what it takes, over how many last days.

    Without `days` it is asked over the days that `params` name, or over the last 28.
    """

    name: str
    ask: str
    params: dict[str, _Text | tuple[_Text, ...]] = {}
    label: _Text = ""
    days: Annotated[int, msgspec.Meta(ge=0, le=800)] = 0


class UnpinParams(BoardParams, frozen=True, kw_only=True):
    """A question of a dashboard by its place, from 1."""

    place: Annotated[int, msgspec.Meta(ge=1, le=100)]


def known_questions() -> dict[str, dict[str, bool]]:
    """Return by question what it takes, and whether that is a list."""
    return {
        name: {
            one.encode_name: one.encode_name in CALLS[name].lists
            for one in msgspec.structs.fields(CALLS[name].takes)
        }
        for name in QUESTIONS
    }


def all_dashboards(workspace: Workspace) -> dict[str, dashboards.Dashboard]:
    """Return all dashboards of a workspace by name.

    Raises:
        BadInput: A file of definitions/dashboards cannot be used.
    """
    folder = workspace.definitions / "dashboards"
    return dashboards.all_dashboards(folder, workspace.state, known=known_questions())


def check_dashboards(workspace: Workspace) -> None:
    """Refuse dashboards of the folder that ask what no question takes.

    Raises:
        BadInput: See above.
    """
    for one in all_dashboards(workspace).values():
        if one.origin == dashboards.IN_GIT:
            _check(one, today_of(workspace))


def today_of(workspace: Workspace) -> date:
    """Return the day that it is in the workspace's time zone."""
    return day_of(workspace.clock(), workspace.settings.zone)


@named("dashboard list", take.Nothing, whole=False)
def _list(asked: Asked, _: take.Nothing) -> Body:
    """Dashboards: shipped, from the definitions, and those that are kept here."""
    found = all_dashboards(asked.workspace)
    names = ("dashboard", "label", "origin", "owner", "description")
    return Answer(
        columns=(
            *(Column(name, "text") for name in names),
            *(Column(name, "integer") for name in ("version", "questions")),
        ),
        rows=tuple(
            (one.name, one.label, one.origin, one.owner, one.description, one.version, count)
            for one in (found[name] for name in sorted(found))
            for count in (len(one.tiles),)
        ),
        definition="Shipped ones serve as templates; one of definitions/dashboards stands before "
        "one that is kept under the same name.",
    )


@named("dashboard show", BoardShowParams, whole=False)
def _show(asked: Asked, params: BoardShowParams) -> Body:
    """A dashboard with the answers to its questions."""
    one = dashboards.dashboard_named(all_dashboards(asked.workspace), params.name)
    today = today_of(asked.workspace)
    return {
        "dashboard": one.name,
        "label": one.label,
        "description": one.description,
        "owner": one.owner,
        "version": one.version,
        "origin": one.origin,
        "text": dashboards.text_of(one),
        "tiles": [
            {"label": tile.label, "ask": tile.ask, "params": tile.asked(today)}
            | (_answer(asked, tile, today) if params.answers else {})
            for tile in one.tiles
        ],
    }


def _answer(asked: Asked, tile: dashboards.Tile, today: date) -> dict[str, object]:
    """Return the answer to a question; one that fails costs the others nothing."""
    try:
        found = call(asked.workspace, asked.asker, tile.ask, tile.asked(today), asked.progress)
    except OnefoldError as error:
        return {"trouble": {"message": error.message, "fix": error.fix}}
    return {"answer": found.body}


@named("dashboard keep", KeepParams, action="compose", changes=True, whole=False)
def _keep(asked: Asked, params: KeepParams) -> Body:
    """Keep a dashboard that is written as YAML, in place of the one of its name."""
    one = dashboards.parse_dashboard(
        params.text, "dashboard", known=known_questions(), origin=dashboards.KEPT
    )
    _check(one, today_of(asked.workspace))
    before = all_dashboards(asked.workspace).get(one.name)
    version = before.version + 1 if before and before.origin == dashboards.KEPT else one.version
    return _kept(asked, replace(one, version=version), before, "dashboard.keep")


@named("dashboard pin", PinParams, action="compose", changes=True, whole=False)
def _pin(asked: Asked, params: PinParams) -> Body:
    """Put a question on a dashboard, which is begun if there is none of that name."""
    name = params.name.strip().lower().replace(" ", "-")
    found = all_dashboards(asked.workspace)
    before = found.get(name)
    label = " ".join(params.name.split())
    one = before or dashboards.Dashboard(name, label, owner=asked.asker.name, version=0)
    named_days = {"from", "to"} & set(params.params)
    if params.days and named_days:
        message = "`days` and `from` or `to` say it twice."
        raise BadInput(message, "Keep one of them.")
    days = 0 if named_days else params.days or dashboards.DAYS
    lists = {key for key, several in known_questions().get(params.ask, {}).items() if several}
    given = {
        key: (value,) if key in lists and isinstance(value, str) else value
        for key, value in params.params.items()
        if value
    }
    grown = dashboards.with_tile(
        one, dashboards.Tile(params.ask, given, params.label.strip(), days)
    )
    # What was put together is read as a file would be, so that nothing else can be kept.
    text = dashboards.text_of(grown)
    read = dashboards.parse_dashboard(text, "dashboard", known=known_questions())
    _check(read, today_of(asked.workspace))
    return _kept(asked, replace(read, origin=dashboards.KEPT), before, "dashboard.pin")


@named("dashboard unpin", UnpinParams, action="compose", changes=True, whole=False)
def _unpin(asked: Asked, params: UnpinParams) -> Body:
    """Take the question at a place off a dashboard."""
    before = dashboards.dashboard_named(all_dashboards(asked.workspace), params.name)
    return _kept(asked, dashboards.without_tile(before, params.place), before, "dashboard.unpin")


@named("dashboard drop", BoardParams, action="compose", changes=True, whole=False)
def _drop(asked: Asked, params: BoardParams) -> Body:
    """Remove a dashboard that is kept here."""
    one = dashboards.dashboard_named(all_dashboards(asked.workspace), params.name)
    if one.origin != dashboards.KEPT:
        where = "comes with Onefold" if one.origin == dashboards.SHIPPED else "stands in git"
        message = f"Dashboard `{one.name}` {where}; nobody keeps it here."
        raise Conflict(message, f"Remove definitions/dashboards/{one.name}.yaml, if it is there.")
    state = asked.workspace.state
    with state.change(asked.asker, "dashboard.drop", one.name) as change:
        dashboards.drop(change, one.name)
    return {"dashboard": one.name, "dropped": True}


def _kept(
    asked: Asked, one: dashboards.Dashboard, before: dashboards.Dashboard | None, action: str
) -> Mapping[str, Any]:
    """Keep a dashboard, unless git holds one of its name.

    Raises:
        Conflict: Git does, or somebody else changed it meanwhile.
    """
    if before and before.origin == dashboards.IN_GIT:
        message = f"Dashboard `{one.name}` stands in definitions/dashboards."
        raise Conflict(message, "Change it there, or take another name here.")
    workspace = asked.workspace
    detail: dict[str, object] = {"version": one.version, "questions": len(one.tiles)}
    with workspace.state.change(asked.asker, action, one.name, detail=detail) as change:
        dashboards.keep(
            change,
            one.name,
            dashboards.text_of(one),
            version=one.version,
            by=asked.asker.name,
            now=workspace.clock(),
        )
    return {"dashboard": one.name, "version": one.version, "questions": len(one.tiles)}


def _check(one: dashboards.Dashboard, today: date) -> None:
    """Refuse questions that ask what their call does not take.

    Raises:
        BadInput: See above; with the number of the question.
    """
    for place, tile in enumerate(one.tiles, start=1):
        try:
            taken_by(CALLS[tile.ask], tile.asked(today))
        except BadInput as error:
            message = f"Question {place} of `{one.name}`: {error.message}"
            raise BadInput(message, error.fix) from error
