"""For how long events may be used for a purpose, and imported rows at all."""

from collections.abc import Mapping
from datetime import date, datetime

from onefold.model.facts import RECORD_TIMES
from onefold.model.time import DAY, to_datetime

STANDING = frozenset({"accounts", "campaigns", "contacts", "items", "creators", "consent"})
"""Tables whose rows say what stands until it is told otherwise: no age makes them old."""


def horizon_of(retention: Mapping[str, int], purpose: str, now: int) -> int | None:
    """Return before when nothing may be used for a purpose, microseconds; None for no bound.

    The same of a table of imported rows.

    Whole days: what expires today expires all day long.

    >>> horizon_of({"advertising": 2}, "advertising", 5 * DAY + 7) == 3 * DAY
    True
    """
    days = retention.get(purpose)
    return None if days is None else (now // DAY - days) * DAY


def horizons_of(retention: Mapping[str, int], now: int) -> dict[str, int]:
    """Return purpose or table -> before when nothing of it may be used, microseconds."""
    told = {name: horizon_of(retention, name, now) for name in retention}
    return {name: time for name, time in told.items() if time is not None}


def bound_of(table: str, horizon: int) -> date | datetime:
    """Return a horizon as the column has it that says when a row of a table was true."""
    found = to_datetime(horizon).replace(tzinfo=None)
    return found.date() if RECORD_TIMES[table].endswith("_date") else found
