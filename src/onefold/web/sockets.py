"""Sockets between the door, the house and the command line, for their owner only."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST = 100
"""Bytes of a path that fits into the address of a unix socket, with room to spare."""


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a path that fits into a socket's address: its own, or one through the folder."""
    if len(os.fsencode(path)) < _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


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
