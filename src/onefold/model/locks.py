"""A lock file: one process holds it, and the machine lets go of it when that process ends."""

import fcntl
from pathlib import Path
from typing import IO

from onefold.model.errors import MachineFailed


def hold(path: Path, *, trouble: str, fix: str) -> IO[str]:
    """Return the handle of a lock file, which is held until the handle is closed.

    Args:
        path: The file; its folder is made for its owner alone.
        trouble: What is wrong where another process holds it, one sentence.
        fix: What to do then.

    Raises:
        MachineFailed: Another process holds it.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handle = path.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise MachineFailed(trouble, fix) from error
    return handle


def is_held(path: Path) -> bool:
    """Return whether another process holds a lock file."""
    try:
        with path.open("r") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
