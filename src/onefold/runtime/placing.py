"""Files that a call names: the owner any, everybody else one of the workspace."""

from pathlib import Path

from onefold.model.errors import NotAllowed
from onefold.model.records import Asker
from onefold.runtime.workspace import Workspace


def placed(workspace: Workspace, asker: Asker, path: str) -> Path:
    """Return the file of a path, which begins at the workspace's folder.

    Raises:
        NotAllowed: It lies elsewhere, and no owner asks.
    """
    found = (workspace.folder / path).resolve()
    if asker.role != "owner" and workspace.folder.resolve() not in found.parents:
        message = f"{asker.name} ({asker.role}) may name files of the workspace only."
        raise NotAllowed(message, "Put it into the workspace's folder, or ask its owner.")
    return found
