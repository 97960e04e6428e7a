"""Whether events are taken and how far the facts are: what `/health/ready` tells."""

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from onefold.model.errors import Busy, DiskFull, OnefoldError
from onefold.model.time import SECOND, Clock
from onefold.web.passing import fetch

if TYPE_CHECKING:
    from onefold.store import GroupWriter, Log

FACTS = "/health/facts"
"""Where the house tells the door how far its facts are."""

_PATIENCE_SECONDS = 2.0
_ENOUGH_ROOM = 64_000_000


class Progress(msgspec.Struct):
    """How far the house is.

    Attributes:
        facts_offset: The last log offset that its facts hold.
        rebuilding: New facts are being built while the old ones answer.
    """

    facts_offset: int
    rebuilding: bool = False


class Health:
    """Asks the log and the house."""

    def __init__(self, *, folder: Path, writer: "GroupWriter", log: "Log", clock: Clock) -> None:
        self._folder = folder
        self._writer = writer
        self._log = log
        self._clock = clock

    async def ready(self) -> tuple[bool, dict[str, object]]:
        """Return whether all is well, and what to tell."""
        told: dict[str, object] = {"ready": False, "log_offset": self._log.last_offset()}
        refusing = self._refusing()
        try:
            house = self._folder / "run" / "house.sock"
            answer = await asyncio.wait_for(fetch(house, FACTS), _PATIENCE_SECONDS)
            progress = msgspec.json.decode(answer, type=Progress)
        except (Busy, TimeoutError, msgspec.DecodeError):
            told |= {"facts_offset": None, "reason": "The house is starting; events are taken in."}
        else:
            told |= await asyncio.to_thread(self._lag, progress)
            told["ready"] = refusing is None
        if refusing is not None:
            told |= {"reason": refusing.message, "fix": refusing.fix}
        return bool(told["ready"]), told

    def _lag(self, progress: Progress) -> dict[str, object]:
        """Return how far the facts are behind the log."""
        last = self._log.last_offset()
        behind = self._log.read(progress.facts_offset, most_rows=1) if last else []
        seconds = (self._clock() - behind[0].received_time) / SECOND if behind else 0.0
        return {
            "lag_events": self._log.events(after=progress.facts_offset) if behind else 0,
            "lag_seconds": round(max(seconds, 0.0), 3),
            "log_offset": last,
            "facts_offset": progress.facts_offset,
            "rebuilding": progress.rebuilding,
        }

    def _refusing(self) -> OnefoldError | None:
        """Return why events cannot be kept now, or None."""
        failure = self._writer.failure
        if isinstance(failure, DiskFull) and shutil.disk_usage(self._folder).free > _ENOUGH_ROOM:
            return None
        return failure
