"""Charts as Vega-Lite specs: plain dicts, the same for page, notebook and export (LOOK 5).

Colours are written as `token:front`; the page resolves them from its stylesheet and draws anew
when the theme changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

Spec = dict[str, object]
Row = Mapping[str, object]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

CONFIG: Spec = {
    "background": "transparent",
    "view": {"stroke": None},
    "padding": {"left": 0, "right": 4, "top": 6, "bottom": 0},
    "autosize": {"type": "fit", "contains": "padding"},
    "font": "token:sans",
    "axis": {
        "labelFontSize": 11,
        "labelColor": "token:ink-3",
        "labelPadding": 6,
        "title": None,
        "domain": False,
        "ticks": False,
        "gridColor": "token:line",
    },
    "axisX": {
        "grid": False,
        "labelFlush": True,
        "labelOverlap": "greedy",
        "labelSeparation": 8,
        "tickCount": 6,
    },
    "axisY": {"tickCount": 4, "labelAlign": "right"},
    "line": {"stroke": "token:front", "strokeWidth": 2, "strokeJoin": "round"},
    "area": {"fill": "token:back", "opacity": 0.45, "line": False},
    "bar": {"fill": "token:front", "cornerRadius": 0},
    "point": {"fill": "token:front", "filled": True, "opacity": 1, "size": 36},
    "tick": {"thickness": 3},
    "rule": {"stroke": "token:line-strong", "strokeWidth": 1, "aria": False},
    "text": {"fill": "token:ink-2", "fontSize": 11, "aria": False},
    "range": {
        "category": [f"token:cat-{place}" for place in range(1, 7)],
        "ramp": [f"token:seq-{place}" for place in range(1, 8)],
    },
    "legend": {"disable": True},
}
"""The house's Vega-Lite configuration."""

EXPECTATION: Spec = {
    "type": "line",
    "stroke": "token:ink",
    "strokeWidth": 1.5,
    "strokeDash": [4, 3],
}
FORECAST: Spec = {"type": "line", "stroke": "token:front", "strokeWidth": 2, "strokeDash": [2, 2]}
_WHOLE: Spec = {"filter": {"not": {"field": "part", "valid": True}}}
UNFINISHED: Spec = {"strokeDash": [4, 3], "opacity": 0.7}
"""The way to a period that is not over, or that was asked for in part."""


def line_with_band(
    rows: Sequence[Row],
    *,
    time: str = "day",
    value_format: str = ",.2f",
    time_format: str = "%-d %b",
    calendar: Sequence[Row] = (),
    utc: bool = True,
    zero: bool = False,
) -> Spec:
    """Return a line by day over the range that was expected, its last value written at its end.

    Args:
        rows: `{time, value}` with `low` and `high` where a range was expected; times in ISO 8601.
            `part` says why a row's period is not whole, such as `so far`: it is drawn dashed;
            `moved` why a closed figure differs from what is counted now: its point is marked.
        time: The name of the time in each row.
        value_format: A d3 format of the values.
        time_format: A d3 time format of the axis.
        calendar: `{time, name}` of days worth a dashed rule with its name.
        utc: Read times as UTC rather than as the visitor's.
        zero: Begin the axis at zero.
    """
    x = _time(time, time_format, utc=utc, values=_ticks(rows, time))
    y = _value("value", value_format, zero=zero)
    parts = _stretches(rows, time)
    layers: list[Spec] = []
    if any(row.get("low") is not None for row in rows):
        layers += _bands(x, y, parts)
    if calendar:
        layers += _calendar(calendar, x)
    layers += _whole_and_part({"type": "line", "clip": True}, {"x": x, "y": y}, parts, UNFINISHED)
    layers += _moved([row for row in rows if row.get("moved")], x, y)
    layers += _last(rows, x, y, time=time, value_format=value_format)
    return _spec(rows, layers)


