"""Addresses of unix sockets, which hold no more than 107 bytes."""

import os
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
    # A folder's own descriptor is always shorter.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
