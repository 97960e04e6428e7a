"""For how long events may be used for a purpose."""

from collections.abc import Mapping

from onefold.model.time import DAY


def horizon_of(retention: Mapping[str, int], purpose: str, now: int) -> int | None:
    """Return before when nothing may be used for a purpose, microseconds; None for no bound.

    Whole days: what expires today expires all day long.

    >>> horizon_of({"advertising": 2}, "advertising", 5 * DAY + 7) == 3 * DAY
    True
    """
    days = retention.get(purpose)
    return None if days is None else (now // DAY - days) * DAY