def lines(
    rows: Sequence[Row],
    *,
    groups: Sequence[str],
    time: str = "day",
    value_format: str = ",.2f",
    time_format: str = "%-d %b",
) -> Spec:
    """Return one line a group in the order given; beyond six groups give the top five and `others`.

    Args:
        rows: `{time, value, group}`, with `part` where a row's period is not whole.
        groups: Names of the groups, most important first.
        time: The name of the time in each row.
        value_format: A d3 format of the values.
        time_format: A d3 time format of the axis.
    """
    colours = [
        "token:even" if group == "others" else f"token:cat-{place + 1}"
        for place, group in enumerate(groups)
    ]
    colour = {
        "field": "group",
        "type": "nominal",
        "scale": {"domain": list(groups), "range": colours},
        "legend": None,
    }
    x = _time(time, time_format, utc=True, values=_ticks(rows, time))
    encoding = {"x": x, "y": _value("value", value_format, zero=False), "stroke": colour}
    parts = _stretches(rows, time, by="group")
    layers = _whole_and_part({"type": "line"}, encoding, parts, UNFINISHED)
    named = {str(row[time]): row for row in rows if row.get("part")}
    if named:
        # Once for all lines, at the top of the period's place.
        text: Spec = {"type": "text", "align": "right", "dx": -4, "baseline": "top"}
        words = {"field": "part", "type": "nominal"}
        where = {"x": x, "y": {"value": 0}, "text": words}
        layers.append({"data": {"values": list(named.values())}, "mark": text, "encoding": where})
    return _spec(rows, layers)


def bars_by_minute(
    rows: Sequence[Row],
    *,
    unfinished: str | None = None,
    time_format: str = "%H:%M",
    utc: bool = True,
) -> Spec:
    """Return a bar a minute: below the dashed line what was expected anyway, above it what is more.

    Args:
        rows: `{minute, count}` and, where known, `expected`; minutes in ISO 8601.
        unfinished: The minute in progress, drawn half as strong.
        time_format: A d3 time format of the axis.
        utc: Read times as UTC rather than as the visitor's.
    """
    parts = [_parts(row) | {"unfinished": row["minute"] == unfinished} for row in rows]
    x = _time("minute", time_format, utc=utc) | {
        "timeUnit": "utcyearmonthdatehoursminutes",
        "bandPosition": 0.5,
    }
    x["axis"] = {"format": time_format, "tickCount": 12}
    y = _value("anyway", ",.0f", zero=True)
    opacity: Spec = {"value": 1}
    if unfinished is not None:
        opacity = {
            "condition": {"test": {"field": "unfinished", "equal": True}, "value": 0.5},
            "value": 1,
        }
    anyway = {
        "type": "bar",
        "width": {"band": 0.8},
        "fill": "token:back",
        "stroke": "token:fold",
        "strokeWidth": 0.5,
    }
    layers: list[Spec] = [
        {"mark": anyway, "encoding": {"x": x, "y": y, "opacity": opacity}},
        {
            "mark": {"type": "bar", "width": {"band": 0.8}, "fill": "token:front"},
            "encoding": {
                "x": x,
                "y": _value("anyway", ",.0f", zero=True),
                "y2": {"field": "count"},
                "opacity": opacity,
            },
        },
    ]
    if any(row.get("expected") is not None for row in rows):
        line = EXPECTATION | {"interpolate": "step"}
        layers.append(
            {"mark": line, "encoding": {"x": x, "y": _value("expected", ",.0f", zero=True)}}
        )
    # Unseen: without it an hour of nothing has its zero in the middle.
    room = {"type": "rule", "opacity": 0}
    layers.append({"mark": room, "encoding": {"y": {"datum": 4}}})
    return _spec(parts, layers)


def path_with_band(
    rows: Sequence[Row], *, label: str = "", value_format: str = ".0%", margin: float | None = None
) -> Spec:
    """Return the estimate of an experiment by day, inside the range that is valid on each day.

    Args:
        rows: `{day, estimate, low, high}` with `day` counted from 1.
        label: What stands at the end of the line, such as `+4.2 %`.
        value_format: A d3 format of the values.
        margin: A line that may not be crossed.
    """
    last = max((int(str(row["day"])) for row in rows), default=1)
    days = sorted({1, *range(7, last + 1, 7), last})
    x: Spec = {
        "field": "day",
        "type": "quantitative",
        "scale": {"domain": [1, max(last, 2)], "nice": False},
        "axis": {"values": days, "tickCount": len(days), "labelExpr": "'day ' + datum.label"},
    }
    y = _value("estimate", value_format, zero=True)
    layers: list[Spec] = [
        _band(x, y),
        {"mark": {"type": "rule", "stroke": "token:ink-3"}, "encoding": {"y": {"datum": 0}}},
    ]
    if margin is not None:
        rule = {"type": "rule", "stroke": "token:bad", "strokeWidth": 2}
        layers.append({"mark": rule, "encoding": {"y": {"datum": margin}}})
    layers.append({"mark": {"type": "line"}, "encoding": {"x": x, "y": y}})
    layers += _last(
        rows, x, y, time="day", value_format=value_format, value="estimate", label=label
    )
    return _spec(rows, layers)


