"""Calls of the read-only SQL door: questions that somebody writes, over the tables of a View."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from sqlglot import exp

from onefold.model.errors import BadInput
from onefold.model.records import Answer, Column, Question
from onefold.model.time import (
    DAY,
    day_of,
    day_start,
    from_datetime,
    parse_date,
    parse_time,
    to_datetime,
)
from onefold.model.words import plural
from onefold.runtime import call_params as take
from onefold.runtime import sql_reading
from onefold.runtime.plain_values import LARGEST
from onefold.runtime.registry import Asked, Body, included, named, table
from onefold.store import View, planes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir

MOST_ROWS = 100_000
MOST_SECONDS = 120
_EVER = (-62_135_596_800_000_000, 253_402_300_799_000_000)
"""From the first moment of year 1 to the last of year 9999."""
_OF_EVENTS = frozenset({"events", "person_events", "sessions"})


class SqlParams(take.Asking, frozen=True, kw_only=True):
    """A question in SQL: as of a day or a time, within limits, under a name to cancel it by."""

    query: str
    as_of: str | None = None
    rows: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] = 1_000
    seconds: Annotated[int, msgspec.Meta(ge=1, le=MOST_SECONDS)] = 30
    name: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]{0,64}$")] = ""


class SqlCancelParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which question to end: its name, as given or as listed."""

    name: str


@named("sql", SqlParams, action="see_persons")
def _sql(asked: Asked, params: SqlParams) -> Body:
    """What a question in SQL answers: read-only, over what the asker may see, within limits."""
    workspace, now = asked.workspace, asked.workspace.clock()
    view = workspace.view(_question(asked, params))
    shown = tables_of(view)
    here = view.zone
    read = sql_reading.read(
        params.query,
        shown,
        now=to_datetime(view.now).replace(tzinfo=None, microsecond=0),
        today=day_of(view.now, here),
    )
    limits = planes.Limits(rows=params.rows, seconds=params.seconds)
    texts = {
        sql_reading.SHOWN + name: view.sql(_wanted(shown[name], read.columns))
        for name in sorted(read.tables)
    }
    written = planes.Written(_at_most(read.query, params.rows + 1), texts)
    under_way = workspace.sql_under_way
    with under_way.running(params.name, asked.asker, params.query, now=now) as running:
        told = view.facts.ask_within(written, limits, running.stop)
    answer = _answer(told, view, read.tables)
    notes = (*answer.notes, *_notes(told, limits, whole=workspace.sight(asked.asker).whole))
    return replace(answer, query=written.text(), notes=notes)


@named("sql tables", take.Asking, action="see_persons")
def _tables(asked: Asked, params: take.Asking) -> Body:
    """The tables that SQL may ask, with their columns."""
    shown = tables_of(asked.view(params))
    rows = tuple(
        (name, column, str(kind))
        for name, one in shown.items()
        for column, kind in one.schema().items()
    )
    said = "Each holds what you may see, for the purpose, in the environment. Times are UTC."
    return table(rows, "table", "column", "type", definition=said)


@named("sql functions", take.Nothing, whole=False)
def _functions(_asked: Asked, _: take.Nothing) -> Body:
    """The functions that SQL may use."""
    return table(tuple((name,) for name in sql_reading.functions()), "function")


@named("sql running", take.Nothing, action="see_persons", whole=False)
def _running(asked: Asked, _: take.Nothing) -> Body:
    """The questions in SQL that run now: the asker's, or all for an owner."""
    found = asked.workspace.sql_under_way.of(asked.asker)
    rows = tuple((one.id, one.asker.name, one.since_time, one.query) for one in found)
    return table(rows, "name", "asked_by", "since_time", "query")


@named("sql cancel", SqlCancelParams, action="see_persons", changes=True, whole=False)
def _cancel(asked: Asked, params: SqlCancelParams) -> Body:
    """End a question in SQL that runs."""
    asked.workspace.sql_under_way.cancel(params.name, asked.asker)
    return {"name": params.name, "cancelled": True}


