"""Runs of imports: what names one, and what the log says of it."""

import msgspec

from onefold.model.time import to_datetime

RUN, UNDO = "import.run", "import.undo"
"""Control entries: what a run brought, and that it counts no more."""
SOURCE = "import:"
"""How the source of imported rows begins; the name of the import follows."""


class RunEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a control entry says of a run; a later one of the same run adds to it.

    Attributes:
        run: Its id, as `run_id` makes it.
        source: Where its rows stand in the log.
        run_time: Received time of all its rows, microseconds: no two runs of a log share it.
        read: Rows of the file; `kept` of them count, `again` stood in the file before,
            `waiting` are in quarantine.
        done_time: When all rows were in the log; None while it goes on, or when it was ended.
        undone_time: When it was taken back; None while it stands.
    """

    run: str
    source: str
    run_time: int
    environment: str = ""
    entity: str = ""
    file: str = ""
    read: int = 0
    kept: int = 0
    again: int = 0
    waiting: int = 0
    done_time: int | None = None
    undone_time: int | None = None


def run_id(source: str, run_time: int) -> str:
    """Return the id of a run.

    >>> run_id("import:ads", 1_795_000_000_000_000)
    'ads-20261118T110640000000'
    """
    moment = to_datetime(run_time)
    return f"{source.removeprefix(SOURCE)}-{moment:%Y%m%dT%H%M%S%f}"
