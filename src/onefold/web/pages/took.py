"""How long people took through a funnel: the part of its page that tells of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onefold.web.drawing import interval
from onefold.web.pages.explore_question import dimension_words
from onefold.web.wording import duration, number, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]


def took_shown(body: Row, rows: Sequence[Row], by: str, *, most_groups: int) -> dict[str, Any]:
    """Return what the page shows of the times of a funnel.

    Args:
        body: What the call `funnel times` answered.
        rows: Its rows by the names of their columns.
        by: What the funnel is split by; empty without.
        most_groups: So many groups have their stretches shown.
    """
    last = max((row["step"] for row in rows), default=0)
    ends = [row for row in rows if row["step"] == last and row["n"]]
    names = list(dict.fromkeys(_group(row, by) for row in ends))[:most_groups]
    stretches = [row for row in ends if row["figure"] == "share" and _group(row, by) in names]
    most = max((row["high"] or row["value"] for row in stretches), default=0.0) or 1.0
    head = [dimension_words(by).capitalize()] if by else []
    times = ("Half within", "Low", "High", "Nine of ten within", "Low", "High")
    shares = ("People in 100", "Low", "High")
    return {
        "took": _answered(ends, by),
        "took_columns": [*head, "To step", *_numbers("People", *times)],
        "took_rows": _quantile_rows([row for row in rows if row["n"]], by),
        "stretch_columns": [
            *head,
            "Whole way in",
            *_numbers(*shares),
            {"label": f"Range, 0 to {share(most, 0)}", "kind": "bar"},
        ],
        "stretch_rows": [_stretch_row(row, by, most) for row in stretches],
        "took_definition": body["definition"],
    }


def _group(row: Row, by: str) -> str:
    return str(row[by] or "unknown") if by else ""


def _numbers(*labels: str) -> list[dict[str, str]]:
    return [{"label": label, "kind": "number"} for label in labels]


def _answered(ends: Sequence[Row], by: str) -> str:
    medians = [row for row in ends if row["figure"] == "median"]
    if not medians:
        return "Nobody went all the way, so there is no time to tell."
    if by and len(medians) > 1:
        known = [row for row in medians if row["low"] is not None] or medians
        best = min(known, key=lambda row: row["value"])
        return f"Quickest of all: {_group(best, by)}, half within {duration(best['value'])}."
    one = medians[0]
    reach = ""
    if one["low"] is not None and one["high"] is not None:
        reach = f" ({duration(one['low'])} to {duration(one['high'])})"
    return f"Half of those who went all the way took at most {duration(one['value'])}{reach}."


def _quantile_rows(rows: Sequence[Row], by: str) -> list[list[object]]:
    found: dict[tuple[str, int], list[object]] = {}
    for row in rows:
        if row["figure"] == "share":
            continue
        key = (_group(row, by), row["step"])
        if key not in found:
            head: list[object] = [key[0]] if by else []
            found[key] = [*head, f"{row['step']} {row['event']}", number(row["n"])]
        found[key] += [duration(row[name]) for name in ("value", "low", "high")]
    return list(found.values())


def _stretch_row(row: Row, by: str, most: float) -> list[object]:
    head: list[object] = [_group(row, by)] if by else []
    words = f"up to {duration(row['until'])}"
    if row["over"]:
        words = f"over {duration(row['over'])}, {words}"
    bar: object = f"Not enough data: {row['n']} of 30"
    if row["low"] is not None and row["high"] is not None:
        bar = interval(
            row["value"],
            row["low"],
            row["high"],
            axis=(0.0, most),
            reference=None,
            unit="%",
            scale=100.0,
        )
    return [*head, words, *(share(row[name]) for name in ("value", "low", "high")), bar]
