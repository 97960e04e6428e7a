"""How often somebody may try a password."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from onefold.model.errors import Busy
from onefold.model.time import MINUTE

if TYPE_CHECKING:
    from onefold.model.time import Clock

WINDOW = 5 * MINUTE


class Attempts:
    """Counts tries by key within five minutes, those under way too; forgets older ones."""

    def __init__(self, clock: Clock, *, most: int = 8, keys: int = 10_000) -> None:
        """Begin with none; `most` failures a key, at most `keys` keys remembered."""
        self._clock, self._most, self._keys = clock, most, keys
        self._failed: dict[str, deque[int]] = {}
        self._lock = Lock()

    def begin(self, *names: str) -> None:
        """Count a try for each key, before its end is known: many at once get no further.

        Raises:
            Busy: One of the keys has failed too often; it says when to come again.
        """
        now = self._clock()
        with self._lock:
            for name in names:
                failed = self._recent(name, now)
                if len(failed) >= self._most:
                    wait = max((failed[0] + WINDOW - now) // 1_000_000, 1)
                    raise Busy(
                        "Too many tries with a wrong password.",
                        f"Wait {wait} seconds, or ask an owner for a one-time link.",
                        retry_seconds=int(wait),
                    )
            for name in names:
                if len(self._failed) >= self._keys:
                    self._failed.pop(next(iter(self._failed)))
                self._failed.setdefault(name, deque(maxlen=self._most)).append(now)

    def passed(self, *names: str) -> None:
        """Take a try back that was no failure."""
        with self._lock:
            for name in names:
                if self._failed.get(name):
                    self._failed[name].pop()

    def _recent(self, name: str, now: int) -> deque[int]:
        failed = self._failed.get(name, deque())
        while failed and failed[0] <= now - WINDOW:
            failed.popleft()
        if not failed:
            self._failed.pop(name, None)
        return failed
