"""Charts of answers as SVG, drawn from the shape of their columns.

Nothing here runs or loads anything; texts take the colour of the notebook, light or dark.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html import escape
from itertools import groupby
from typing import Any

from onefold.model.records import Column
from onefold.model.words import plural

Row = Mapping[str, Any]

_FRONT = "#1f8f95"
_COLOURS = (_FRONT, "#b88223", "#a05cad", "#5f95c4", "#c2541f", "#7f946f")
_WIDE, _HIGH, _LEFT, _RIGHT, _TOP, _BELOW = 640, 220, 60, 20, 10, 24
_BAR, _NAMES, _MOST_BARS, _MOST_NAME = 26, 200, 20, 28
_MOST_PERIODS, _MOST_ROWS = 40, 5000


@dataclass(frozen=True, slots=True)
class _Point:
    """One place of a line: when, how much, and its range where there is one."""

    when: float
    value: float | None
    low: float | None
    high: float | None


def chart_of(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """Return a picture of rows as HTML: lines, bars or a heat table; empty where none fits.

    Args:
        columns: Name, type and unit of each column.
        rows: Values by column name.
    """
    kinds = {column.name: column.type for column in columns}
    if {"cohort": "date", "period": "integer", "share": "number"}.items() <= kinds.items():
        return _heat(rows) if _drawable(rows, "share") and _drawable(rows, "period") else ""
    value = _value_of(columns)
    if value is None or not _drawable(rows, value.name):
        return ""
    time = next((c for c in columns if c.type in {"date", "time"}), None)
    names = [c.name for c in columns if c.type == "text" and c.name != "currency"]
    if time is not None and columns.index(time) < columns.index(value):
        return _lines(rows, time.name, value, names)
    few = len(names) in {1, 2} and 1 < len(rows) <= _MOST_BARS
    if few and all(_figure(row[value.name]) >= 0 for row in rows):
        return _bars(rows, names, value)
    return ""


def _drawable(rows: Sequence[Row], value: str) -> bool:
    """Return whether rows are neither none nor too many, hold figures, and of one currency."""
    figures = all(isinstance(row[value], int | float | Decimal | None) for row in rows)
    currencies = {row.get("currency") for row in rows} - {None}
    return 0 < len(rows) <= _MOST_ROWS and figures and len(currencies) < 2


def figure(value: float | Decimal, column: Column) -> str:
    """Return a number as its unit wants it: shares in per cent, thousands apart.

    >>> figure(1284310, Column("n", "integer")), figure(0.061, Column("low", "number", "share"))
    ('1,284,310', '6.1 %')
    """
    if isinstance(value, Decimal):
        return f"{value:,.2f}" if column.type == "money" else f"{value:,}"
    if not math.isfinite(value):
        return "–"
    if column.unit == "share":
        return f"{value * 100:.1f} %"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"


def _value_of(columns: Sequence[Column]) -> Column | None:
    """Return the column that is worth drawing: an estimate or share, else the first number."""
    numbers = [c for c in columns if c.type in {"integer", "number", "money"}]
    by_name = {column.name: column for column in numbers}
    told = next((by_name[name] for name in ("estimate", "share") if name in by_name), None)
    return told or next((c for c in numbers if c.name not in {"step", "level"}), None)


def _figure(value: Any) -> float:
    return 0.0 if value is None else float(value)


# ---------------------------------------------------------------- lines


def _lines(rows: Sequence[Row], time: str, value: Column, groups: Sequence[str]) -> str:
    known = sorted((row for row in rows if isinstance(row[time], date)), key=_by(time))
    lines: dict[str, list[_Point]] = {}
    for row in known:
        name = " · ".join(str(row[group]) for group in groups if row[group] is not None)
        lines.setdefault(name, []).append(_point(row, time, value.name))
    if any(len({point.when for point in line}) < len(line) for line in lines.values()):
        return ""
    largest = sorted(lines, key=lambda name: -sum(p.value or 0 for p in lines[name]))
    shown = {name: lines[name] for name in largest[: len(_COLOURS)]}
    every = [point for line in shown.values() for point in line]
    ends = [end for p in every for end in (p.value, p.low, p.high) if end is not None]
    whens = sorted({point.when for point in every})
    if len(whens) < 2 or not ends:
        return ""
    span = (min(*ends, 0.0), _above(max(*ends, 0.0)) if max(ends) > 0 or not min(ends) else 0.0)
    marks = "".join(
        _band(line, whens, span, colour) * (len(shown) == 1) + _line(line, whens, span, colour)
        for line, colour in zip(shown.values(), _COLOURS, strict=False)
    )
    label = f"{value.name} by {time}: {plural(len(lines), 'line')} of {plural(len(whens), 'time')}"
    axes = _axes(span, value, known[0][time], known[-1][time])
    key = _legend(list(shown)) if groups else ""
    left = len(lines) - len(shown)
    rest = f"{plural(left, 'smaller line')} not drawn." if left else ""
    return _svg(_HIGH, label, axes + marks) + key + (f"<p>{rest}</p>" if rest else "")


def _by(name: str) -> Any:
    return lambda row: row[name]


def _point(row: Row, time: str, value: str) -> _Point:
    ends = ("low", "high") if value in {"estimate", "share"} else ()
    low, high = (row.get(end) for end in ends) if ends else (None, None)
    return _Point(_moment(row[time]), *map(_maybe, (row[value], low, high)))


def _maybe(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _moment(when: date) -> float:
    return when.timestamp() if isinstance(when, datetime) else float(when.toordinal())


def _x(when: float, whens: Sequence[float]) -> float:
    share = (when - whens[0]) / (whens[-1] - whens[0])
    return _LEFT + share * (_WIDE - _LEFT - _RIGHT)


def _y(value: float, span: tuple[float, float]) -> float:
    share = (value - span[0]) / (span[1] - span[0])
    return _HIGH - _BELOW - share * (_HIGH - _BELOW - _TOP)


def _line(
    line: Sequence[_Point], whens: Sequence[float], span: tuple[float, float], colour: str
) -> str:
    """Return a line that is broken where nothing is known, with a dot for what stands alone."""
    said = []
    for known, stretch in groupby(line, key=lambda point: point.value is not None):
        if not known:
            continue
        places = [(_x(p.when, whens), _y(p.value or 0.0, span)) for p in stretch]
        if len(places) == 1:
            x, y = places[0]
            said.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>')
            continue
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        said.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return "".join(said)


def _band(
    line: Sequence[_Point], whens: Sequence[float], span: tuple[float, float], colour: str
) -> str:
    """Return the range of a line where it is known."""
    said = []
    for known, points in groupby(line, key=lambda p: p.low is not None and p.high is not None):
        stretch = list(points)
        if not known or len(stretch) < 2:
            continue
        above = [(_x(p.when, whens), _y(p.high or 0.0, span)) for p in stretch]
        below = [(_x(p.when, whens), _y(p.low or 0.0, span)) for p in reversed(stretch)]
        around = " ".join(f"{x:.1f},{y:.1f}" for x, y in above + below)
        said.append(f'<polygon points="{around}" fill="{colour}" opacity=".2"/>')
    return "".join(said)


def _axes(span: tuple[float, float], value: Column, first: date, last: date) -> str:
    said = []
    for part in (0.0, 0.5, 1.0):
        level = span[0] + part * (span[1] - span[0])
        y = _y(level, span)
        said.append(
            f'<line x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="currentColor" opacity=".2"/>'
            + _words(_LEFT - 6, y + 4, figure(float(level), value), "end")
        )
    below = _HIGH - 6
    said.append(_words(_LEFT, below, _day(first), "start"))
    said.append(_words(_WIDE - _RIGHT, below, _day(last), "end"))
    return "".join(said)


def _day(when: date) -> str:
    return f"{when:%Y-%m-%d %H:%M}" if isinstance(when, datetime) else when.isoformat()


def _legend(names: Sequence[str]) -> str:
    said = " ".join(
        f'<span style="margin-right:1em"><span style="color:{colour}">■</span> '
        f"{escape(_short(name) or 'none')}</span>"
        for name, colour in zip(names, _COLOURS, strict=False)
    )
    return f"<p>{said}</p>"


def _above(value: float) -> float:
    """Return the next number above that an axis may end on.

    >>> _above(3.2), _above(0.0)
    (4.0, 1.0)
    """
    if value < 1e-12:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= value * 0.999999)


# ---------------------------------------------------------------- bars, heat


def _bars(rows: Sequence[Row], names: Sequence[str], value: Column) -> str:
    ranged = value.name in {"estimate", "share"}
    ends = [_figure(row[value.name]) for row in rows]
    highs = [_figure(row.get("high")) for row in rows if ranged]
    reach = max([*ends, *highs]) or 1.0
    room = _WIDE - _NAMES - 90

    def x(amount: float) -> float:
        return _NAMES + amount / reach * room

    said = []
    for place, (row, end) in enumerate(zip(rows, ends, strict=True)):
        top = place * _BAR + 4
        name = " · ".join(str(row[each]) for each in names if row[each] is not None)
        told = "–" if row[value.name] is None else figure(row[value.name], value)
        high = _figure(row.get("high")) if ranged else end
        said.append(
            _words(_NAMES - 8, top + 13, _short(name), "end")
            + f'<rect x="{_NAMES}" y="{top}" width="{x(end) - _NAMES:.1f}" height="18" '
            f'fill="{_FRONT}" opacity=".75"/>'
            + _whisker(row, x, top + 9)
            * (ranged and row.get("low") is not None and row.get("high") is not None)
            + _words(x(max(end, high)) + 8, top + 13, told, "start")
        )
    label = f"{value.name} by {', '.join(names)}: {plural(len(rows), 'bar')}"
    return _svg(len(rows) * _BAR + 8, label, "".join(said))


def _whisker(row: Row, x: Any, y: float) -> str:
    low, high = _figure(row.get("low")), _figure(row.get("high"))
    return (
        f'<line x1="{x(max(low, 0.0)):.1f}" x2="{x(high):.1f}" y1="{y}" y2="{y}" '
        'stroke="currentColor" stroke-width="1.5"/>'
    )


def _heat(rows: Sequence[Row]) -> str:
    """Return shares by cohort and period as a table whose cells are as strong as they are high."""
    known = [row for row in rows if None not in (row["cohort"], row["period"], row["share"])]
    if len({(row["cohort"], row["period"]) for row in known}) < len(known):
        return ""
    periods = sorted({row["period"] for row in known})[:_MOST_PERIODS]
    head = "".join(f'<th scope="col">{escape(str(period))}</th>' for period in periods)
    lines = "".join(_cohort(cohort, list(own), periods) for cohort, own in _by_cohort(known))
    if not lines:
        return ""
    said = '<caption style="text-align:left">Share who came back, by cohort and period; * is not '
    return (
        f'<table>{said}over yet.</caption><thead><tr><th scope="col">cohort</th>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _by_cohort(rows: Sequence[Row]) -> Iterator[tuple[Any, Iterator[Row]]]:
    return groupby(sorted(rows, key=_by("cohort")), key=_by("cohort"))


def _cohort(cohort: date, rows: Sequence[Row], periods: Sequence[int]) -> str:
    by_period = {row["period"]: row for row in rows}
    cells = []
    for period in periods:
        row = by_period.get(period)
        if row is None:
            cells.append("<td></td>")
            continue
        share = row["share"]
        strength = round(min(max(share, 0.0), 1.0) * 0.6, 3)
        mark = "" if row.get("whole", True) else "*"
        cells.append(
            f'<td style="white-space:nowrap;background:rgba(31,143,149,{strength})">'
            f"{share * 100:.0f} %{mark}</td>"
        )
    head = f'<th scope="row" style="white-space:nowrap">{escape(str(cohort))}</th>'
    return f"<tr>{head}{''.join(cells)}</tr>"


def _short(name: str) -> str:
    return name if len(name) <= _MOST_NAME else name[: _MOST_NAME - 1] + "…"


def _words(x: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" '
        f'fill="currentColor">{escape(words)}</text>'
    )


def _svg(high: float, label: str, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDE} {high:.0f}" width="{_WIDE}" height="{high:.0f}" role="img" '
        f'aria-label="{escape(label)}" style="max-width:100%;height:auto;display:block">'
        f"{inside}</svg>"
    )
