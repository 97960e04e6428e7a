"""What goes on by itself while the house runs: folds, and imports that are due."""

from collections.abc import Callable
from functools import partial

from onefold.model.records import OWNER
from onefold.model.time import DAY
from onefold.runtime import retention
from onefold.runtime.closing import CloseLoop
from onefold.runtime.erasing import finish
from onefold.runtime.folds import FoldLoop
from onefold.runtime.holding import HoldLoop
from onefold.runtime.import_calls import bring_scheduled
from onefold.runtime.leaving import SendLoop
from onefold.runtime.publishing import PublishLoop
from onefold.runtime.schedules import ScheduleLoop
from onefold.runtime.workspace import Workspace

__all__ = ["CloseLoop", "FoldLoop", "HoldLoop", "PublishLoop", "SendLoop", "idle", "schedule_loop"]


def idle(workspace: Workspace) -> Callable[[], None]:
    """Return what does what waits for a quiet moment: tells the log, ends erasures begun.

    It costs next to nothing when nothing changed.
    """
    ended = looked = -1
    expired: tuple[dict[str, int], dict[str, int]] = ({}, {})

    def tidy() -> None:
        nonlocal ended, looked, expired
        workspace.tidy()
        if ended != workspace.state.version() and finish(workspace):
            ended = workspace.state.version()
        if looked != (today := workspace.clock() // DAY) and not workspace.folds.stale:
            looked = today
            gone = retention.expiring(workspace) if workspace.days_kept() else {}
            if any(gone.values()):
                retention.decide(workspace, OWNER, gone)
        rules = workspace.folds.generation.rules
        if expired != (now := (rules.expired, rules.expired_rows)):
            expired = now
            if any(now):
                retention.forget_words(workspace)

    return tidy


def schedule_loop(workspace: Workspace) -> ScheduleLoop:
    """Return what brings in the imports of a workspace when they are due."""
    return ScheduleLoop(workspace, partial(bring_scheduled, workspace))
