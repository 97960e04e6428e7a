"""Calls about metrics themselves: the definitions that held, by whom and since when."""

import msgspec

from onefold.governance import approvals
from onefold.metrics import versions
from onefold.model.errors import unknown
from onefold.model.records import Answer, Column
from onefold.runtime import certifying
from onefold.runtime.registry import Asked, Body, named


class MetricNameParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A metric by its name."""

    name: str


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
