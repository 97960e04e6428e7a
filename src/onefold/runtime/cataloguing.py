"""The catalogue kept: described from what came, brought in, handed out, and a change checked."""

import json
from collections.abc import Sequence
from pathlib import Path

from onefold.collect import Catalogue, catalogues, sources
from onefold.experiments import Experiment, load_experiments
from onefold.metrics import Metric, load_metrics
from onefold.model.errors import BadInput, NotFound, unknown
from onefold.model.records import Answer, Column, Progress
from onefold.runtime.definitions import applied_catalogue
from onefold.runtime.workspace import Workspace
from onefold.store import View

SEGMENT, IGLU = "segment", "iglu"
_LARGEST = 50_000_000
"""Bytes of a tracking plan."""


def describe_recorded(
    workspace: Workspace,
    view: View,
    *,
    event: str | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Describe recorded events in files of the folder; return what became of each.

    Raises:
        NotFound: No such event is recorded.
        BadInput: What stands in the folder cannot be read.
    """
    folder = workspace.definitions / "events"
    standing = Catalogue.read(folder).events
    counts = catalogues.recorded(view)
    if event is not None and event not in counts:
        raise unknown("recorded event", event, counts)
    names = [n for n in counts if (n == event if event else overwrite or n not in standing)]
    documents, headings = [], {}
    for done, name in enumerate(names, 1):
        sample = catalogues.sample(view, name, counts[name])
        documents.append(catalogues.infer(sample))
        headings[name] = catalogues.heading(sample)
        if progress is not None:
            progress("Describing", done, len(names))
    written = catalogues.write(
        folder, documents, headings=headings, overwrite=overwrite, dry_run=dry_run
    )
    return _told(written, dry_run=dry_run, view=view)


def bring_in(
    workspace: Workspace,
    place: Path,
    *,
    kind: str | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
) -> Answer:
    """Bring a Segment tracking plan or Iglu schemas into the folder; return what became of each.

    Args:
        workspace: Whose folder.
        place: A file, or a folder of Iglu schemas.
        kind: `segment` or `iglu`; by what stands in the file when None.
        overwrite: Replace what is described already.
        dry_run: Only tell.

    Raises:
        NotFound: There is no such file.
        BadInput: It is neither.
    """
    if not place.exists():
        raise NotFound(f"No file {place}.", "Give a tracking plan, or a folder of schemas.")
    if place.is_file() and place.stat().st_size > _LARGEST:
        raise BadInput(f"{place.name} is larger than any plan.", "Give the plan alone.")
    chosen = kind or (IGLU if place.is_dir() or _describes_itself(place) else SEGMENT)
    if chosen == IGLU:
        documents, notes = catalogues.read_schemas(place)
    else:
        if place.is_dir():
            raise BadInput(f"{place.name} is a folder.", "Give the file of the tracking plan.")
        documents, notes = catalogues.read_plan(place.read_bytes())
    folder = workspace.definitions / "events"
    written = catalogues.write(folder, documents, overwrite=overwrite, dry_run=dry_run)
    return _told(written, dry_run=dry_run, notes=notes)


def _describes_itself(place: Path) -> bool:
    try:
        found = json.loads(place.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "self" in found


def hand_out(workspace: Workspace, *, kind: str, vendor: str = "") -> dict[str, object]:
    """Return the folder's catalogue as a Segment tracking plan or as Iglu schemas.

    Args:
        workspace: Whose catalogue.
        kind: `segment` or `iglu`.
        vendor: Of the schemas, such as `com.acme`; made from the workspace's name when empty.

    Returns:
        `files`: path -> document; a plan is one file, schemas stand as in a registry.
    """
    catalogue = Catalogue.read(workspace.definitions / "events")
    definitions = catalogue.events.values()
    name = workspace.settings.name
    if kind == SEGMENT:
        plan = catalogues.plan_of(catalogue.all.values(), name)
        return {"files": {"tracking-plan.json": plan}}
    own = vendor or f"local.{''.join(c for c in name.lower() if c.isalnum()) or 'onefold'}"
    return {"files": dict(catalogues.schemas_of(definitions, own))}


def _told(
    written: Sequence[catalogues.Written],
    *,
    dry_run: bool,
    view: View | None = None,
    notes: Sequence[str] = (),
) -> Answer:
    said = [*notes]
    new = sum(one.change in {"new", "changed"} for one in written)
    if new and dry_run:
        said.append("Nothing was written.")
    elif new:
        said.append("Read the new files, then run `onefold apply`.")
    elif not written:
        said.append("Every recorded event is described.")
    return Answer(
        columns=tuple(Column(name, "text") for name in ("event", "file", "change", "note")),
        rows=tuple((one.event, one.file, one.change, one.note) for one in written),
        definition="Descriptions of events, by what became of each.",
        as_of_time=view.fresh_time if view else None,
        notes=tuple(said),
    )


# ---------------------------------------------------------------- a change checked


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        # No system has such a name.
        return False


def check(workspace: Workspace, view: View, definitions: Path | None = None) -> Answer:
    """Return what the definitions of a folder would break: recorded events, and who uses fields.

    Every new or changed description is tried on a random part of the events recorded under its
    name; every metric and experiment is asked which fields it reads.

    Raises:
        BadInput: A definition cannot be used; with file, line and column.
    """
    folder = definitions or workspace.definitions
    if not _is_folder(folder):
        raise NotFound(f"No folder {folder}.", "Name a folder with events, metrics, experiments.")
    after = Catalogue.read(folder / "events")
    uses = uses_of(load_metrics(folder / "metrics"), load_experiments(folder / "experiments"))
    before = applied_catalogue(workspace.log)
    rows: list[tuple[object, ...]] = [
        (one.event, one.what, None, None, one.fix)
        for one in catalogues.broken_uses(before, after, uses)
    ]
    notes = []
    counts = catalogues.recorded(view)
    for name, definition in after.events.items():
        former = before.events.get(name)
        if former is not None and former.schema == definition.schema:
            continue
        if former is not None and former.version == definition.version:
            notes.append(f"The schema of {name} changes, but its version stays {former.version}.")
        if name in counts:
            sample = catalogues.sample(view, name, counts[name])
            rows += [
                (name, one.what, one.events, len(sample.properties), one.fix)
                for one in catalogues.replayed(definition, sample.properties)
            ]
    rows += _left_waiting(workspace, before, after, counts)
    return Answer(
        columns=(
            Column("event", "text"),
            Column("breaks", "text"),
            Column("events", "integer", "of those tried"),
            Column("tried", "integer", "recorded events"),
            Column("fix", "text"),
        ),
        rows=tuple(rows),
        definition="What a change of descriptions breaks of what is recorded and of who uses it; "
        f"of each event at most {catalogues.MOST_SAMPLED:,} are tried, chosen by the hash of "
        "their ids. Personal fields are not judged.",
        as_of_time=view.fresh_time,
        notes=(*notes, *(() if rows else ("Nothing breaks.",))),
    )


def _left_waiting(
    workspace: Workspace, before: Catalogue, after: Catalogue, counts: dict[str, int]
) -> list[tuple[object, ...]]:
    """Return the events that would wait from now on, as nobody describes them any more."""
    strict = [
        one.name for one in sources.list_sources(workspace.state) if one.unplanned == "quarantine"
    ]
    gone = [name for name in before.events if name not in after.events and name in counts]
    what = f"Its description goes, so what {', '.join(strict)} sends of it waits."
    fix = "Keep it, or let the source allow what nobody described."
    return [(name, what, None, None, fix) for name in gone if strict]


def uses_of(metrics: dict[str, Metric], experiments: dict[str, Experiment]) -> list[catalogues.Use]:
    """Return which events and fields each metric and experiment reads."""
    found = []
    for metric in metrics.values():
        for term in metric.terms:
            if term.table != "events":
                continue
            told = (*metric.unit_fields, *(name for name, _ in term.where))
            fields = (*metric.dimensions, *told)
            if term.measure == "distinct":
                fields = (*fields, term.column)
            summed = (term.column,) if term.measure == "sum" else ()
            found.append(
                catalogues.Use(f"metric {metric.name}", term.events, tuple(fields), summed)
            )
    for one in experiments.values():
        events = tuple(dict.fromkeys((*one.short.events, *one.long.events)))
        found.append(catalogues.Use(f"experiment {one.name}", events))
    return found
