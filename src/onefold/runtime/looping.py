"""What goes on by itself while the house runs: folds, and imports that are due."""

from functools import partial

from onefold.runtime.folds import FoldLoop
from onefold.runtime.import_calls import bring_scheduled
from onefold.runtime.leaving import SendLoop
from onefold.runtime.schedules import ScheduleLoop
from onefold.runtime.workspace import Workspace

__all__ = ["FoldLoop", "SendLoop", "schedule_loop"]


def schedule_loop(workspace: Workspace) -> ScheduleLoop:
    """Return what brings in the imports of a workspace when they are due."""
    return ScheduleLoop(workspace, partial(bring_scheduled, workspace))
