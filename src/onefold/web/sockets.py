"""Sockets between the door, the house and the command line, for their owner only."""

import os
import socket
from pathlib import Path

from onefold.model.sockets import short_path


def listen(path: Path) -> socket.socket:
    """Return a listening unix socket of mode 0600; one that was left behind is replaced."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.unlink(missing_ok=True)
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with short_path(path) as address:
            ready.bind(address)
    finally:
        os.umask(before)
    ready.listen(512)
    return ready
