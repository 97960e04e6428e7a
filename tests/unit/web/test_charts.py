"""Specs are plain data, with the house's colours only."""

import json
import re

from onefold.web import charts
from onefold.web.rendering import STATIC

DAYS = [{"day": f"2026-11-{day:02d}", "value": day, "low": 0, "high": 30} for day in range(1, 20)]
MINUTES = [
    {"minute": "2026-11-23T08:40:00", "count": 120, "expected": 100.0},
    {"minute": "2026-11-23T08:41:00", "count": 80, "expected": 100.0},
    {"minute": "2026-11-23T08:42:00", "count": 7},
]
PATH = [{"day": day, "estimate": 0.04, "low": -0.01, "high": 0.09} for day in range(1, 29)]
PLAN = [{"day": "2026-10-01", "value": 1.0, "plan": 2.0}, {"day": "2026-11-01", "likely": 3.0}]
HEAT = [{"cohort": "5 Oct", "week": 1, "share": 0.4}, {"cohort": "12 Oct", "week": 1, "share": 0.5}]


def all_specs():
    return [
        charts.line_with_band(DAYS, calendar=[{"day": "2026-11-18", "name": "Winter boards"}]),
        charts.line_with_band([]),
        charts.line_with_band([*DAYS, {**DAYS[-1], "day": "2026-11-20", "part": "so far"}]),
        charts.lines([{**DAYS[0], "group": "a"}], groups=["a", "others"]),
        charts.lines(
            [
                {**row, "group": "a"}
                for row in (DAYS[0], DAYS[1] | {"part": "so far"}, DAYS[2] | {"part": "in part"})
            ],
            groups=["a"],
        ),
        charts.bars_by_minute(MINUTES, unfinished="2026-11-23T08:42:00"),
        charts.path_with_band(PATH, label="+4.2 %", margin=-0.01),
        charts.path_with_band([]),
        charts.plan_and_forecast(PLAN),
        charts.cohort_heat(HEAT),
        charts.cohort_heat([]),
    ]


def test_every_spec_is_json_that_fits_its_container():
    for spec in all_specs():
        assert json.loads(json.dumps(spec, allow_nan=False)) == spec
        assert spec["width"] == "container"
        assert spec["layer"]


def test_every_colour_is_a_token_of_the_stylesheet():
    known = set(re.findall(r"--([a-z0-9-]+):", (STATIC / "onefold.css").read_text("utf-8")))
    for spec in all_specs():
        text = json.dumps(spec)
        assert set(re.findall(r"token:([a-z0-9-]+)", text)) <= known
        assert not re.search(r'"#[0-9a-f]{3,6}"', text)


def test_a_minute_is_split_at_what_was_expected():
    rows = charts.bars_by_minute(MINUTES)["data"]["values"]
    assert [row["anyway"] for row in rows] == [100.0, 80.0, 7]


def test_bars_begin_at_zero():
    spec = charts.bars_by_minute(MINUTES)
    bars = [layer for layer in spec["layer"] if layer["mark"]["type"] == "bar"]
    assert bars
    assert all(layer["encoding"]["y"]["scale"]["zero"] for layer in bars)


def test_an_hour_of_nothing_keeps_its_zero_at_the_bottom():
    rows = [{"minute": "2026-11-23T08:40:00", "count": 0, "expected": 0.0}]
    layers = charts.bars_by_minute(rows)["layer"]
    assert any(layer["encoding"]["y"].get("datum") == 4 for layer in layers)
