"""How figures, money, times and changes read on a page (LOOK 6)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from onefold.model.words import agreed, plural, stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
NOTHING = "\N{EN DASH}"
STALE_SECONDS = 60.0

_CURRENCY_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "BRL": "R$"}
_SCALES = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))


def number(value: float | None, decimals: int | None = None, *, signed: bool = False) -> str:
    """A figure with thousands set off by commas and a true minus; a dash where there is none.

    Without `decimals`, whole numbers stand whole and others keep three figures.

    >>> number(1284310), number(-2.5, 1), number(0.4123), number(3, signed=True)
    ('1,284,310', '−2.5', '0.412', '+3')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    places = _places(value) if decimals is None else decimals
    text = f"{abs(value):,.{places}f}"
    below = value < 0 and float(text.replace(",", "")) != 0
    return (MINUS if below else "+" if signed else "") + text


def figure(value: float | None) -> tuple[str, str]:
    """The three figures of a tile and the word of its scale.

    >>> figure(1284310), figure(7.8412), figure(18206), figure(0.41234)
    (('1.28', 'M'), ('7.84', ''), ('18,206', ''), ('0.412', ''))
    """
    if value is None or not math.isfinite(value):
        return NOTHING, ""
    if abs(value) >= 99_999.5:
        for size, word in _SCALES:
            if abs(value) >= size * 0.9995:
                scaled = value / size
                return number(scaled, _places(scaled)), word
    return number(value), ""


def compact(value: float | None) -> str:
    r"""A count as short as a badge wants it.

    >>> compact(1284310), compact(388112), compact(214)
    ('1.28\xa0M', '388\xa0k', '214')
    """
    if value is None or abs(value) < 10_000:
        return number(value)
    text, word = figure(value if abs(value) >= 100_000 else math.copysign(abs(value), value))
    return f"{text}{NO_BREAK}{word}" if word else text


def share(value: float | None, decimals: int = 1, *, signed: bool = False) -> str:
    r"""A share of 0 to 1 as per cent, with a no-break space before the sign.

    What there is little of is never nothing.

    >>> share(0.061), share(-0.019, signed=True), share(0.5, 0), share(0.0002)
    ('6.1\xa0%', '−1.9\xa0%', '50\xa0%', 'under 0.1\xa0%')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    least = 10.0**-decimals
    if not signed and 0 < value * 100 < least / 2:
        return f"under {number(least, decimals)}{NO_BREAK}%"
    return f"{number(value * 100, decimals, signed=signed)}{NO_BREAK}%"


def points(value: float | None, decimals: int = 1) -> str:
    r"""A difference of two shares (0 to 1) in points, always signed.

    >>> points(-0.003)
    '−0.3\xa0points'
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{number(value * 100, decimals, signed=True)}{NO_BREAK}points"


def money(
    micros: float | None,
    currency: str = "USD",
    *,
    decimals: int | None = None,
    signed: bool = False,
) -> str:
    r"""Money from micros, its sign first; cents only where they matter.

    >>> money(-2_800_000_000), money(412_000), money(18_400_000_000, signed=True)
    ('−$2,800', '$0.412', '+$18,400')
    >>> money(5_000_000, "SEK")
    'SEK\xa05.00'
    """
    if micros is None or not math.isfinite(micros):
        return NOTHING
    units = micros / 1_000_000
    size = abs(units)
    places = (
        decimals
        if decimals is not None
        else 0
        if size >= 100 or size == 0
        else 2
        if size >= 1
        else 3
    )
    text = f"{size:,.{places}f}"
    below = units < 0 and float(text.replace(",", "")) != 0
    sign = MINUS if below else "+" if signed else ""
    return f"{sign}{_CURRENCY_SIGNS.get(currency, currency + NO_BREAK)}{text}"


def span(low: str, high: str) -> str:
    """A range as a tile says it.

    >>> span("1.1", "2.7")
    '1.1 to 2.7'
    """
    return f"{low} to {high}"


