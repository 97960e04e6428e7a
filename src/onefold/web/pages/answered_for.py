"""Who answers for a metric on its page: version, signature, key result, history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onefold.model.time import parse_time
from onefold.runtime import call
from onefold.web import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onefold.metrics import Metric
    from onefold.model.records import Asker
    from onefold.runtime import Workspace


def certified_words(metric: Metric) -> str:
    """Return the badge of a metric whose owner is to vouch for it; empty where nobody is."""
    if metric.certified:
        return "Certified"
    return "Not certified" if metric.answering.certified else ""


def answered_for(metric: Metric) -> list[tuple[str, str]]:
    """Return version, owner, signature and what it serves, by how the page calls them."""
    serves = metric.answering
    steps = ", ".join(f"{step}: {owner}" for step, owner in serves.steps)
    return [
        ("Version", _version(metric)),
        ("Owner", metric.owner),
        ("Certified", _certified(metric)),
        ("Moves", serves.moves or "no key result is named"),
        *([("Functions", ", ".join(serves.functions))] if serves.functions else []),
        *([("Owners of its steps", steps)] if steps else []),
    ]


def _version(metric: Metric) -> str:
    standing = metric.standing
    if standing.since:
        before = f"; before it version {standing.before}" if standing.before else ""
        return f"{metric.version}, since {standing.since}{before}"
    if standing.origin == "shipped":
        return f"{metric.version}, as it comes with Onefold"
    return f"{metric.version}, not applied yet"


def _certified(metric: Metric) -> str:
    if metric.certified:
        return f"by {metric.standing.certified_by}"
    if not metric.answering.certified:
        return "no: its definition does not ask for it"
    if metric.standing.waits_for:
        waits = ", ".join(metric.standing.waits_for)
        return f"not yet: it waits for {metric.owner}, or who signs for {waits}"
    return "not yet: `onefold apply` asks for the signature"


def history_of(workspace: Workspace, asker: Asker, name: str) -> list[dict[str, str]]:
    """Return the definitions that held, the newest first: a heading and the YAML of each."""
    told = call(workspace, asker, "metric history", {"name": name}).body
    names = [column["name"] for column in told["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in told["rows"]]
    zone = workspace.settings.zone
    return [
        {
            "title": _title(row["version"], gone=row["definition"] is None),
            "said": _applied(row, zone),
            "text": row["definition"] or "",
        }
        for row in rows
    ]


def _applied(row: Mapping[str, Any], zone: str) -> str:
    when = wording.moment(parse_time(row["applied_time"]), zone)
    said = f"applied by {row['applied_by']} on {when}"
    return f"{said}, certified by {row['certified_by']}" if row["certified_by"] else said


def _title(version: int, *, gone: bool) -> str:
    return "Taken out of the folder" if gone else f"Version {version}"
