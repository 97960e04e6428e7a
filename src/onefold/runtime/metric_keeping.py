"""Calls that make a metric from a page: put together, tried, kept here, removed."""

from typing import Annotated

import msgspec

from onefold.metrics import Metric, measure, versions
from onefold.model.errors import Conflict, unknown
from onefold.runtime import call_params as take
from onefold.runtime.certifying import certify
from onefold.runtime.question_calls import span_of
from onefold.runtime.registry import Asked, Body, named

_Text = Annotated[str, msgspec.Meta(max_length=20_000)]
_Field = Annotated[str, msgspec.Meta(max_length=2_000)]
_HERE = "metric"
"""How complaints name the text."""


class ComposeParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a form says of a metric; events and values are apart by commas."""

    label: _Field
    how: _Field = "count"
    events: _Field = ""
    below: _Field = ""
    property: _Field = ""
    filter: _Field = ""
    values: _Field = ""
    at_least: _Field = ""
    cap: _Field = ""
    format: _Field = ""
    better: _Field = ""
    description: _Field = ""
    owner: _Field = ""
    purpose: _Field = ""
    decision: _Field = ""
    moves: _Field = ""
    unit: _Field = ""
    version: _Field = ""


class MetricTextParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A metric as YAML."""

    text: _Text


class TryParams(
    take.Asking, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """A metric as YAML, over days; `from` is inclusive, `to` is exclusive."""

    text: _Text
    from_date: str | None = None
    to_date: str | None = None
    every: take.Every | None = None


class DropMetricParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A metric that is kept here, by its name."""

    name: str


@named("metric compose", ComposeParams, action="compose", whole=False)
def _compose(_: Asked, params: ComposeParams) -> Body:
    """The YAML of a metric that a form describes; nothing is kept."""
    given = {key: value for key, value in msgspec.to_builtins(params).items() if value}
    text = versions.composed(given)
    return {"metric": versions.parse_metric(text, _HERE).name, "text": text}


@named("metric try", TryParams, action="compose")
def _try(asked: Asked, params: TryParams) -> Body:
    """The figure of a metric that is not kept, over the last 28 whole days or those named."""
    metric = versions.parse_metric(params.text, _HERE)
    view = asked.view(params)
    from_time, to_time = span_of(view, params.from_date, params.to_date)
    return measure(view, metric, from_time=from_time, to_time=to_time, every=params.every or "none")


@named("metric keep", MetricTextParams, action="compose", changes=True, whole=False)
def _keep(asked: Asked, params: MetricTextParams) -> Body:
    """Keep a metric that is written as YAML here, without a file; a change is a new version."""
    workspace = asked.workspace
    metric = versions.parse_metric(params.text, _HERE)
    _check_free(workspace.metrics().get(metric.name), metric.name)
    mine = [one for one in versions.held(workspace.state, metric.name) if one.kept]
    told: dict[str, object] = {"metric": metric.name, "version": metric.version}
    if mine and mine[-1].metric == metric:
        return {**told, "changed": False}
    versions.check_next(metric, mine)
    _write(asked, metric.name, params.text, metric.version, "metric.keep")
    waits = certify(workspace, asked.asker)
    return {**told, "changed": True} | ({"waits": waits} if waits else {})


@named("metric drop", DropMetricParams, action="compose", changes=True, whole=False)
def _drop(asked: Asked, params: DropMetricParams) -> Body:
    """Remove a metric that is kept here; its history stays."""
    known = asked.workspace.metrics()
    if params.name not in known:
        raise unknown("metric", params.name, known)
    _check_free(known[params.name], params.name)
    _write(asked, params.name, "", known[params.name].version, "metric.drop")
    return {"metric": params.name, "dropped": True}


def _write(asked: Asked, name: str, text: str, version: int, action: str) -> None:
    workspace, by = asked.workspace, asked.asker.name
    detail = {"version": version}
    with workspace.state.change(asked.asker, action, name, detail=detail) as connection:
        versions.add_version(
            connection, name, text, version=version, by=by, now=workspace.clock(), kept=True
        )


def _check_free(before: Metric | None, name: str) -> None:
    """Refuse a name under which something stands that is not kept here.

    Raises:
        Conflict: It comes with Onefold, or from a file.
    """
    if before is None or before.standing.origin == "kept":
        return
    where = "comes with Onefold" if before.standing.origin == "shipped" else "stands in git"
    message = f"Metric `{name}` {where}."
    raise Conflict(message, "Take another name here, or write it in definitions/metrics.")
