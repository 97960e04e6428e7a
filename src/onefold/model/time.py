"""Time as integer microseconds UTC; days and weeks in the workspace's zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from time import time_ns
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onefold.model.errors import BadInput
from onefold.model.words import plural

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIRST_YEAR, LAST_YEAR = 1900, 9900
"""Years of the days that are asked for; weeks and months around them never leave the calendar."""

Clock = Callable[[], int]
"""Something that tells the time: integer microseconds UTC."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> int:
    """Return the machine's time in microseconds UTC."""
    return time_ns() // 1000


def parse_time(text: str) -> int:
    """Return the microseconds UTC of an ISO 8601 time; without a zone it is taken as UTC.

    Raises:
        BadInput: The text is not a time between the years 1 and 9999.

    >>> parse_time("1970-01-01T00:00:01.5Z")
    1500000
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is not a time."
        raise BadInput(message, "Write it as 2026-11-22T08:30:00Z.") from error


def to_datetime(micros: int) -> datetime:
    """Return an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=micros)


def from_datetime(moment: datetime) -> int:
    """Return microseconds of a moment as the facts keep it: UTC, with or without saying so."""
    return (moment.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def format_time(micros: int) -> str:
    """Return RFC 3339 in UTC.

    >>> format_time(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return to_datetime(micros).isoformat().replace("+00:00", "Z")


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of an IANA name.

    Raises:
        BadInput: There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"No time zone {name!r}."
        raise BadInput(message, "Use an IANA name such as Europe/Berlin.") from error


def parse_date(text: str) -> date:
    """Return the day of `2026-11-22`.

    Raises:
        BadInput: The text is not such a day, or so far off that no period around it can be told.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is not a day."
        raise BadInput(message, "Write it as 2026-11-22.") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        message = f"{text!r} is not in the years {FIRST_YEAR} to {LAST_YEAR}."
        raise BadInput(message, "Take a day nearer to now.")
    return day


def day_start(day: date, zone: str) -> int:
    """Return when a day of the zone begins, in microseconds UTC."""
    return (datetime.combine(day, time(), zone_of(zone)) - _EPOCH) // _MICROSECOND


def day_of(micros: int, zone: str) -> date:
    """Return the day of the zone in which a time falls."""
    return to_datetime(micros).astimezone(zone_of(zone)).date()


def week_of(day: date) -> date:
    """Return the Monday on or before a day."""
    return day - timedelta(days=day.weekday())


_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_UNIT_WORDS = {"d": "day", "h": "hour", "m": "minute"}
_LONGEST_DURATION = 3660 * DAY


def parse_duration(text: str) -> int:
    """Return the microseconds of a length of time: a whole number and s, m, h, d or w.

    >>> parse_duration("7d") == 7 * DAY, parse_duration("90m") == 90 * MINUTE
    (True, True)

    Raises:
        BadInput: It is none, or longer than ten years.
    """
    count, unit = text.strip()[:-1], text.strip()[-1:].lower()
    if unit not in _UNITS or not count.isascii() or not count.isdigit() or len(count) > 12:
        raise BadInput(f"`{text[:40]}` is no length of time.", "Write it as 7d, 12h, 30m or 90s.")
    found = int(count) * _UNITS[unit]
    if not 0 < found <= _LONGEST_DURATION:
        raise BadInput(f"`{text[:40]}` is none, or over ten years.", "Write it as 7d or 12h.")
    return found


def duration_words(micros: int) -> str:
    """Return a length of time in its largest whole unit.

    >>> duration_words(7 * DAY), duration_words(HOUR), duration_words(90 * MINUTE)
    ('7 days', '1 hour', '90 minutes')
    """
    for unit in ("d", "h", "m"):
        if micros % _UNITS[unit] == 0:
            return plural(micros // _UNITS[unit], _UNIT_WORDS[unit])
    return plural(micros // SECOND, "second")
