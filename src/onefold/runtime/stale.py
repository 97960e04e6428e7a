"""What nobody uses any more: events, metrics, segments, dashboards with their last use."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from onefold.collect import catalogues
from onefold.experiments import load_experiments
from onefold.metrics import Metric
from onefold.model.records import MARKS, OWNER, Question
from onefold.model.time import day_of
from onefold.runtime.cataloguing import uses_of
from onefold.runtime.dashboard_calls import all_dashboards
from onefold.runtime.definitions import applied_catalogue
from onefold.runtime.using import AMONG, READ, SHOWN, first_day, uses_since
from onefold.runtime.workspace import Workspace

_SHOWS = {
    "metric": "metric",
    "economics": "metric",
    SHOWN: "metric",
    "dashboard show": "dashboard",
    READ: "event",
    AMONG: "segment",
    "segment show": "segment",
}
"""Question -> what its subject is."""
_EXPERIMENT = "experiment show"
_ENVIRONMENTS = ("production", "staging", "development")

Days = Mapping[tuple[str, str], str]
"""(Kind, name) -> the day of its last use, as 2026-11-23."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Something that nobody used for a while, or an event that comes no more.

    Attributes:
        kind: `event`, `metric`, `segment` or `dashboard`.
        name: Of it.
        label: How pages call it; empty where it has no other name.
        owner: Who answers for it.
        used: The day of its last use; empty where nobody used it since uses are counted.
        seen: The day on which the last event of the name came; empty for none, and for all else.
        read_by: What reads an event.
        why: In a sentence.
    """

    kind: str
    name: str
    label: str
    owner: str
    used: str
    seen: str
    read_by: tuple[str, ...]
    why: str


def stale(workspace: Workspace, days: int) -> tuple[tuple[Stale, ...], str]:
    """Return what was not used over the last days, and the day from which uses are counted.

    What comes with Onefold and was never used is left out: it costs nobody anything. An event is
    used by whoever asks for a metric or an experiment that reads it, or names it in a question.

    Args:
        workspace: Whose.
        days: For how long nobody used it.
    """
    used, zone = last_uses(workspace), workspace.settings.zone
    today = day_of(workspace.clock(), zone)
    cutoff = (today - timedelta(days=days)).isoformat()
    metrics = workspace.metrics()
    rows = (
        *_events(workspace, metrics, used, cutoff),
        *_metrics(metrics, used, cutoff),
        *_segments(workspace, used, cutoff),
        *_dashboards(workspace, used, cutoff),
    )
    return rows, first_day(workspace.state) or today.isoformat()


def last_uses(workspace: Workspace) -> Days:
    """Return the day of the last use of each metric, segment, dashboard, event and experiment."""
    workspace.uses.write(workspace.state, now=workspace.clock(), every=0)
    last: dict[tuple[str, str], str] = {}
    for one in uses_since(workspace.state):
        kind = "experiment" if one.ask == _EXPERIMENT else _SHOWS.get(one.ask, "")
        if kind and one.subject:
            key = (kind, one.subject)
            last[key] = max(last.get(key, ""), one.day)
    return last


def _metrics(metrics: Mapping[str, Metric], used: Days, cutoff: str) -> Iterable[Stale]:
    for name, metric in sorted(metrics.items()):
        day = used.get(("metric", name), "")
        if day >= cutoff or (not day and metric.standing.origin == "shipped"):
            continue
        why = _unused(day)
        yield Stale("metric", name, metric.label, metric.owner, day, "", (), why)


def _segments(workspace: Workspace, used: Days, cutoff: str) -> Iterable[Stale]:
    for name, one in sorted(workspace.segments().items()):
        day = used.get(("segment", name), "")
        if day < cutoff:
            yield Stale("segment", name, one.label, one.owner, day, "", (), _unused(day))


def _dashboards(workspace: Workspace, used: Days, cutoff: str) -> Iterable[Stale]:
    for name, one in sorted(all_dashboards(workspace).items()):
        day = used.get(("dashboard", name), "")
        if day >= cutoff or (not day and one.origin == "shipped"):
            continue
        yield Stale("dashboard", name, one.label, one.owner, day, "", (), _unused(day))


def _events(
    workspace: Workspace, metrics: Mapping[str, Metric], used: Days, cutoff: str
) -> Iterable[Stale]:
    described = applied_catalogue(workspace.log).events
    experiments = load_experiments(workspace.definitions / "experiments")
    readers: dict[str, list[str]] = {}
    for use in uses_of(dict(metrics), experiments):
        for event in use.events:
            readers.setdefault(event, []).append(use.user)
    for segment in workspace.segments().values():
        for event in segment.events:
            readers.setdefault(event, []).append(f"segment {segment.name}")
    seen = _seen(workspace)
    for name in sorted({*described, *seen}):
        read_by = tuple(dict.fromkeys(readers.get(name, ())))
        day = max(used.get(("event", name), ""), _read(read_by, used))
        came = seen.get(name, "")
        why = [_unused(day)] if day < cutoff else []
        if came < cutoff:
            why.append(f"None has come since {came}." if came else "None ever came.")
        if why:
            owner = described[name].owner if name in described else ""
            yield Stale("event", name, "", owner, day, came, read_by, " ".join(why))


def _read(readers: Sequence[str], used: Days) -> str:
    """Return the day on which something that reads an event was used last."""
    return max((used.get((kind, name), "") for kind, name in map(_named, readers)), default="")


def _named(reader: str) -> tuple[str, str]:
    kind, _, name = reader.partition(" ")
    return kind, name


def _seen(workspace: Workspace) -> dict[str, str]:
    """Return the day on which the last event of each name came, in any environment."""
    found: dict[str, str] = {}
    for environment in _ENVIRONMENTS:
        terms = Question(OWNER, environment=environment, include=frozenset(MARKS))
        for name, time in catalogues.last_seen(workspace.view(terms)).items():
            day = day_of(time, workspace.settings.zone).isoformat()
            found[name] = max(found.get(name, ""), day)
    return found


def _unused(day: str) -> str:
    return f"Nobody asked for it since {day}." if day else "Nobody asked for it."
