"""Versions of metrics and who vouches for them: kept by `apply`, signed by way of approvals."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from onefold.governance import approvals
from onefold.metrics import Metric, load_metrics, versions
from onefold.model.errors import NotAllowed
from onefold.model.records import Asker

if TYPE_CHECKING:
    from onefold.runtime.workspace import Workspace

KIND = "certification"
"""Kind of change by which somebody vouches for a definition."""


def metrics_of(workspace: "Workspace") -> dict[str, Metric]:
    """Return all metrics by name, each with how its definition stands in this workspace.

    Raises:
        BadInput: A definition cannot be used; with file, line and column.
    """
    held: dict[str, tuple[versions.Held, ...]] = {}
    for one in versions.held(workspace.state):
        held[one.name] = (*held.get(one.name, ()), one)
    shipped, said = load_metrics(), load_metrics(workspace.definitions / "metrics")
    kept = versions.kept_here(one for each in held.values() for one in each)
    of_folder = {name for name, metric in said.items() if shipped.get(name) != metric}
    found = {}
    for name, metric in {**said, **kept, **{name: said[name] for name in of_folder}}.items():
        on_page = name in kept and name not in of_folder
        mine = tuple(one for one in held.get(name, ()) if one.kept == on_page)
        found[name] = _standing(workspace, metric, mine)
    return found


def _standing(workspace: "Workspace", metric: Metric, held: tuple[versions.Held, ...]) -> Metric:
    standing = versions.standing(metric, held, zone=workspace.settings.zone)
    if metric.answering.certified and not standing.certified_by:
        for one in reversed(held):
            if one.draft is None or one.metric != metric:
                continue
            draft = approvals.draft_of(workspace.state, one.draft)
            if draft.standing == "done":
                standing = replace(standing, certified_by=signers(draft))
                break
            if draft.standing == "waiting" and not standing.waits_for:
                standing = replace(standing, waits_for=draft.open)
    return replace(metric, standing=standing)


def signers(draft: approvals.Draft) -> str:
    """Return who signed a draft, in words."""
    signed = [one.by for one in draft.said if one.verdict == "sign"]
    return " and ".join(dict.fromkeys(signed))


def check_versions(workspace: "Workspace") -> None:
    """Refuse a definition that counts something else under a version that held.

    Raises:
        BadInput: See above; it says which version to write.
    """
    folder = workspace.definitions / "metrics"
    versions.check(folder, versions.held(workspace.state))


def keep_versions(workspace: "Workspace", asker: Asker, files: Mapping[str, str]) -> None:
    """Keep each definition of a metric that was applied, unless it is the one that held.

    Args:
        workspace: Whose.
        asker: Who applied it.
        files: Texts of the definitions that were applied, by their path in the folder.
    """
    state = workspace.state
    found = versions.changed(files, versions.held(state))
    for name, version, text in found:
        what = "metric.define" if text else "metric.remove"
        with state.change(asker, what, name, detail={"version": version}) as connection:
            versions.add_version(
                connection, name, text, version=version, by=asker.name, now=workspace.clock()
            )


def certify(workspace: "Workspace", asker: Asker) -> list[str]:
    """Ask for the signatures of metrics that are to be certified; return who is waited for.

    An asker who may sign for one does so by applying it. A sentence each for those that wait.
    """
    said: list[str] = []
    for name, metric in metrics_of(workspace).items():
        if not metric.answering.certified or metric.certified:
            continue
        held = versions.held(workspace.state, name)
        if held and held[-1].metric == versions.plain(metric):
            said += _asked(workspace, asker, metric, held[-1].id)
    return said


def _asked(workspace: "Workspace", asker: Asker, metric: Metric, row: int) -> list[str]:
    state, proposal, waits = workspace.state, proposal_of(metric), []
    try:
        draft = approvals.settle(state, proposal, asker=asker, now=workspace.clock())
    except NotAllowed as error:
        waits = [f"`{metric.name}` is not certified: {error.message} {error.fix}"]
        draft = approvals.draft(state, proposal, asker=asker, now=workspace.clock())
    by = asker.name if draft is None else ""
    number = None if draft is None else draft.id
    detail = {"version": metric.version, "draft": number}
    with state.change(asker, "metric.certify", metric.name, detail=detail) as connection:
        versions.vouch(connection, row, by=by, draft=number)
    return waits


def proposal_of(metric: Metric) -> approvals.Proposal:
    """Return what is signed when somebody vouches for a metric: its whole definition."""
    steps = [f"{step}: {owner}" for step, owner in metric.answering.steps]
    detail = (
        f"{metric.label}: {metric.description.strip()}",
        f"Version {metric.version}; {metric.owner} answers for it, and may sign.",
        *([f"Its steps: {', '.join(steps)}."] if steps else []),
    )
    return approvals.Proposal(
        kind=KIND,
        subject=metric.name,
        digest=blake2b(versions.content_of(metric), digest_size=32).hexdigest(),
        detail=detail,
        use=approvals.Use(kind=KIND),
        owner=metric.owner,
    )
