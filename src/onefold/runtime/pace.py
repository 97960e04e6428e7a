"""How fast events come and how fast they are folded: over the last minute."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onefold.model.time import MINUTE, SECOND, Clock

if TYPE_CHECKING:
    from onefold.store import Log


@dataclass(frozen=True, slots=True)
class Rates:
    """Events a second over the last minute.

    Attributes:
        taken: Durable in the log.
        folded: Brought into the facts by this process; those that count and those that wait.
    """

    taken: float
    folded: float


class Pace:
    """Remembers where the folds stood over the last minute."""

    def __init__(self, log: "Log", clock: Clock, offset: int) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._stood: deque[tuple[int, int]] = deque([(clock(), offset)])

    def at(self, offset: int) -> None:
        """Note that the folds have come to an offset."""
        now = self._clock()
        with self._lock:
            self._stood.append((now, offset))
            # The last place before the minute begins is where it began from.
            while len(self._stood) > 1 and self._stood[1][0] <= now - MINUTE:
                self._stood.popleft()

    def rates(self, offset: int) -> Rates:
        """Return the rates of the minute before now."""
        now = self._clock()
        with self._lock:
            stood = list(self._stood)
        before = [place for moment, place in stood if moment <= now - MINUTE]
        start = before[-1] if before else stood[0][1]
        seconds = MINUTE / SECOND
        folded = self._log.events(start) - self._log.events(offset) if offset > start else 0
        taken = self._log.events_since(now - MINUTE)
        return Rates(taken / seconds, folded / seconds)
