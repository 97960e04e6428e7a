"""The workspace: planes, folds and views wired together."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.runtime.calls import CALLS as CALLS
    from onefold.runtime.calls import asker_named as asker_named
    from onefold.runtime.calls import call as call
    from onefold.runtime.doctor import diagnose as diagnose
    from onefold.runtime.portability import restore as restore
    from onefold.runtime.rebuilding import checksum as checksum
    from onefold.runtime.rebuilding import rebuild as rebuild
    from onefold.runtime.settings import read_settings as read_settings
    from onefold.runtime.workspace import Workspace as Workspace
    from onefold.runtime.workspace import create_workspace as create_workspace
    from onefold.runtime.workspace import open_workspace as open_workspace

    from . import looping as loops

__getattr__ = door(
    __name__,
    {
        "CALLS": "calls",
        "Workspace": "workspace",
        "asker_named": "calls",
        "call": "calls",
        "checksum": "rebuilding",
        "create_workspace": "workspace",
        "diagnose": "doctor",
        "loops": "=looping",
        "open_workspace": "workspace",
        "read_settings": "settings",
        "rebuild": "rebuilding",
        "restore": "portability",
    },
)
