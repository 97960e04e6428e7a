"""Calls about metrics themselves: the definitions that held, by whom and since when."""

from dataclasses import replace
from datetime import date

import msgspec

from onefold.experiments import load_experiments
from onefold.governance import approvals
from onefold.metrics import Metric, versions
from onefold.model.errors import unknown
from onefold.model.records import Answer, Column
from onefold.model.time import parse_date
from onefold.runtime import call_params as take
from onefold.runtime import certifying
from onefold.runtime.registry import Asked, Body, named, table
from onefold.runtime.stale import last_uses


class MetricNameParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A metric by its name."""

    name: str


_UNITS = {"number": "number", "percent": "share", "money": "money", "duration": "seconds"}
_SERVES = ("key_result", "kind", "name", "label", "owner")
_LISTED = (
    *(
        Column(name, "text")
        for name in ("metric", "label", "description", "kind", "unit", "better")
    ),
    *(Column(name, "text") for name in ("splits", "purpose", "owner", "decision")),
    Column("version", "integer"),
    Column("since_date", "date"),
    *(Column(name, "text") for name in ("certified", "moves", "functions")),
    Column("last_use_date", "date"),
)


@named("metrics", take.Nothing, whole=False)
def _metrics(asked: Asked, _: take.Nothing) -> Body:
    """The metrics that are defined: what each says, its owner, version, and whose word it has."""
    known, used = asked.workspace.metrics(), last_uses(asked.workspace)
    return Answer(
        columns=_LISTED,
        rows=tuple(
            (*_row(known[name]), _date(used.get(("metric", name)))) for name in sorted(known)
        ),
        definition="Definitions alone: no figure, and nothing of any person.",
    )


def _row(one: Metric) -> tuple[object, ...]:
    counted = (one.name, one.label, one.description, one.kind, _UNITS[one.format], one.better)
    answered = (", ".join(one.splits), one.purpose, one.owner, one.decision)
    certified = "yes" if one.certified else "waits" if one.answering.certified else "no"
    serves = (certified, one.answering.moves or None, ", ".join(one.answering.functions) or None)
    return (*counted, *answered, one.version, one.standing.since, *serves)


def _date(text: str | None) -> date | None:
    return parse_date(text) if text else None


@named("key results", take.Nothing, whole=False)
def _key_results(asked: Asked, _: take.Nothing) -> Body:
    """Which metrics and experiments serve which key result, and which serve none."""
    workspace = asked.workspace
    experiments = load_experiments(workspace.definitions / "experiments")
    found = [
        (one.answering.moves, "metric", name, one.label, one.owner)
        for name, one in workspace.metrics().items()
    ] + [(one.moves, "experiment", name, one.label, one.owner) for name, one in experiments.items()]
    # Those that serve none come last.
    found.sort(key=lambda row: (not row[0], row))
    told = table(tuple((row[0] or None, *row[1:]) for row in found), *_SERVES)
    without = sum(not row[0] for row in found)
    said = "`moves` of a definition names the key result; without one it serves none."
    return replace(told, definition=said, notes=(f"{without} of {len(found)} serve none.",))


@named("metric history", MetricNameParams, whole=False)
def _history(asked: Asked, params: MetricNameParams) -> Body:
    """The definitions of a metric that held, the newest first: who applied which, and when."""
    workspace = asked.workspace
    held = versions.held(workspace.state, params.name)
    known = workspace.metrics()
    if not held and params.name not in known:
        raise unknown("metric", params.name, known)
    rows = tuple(
        (one.version, one.time, one.by, _vouched(asked, one, held), one.text or None)
        for one in reversed(held)
    )
    return Answer(
        columns=(
            Column("version", "integer"),
            Column("applied_time", "time"),
            *(Column(name, "text") for name in ("applied_by", "certified_by", "definition")),
        ),
        rows=rows,
        definition="Each definition as `apply` kept it; without one, the metric was taken out of "
        "the folder then. What comes with Onefold is of its release and has no history here.",
    )


def _vouched(asked: Asked, one: versions.Held, held: tuple[versions.Held, ...]) -> str | None:
    """Return who signed for a definition; None where nobody was asked, or did."""
    if found := versions.vouched(one, held):
        return found
    if one.draft is None:
        return None
    draft = approvals.draft_of(asked.workspace.state, one.draft)
    return certifying.signers(draft) if draft.standing == "done" else None