def plan_and_forecast(
    rows: Sequence[Row], *, time: str = "day", value_format: str = "$,.0f", time_format: str = "%b"
) -> Spec:
    """Return what was reached, the plan as a dashed line, the forecast dotted in its range.

    Args:
        rows: `{time}` with `value`, `plan`, `likely`, `low` and `high`, where known.
        time: The name of the time in each row.
        value_format: A d3 format of the values.
        time_format: A d3 time format of the axis.
    """
    x = _time(time, time_format, utc=True)
    y = _value("value", value_format, zero=True)
    layers: list[Spec] = []
    if any(row.get("low") is not None for row in rows):
        layers.append(_band(x, y))
    for field, mark in (("plan", EXPECTATION), ("likely", FORECAST), ("value", {"type": "line"})):
        known = {"filter": {"field": field, "valid": True}}
        encoding = {"x": x, "y": _value(field, value_format, zero=True)}
        layers.append({"transform": [known], "mark": mark, "encoding": encoding})
    return _spec(rows, layers)


def cohort_heat(rows: Sequence[Row]) -> Spec:
    """Return shares by cohort and week as a heat table; weeks that have not happened are absent.

    Args:
        rows: `{cohort, week, share}`.
    """
    shares = sorted(float(str(row["share"])) for row in rows)
    limit = shares[0] + (shares[-1] - shares[0]) * 4 / 7 if shares else 0.0
    x = {"field": "week", "type": "ordinal", "axis": {"orient": "top", "labelAngle": 0}}
    y = {"field": "cohort", "type": "ordinal", "sort": None}
    fill = {"field": "share", "type": "quantitative", "scale": {"type": "quantize"}, "legend": None}
    ink = {
        "condition": {"test": {"field": "share", "gt": limit}, "value": "token:on-front"},
        "value": "token:ink",
    }
    text = {"field": "share", "type": "quantitative", "format": ".0%"}
    layers: list[Spec] = [
        {"mark": {"type": "rect"}, "encoding": {"x": x, "y": y, "fill": fill}},
        {"mark": {"type": "text"}, "encoding": {"x": x, "y": y, "text": text, "fill": ink}},
    ]
    return _spec(rows, layers)


def _spec(rows: Sequence[Row], layers: list[Spec]) -> Spec:
    return {
        "$schema": SCHEMA,
        "config": CONFIG,
        "width": "container",
        "data": {"name": "rows", "values": list(rows)},
        "layer": layers,
    }


def _time(field: str, form: str, *, utc: bool, values: Sequence[Spec] = ()) -> Spec:
    axis: Spec = {"format": form}
    if values:
        # Vega leaves out every second value where there are more of them than it is to count.
        axis |= {"values": list(values), "tickCount": len(values)}
    return {
        "field": field,
        "type": "temporal",
        "scale": {"type": "utc" if utc else "time"},
        "axis": axis,
    }


def _ticks(rows: Sequence[Row], time: str, most: int = 8) -> list[Spec]:
    """Return times of rows, evenly from the last one back, whole weeks apart where days allow."""
    times = sorted({_moment(str(row[time])) for row in rows})
    steps = (1, 2, 7, 14, 28, 56, 91, 182, 364, len(times))
    step = next((step for step in steps if len(times) / step <= most), 1)
    return [_told(moment) for moment in times[::-1][:: max(step, 1)][::-1]]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _told(moment: datetime) -> Spec:
    # As parts, not as a number: the expression interpreter makes no date of a single number.
    parts = {"year": moment.year, "month": moment.month, "date": moment.day}
    return {**parts, "hours": moment.hour, "minutes": moment.minute, "utc": True}


def _value(field: str, form: str, *, zero: bool) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"zero": zero, "nice": 4},
        "axis": {"format": form},
    }


