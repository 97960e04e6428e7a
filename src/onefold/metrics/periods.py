"""Days, weeks and months of the workspace's zone, as plain arithmetic that any engine does."""

from datetime import date, timedelta

from onefold.model.errors import BadInput, did_you_mean
from onefold.model.time import DAY, SECOND, day_of, day_start, week_of

EVERY = ("none", "day", "week", "month")
MOST_PERIODS = 4_000
"""Periods of one answer: eleven years of days. Beyond, an answer is too long for who asks it."""


def period_starts(from_time: int, to_time: int, *, every: str, zone: str) -> tuple[date, ...]:
    """Return the first day of every period that a window touches.

    Weeks start on Monday. The first and the last period may be cut by the window.

    >>> period_starts(0, 8 * DAY, every="week", zone="UTC")
    (datetime.date(1969, 12, 29), datetime.date(1970, 1, 5))
    """
    if to_time <= from_time:
        return ()
    day, last = day_of(from_time, zone), day_of(to_time - 1, zone)
    start = period_start(day, every)
    found = []
    while start <= last:
        found.append(start)
        start = next_period(start, every)
    return tuple(found)


def period_start(day: date, every: str) -> date:
    """Return the first day of the period that holds a day."""
    return {"day": day, "week": week_of(day), "month": day.replace(day=1)}[every]


def next_period(start: date, every: str) -> date:
    """Return the first day of the period after one that starts on a day."""
    if every == "month":
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    return start + timedelta(days={"day": 1, "week": 7}[every])


def cut_periods(from_time: int, to_time: int, *, every: str, zone: str) -> tuple[date, ...]:
    """Return the first days of the periods that the window holds only in part."""
    starts = period_starts(from_time, to_time, every=every, zone=zone)
    return tuple(
        start
        for start in starts
        if day_start(start, zone) < from_time
        or day_start(next_period(start, every), zone) > to_time
    )


def open_periods(
    from_time: int, to_time: int, *, every: str, zone: str, now: int
) -> tuple[date, ...]:
    """Return the first days of the periods of a window that are not over."""
    starts = period_starts(from_time, to_time, every=every, zone=zone)
    return tuple(start for start in starts if day_start(next_period(start, every), zone) > now)


def check_window(from_time: int, to_time: int, every: str) -> None:
    """Refuse a window that ends before it begins or has too many periods, and an unknown period.

    Raises:
        BadInput: See above.
    """
    if every not in EVERY:
        raise BadInput(
            f"No period `{every}`.{did_you_mean(every, EVERY)}", f"Use one of: {', '.join(EVERY)}."
        )
    if to_time < from_time:
        raise BadInput(
            f"The window ends {(from_time - to_time) / SECOND:.0f} s before it begins.",
            "Give a later end; the end itself is left out.",
        )
    shortest = {"day": 1, "week": 7, "month": 28}.get(every)
    if shortest and (to_time - from_time) // (shortest * DAY) > MOST_PERIODS:
        raise BadInput(
            f"The window of {(to_time - from_time) // DAY:,} days has more than {MOST_PERIODS:,} "
            f"periods of a {every}.",
            "Ask for fewer days, or for longer periods.",
        )
