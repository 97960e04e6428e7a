"""Time zones as plain offsets, so that any engine can tell the day of a zone."""

from datetime import timedelta
from itertools import pairwise

from onefold.model.time import DAY, MINUTE, to_datetime, zone_of


def zone_offsets(from_time: int, to_time: int, zone: str) -> tuple[tuple[int, int], ...]:
    """Return how far the zone's clocks are from UTC in a window.

    An engine then needs no table of time zones: local time is UTC plus one of a few offsets.

    Returns:
        (since, seconds) in order: from `since` (microseconds UTC) on, local = UTC + seconds.

    >>> zone_offsets(0, DAY, "UTC")
    ((0, 0),)
    """
    place = zone_of(zone)

    def offset(moment: int) -> int:
        found = to_datetime(moment).astimezone(place).utcoffset()
        return int(found.total_seconds()) if found else 0

    steps = [*range(from_time, max(to_time, from_time + 1), DAY), max(to_time - 1, from_time)]
    found = [(from_time, offset(from_time))]
    for before, after in pairwise(steps):
        if offset(after) != found[-1][1]:
            found.append((_turn(before, after, offset(after), zone), offset(after)))
    return tuple(found)


def _turn(before: int, after: int, seconds: int, zone: str) -> int:
    """Return the minute between two moments from which on the offset holds."""
    place = zone_of(zone)
    low, high = before // MINUTE, after // MINUTE
    while high - low > 1:
        middle = (low + high) // 2
        found = to_datetime(middle * MINUTE).astimezone(place).utcoffset()
        if found == timedelta(seconds=seconds):
            high = middle
        else:
            low = middle
    return high * MINUTE
