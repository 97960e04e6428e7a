"""Which questions in SQL run at this moment, so that they can be listed, counted and cancelled."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from onefold.model.errors import Conflict, NotFound, TooMany
from onefold.model.ids import new_secret
from onefold.model.records import Asker

MOST = 2
"""So many may run at once: whatever they cost, other questions go on beside them."""
_BEGINNING = 200


@dataclass(frozen=True, slots=True)
class Running:
    """A question that runs: whose, since when (microseconds), how it begins."""

    id: str
    asker: Asker
    since_time: int
    query: str
    stop: threading.Event = field(default_factory=threading.Event)


class UnderWay:
    """The questions in SQL that run over one workspace."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Running] = {}

    @contextmanager
    def running(self, name: str, asker: Asker, query: str, *, now: int) -> Iterator[Running]:
        """Keep a question on the list while it runs.

        Args:
            name: By which it can be cancelled; one is made when it is empty.
            asker: Who asks.
            query: As it was written.
            now: The time, microseconds.

        Raises:
            TooMany: As many run as may.
            Conflict: One of that name runs.
        """
        one = Running(name or new_secret("q_"), asker, now, query[:_BEGINNING])
        with self._lock:
            if len(self._running) >= MOST:
                message = f"{MOST} questions in SQL run already."
                raise TooMany(message, "Wait for one to end, or cancel one.", retry_seconds=5)
            if one.id in self._running:
                raise Conflict(f"`{name}` runs already.", "Give each question a name of its own.")
            self._running[one.id] = one
        try:
            yield one
        finally:
            with self._lock:
                self._running.pop(one.id, None)

    def of(self, asker: Asker) -> tuple[Running, ...]:
        """Return the questions of an asker; an owner's are all."""
        with self._lock:
            return tuple(one for one in self._running.values() if _may_end(asker, one))

    def cancel(self, name: str, asker: Asker) -> None:
        """End a question.

        Raises:
            NotFound: None of that name runs that the asker may end.
        """
        with self._lock:
            one = self._running.get(name)
        if one is None or not _may_end(asker, one):
            raise NotFound(f"No question `{name[:100]}` runs.", "It has ended, or is not yours.")
        one.stop.set()

    def cancel_all(self) -> None:
        """End every question."""
        with self._lock:
            for one in self._running.values():
                one.stop.set()


def _may_end(asker: Asker, one: Running) -> bool:
    whole = asker.role == "owner" and (not asker.scopes or "admin" in asker.scopes)
    return whole or one.asker.name == asker.name
