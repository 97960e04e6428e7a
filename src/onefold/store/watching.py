"""Questions that take too long, or that nobody waits for any more, are ended."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from onefold.model.errors import BadInput, Conflict, OnefoldError
from onefold.model.waiting import leaving
from onefold.model.words import plural


class Interruptible(Protocol):
    """A question under way that can be ended."""

    def interrupt(self) -> object:
        """End it."""
        ...


MOST_SECONDS = 120.0
_TICK_SECONDS = 0.1


@dataclass(eq=False, slots=True)
class _Asked:
    """A question under way."""

    cursor: Interruptible
    until: float
    stop: threading.Event | None
    why: OnefoldError | None = None


class Watcher:
    """Looks after the questions of an engine; one thread, and only while there are any."""

    def __init__(self, *, seconds: float = MOST_SECONDS) -> None:
        """Let each question take so long at most."""
        self._seconds = seconds
        self._asked: set[_Asked] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, cursor: Interruptible) -> Iterator[None]:
        """Watch over what is asked with a cursor meanwhile.

        Raises:
            BadInput: It took too long and was ended.
            Conflict: Who asked did not wait for it.
        """
        mine = _Asked(cursor, time.monotonic() + self._seconds, leaving.get())
        with self._lock:
            self._asked.add(mine)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="watcher", daemon=True)
                self._thread.start()
        try:
            yield
        except Exception as error:
            if mine.why is not None:
                raise mine.why from error
            raise
        finally:
            with self._lock:
                self._asked.discard(mine)

    def _look(self) -> None:
        idle = 0
        while True:
            time.sleep(_TICK_SECONDS)
            with self._lock:
                idle = 0 if self._asked else idle + 1
                if idle * _TICK_SECONDS > 1:
                    self._thread = None
                    return
                for one in self._asked:
                    one.why = one.why or self._reason(one)
                    if one.why is not None:
                        # Under the lock: once it is discarded its cursor asks something else.
                        one.cursor.interrupt()

    def _reason(self, one: _Asked) -> OnefoldError | None:
        if one.stop is not None and one.stop.is_set():
            return Conflict("Nobody waits for the answer any more.", "Ask it again.")
        if time.monotonic() > one.until:
            length = plural(round(self._seconds), "second")
            return BadInput(f"The question was ended after {length}.", "Ask of fewer days.")
        return None
