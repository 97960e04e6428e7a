"""Every question of the product, asked of one engine after another; the answers must be one."""

import math
from typing import Any

from onefold.model.records import OWNER
from onefold.runtime import Workspace, call

FROM, TO = "2026-10-20", "2026-11-20"
_SPAN = {"from": FROM, "to": TO}
_NOT_COMPARED = frozenset({"query", "as_of", "fresh_time"})
"""What an answer says of its engine, and of when it was folded there."""


def questions(workspace: Workspace) -> list[tuple[str, dict[str, Any]]]:
    """Return every question, each with parameters that suit the demo's market."""
    metrics = {row["metric"]: row["splits"] for row in _rows(workspace, "metrics")}
    person = _least(workspace, "person_id", "person_events")
    account = _least(workspace, "account_id", "accounts")
    asked: list[tuple[str, dict[str, Any]]] = []
    for name, splits in metrics.items():
        asked.append(("metric", {"name": name, **_SPAN}))
        if splits:
            by = splits.partition(",")[0].strip()
            asked.append(("metric", {"name": name, "by": by, **_SPAN}))
    asked += [("metric", {"name": name, "every": "week", **_SPAN}) for name in _OVER_TIME]
    asked += [
        ("metric", {"name": "weekly_active_people", "compare": "former", **_SPAN}),
        *(("metric", {"name": name, "cumulative": True, **_SPAN}) for name in _ADDED),
        ("metric", {"name": _ADDED[0], "cumulative": True, "compare": "former", **_SPAN}),
        ("funnel", {"events": _WAY, **_SPAN}),
        ("funnel", {"events": _WAY, "by": "channel", **_SPAN}),
        ("funnel", {"events": ["pin_opened", "pin_opened"], "within": "1d", **_SPAN}),
        ("funnel times", {"events": _WAY, **_SPAN}),
        ("funnel times", {"events": _WAY, "by": "channel", "within": "1d", **_SPAN}),
        ("economics", {"margin": 0.4}),
        ("segment try", {"text": _SEGMENT, **_SPAN}),
        ("paths", {"event": "search_made", **_SPAN}),
        ("paths", {"event": "pin_saved", "direction": "before", "within": "2h", **_PATHS}),
        ("retention", {"start": "pin_opened", "return": "pin_saved", **_SPAN}),
        ("retention", {"start": "pin_saved", "return": "pin_opened", "kind": "rolling", **_SPAN}),
        ("lifecycle", {"event": "pin_opened", "every": "week", **_SPAN}),
        ("stickiness", {"event": "pin_opened", "every": "week", **_SPAN}),
        ("distribution", {"event": "pin_opened", **_SPAN}),
        ("distribution", {"event": "pin_saved", "by": "channel", "edges": [1, 3], **_SPAN}),
        ("distribution", {"event": "ad_clicked", "of": "revenue", **_SPAN}),
        ("calendar", {}),
        ("touchpoints", {}),
        ("purchases", {}),
        ("links", {}),
        ("runs", {}),
        ("quarantine list", {}),
        ("audit-instrumentation", {}),
        ("friction", {}),
        ("services", {}),
        ("advise", {}),
        ("experiment list", {}),
        ("consent summary", {}),
        ("cohort list", {}),
        ("segment list", {}),
        ("period list", {}),
        ("stale", {}),
        ("checksum", {}),
        ("person show", {"id": person}),
        ("person graph", {"id": person}),
        ("account show", {"id": account}),
        ("account money", {"id": account}),
        ("sql", {"query": _COUNTING}),
    ]
    asked += [
        ("experiment show", {"name": row["experiment"]})
        for row in _rows(workspace, "experiment list")
    ]
    return asked


_ADDED = ("daily_active_people", "weekly_active_discovery_sessions", "ad_cost", "purchases")
_PATHS: dict[str, Any] = {
    "collapse": "repeats",
    "until": "search_made",
    "skip": ["pin_viewed"],
    "by": "channel",
}
_PATHS |= _SPAN
_OVER_TIME = ("daily_active_people", "purchase_revenue", "save_rate", "time_to_first_pin")
_WAY = ["search_made", "pin_opened", "pin_saved"]
_SEGMENT = """\
segment: savers
version: 1
label: Savers
description: Who saved twice within a fortnight and made no board.
owner: Olga
all:
  - {did: pin_saved, at_least: 2, days: 14}
  - {did: board_created, at_most: 0, days: 14}
"""
_COUNTING = (
    "SELECT event, count(*) AS n, count(DISTINCT person_id) AS people, min(event_time) AS first "
    "FROM person_events GROUP BY event ORDER BY event"
)


def _least(workspace: Workspace, column: str, table: str) -> str:
    found = _rows(workspace, "sql", query=f"SELECT min({column}) AS id FROM {table}")
    return str(found[0]["id"])


def _rows(workspace: Workspace, name: str, **params: Any) -> list[dict[str, Any]]:
    body = ask(workspace, name, params)
    names = [column["name"] for column in body["columns"]]
    return [dict(zip(names, row, strict=True)) for row in body["rows"]]


def ask(workspace: Workspace, name: str, params: dict[str, Any]) -> Any:
    """Return what a call answers, as JSON would hold it."""
    import msgspec

    return msgspec.to_builtins(_told(call(workspace, OWNER, name, params).body))


def _told(body: Any) -> Any:
    return body.to_json() if hasattr(body, "to_json") else body


def difference(left: Any, right: Any, *, at: str = "") -> str:
    """Return where two answers differ, or nothing; floats may by a billionth of themselves."""
    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return f"{at}: {sorted(left.keys() ^ right.keys())}"
        parts = ((key, left[key], right[key]) for key in left if key not in _NOT_COMPARED)
        return next((d for key, a, b in parts if (d := difference(a, b, at=f"{at}.{key}"))), "")
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if len(left) != len(right):
            return f"{at}: {len(left)} and {len(right)} of them"
        pairs = enumerate(zip(left, right, strict=True))
        return next((d for n, (a, b) in pairs if (d := difference(a, b, at=f"{at}[{n}]"))), "")
    if isinstance(left, float) and isinstance(right, float | int):
        near = math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
        return "" if near or (math.isnan(left) and math.isnan(right)) else f"{at}: {left} {right}"
    return "" if left == right else f"{at}: {left!r} and {right!r}"
