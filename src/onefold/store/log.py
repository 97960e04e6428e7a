"""The log: what happened, append-only, in order."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from onefold.store.records import LogRow, NewRow


class Log(Protocol):
    """What every backbone offers."""

    @property
    def file(self) -> Path | None:
        """The file it stands in, which other processes may read too; None where it has none."""
        ...

    def append(self, rows: Sequence[NewRow]) -> list[int]:
        """Return the offsets of the rows once they are durable, all of them or none.

        Raises:
            DiskFull: There is no room; nothing was kept.
            Busy: The log is held by somebody else for too long; nothing was kept.
        """
        ...

    def read(
        self, after: int, *, most_bytes: int = 8_000_000, most_rows: int = 2000
    ) -> list[LogRow]:
        """Return the next rows after an offset, in order; empty at the end."""
        ...

    def row(self, offset: int) -> LogRow | None:
        """Return one row, or None."""
        ...

    def rows(self, offsets: Sequence[int]) -> list[LogRow]:
        """Return those rows of some offsets that are there, in order."""
        ...

    def latest(self, dialect: str, route: str) -> LogRow | None:
        """Return the last row of a dialect and route, or None."""
        ...

    def last_offset(self) -> int:
        """Return the offset of the last row, 0 when there is none."""
        ...

    def events(self, after: int = 0) -> int:
        """Return how many events the rows after an offset hold, counted ones and others."""
        ...

    def events_since(self, received_time: int) -> int:
        """Return how many events the newest rows hold, back to a received time."""
        ...

    def traced(self, trace: str, *, most_rows: int = 100) -> list[LogRow]:
        """Return the rows whose sender named a trace, in order."""
        ...

    def rewrite(self, rows: Sequence[LogRow]) -> bool:
        """Let rows say something else at their places; return False where a log cannot.

        What they said is overwritten in every file, also in those beside the log.
        """
        ...

    def kept_seconds(self) -> float | None:
        """Return for how long a log keeps a row that it cannot rewrite; None for good.

        Also None where it can.
        """
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...
