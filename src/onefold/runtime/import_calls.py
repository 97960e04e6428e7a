"""Calls about what is brought in and taken out: imports, their undo, the whole in open formats."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from onefold.collect import imports, questions
from onefold.model.errors import OnefoldError
from onefold.model.records import Progress
from onefold.runtime import call_params as take
from onefold.runtime.placing import placed
from onefold.runtime.portability import export
from onefold.runtime.registry import Asked, Body, call, named
from onefold.runtime.schedules import SCHEDULE, alone, scheduled
from onefold.runtime.workspace import Workspace

_PAUSE_SECONDS = 0.05
_AT_ONCE_ROWS, _AT_ONCE_BYTES = 24, 160_000_000
"""Rows of the log that are worth a transaction of the folds, and its most: few cost less."""


@named("import", take.ImportParams, action="import", changes=True)
def _import(asked: Asked, params: take.ImportParams) -> Body:
    """Bring in the records that a mapping file describes."""
    workspace = asked.workspace
    mapping = placed(workspace, asked.asker, params.mapping)
    with alone(workspace, imports.name_of(mapping)), _folding_beside(workspace):
        done = imports.run(
            workspace,
            mapping,
            dry_run=params.dry_run,
            progress=asked.progress,
            view=asked.view(take.Asking()),
            purposes=workspace.gate().rules.known,
        )
    if params.dry_run:
        return done
    entry = imports.latest(workspace.log)
    if entry is not None:
        told = {"entity": entry.entity, "file": entry.file, "kept": entry.kept}
        with workspace.state.change(asked.asker, "import.run", entry.run, detail=told):
            pass
    workspace.catch_up(asked.progress, most_bytes=_AT_ONCE_BYTES)
    return {**done.to_json(), "run": None if entry is None else entry.run}


@contextmanager
def _folding_beside(workspace: Workspace) -> Iterator[None]:
    """Fold what comes to the log meanwhile, so that bringing in and folding share the machine."""
    stop = threading.Event()

    def fold() -> None:
        # What fails here fails again, and is told, when the facts are brought up to the end.
        with suppress(OnefoldError):
            while not stop.is_set():
                waiting = workspace.log.last_offset() - workspace.facts_offset
                if waiting < _AT_ONCE_ROWS or not workspace.step(most_bytes=_AT_ONCE_BYTES):
                    stop.wait(_PAUSE_SECONDS)

    thread = threading.Thread(target=fold, name="folds-import", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@named("runs", take.Asking)
def _runs(asked: Asked, params: take.Asking) -> Body:
    """Runs of imports, the newest first: what each brought, whether it stands."""
    return imports.runs(asked.view(params))


@named("imports", take.Nothing)
def _imports(asked: Asked, _: take.Nothing) -> Body:
    """Imports that come by themselves: when next, and how the last one went."""
    return imports.listed(scheduled(asked.workspace), asked.workspace.clock())


@named("links", take.Asking)
def _links(asked: Asked, params: take.Asking) -> Body:
    """Links between imported rows, and how many of each name what nobody knows."""
    return questions.link_counts(asked.view(params))


@named("purchases", take.Asking)
def _purchases(asked: Asked, params: take.Asking) -> Body:
    """Purchases online and offline, each counted once."""
    return questions.purchase_sums(asked.view(params))


def bring_scheduled(workspace: Workspace, mapping: str, progress: Progress) -> str:
    """Bring in the mapping file of a path below the workspace; return the run."""
    done = call(workspace, SCHEDULE, "import", {"mapping": mapping}, progress)
    return str(done.body["run"])


@named("undo", take.UndoParams, action="import", changes=True)
def _undo(asked: Asked, params: take.UndoParams) -> Body:
    """Take a run of an import back: what stands is then as if it had never been."""
    workspace = asked.workspace
    view = asked.view(take.Asking())
    undone = imports.undo(workspace.state, view, asked.asker, params.run, now=workspace.clock())
    workspace.catch_up(asked.progress)
    notes = [] if undone else [f"{params.run} was taken back before."]
    return {"run": params.run, "undone": undone, "notes": notes}


@named("export", take.ExportParams, action="settings", changes=True, whole=True)
def _export(asked: Asked, params: take.ExportParams) -> Body:
    """Write the whole workspace in open formats, with a manifest of hashes."""
    workspace = asked.workspace
    done = export(
        workspace,
        placed(workspace, asked.asker, params.folder),
        with_secrets=params.with_secrets,
        progress=asked.progress,
    )
    told = {"with_secrets": params.with_secrets}
    with workspace.state.change(asked.asker, "workspace.export", "workspace", detail=told):
        pass
    return done
