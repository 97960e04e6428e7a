"""When to do it: a window, and why then."""

from dataclasses import dataclass
from datetime import date, timedelta

from onefold.model.money import MICROS
from onefold.model.time import DAY, day_of, day_start
from onefold.model.words import plural

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
AT_RISK_DAYS = 14
PATIENCE_DAYS = 5
WEEK = 7


@dataclass(frozen=True, slots=True)
class Window:
    """When something is to be done.

    Attributes:
        words: The window and why then.
        until_time: When it closes, microseconds UTC.
    """

    words: str
    until_time: int


def spoken(day: date) -> str:
    """Return a day as a sentence says it.

    >>> spoken(date(2026, 11, 25))
    'Wed 25 November'
    """
    return f"{day:%a} {day.day} {day:%B}"


def amount(micros: float, currency: str) -> str:
    r"""Return an amount in whole units, its sign first.

    >>> amount(-2_800_400_000, "USD"), amount(5_000_000, "SEK")
    ('−$2,800', 'SEK\xa05')
    """
    sign = "\N{MINUS SIGN}" if micros < 0 else ""
    unit = _SIGNS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    return f"{sign}{unit}{abs(micros) / MICROS:,.0f}"


def while_it_spends(last_spend: date, now: int, zone: str) -> Window:
    """Help is measured on accounts that had spent in the 14 days before it."""
    today = day_of(now, zone)
    until = max(last_spend + timedelta(days=AT_RISK_DAYS), today + timedelta(days=1))
    return Window(
        f"Before {spoken(until)}, while it spends: the effect is that of help within "
        f"{AT_RISK_DAYS} days of spending",
        day_start(until, zone),
    )


def every_day_costs(micros_a_day: float, currency: str, now: int, zone: str) -> Window:
    """What is broken costs every day it stays so."""
    until = day_of(now, zone) + timedelta(days=1)
    return Window(
        f"Today: every day open costs about {amount(micros_a_day, currency)}",
        day_start(until, zone),
    )


def before_patience_ends(opened: tuple[int, ...], now: int, zone: str) -> Window:
    """A bill that waits for over five days makes accounts stop."""
    longest = max((now - each) / DAY for each in opened)
    if longest > PATIENCE_DAYS:
        until = day_of(now, zone) + timedelta(days=1)
        words = (
            f"Today: the oldest has waited {plural(round(longest), 'day')}, and beyond "
            f"{PATIENCE_DAYS} days accounts stop more often"
        )
        return Window(words, day_start(until, zone))
    ends = min(opened) + PATIENCE_DAYS * DAY
    return Window(
        f"Before {spoken(day_of(ends, zone))}: beyond {PATIENCE_DAYS} days accounts stop "
        "more often",
        ends,
    )


def this_week(why: str, now: int, zone: str) -> Window:
    """Within seven days, for a reason of its own."""
    until = day_of(now, zone) + timedelta(days=WEEK)
    return Window(f"Before {spoken(until)}: {why}", day_start(until, zone))
