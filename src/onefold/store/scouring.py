"""What was deleted from a SQLite file leaves the file beside it too."""

import sqlite3

from onefold.model.errors import Busy

_TRIES = 20


def scour(connection: sqlite3.Connection) -> None:
    """Bring all pages from the write-ahead log into the file and cut the log to nothing.

    The pages that were freed are zero already where `secure_delete` is on.

    Raises:
        Busy: Somebody reads an older state of the file and does not come to an end.
    """
    for _ in range(_TRIES):
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
    raise Busy("Somebody reads the file for too long.", "Try again when that question is done.")