def _stretches(rows: Sequence[Row], time: str, *, by: str = "") -> list[Row]:
    """Return the two rows of each stretch that leads to or from a period that is not whole."""
    lines: dict[object, list[Row]] = {}
    for row in rows:
        lines.setdefault(row.get(by), []).append(row)
    found: list[Row] = []
    for line in lines.values():
        for ends in pairwise(sorted(line, key=lambda row: str(row[time]))):
            if any(row.get("part") for row in ends):
                found += [{**row, "stretch": len(found) // 2} for row in ends]
    return found


def _whole_and_part(mark: Spec, encoding: Spec, parts: Sequence[Row], looks: Spec) -> list[Spec]:
    """Return a layer, and it again with other looks for the stretches that are not whole."""
    if not parts:
        return [{"mark": mark, "encoding": encoding}]
    stretch = {**encoding, "detail": {"field": "stretch", "type": "nominal"}}
    return [
        {"transform": [_WHOLE], "mark": mark, "encoding": encoding},
        {"data": {"values": list(parts)}, "mark": {**mark, **looks}, "encoding": stretch},
    ]


def _band(x: Spec, y: Spec) -> Spec:
    known = {"filter": {"field": "low", "valid": True}}
    return {"transform": [known], "mark": {"type": "area"}, "encoding": _ends(x, y)}


def _ends(x: Spec, y: Spec) -> Spec:
    return {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}


def _bands(x: Spec, y: Spec, parts: Sequence[Row]) -> list[Spec]:
    """Return the range, paler where a period is not whole."""
    known: Spec = {"filter": {"field": "low", "valid": True}}
    layers = _whole_and_part({"type": "area"}, _ends(x, y), parts, {"opacity": 0.2})
    filters = ([known, *([_WHOLE] if parts else [])], [known])
    return [{**layer, "transform": own} for layer, own in zip(layers, filters, strict=False)]


def _calendar(days: Sequence[Row], x: Spec) -> list[Spec]:
    data = {"values": list(days)}
    rule = {"type": "rule", "strokeDash": [4, 3], "stroke": "token:line-strong"}
    text = {"type": "text", "align": "right", "dx": -4, "baseline": "top"}
    named = {"field": "name", "type": "nominal"}
    return [
        {"data": data, "mark": rule, "encoding": {"x": x}},
        {"data": data, "mark": text, "encoding": {"x": x, "y": {"value": 0}, "text": named}},
    ]


def _moved(rows: Sequence[Row], x: Spec, y: Spec) -> list[Spec]:
    """Return a ring at each closed figure that differs from what is counted now."""
    if not rows:
        return []
    ring = {"type": "point", "filled": False, "size": 70, "stroke": "token:ink", "strokeWidth": 1.5}
    return [{"data": {"values": list(rows)}, "mark": ring, "encoding": {"x": x, "y": y}}]


def _last(
    rows: Sequence[Row],
    x: Spec,
    y: Spec,
    *,
    time: str,
    value_format: str,
    value: str = "value",
    label: str = "",
) -> list[Spec]:
    known = [row for row in rows if row.get(value) is not None]
    if not known:
        return []
    last = max(known, key=lambda row: (isinstance(row[time], str), row[time]))
    data = {"values": [{**last, "label": label}]}
    text: Spec = (
        {"field": "label", "type": "nominal"}
        if label
        else {"field": value, "type": "quantitative", "format": value_format}
    )
    words = {
        "type": "text",
        "align": "left",
        "dx": 7,
        "fontWeight": 600,
        "fill": "token:ink",
        "clip": False,
    }
    point: Spec = {"type": "point"}
    layers: list[Spec] = [{"data": data, "mark": words, "encoding": {"x": x, "y": y, "text": text}}]
    if last.get("part"):
        point |= {"filled": False, "fill": "token:surface", "stroke": "token:front"}
        why = {"type": "text", "align": "left", "dx": 7, "dy": 13, "clip": False}
        named = {"field": "part", "type": "nominal"}
        layers.append({"data": data, "mark": why, "encoding": {"x": x, "y": y, "text": named}})
    return [{"data": data, "mark": point, "encoding": {"x": x, "y": y}}, *layers]


def _parts(row: Row) -> Spec:
    count, expected = row.get("count") or 0, row.get("expected")
    anyway = count if expected is None else min(float(str(count)), float(str(expected)))
    return {**row, "anyway": anyway}
