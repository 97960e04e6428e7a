"""The workspace: planes, folds and views wired together."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.runtime.calls import CALLS as CALLS
    from onefold.runtime.calls import call as call
    from onefold.runtime.doctor import diagnose as diagnose
    from onefold.runtime.folds import FoldLoop as FoldLoop
    from onefold.runtime.rebuild import checksum as checksum
    from onefold.runtime.rebuild import rebuild as rebuild
    from onefold.runtime.workspace import NewWorkspace as NewWorkspace
    from onefold.runtime.workspace import Progress as Progress
    from onefold.runtime.workspace import Workspace as Workspace
    from onefold.runtime.workspace import create_workspace as create_workspace
    from onefold.runtime.workspace import open_workspace as open_workspace

__getattr__ = door(
    __name__,
    {
        "CALLS": "calls",
        "FoldLoop": "folds",
        "NewWorkspace": "workspace",
        "Progress": "workspace",
        "Workspace": "workspace",
        "call": "calls",
        "checksum": "rebuild",
        "create_workspace": "workspace",
        "diagnose": "doctor",
        "open_workspace": "workspace",
        "rebuild": "rebuild",
    },
)