def tables_of(view: View) -> "Mapping[str, ir.Table]":
    """Return the tables of a View that SQL may ask, by name."""
    return {
        "events": view.events,
        "person_events": view.person_events,
        "sessions": view.sessions,
        "contexts": view.contexts,
        "identifiers": view.identifiers,
        "memberships": view.memberships,
        "orders": view.orders,
        **view.records,
    }


def _question(asked: Asked, params: SqlParams) -> Question:
    return Question(
        asker=asked.asker,
        purpose=params.purpose,
        environment=params.environment,
        include=included(params.include),
        as_of_time=_as_of(params.as_of, asked),
    )


def _as_of(text: str | None, asked: Asked) -> int | None:
    """Return the moment of a time, or the last one of a day."""
    if not text:
        return None
    if len(text) > len("2026-11-22"):
        moment = start = parse_time(text)
    else:
        start = day_start(parse_date(text), asked.workspace.settings.zone)
        moment = start + DAY - 1
    if start > asked.workspace.clock():
        raise BadInput(f"{text} lies ahead.", "Take a time that has come.")
    return moment


def _wanted(shown: "ir.Table", columns: frozenset[str] | None) -> "ir.Table":
    """Return a table with the columns that a question names; at least one."""
    if columns is None:
        return shown
    found = [name for name in shown.columns if name.lower() in columns]
    return shown.select(*(found or shown.columns[:1]))


def _at_most(query: exp.Query, rows: int) -> exp.Query:
    """Return a question that ends after so many rows, unless it says itself after how many."""
    if query.args.get("limit") is None:
        query.set("limit", exp.Limit(expression=exp.Literal.number(rows)))
    return query


def _answer(told: planes.Told, view: View, asked: frozenset[str]) -> Answer:
    kinds = [_kind(one) for one in told.types]
    columns = tuple(Column(n, kind) for n, kind in zip(told.names, kinds, strict=True))
    rows = tuple(tuple(_plain(v, k) for v, k in zip(r, kinds, strict=True)) for r in told.rows)
    of_events = not asked.isdisjoint(_OF_EVENTS)
    names = ", ".join(sorted(asked)) or "no table"
    terms = f"for {view.question.purpose}, of {view.question.environment}"
    return Answer(
        columns=columns,
        rows=rows,
        definition=f"Asked in SQL of {names}, {terms}. Times are UTC, money is in micros.",
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(*_EVER) if of_events else 0,
        notes=view.marked_notes(*_EVER) if of_events else (),
    )


def _notes(told: planes.Told, limits: planes.Limits, *, whole: bool) -> tuple[str, ...]:
    notes = []
    if told.cut:
        notes.append(f"Only the first {plural(limits.rows, 'row')} are told; there are more.")
    if not whole:
        notes.append("Policies let you see some rows alone; the others are not in it.")
    return tuple(notes)


def _kind(told: str) -> str:
    """Return the type of a column as answers call it."""
    plain = told.partition("(")[0].upper()
    if "[" in told or plain in {"STRUCT", "MAP"}:
        return "text"
    if plain.endswith("INT") or plain == "INTEGER":
        return "integer"
    if plain in {"DOUBLE", "FLOAT", "DECIMAL"}:
        return "number"
    if plain.startswith("TIMESTAMP"):
        return "time"
    return {"BOOLEAN": "boolean", "DATE": "date"}.get(plain, "text")


def _plain(value: Any, kind: str) -> object:
    if value is None:
        return None
    if kind == "integer":
        # Longer numbers than eight bytes are no numbers to whoever reads JSON.
        return int(value) if abs(value) <= LARGEST else str(value)
    if kind == "number":
        number = float(value) if isinstance(value, Decimal) else value
        return number if number - number == 0 else None
    if kind == "time" and isinstance(value, datetime):
        return from_datetime(value)
    if kind == "boolean" or (kind == "date" and isinstance(value, date)):
        return value
    return str(value)
