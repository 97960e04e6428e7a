"""How an answer looks in a notebook: a chart, a table, and what a reader has to know.

HTML without scripts and styles of its own, every text escaped, so that no name in the data means
anything to the notebook.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import Any

from onefold.found import charts
from onefold.model.records import Column
from onefold.model.words import plural

_MOST_ROWS = 20
_LONGEST = 1200
_CELL = "padding:2px 10px;text-align:{align};vertical-align:top"
_SMALL = "font-size:.85em;opacity:.8;margin:.3em 0;max-width:60em"


def html_of(
    asked: str,
    body: Mapping[str, Any],
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
) -> str:
    """Return an answer as HTML: chart, the first rows, notes, definition and query."""
    parts = [
        f"<p><b>{_text(asked)}</b></p>",
        charts.chart_of(columns, rows),
        _table(columns, rows),
        *(f'<p style="{_SMALL}">{_text(note)}</p>' for note in body.get("notes", ())),
        _small(_terms(body)),
        _small(str(body.get("definition", ""))),
        _query(str(body.get("query", ""))),
    ]
    return f'<div class="onefold">{"".join(parts)}</div>'


def _terms(body: Mapping[str, Any]) -> str:
    told = []
    if body.get("as_of"):
        told.append(f"As of {body['as_of']}.")
    if body.get("excluded_by_consent"):
        told.append(f"Consent leaves out {plural(int(body['excluded_by_consent']), 'event')}.")
    return " ".join(told)


def _small(words: str) -> str:
    return f'<p style="{_SMALL}">{_text(words)}</p>' if words else ""


def _query(query: str) -> str:
    if not query:
        return ""
    shown = f'<pre style="white-space:pre-wrap">{escape(query)}</pre>'
    return f'<details style="{_SMALL}"><summary>The query</summary>{shown}</details>'


def _table(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return _small("No rows.")
    right = {"integer", "number", "money"}
    aligned = [_CELL.format(align="right" if c.type in right else "left") for c in columns]
    head = "".join(
        f'<th scope="col" style="{style}">{_text(column.name)}</th>'
        for column, style in zip(columns, aligned, strict=True)
    )
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td style="{style}">{_text(_cell(row[column.name], column))}</td>'
            for column, style in zip(columns, aligned, strict=True)
        )
        + "</tr>"
        for row in rows[:_MOST_ROWS]
    )
    more = len(rows) - _MOST_ROWS
    rest = _small(f"{plural(more, 'more row')}: see `.arrow`.") if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>{rest}"


def _cell(value: Any, column: Column) -> str:
    """Return a value as a reader wants it.

    >>> _cell(0.5, Column("share", "number", "share")), _cell(None, Column("n", "integer"))
    ('50.0 %', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float | int | Decimal):
        return charts.figure(value, column)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(words: str) -> str:
    short = words if len(words) <= _LONGEST else words[:_LONGEST] + "…"
    return escape(short)
