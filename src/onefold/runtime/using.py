"""Who asked what, counted by day: kept in memory, and brought to the state now and then."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from onefold.model.records import Asker
from onefold.model.time import MINUTE, day_of
from onefold.store import State, tables

KEPT_DAYS = 800
"""So long it is known who asked what."""
READ, SHOWN, AMONG = "event", "today", "segment"
"""What a question read, what the first page shows by itself, and of whose members a question was:
uses, but no questions."""
_LONGEST = 200

_uses = tables.uses


@dataclass(frozen=True, slots=True)
class Use:
    """How often somebody asked one thing on one day.

    Attributes:
        day: As 2026-11-23, in the workspace's zone.
        by: Name of the user or key, as the audit trail names them.
        role: Of them when they asked last.
        ask: Which question, by the name of its call; `READ`, `SHOWN` and `AMONG` are none.
        subject: What of, such as a metric; empty where a question has no name.
        times: How many times.
        last_time: When last, microseconds.
    """

    day: str
    by: str
    role: str
    ask: str
    subject: str
    times: int
    last_time: int

    @property
    def is_question(self) -> bool:
        """Return whether somebody asked for it."""
        return self.ask not in {READ, SHOWN, AMONG}


class Uses:
    """Counts uses; a write for each question would cost more than the question."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str, str, str], Use] = {}
        self._written = 0

    def note(self, asker: Asker, ask: str, subjects: Sequence[str] = ("",), *, now: int) -> None:
        """Count a use by an asker: of one thing, or of several at once.

        Args:
            asker: Who asks.
            ask: Which question, by the name of its call, or `READ`, `SHOWN` or `AMONG`.
            subjects: What of.
            now: When, microseconds.
        """
        day = day_of(now, self._zone).isoformat()
        with self._lock:
            for subject in dict.fromkeys(one[:_LONGEST] for one in subjects):
                key = (day, asker.name, ask, subject)
                times = self._found[key].times if key in self._found else 0
                self._found[key] = Use(day, asker.name, asker.role, ask, subject, times + 1, now)

    def write(self, state: State, *, now: int, every: int = MINUTE) -> None:
        """Add what was counted to the state, unless that was done a short while ago."""
        if not self._found or 0 <= now - self._written < every:
            return
        with self._lock:
            found, self._found, self._written = list(self._found.values()), {}, now
        known = {_key(one) for one in uses_since(state, min(one.day for one in found))}
        for one in found:
            _add(state, one, known=_key(one) in known)
        oldest = (day_of(now, self._zone) - timedelta(days=KEPT_DAYS)).isoformat()
        state.touch(_uses.delete().where(_uses.c.day < oldest))


def uses_since(state: State, day: str = "") -> tuple[Use, ...]:
    """Return the uses from a day on, or all, the oldest first."""
    query = _uses.select().where(_uses.c.day >= day).order_by(_uses.c.day, _uses.c.last_time)
    return tuple(Use(**row) for row in state.rows(query))


def first_day(state: State) -> str:
    """Return the day from which uses are counted; empty before the first."""
    first = state.rows(_uses.select().order_by(_uses.c.day).limit(1))
    return first[0]["day"] if first else ""


def _add(state: State, one: Use, *, known: bool) -> None:
    row: dict[str, Any] = {"role": one.role, "times": one.times, "last_time": one.last_time}
    place = dict(zip(("day", "by", "ask", "subject"), _key(one), strict=True))
    if not known:
        state.touch(_uses.insert().values(**place, **row))
        return
    mine = [_uses.c[name] == value for name, value in place.items()]
    row["times"] = _uses.c.times + one.times
    state.touch(_uses.update().where(*mine).values(**row))


def _key(one: Use) -> tuple[str, str, str, str]:
    return (one.day, one.by, one.ask, one.subject)
