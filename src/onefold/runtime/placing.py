"""Files that a call names: whoever may change settings any, everybody else the workspace's."""

from pathlib import Path

from onefold.governance import may
from onefold.model.errors import BadInput, NotAllowed
from onefold.model.records import Asker
from onefold.runtime.workspace import Workspace


def placed(workspace: Workspace, asker: Asker, path: str) -> Path:
    """Return the file of a path, which begins at the workspace's folder.

    A key has the role of an owner whatever it may do, so the role alone says nothing here.

    Raises:
        NotAllowed: It lies elsewhere, and neither an owner nor a key of an admin asks.
        BadInput: No file can be called that, or it may not be looked at.
    """
    try:
        found = (workspace.folder / path).resolve()
        found.exists()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"`{path[:60]}` is no path: {reason}."
        raise BadInput(message, "Name a file that this machine can open.") from error
    if not may(asker, "settings") and workspace.folder.resolve() not in found.parents:
        what = ", ".join(asker.scopes) or asker.role
        message = f"{asker.name} ({what}) may name files of the workspace only."
        raise NotAllowed(message, "Put it into the workspace's folder, or ask its owner.")
    return found
