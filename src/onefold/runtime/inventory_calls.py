"""Calls about what there is: touchpoints with their owners, the vendor scorecard."""

from typing import Literal

import msgspec

from onefold.collect import questions
from onefold.model.records import Answer, Column
from onefold.runtime import call_params as take
from onefold.runtime.registry import Asked, Body, Outcome, named, table
from onefold.runtime.scorecard import CRITERIA, FAILED, scorecard


class TouchpointParams(take.Asking, frozen=True, kw_only=True):
    """Touchpoints, all of them or those of one controllability."""

    control: Literal["", "controllable", "influenceable"] = ""


class FormParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The scorecard as answered here, or as an empty form for any vendor."""

    empty: bool = False


@named("touchpoints", TouchpointParams)
def _touchpoints(asked: Asked, params: TouchpointParams) -> Body:
    """Every kind of contact with people: owner, controllable or not, volume, last use."""
    view = asked.view(params)
    found = questions.inventory(view, questions.read_said(asked.workspace.definitions))
    return Answer(
        columns=(
            Column("kind", "text"),
            Column("name", "text"),
            Column("owner", "text"),
            Column("control", "text"),
            Column("volume", "integer", "uses in 28 days"),
            Column("former", "integer", "uses in the 28 days before"),
            Column("total", "integer", "uses"),
            Column("last_time", "time"),
        ),
        rows=tuple(
            (o.kind, o.name, o.owner, o.control, o.volume, o.former, o.total, o.last_time)
            for o in found
            if params.control in {"", o.control}
        ),
        definition="One row a touchpoint, as events and imported records tell of it, the last 28 "
        "whole days beside those before. Mentions, and channels that others feed, can only be "
        "influenced, unless definitions/touchpoints.yaml says otherwise; so it says the owner.",
        query=view.sql(view.events),
        as_of_time=view.fresh_time,
    )


@named("scorecard", FormParams, action="audit")
def _scorecard(asked: Asked, params: FormParams) -> Outcome:
    """What to ask of a vendor: portability, privacy, audit; and how this workspace answers."""
    names = ("area", "question", "verdict", "evidence")
    if params.empty:
        rows = tuple((one.area, one.question, "", "") for one in CRITERIA)
        return Outcome(table(rows, *names).to_json())
    lines = scorecard(asked.workspace)
    answered = tuple((o.criterion.area, o.criterion.question, o.verdict, o.evidence) for o in lines)
    return Outcome(table(answered, *names).to_json(), good=all(o.verdict != FAILED for o in lines))
