"""When an import comes again: `every: 1h`, or a line as cron has it, in the workspace's zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

from onefold.collect.times import micros_of
from onefold.model.errors import BadInput
from onefold.model.time import DAY, HOUR, MINUTE, day_of, zone_of

_INTERVAL = re.compile(r"([1-9][0-9]{0,3})\s*(m|h|d|w)")
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PART = re.compile(r"(\*|\d{1,2}(?:-\d{1,2})?)(?:/([1-9]\d?))?")
_DAYS_AHEAD = 4 * 366 + 1
_FIX = "Write 30m, 1h, 1d, or five fields as cron has them: 15 3 * * *."


@dataclass(frozen=True, slots=True)
class Every:
    """When something comes again.

    Attributes:
        text: As it was written.
        interval: Microseconds from one start to the next; 0 where `fields` say it.
        fields: Minutes, hours, days of the month, months, days of the week (0 is Sunday).
        either: A day of the month or of the week is enough, as cron has it where both are told.
    """

    text: str
    interval: int = 0
    fields: tuple[frozenset[int], ...] = ()
    either: bool = False

    def after(self, moment: int, zone: str) -> int:
        """Return the first time after a moment (both microseconds UTC)."""
        if self.interval:
            return moment + self.interval
        minutes, hours = sorted(self.fields[0]), sorted(self.fields[1])
        first = day_of(moment, zone)
        for ahead in range(_DAYS_AHEAD):
            day = first + timedelta(days=ahead)
            if not self._is_day(day):
                continue
            for hour, minute in product(hours, minutes):
                local = datetime.combine(day, time(hour, minute), zone_of(zone))
                found = micros_of(local.astimezone(UTC))
                if found > moment:
                    return found
        raise BadInput(f"`{self.text}` never comes.", _FIX)

    def _is_day(self, day: date) -> bool:
        _, _, days, months, weekdays = self.fields
        in_month, in_week = day.day in days, day.isoweekday() % 7 in weekdays
        meant = in_month or in_week if self.either else in_month and in_week
        return meant and day.month in months


def every_of(text: str) -> Every:
    """Return when something comes again.

    Raises:
        BadInput: It is neither an interval nor five fields, or it never comes.

    >>> every_of("1h").interval == HOUR, sorted(every_of("*/30 3 * * 1-5").fields[0])
    (True, [0, 30])
    """
    plain = text.strip().lower()
    interval = _INTERVAL.fullmatch(plain)
    if interval:
        return Every(plain, interval=int(interval[1]) * _UNITS[interval[2]])
    parts = plain.split()
    if len(parts) != len(_BOUNDS):
        raise BadInput(f"`{text}` is no schedule.", _FIX)
    fields = [_field(part, bounds, text) for part, bounds in zip(parts, _BOUNDS, strict=True)]
    fields[4] = frozenset(number % 7 for number in fields[4])
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    found = Every(plain, fields=tuple(fields), either=either)
    found.after(0, "UTC")
    return found


def _field(part: str, bounds: tuple[int, int], text: str) -> frozenset[int]:
    low, high = bounds
    found: set[int] = set()
    for piece in part.split(","):
        match = _PART.fullmatch(piece)
        if match is None:
            raise BadInput(f"`{piece}` in `{text}` is no field of a schedule.", _FIX)
        begin, _, end = match[1].partition("-")
        first = low if begin == "*" else int(begin)
        last = high if begin == "*" or (match[2] and not end) else int(end or begin)
        if not low <= first <= last <= high:
            raise BadInput(f"`{piece}` in `{text}` is not within {low} to {high}.", _FIX)
        found.update(range(first, last + 1, int(match[2] or 1)))
    return frozenset(found)