def lag(seconds: float | None) -> str:
    r"""How old a figure is, without the word after it.

    >>> lag(0.62), lag(4.2), lag(725), lag(7300), lag(200_000)
    ('0.6\xa0s', '4\xa0s', '12\xa0min', '2\xa0h', '2\xa0days')
    """
    if seconds is None:
        return NOTHING
    seconds = max(seconds, 0.0)
    if seconds < 1:
        return f"{seconds:.1f}{NO_BREAK}s"
    for limit, size, word in ((90, 1, "s"), (5_400, 60, "min"), (129_600, 3_600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f}{NO_BREAK}{word}"
    return plural(round(seconds / 86_400), "day").replace(" ", NO_BREAK)


def duration_unit(seconds: float | None) -> tuple[float, str]:
    """The unit in which such a time is told: how many seconds it has, and its word.

    >>> duration_unit(40), duration_unit(7200), duration_unit(500_000)
    ((1.0, 's'), (3600.0, 'h'), (86400.0, 'days'))
    """
    for limit, size, word in ((120, 1.0, "s"), (7_200, 60.0, "min"), (172_800, 3_600.0, "h")):
        if seconds is None or seconds < limit:
            return size, word
    return 86_400.0, "days"


def duration(seconds: float | None) -> str:
    r"""How long something took.

    >>> duration(41.0), duration(5400), duration(300_000), duration(None)
    ('41\xa0s', '90\xa0min', '3.47\xa0days', '–')
    """
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    size, word = duration_unit(seconds)
    return f"{number(seconds / size)}{NO_BREAK}{word}"


def moment(time: int | None, zone: str = "UTC") -> str:
    """A time with its day and zone, as a page says it once.

    >>> moment(1795423320000000)
    'Mon 23 November, 08:42 UTC'
    """
    if time is None:
        return NOTHING
    local = _local(time, zone)
    return f"{day(time, zone)}, {local:%H:%M} {local.tzname()}"


def day(time: int | None, zone: str = "UTC", *, year: bool = False) -> str:
    """The day of a time.

    >>> day(1795423320000000), day(1795423320000000, year=True)
    ('Mon 23 November', 'Mon 23 November 2026')
    """
    if time is None:
        return NOTHING
    local = _local(time, zone)
    return f"{local:%a} {local.day} {local:%B}" + (f" {local.year}" if year else "")


def clock(time: int | None, zone: str = "UTC") -> str:
    """The time of day, to the second.

    >>> clock(1795423320000000)
    '08:42:00'
    """
    return NOTHING if time is None else f"{_local(time, zone):%H:%M:%S}"


def stamp(time: int | None) -> str:
    """The machine form of a time, for `datetime=` attributes.

    >>> stamp(1795423320000000)
    '2026-11-23T08:42:00Z'
    """
    return "" if time is None else f"{_local(time, 'UTC'):%Y-%m-%dT%H:%M:%SZ}"


def freshness(
    fresh_time: int | None,
    now: int,
    *,
    zone: str = "UTC",
    label: str | None = None,
    asked_time: int | None = None,
) -> dict[str, object]:
    r"""What the end of the filter bar says: `words`, `stale` and `seconds` behind.

    Args:
        fresh_time: Received time of the last event.
        now: The time.
        zone: Of the day that is named.
        label: What stands before; the moment, where there is none.
        asked_time: The same as of when the page's figures were asked, where they are kept for a
            while: then the bar says what their badges say.

    >>> freshness(1795423316000000, 1795423320000000, label="Live")["words"]
    'Live · 4\xa0s behind'
    >>> freshness(1795422600000000, 1795423320000000)
    {'words': 'Quiet for 12\xa0min', 'stale': True, 'seconds': 720.0}
    """
    if fresh_time is None:
        return {"words": "No events yet", "stale": True, "seconds": None}
    seconds = max((now - fresh_time) / 1_000_000, 0.0)
    if seconds > STALE_SECONDS:
        return {"words": f"Quiet for {lag(seconds)}", "stale": True, "seconds": seconds}
    if asked_time is not None:
        seconds = max((now - min(asked_time, fresh_time)) / 1_000_000, 0.0)
    return {
        "words": f"{label or moment(now, zone)} · {lag(seconds)} behind",
        "stale": False,
        "seconds": seconds,
    }


def count_word(count: int) -> str:
    """A small count as a word that may begin a sentence.

    >>> count_word(4), count_word(11)
    ('Four', '11')
    """
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[count] if 0 <= count < len(words) else number(count)


def better(text: object) -> Markup:
    """The words of a verdict that say a thing is better, in the front colour."""
    return _toned(text, "better")


def worse(text: object) -> Markup:
    """The words of a verdict that say a thing is worse."""
    return _toned(text, "worse")


def watch(text: object) -> Markup:
    """The words of a verdict that say a thing is not known yet."""
    return _toned(text, "watch")


def bold(text: object) -> Markup:
    """The one bold noun of a timeline entry."""
    return Markup("<b>{}</b>").format(text)


def link(text: object, href: str) -> Markup:
    """A link inside a sentence."""
    return Markup('<a href="{}">{}</a>').format(href, text)


def sentence(*pieces: object) -> Markup:
    """Pieces of text and marked words as one escaped sentence.

    >>> str(sentence("Saves ", better("rose"), " & held."))
    'Saves <span class="better">rose</span> &amp; held.'
    """
    return Markup("").join(escape(piece) for piece in pieces)


def coded(text: object) -> Markup:
    """A sentence whose names in backticks are set as code.

    >>> str(coded("No metric `a<b`."))
    'No metric <code>a&lt;b</code>.'
    """
    if isinstance(text, Markup):
        return text
    pieces = str(text).split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    marked = (
        Markup("<code>{}</code>").format(piece) if place % 2 else escape(piece)
        for place, piece in enumerate(pieces)
    )
    return Markup("").join(marked)


def tone(word: str) -> str:
    """The tone of a word an estimate is given: better, worse, watch or none.

    >>> tone("better"), tone("not yet"), tone("cannot tell")
    ('better', 'watch', '')
    """
    return _TONES.get(word.lower(), "")


def spoken() -> Mapping[str, object]:
    """The functions that templates use as filters and globals, by name."""
    names: Iterable[object] = (
        number, figure, compact, share, points, money, span, lag, moment, day, clock, stamp, plural,
        agreed, stretch, count_word, coded, better, worse, watch, bold, link, sentence, tone,
    )  # fmt: skip
    return {getattr(each, "__name__", ""): each for each in names}


_TONES = {
    "better": "better", "yes": "better", "holds": "better", "even": "better", "hit": "better",
    "worse": "worse", "no": "worse", "fails": "worse", "miss": "worse", "lost": "worse",
    "not yet": "watch", "watch": "watch", "us": "watch", "waits": "watch", "stale": "watch",
}  # fmt: skip


def _toned(text: object, name: str) -> Markup:
    return Markup('<span class="{}">{}</span>').format(name, text)


def _places(value: float) -> int:
    size = abs(value)
    if (float(value).is_integer() and size >= 1) or size >= 100 or size == 0:
        return 0
    return 1 if size >= 10 else 2 if size >= 1 else 3


def _local(time: int, zone: str) -> datetime:
    return datetime.fromtimestamp(time / 1_000_000, tz=UTC).astimezone(ZoneInfo(zone))
