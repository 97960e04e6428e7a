"""Files that a call names: the owner any, everybody else one of the workspace."""

from pathlib import Path

from onefold.model.errors import BadInput, NotAllowed
from onefold.model.records import Asker
from onefold.runtime.workspace import Workspace


def placed(workspace: Workspace, asker: Asker, path: str) -> Path:
    """Return the file of a path, which begins at the workspace's folder.

    Raises:
        NotAllowed: It lies elsewhere, and no owner asks.
        BadInput: No file can be called that, or it may not be looked at.
    """
    try:
        found = (workspace.folder / path).resolve()
        found.exists()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"`{path[:60]}` is no path: {reason}."
        raise BadInput(message, "Name a file that this machine can open.") from error
    if asker.role != "owner" and workspace.folder.resolve() not in found.parents:
        message = f"{asker.name} ({asker.role}) may name files of the workspace only."
        raise NotAllowed(message, "Put it into the workspace's folder, or ask its owner.")
    return found
