"""Facts anew from the log, the old ones answering meanwhile; and what proves them equal."""

from onefold.model.records import Answer, Column, Progress
from onefold.runtime.workspace import Workspace


def rebuild(workspace: Workspace, progress: Progress | None = None) -> int:
    """Build the facts anew beside the old ones, swap, and return the offset they reach.

    Intake and folds go on; what comes in meanwhile is folded before the swap, which is one
    rename. A crash leaves the old facts in force.
    """
    workspace.rebuilding = True
    try:
        folds = workspace.new_generation()
        end = workspace.log.last_offset()
        while folds.step():
            if progress is not None:
                progress("Rebuilding", min(folds.offset, end), end)
        workspace.take_over(folds.generation)
    finally:
        workspace.rebuilding = False
    workspace.tell()
    return workspace.facts_offset


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
