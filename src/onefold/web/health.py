"""Whether events are taken and how far the facts are: what `/health/ready` tells."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from onefold.model.errors import Busy, DiskFull, OnefoldError
from onefold.model.time import SECOND, Clock
from onefold.web.passing import fetch

if TYPE_CHECKING:
    from onefold.store import GroupWriter, Log
    from onefold.web.pressure import Pressure

FACTS = "/health/facts"
"""Where the house tells the door how far its facts are."""

_PATIENCE_SECONDS = 2.0
_ENOUGH_ROOM = 64_000_000
_STALLED_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 5.0


class Progress(msgspec.Struct):
    """How far the house is.

    Attributes:
        facts_offset: The last log offset that its facts hold.
        rebuilding: New facts are being built while the old ones answer.
        trouble: Why the folds stand still, one sentence; empty while they go.
    """

    facts_offset: int
    rebuilding: bool = False
    trouble: str = ""


class Health:
    """Asks the log and the house."""

    def __init__(
        self,
        *,
        folder: Path,
        writer: "GroupWriter",
        log: "Log",
        clock: Clock,
        alone: bool = False,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alone = alone
        self._folder = folder
        self._writer = writer
        self._log = log
        self._clock = clock
        self._ticks = ticks
        self._moved = (-1, ticks())
        self._behind = 0.0
        self._asked = ticks()
        self._asking: asyncio.Task[object] | None = None
        self.pressure: Pressure | None = None
        """What else may refuse events."""

    def behind(self) -> float:
        """Return how long the oldest row that the facts lack had waited a moment ago, seconds.

        The house is asked for it aside, every few seconds at the most; who asks never waits.
        """
        if self._alone:
            return 0.0
        idle = self._asking is None or self._asking.done()
        if idle and self._ticks() - self._asked > _LOOK_EVERY_SECONDS:
            self._asking = asyncio.get_running_loop().create_task(self.ready())
        return self._behind

    async def ready(self) -> tuple[bool, dict[str, object]]:
        """Return whether all is well, and what to tell."""
        self._asked = self._ticks()
        told: dict[str, object] = {"ready": False, "log_offset": self._log.last_offset()}
        refusing = self._refusing()
        if self._alone:
            told["ready"] = refusing is None
            return _with(told, refusing)
        try:
            house = self._folder / "run" / "house.sock"
            answer = await asyncio.wait_for(fetch(house, FACTS), _PATIENCE_SECONDS)
            progress = msgspec.json.decode(answer, type=Progress)
        except (Busy, TimeoutError, msgspec.DecodeError) as error:
            what = "does not answer" if isinstance(error, TimeoutError) else "is starting"
            told |= {"facts_offset": None, "reason": f"The house {what}; events are taken in."}
            if self._moved[0] >= 0:
                await asyncio.to_thread(self._lag, Progress(self._moved[0]))
        else:
            told |= await asyncio.to_thread(self._lag, progress)
            trouble = progress.trouble or self._stall(progress)
            told["ready"] = refusing is None and not trouble
            if trouble:
                fix = "Look at the house's output and `onefold doctor`; nothing is lost meanwhile."
                told |= {"reason": trouble, "fix": fix}
        return _with(told, refusing)

    def _lag(self, progress: Progress) -> dict[str, object]:
        """Return how far the facts are behind the log."""
        last = self._log.last_offset()
        behind = self._log.read(progress.facts_offset, most_rows=1) if last else []
        seconds = (self._clock() - behind[0].received_time) / SECOND if behind else 0.0
        if progress.facts_offset != self._moved[0]:
            self._moved = progress.facts_offset, self._ticks()
        # While facts are made anew the old ones stand still, and that is no stall.
        self._behind = 0.0 if progress.rebuilding else max(seconds, 0.0)
        return {
            "lag_events": self._log.events(after=progress.facts_offset) if behind else 0,
            "lag_seconds": round(max(seconds, 0.0), 3),
            "log_offset": last,
            "facts_offset": progress.facts_offset,
            "rebuilding": progress.rebuilding,
        }

    def _stall(self, progress: Progress) -> str:
        """Return that the folds stand still, as far as was seen; empty while they move."""
        stood = self._ticks() - self._moved[1]
        if min(stood, self._behind) < _STALLED_SECONDS:
            return ""
        return f"The facts have stood at row {progress.facts_offset:,} for {stood:.0f} s."

    def _refusing(self) -> OnefoldError | None:
        """Return why events cannot be kept now, or None."""
        pressing = self.pressure.refusing() if self.pressure is not None else None
        if pressing is not None:
            return pressing
        failure = self._writer.failure
        if isinstance(failure, DiskFull) and shutil.disk_usage(self._folder).free > _ENOUGH_ROOM:
            return None
        return failure


def _with(told: dict[str, object], why: OnefoldError | None) -> tuple[bool, dict[str, object]]:
    """Return whether all is well and what to tell, with why events are refused."""
    if why is not None:
        told |= {"reason": why.message, "fix": why.fix}
    return bool(told["ready"]), told
