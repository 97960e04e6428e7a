"""Facts anew from the log, the old ones answering meanwhile; and what proves them equal."""

from contextlib import closing

from onefold.model.errors import BadInput, Conflict
from onefold.model.records import Answer, Column, Progress
from onefold.runtime.folds import Folds
from onefold.runtime.settings import write_facts
from onefold.runtime.workspace import Workspace
from onefold.store import planes

_PASSES = 10
_FEW_ROWS = 1000
"""Rows that may be left for the moment in which the folds stand still and the facts are swapped."""


def rebuild(workspace: Workspace, progress: Progress | None = None, *, from_offset: int = 0) -> int:
    """Build the facts anew beside the old ones, swap, and return the row it began after.

    Intake and folds go on; what comes in meanwhile is folded before the swap, which is one
    rename. A crash leaves the old facts in force.

    Args:
        workspace: Whose facts.
        progress: Hears how far it is.
        from_offset: Rows from here on are replayed; those before are taken from the latest facts
            kept there (see `Workspace.keep_prefix`), and replayed too where none were kept.

    Raises:
        BadInput: The log has no such row.
        DiskFull: There is no room for a second generation.
    """
    end = workspace.log.last_offset()
    if from_offset > end:
        message = f"The log has no row {from_offset:,}; it ends at row {end:,}."
        raise BadInput(message, "Name an earlier row, or leave it out.")
    workspace.rebuilding, workspace.rebuilt_share = True, 0.0
    try:
        with closing(workspace.new_generation(from_offset)) as folds:
            began = folds.offset
            _fold_to_end(workspace, folds, progress)
            workspace.take_over(folds.generation)
    finally:
        workspace.rebuilding = False
    workspace.tell()
    return began


def migrate(workspace: Workspace, url: str, progress: Progress | None = None) -> None:
    """Move the facts to another engine: build them there from the log, then let them answer.

    The settings say so first, so that a move which is killed goes on at the next start; one that
    fails leaves settings and facts as they were.

    Args:
        workspace: Whose facts.
        url: `clickhouse://...` or `spark://...`, or empty for a file in the folder.
        progress: Hears how far it is.

    Raises:
        BadInput: There is no such engine, or its extra is not installed.
        Conflict: The facts are being built anew already.
        MachineFailed: It does not answer.
    """
    planes.check_facts(url)
    if workspace.rebuilding:
        message = "The facts are being built anew just now."
        raise Conflict(message, "Wait until `onefold status` says that it is done.")
    former = workspace.settings.facts
    write_facts(workspace.folder, url)
    try:
        workspace.fold_into(url)
        if workspace.folds.stale:
            rebuild(workspace, progress)
    except BaseException:
        workspace.fold_into(former)
        write_facts(workspace.folder, former)
        raise


def _fold_to_end(workspace: Workspace, folds: Folds, progress: Progress | None) -> None:
    """Fold until few rows are left, which come in while the last ones are folded."""
    began = folds.offset
    if workspace.log.last_offset() - began > _FEW_ROWS:
        folds.hasten()
    for _ in range(_PASSES):
        # To the end as it was when the pass began: under load the log has no other.
        end = workspace.log.last_offset()
        while folds.offset < end and folds.step():
            workspace.rebuilt_share = min(1.0, (folds.offset - began) / max(end - began, 1))
            if progress is not None:
                progress("Rebuilding", min(folds.offset, end) - began, end - began)
        if workspace.log.last_offset() - folds.offset < _FEW_ROWS:
            return


def checksum(workspace: Workspace) -> Answer:
    """Return table, rows and hash of every table of the facts.

    The hash is over natural keys in any order, so equal events give equal sums, in any two
    workspaces with one identity key.
    """
    facts = workspace.folds.generation.facts
    return Answer(
        columns=(Column("table", "text"), Column("rows", "integer"), Column("hash", "text")),
        rows=tuple(facts.checksums()),
        definition="Rows of each table and a hash over their natural keys, in any order.",
        as_of_time=workspace.fresh_time,
    )
