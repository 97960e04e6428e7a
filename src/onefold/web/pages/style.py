"""The style guide: every part of the visual language, with made-up figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.model.errors import NotFound
from onefold.web import charts, drawing
from onefold.web.desk import page, signed_in
from onefold.web.wording import better, bold, link, sentence, share, watch, worse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_BADGES = {"version": 3, "href": "#", "seconds": 4, "n": 1_284_310, "left_out": 0.061}
_ACTIONS = [{"label": name, "href": "#"} for name in ("Accept", "Later", "Dismiss", "Discuss")]


@signed_in()
async def style(request: Request) -> Response:
    """Show every part, each figure made up; only where the whole world is."""
    if not (request.app.state.workspace.folder / "demo").is_dir():
        raise NotFound("There is no page `/style`.", "It is shown by `onefold demo`.")
    return page(request, "style.html", title="Style", here="", **sample())


routes = [Route("/style", style)]


def sample() -> dict[str, Any]:
    """Return what the style guide shows; no figure in it was measured."""
    return {
        "filters": _filters(),
        "fresh": {"words": "Mon 23 November, 08:42 UTC · 4 s behind", "stale": False},
        "question": "Was it a good week, and what is worth doing next?",
        "answer": [
            "Saves per session ",
            better("rose 3.1 %"),
            "; the faster first screen caused 1.9 of it. ",
            "Ad revenue per engaged user ",
            worse("fell 1.9 %"),
            ".",
        ],
        "tiles": _tiles(),
        "advice": _advice(),
        "halves": _halves(),
        "timeline": _timeline(),
        "phases": _phases(),
        "table": _table(),
        "cohorts": _cohorts(),
        "contributions": [
            {"name": "Spend ahead of plan", "value": 0.09},
            {"name": "Uses 7 of 9 products", "value": 0.05},
            {"name": "Slow implement", "value": -0.05},
        ],
        "charts": _charts(),
    }


def _filters() -> list[dict[str, Any]]:
    weeks = ("16–22 November", "9–15 November", "2–8 November")
    return [
        {
            "label": "Week",
            "value": weeks[0],
            "options": [
                {"label": week, "href": f"?week={place}", "current": place == 0}
                for place, week in enumerate(weeks)
            ],
            "fields": [{"label": "From", "name": "from", "type": "date", "value": "2026-11-16"}],
        },
        {
            "label": "Against",
            "value": "week before",
            "options": [{"label": "week before", "href": "?", "current": True}],
        },
        {"label": "Market", "value": "all"},
    ]


def _tiles() -> list[dict[str, Any]]:
    rising = [5.1, 5.3, 5.2, 5.3, 5.3, 5.5, 5.8, 5.8, 6.0, 5.9, 6.0, 6.1, 5.9, 6.6]
    former = [value - 0.5 for value in rising]
    rows = (
        ("Weekly active sessions", "1.284", "M", "+2.4 %", "better", (2.4, 1.1, 3.7)),
        ("Session depth", "7.84", "steps", "Cannot tell", "", (0.6, -0.4, 1.6)),
        ("Saves per session", "1.92", "", "+3.1 %", "better", (3.1, 2.2, 4.0)),
        ("Ad revenue / engaged user", "$0.412", "", "−1.9 %", "worse", (-1.9, -3.2, -0.6)),
    )
    made: list[dict[str, Any]] = [
        {
            "name": name,
            "figure": figure,
            "unit": unit,
            "change": change,
            "tone": tone,
            "range": f"{bounds[1]} to {bounds[2]}".replace("-", "−"),
            "values": rising,
            "former": former,
            "bar": drawing.interval(*bounds, axis=(-6, 6), unit="%"),
            "badges": {**_BADGES, "version": 4},
        }
        for name, figure, unit, change, tone, bounds in rows
    ]
    waiting = {"have": 214, "need": 600, "when": "readable about 9 Dec"}
    badges = {"version": 1, "seconds": 4, "n": 214, "left_out": 0.02}
    made.append(
        {"name": "New creators kept, 28 days", "figure": "–", "too_few": waiting, "badges": badges}
    )
    return made


def _advice() -> list[dict[str, Any]]:
    return [
        {
            "what": "Move Hollis & Wren from broad interests to saved-board audiences",
            "where": "Hollis & Wren · optimize, cycle 3",
            "when": "Before Wed 25 November, when Thanksgiving bids rise",
            "grade": 4,
            "why": "3 tests, 412,880 people",
            "evidence_href": "#",
            "worth": "+$18,400",
            "range": "low $9,100, high $27,900 in 90 days",
            "bar": drawing.value_bar(41.0, 18.4, 9.1, 27.9, longest=80, label="Worth +$18,400"),
            "anyway": "$41,000 would come anyway",
            "actions": _ACTIONS,
        },
        {
            "what": "Give the 38 accounts stuck in implement a tag check by phone",
            "where": "38 accounts · implement, 14 days or more",
            "when": "This week; the chance to pass halves after day 21",
            "grade": 3,
            "why": "214 helped, 611 alike without help",
            "evidence_href": "#",
            "worth": "+$11,200",
            "range": "low $3,600, high $19,300 in 90 days",
            "bar": drawing.value_bar(52.5, 11.2, 3.6, 19.3, longest=80, label="Worth +$11,200"),
            "anyway": "$52,500 would come anyway",
            "actions": _ACTIONS,
        },
    ]


def _halves() -> list[dict[str, Any]]:
    return [
        {
            "question": "Short-term conversion: first save in the first session",
            "word": "Yes",
            "effect": "+4.2 %",
            "bar": drawing.interval(4.2, 2.1, 6.3, axis=(-8, 8), naive=5.9, unit="%"),
            "ticks": ["−8", "−4", "0", "+4", "+8"],
            "words": "Low 2.1, high 6.3. Before against after says 5.9; 1.7 of that came anyway.",
            "badges": _BADGES,
        },
        {
            "question": "Long-term retention: back in week 4",
            "word": "Not yet",
            "effect": "−0.3 points",
            "bar": drawing.interval(-0.3, -1.1, 0.5, axis=(-2, 2), margin=-1.0),
            "ticks": ["−2", "−1", "0", "+1", "+2"],
            "words": "Low −1.1, high 0.5. The margin is −1.0. 31 % have had four weeks.",
            "badges": {**_BADGES, "seconds": 720},
        },
    ]


def _timeline() -> list[dict[str, Any]]:
    return [
        {
            "shape": "diamond",
            "time": "Coming Thu 26 November",
            "words": sentence(bold("Thanksgiving"), " (US)"),
            "quiet": "Bids rose 31 % a year ago",
        },
        {
            "shape": "triangle",
            "time": "Sun 22 November, 14:10",
            "words": sentence("Ad revenue per engaged user left its band in ", bold("Germany")),
            "quiet": sentence("Below the expected range for 18 hours. ", link("Look into it", "#")),
        },
        {
            "shape": "ribbon",
            "time": "Thu 19 November",
            "words": sentence(bold("Faster first screen"), " reached everyone"),
            "quiet": "Caused 1.9 of the 3.1 % in saves, low 1.1, high 2.7",
        },
        {
            "shape": "circle",
            "time": "Mon 16 November",
            "words": "2,118 late events let back in",
            "quiet": "Saves on Friday restated, 1.88 to 1.89",
        },
    ]


def _phases() -> list[dict[str, Any]]:
    rows = (
        ("Plan", "past", "4 days", 6),
        ("Pitch", "past", "9 days", 12),
        ("Implement", "past", "31 days", 14),
        ("Optimize", "now", "23 days so far", 40),
    )
    made: list[dict[str, Any]] = [
        {"name": name, "state": state, "days": days, "peers": f"peers {peers}"}
        for name, state, days, peers in rows
    ]
    return [*made, {"name": "Upsell"}, {"name": "Measure"}]


def _table() -> dict[str, Any]:
    columns: list[object] = [
        "Arm",
        {"label": "People", "kind": "number"},
        {"label": "Change to control, −10 to +10 %", "kind": "bar"},
        "Last 14 days",
        "Says",
    ]
    axis = (-10.0, 10.0)
    return {
        "columns": columns,
        "rows": [
            ["Control", "193,020", sentence("reference"), {"spark": [1, 2, 1, 3]}, {"tag": "even"}],
            [
                "Larger first pins",
                "193,092",
                drawing.interval(4.2, 2.1, 6.3, axis=axis, naive=5.9),
                {"spark": [1, 2, 4, 3]},
                {"tag": "holds"},
            ],
            [
                "… on desktop",
                "42,859",
                drawing.interval(1.2, -3.0, 5.4, axis=axis, naive=2.6, margin=-5),
                {"spark": [3, 2, 1, 3]},
                {"tag": "not yet"},
            ],
            [
                "… on phones",
                "42,859",
                drawing.interval(-4.2, -6.0, -2.4, axis=axis),
                {"spark": [3, 2, 1, 1]},
                {"tag": "worse"},
            ],
            {
                "cells": [
                    "All",
                    "471,830",
                    None,
                    {"spark": [1, 2, 3]},
                    {"tag": "customer", "tone": ""},
                ],
                "total": True,
            },
        ],
    }


def _cohorts() -> list[dict[str, Any]]:
    return [
        {"name": "26 Oct", "people": 19_544, "shares": [0.48, 0.41, 0.37, 0.29]},
        {"name": "2 Nov", "people": 20_110, "shares": [0.49, 0.42, 0.33, None]},
        {"name": "9 Nov", "people": 20_876, "shares": [0.52, 0.35, None, None]},
    ]


def _charts() -> dict[str, Any]:
    days = [
        {
            "day": f"2026-11-{place:02d}",
            "value": 1.8 + 0.01 * (place % 7) + 0.004 * place,
            "low": 1.76 + 0.004 * place,
            "high": 1.86 + 0.004 * place,
        }
        for place in range(1, 23)
    ]
    minutes = [
        {
            "minute": f"2026-11-23T08:{place:02d}:00",
            "count": 110 + (place * 37 % 60),
            "expected": 130 + place / 3,
        }
        for place in range(43)
    ]
    path = [
        {
            "day": place,
            "estimate": 0.04 + 0.02 / place,
            "low": 0.03 - 0.06 / place,
            "high": 0.05 + 0.1 / place,
        }
        for place in range(1, 29)
    ]
    return {
        "days": charts.line_with_band(
            days, calendar=[{"day": "2026-11-18", "name": "Winter boards"}]
        ),
        "rows": [[row["day"], f"{row['value']:.2f}"] for row in days],
        "minutes": charts.bars_by_minute(minutes),
        "minute_rows": [[str(row["minute"])[11:16], row["count"]] for row in minutes],
        "path_rows": [[f"day {row['day']}", share(row["estimate"], signed=True)] for row in path],
        "path": charts.path_with_band(path, label="+4.2 %"),
        "not_yet": watch("not yet"),
    }
