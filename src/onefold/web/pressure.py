"""Back-pressure: what may be at work at once, from whom, and when nothing is taken.

To refuse costs a sender one more try; to take what cannot be kept costs an event. So the door
refuses early and says when to come back: 429 where one key asks for more than its share, 503
where nobody could be served.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Protocol

from onefold.model.errors import Busy, DiskFull, TooMany
from onefold.model.limits import Limits

MOST_IN_FLIGHT = 64 * 1024 * 1024
"""Bytes of requests at work; beyond, senders are asked to come back."""

SHARE_OF_A_KEY = 0.5
"""Share of those bytes that one key may hold, so that there is always room for another."""

_BURST_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.2
_STANDS_AFTER_SECONDS = 2.0
_MB = 1_000_000


class Writing(Protocol):
    """What is asked of the log's writer."""

    @property
    def standing_seconds(self) -> float:
        """How long the commit under way has taken so far."""
        ...


class Pressure:
    """What is at work, and whether more may come."""

    def __init__(
        self,
        folder: Path,
        writer: Writing,
        limits: Limits,
        *,
        behind: Callable[[], float] = lambda: 0.0,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch over one door.

        Args:
            folder: On whose disk there has to be room.
            writer: Appends to the log.
            limits: Of this workspace.
            behind: Tells how long the oldest row that the facts lack has waited, seconds.
            ticks: Tells seconds that never go back.
        """
        self._folder = folder
        self._writer = writer
        self._limits = limits
        self._behind = behind
        self._ticks = ticks
        self._in_flight = 0
        self._of_keys: Counter[str] = Counter()
        self._left: dict[str, tuple[float, float]] = {}
        self._free = 0
        self._looked = -_LOOK_EVERY_SECONDS

    @property
    def in_flight(self) -> int:
        """Bytes of requests at work."""
        return self._in_flight

    def refusing(self) -> Busy | None:
        """Return why nothing is taken now, or None."""
        self._look()
        if self._free < self._limits.keep_free_bytes:
            message = f"The disk has {self._free // _MB} MB left; {self._least} MB stay free."
            return DiskFull(
                message, "Make room on the disk; senders come back by themselves.", retry_seconds=5
            )
        standing = self._writer.standing_seconds
        if standing > _STANDS_AFTER_SECONDS:
            message = f"The log has taken nothing for {standing:.0f} s."
            fix = "Look for what holds the log or its disk; senders come back by themselves."
            return Busy(message, fix, retry_seconds=2)
        behind, most = self._behind(), self._limits.most_behind_seconds
        if most and behind > most:
            message = f"The facts are {behind:.0f} s behind; at most {most:.0f} s are allowed."
            fix = "Look at the house's output; raise most_behind_seconds to take events meanwhile."
            return Busy(message, fix, retry_seconds=30)
        return None

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Hold room for a request of `size` bytes while it is at work.

        Raises:
            Busy: There is none, or nothing is taken now.
        """
        self.enter(size)
        try:
            yield
        finally:
            self.leave(size)

    def enter(self, size: int) -> None:
        """Take room for a request of `size` bytes, until it leaves (see `room`)."""
        why = self.refusing()
        if why is not None:
            raise why
        if self._in_flight + size > MOST_IN_FLIGHT:
            raise Busy("Too many requests are at work.", "Send again in a second.")
        self._in_flight += size

    def leave(self, size: int) -> None:
        """Give the room back."""
        self._in_flight -= size

    @contextmanager
    def share(self, key: str, size: int) -> Iterator[None]:
        """Hold a key's share while its request is kept.

        Raises:
            TooMany: The key has too much at work, or has sent too many events.
        """
        self.enter_share(key, size)
        try:
            yield
        finally:
            self.leave_share(key, size)

    def enter_share(self, key: str, size: int) -> None:
        """Take of a key's share for a request, until it leaves (see `share`)."""
        wait = self._wait(key)
        if wait > 0:
            rate = self._limits.events_per_second
            message = f"The write key sends more than {rate:g} events a second."
            raise TooMany(message, f"Send again in {ceil(wait)} s.", retry_seconds=ceil(wait))
        if self._of_keys[key] + size > MOST_IN_FLIGHT * SHARE_OF_A_KEY:
            raise TooMany("Too many requests of this write key are at work.", "Send again soon.")
        self._of_keys[key] += size

    def leave_share(self, key: str, size: int) -> None:
        """Give the share back."""
        self._of_keys[key] -= size
        if not self._of_keys[key]:
            del self._of_keys[key]

    def spend(self, key: str, events: int) -> None:
        """Count events that a key has sent; those of a batch over the rate are its debt."""
        rate = self._limits.events_per_second
        if rate:
            left, _ = self._filled(key)
            self._left[key] = left - events, self._ticks()

    def _wait(self, key: str) -> float:
        """Return the seconds until a key may send again, 0 when it may now."""
        rate = self._limits.events_per_second
        if not rate:
            return 0.0
        left, _ = self._filled(key)
        return 0.0 if left > 0 else (1 - left) / rate

    def _filled(self, key: str) -> tuple[float, float]:
        now, full = self._ticks(), self._limits.events_per_second * _BURST_SECONDS
        left, then = self._left.get(key, (full, now))
        return min(full, left + (now - then) * self._limits.events_per_second), now

    @property
    def _least(self) -> int:
        return self._limits.keep_free_bytes // _MB

    def _look(self) -> None:
        now = self._ticks()
        if now - self._looked >= _LOOK_EVERY_SECONDS:
            self._looked = now
            self._free = shutil.disk_usage(self._folder).free
