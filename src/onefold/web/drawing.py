"""Where the marks of server-drawn pictures stand, in per cent of their width."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from onefold.web.wording import NO_BREAK, number

if TYPE_CHECKING:
    from collections.abc import Sequence

Tone = Literal["better", "worse", "even"]


@dataclass(frozen=True)
class Interval:
    """An interval bar: the places of its marks in per cent, its tone and its spoken label."""

    low: float
    estimate: float
    high: float
    reference: float | None
    naive: float | None
    margin: float | None
    tone: Tone
    label: str


@dataclass(frozen=True)
class ValueBar:
    """A value bar in per cent: what would come anyway, then what is caused, and its whisker."""

    anyway: float
    caused: float
    low: float
    high: float
    lost: bool
    label: str


def interval(  # noqa: PLR0913 - each is a mark of the bar
    estimate: float,
    low: float,
    high: float,
    *,
    axis: tuple[float, float],
    reference: float | None = 0.0,
    better: Literal["up", "down"] = "up",
    naive: float | None = None,
    margin: float | None = None,
    tone: Tone | None = None,
    unit: str = "",
    scale: float = 1.0,
    decimals: int = 1,
) -> Interval:
    """An interval bar on `axis` (lowest, highest); `scale` and `unit` are for its label only.

    The tone is better or worse when the whole range lies on that side of the reference, else even.

    >>> bar = interval(3.1, 2.2, 4.0, axis=(-6, 6), unit="%")
    >>> bar.tone, round(bar.estimate, 1), bar.label
    ('better', 75.8, '+3.1 %, low +2.2, high +4.0, better')
    """
    reach = (axis[1] - axis[0]) or 1.0

    def place(value: float) -> float:
        return round(min(max((value - axis[0]) / reach, 0.0), 1.0) * 100, 2)

    said = tone or _tone(low, high, reference, better)
    signed = reference == 0
    words = [number(value * scale, decimals, signed=signed) for value in (estimate, low, high)]
    end = NO_BREAK + unit if unit else ""
    verdict = "cannot tell" if said == "even" else said
    label = f"{words[0]}{end}, low {words[1]}, high {words[2]}, {verdict}"
    if naive is not None:
        label += f"; naive {number(naive * scale, decimals, signed=signed)}"
    if margin is not None:
        label += f"; margin {number(margin * scale, decimals, signed=signed)}"
    return Interval(
        low=place(low),
        estimate=place(estimate),
        high=place(high),
        reference=None if reference is None else place(reference),
        naive=None if naive is None else place(naive),
        margin=None if margin is None else place(margin),
        tone=said,
        label=label.replace(NO_BREAK, " "),
    )


def value_bar(
    anyway: float, caused: float, low: float, high: float, *, longest: float, label: str
) -> ValueBar:
    """A value bar; `low` and `high` are of `caused`, and `longest` is the scale that a list shares.

    >>> bar = value_bar(41.0, 18.4, 9.1, 27.9, longest=80.0, label="")
    >>> bar.anyway, bar.caused, bar.low, bar.high
    (51.25, 23.0, 62.62, 86.12)
    """

    def width(value: float) -> float:
        return round(min(max(value / longest, 0.0), 1.0) * 100, 2) if longest > 0 else 0.0

    lost = caused < 0
    start = width(anyway + min(caused, 0.0))
    return ValueBar(
        anyway=width(anyway) if not lost else start,
        caused=round(width(anyway + max(caused, 0.0)) - start, 2)
        if not lost
        else round(width(anyway) - start, 2),
        low=width(anyway + low),
        high=width(anyway + high),
        lost=lost,
        label=label,
    )


def shared_axis(bars: Sequence[tuple[float, float]], reference: float = 0.0) -> tuple[float, float]:
    """One round axis, even about the reference, that holds every (low, high) of a strip.

    >>> shared_axis([(1.1, 3.7), (-3.2, -0.6)])
    (-4.0, 4.0)
    """
    farthest = max(
        (max(abs(low - reference), abs(high - reference)) for low, high in bars), default=1.0
    )
    reach = round_up(farthest * 1.05)
    return reference - reach, reference + reach


def round_up(value: float) -> float:
    """The next number above that an axis may end on: 1, 2, 4, 5, 6 or 8 times a power of ten.

    >>> round_up(3.2), round_up(0.072), round_up(0.0)
    (4.0, 0.08, 1.0)
    """
    if value < 1e-12 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    step = next(step for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9))
    return round(step * power, 12)


def sparkline(
    values: Sequence[float | None], former: Sequence[float | None] = ()
) -> dict[str, str]:
    """`now` and `former` as points of a picture of 100 by 32, and the last place in per cent.

    >>> sparkline([1, 2, 3])["now"]
    '1.0,28.0 49.0,16.0 97.0,4.0'
    """
    known = [value for value in (*values, *former) if value is not None]
    if not known:
        return {"now": "", "former": "", "x": "97", "y": "50"}
    lowest, highest = min(known), max(known)
    reach = highest - lowest or 1.0

    def points(line: Sequence[float | None]) -> list[str]:
        step = 96.0 / max(len(line) - 1, 1)
        flat = highest == lowest
        return [
            f"{1 + place * step:.1f},{16.0 if flat else 28 - (value - lowest) / reach * 24:.1f}"
            for place, value in enumerate(line)
            if value is not None
        ]

    now = points(values)
    x, y = (now or ["97,16"])[-1].split(",")
    return {
        "now": " ".join(now),
        "former": " ".join(points(former)),
        "x": x,
        "y": f"{float(y) / 0.32:.1f}",
    }


def shade(value: float | None, lowest: float, highest: float) -> int:
    """The step 1 to 7 of the ramp for a cell; 0 leaves it blank, for weeks that have not happened.

    >>> shade(0.29, 0.29, 0.52), shade(0.52, 0.29, 0.52), shade(None, 0, 1)
    (1, 7, 0)
    """
    if value is None:
        return 0
    if highest <= lowest:
        return 4
    return 1 + min(int((value - lowest) / (highest - lowest) * 7), 6)


def contribution(value: float, largest: float) -> tuple[float, float]:
    """Start and width in per cent of a bar that grows from a centre line.

    >>> contribution(0.09, 0.09), contribution(-0.045, 0.09)
    ((50.0, 50.0), (25.0, 25.0))
    """
    half = 50.0 * min(abs(value) / largest, 1.0) if largest else 0.0
    return round(50.0 - half if value < 0 else 50.0, 2), round(half, 2)


def _tone(low: float, high: float, reference: float | None, better: str) -> Tone:
    if reference is None or low <= reference <= high:
        return "even"
    return "better" if (low > reference) == (better == "up") else "worse"
