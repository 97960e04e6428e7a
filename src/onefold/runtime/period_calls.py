"""Calls about closed periods: which are closed, what they said, and closing what is due."""

from typing import Any

import msgspec

from onefold.model.errors import NotFound
from onefold.model.money import MICROS
from onefold.model.records import Answer, Column
from onefold.model.time import from_datetime, parse_date
from onefold.runtime import call_params as take
from onefold.runtime.closing import close_due
from onefold.runtime.registry import Asked, Body, named

_WHOLE = "Figures as they were counted over every row when the period was closed."


class PeriodsParams(take.Asking, frozen=True, kw_only=True):
    """Which length of periods."""

    every: take.Every = "day"


class PeriodParams(take.Asking, frozen=True, kw_only=True):
    """A period by its first day and its length."""

    start: str
    every: take.Every = "day"


class CloseParams(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"to_date": "to"}
):
    """Until which day; what ended by its start is closed."""

    to_date: str | None = None


@named("period list", PeriodsParams, whole=True)
def _list(asked: Asked, params: PeriodsParams) -> Body:
    """Closed periods of a length, the latest first, and how many figures each has."""
    view = asked.view(params)
    rows: list[dict[str, Any]] = []
    if view.closed is not None:
        table: Any = view.closed
        mine = table.filter(table.every == params.every)
        counted = mine.group_by("start_date", "closed_time").aggregate(figures=mine.count())
        rows = view.ask(counted).to_pylist()
        rows.sort(key=lambda row: row["start_date"], reverse=True)
    return Answer(
        columns=(
            Column("period", "date"),
            Column("closed_time", "time"),
            Column("figures", "integer"),
        ),
        rows=tuple(
            (row["start_date"], from_datetime(row["closed_time"]), row["figures"]) for row in rows
        ),
        definition=_WHOLE,
        notes=() if rows else (f"No {params.every} is closed for {params.purpose} yet.",),
        as_of_time=view.fresh_time,
    )


@named("period show", PeriodParams, whole=True)
def _show(asked: Asked, params: PeriodParams) -> Body:
    """The figures of a closed period, as they were when it was closed."""
    view, start = asked.view(params), parse_date(params.start)
    rows: list[dict[str, Any]] = []
    if view.closed is not None:
        table: Any = view.closed
        mine = table.filter(table.every == params.every, table.start_date == start)
        rows = view.ask(mine.order_by("metric", "currency")).to_pylist()
    if not rows:
        message = f"The {params.every} from {start} is not closed."
        raise NotFound(message, "`onefold period list` says which are.")
    return Answer(
        columns=(
            Column("metric", "text"),
            Column("version", "integer"),
            Column("currency", "text"),
            *(Column(name, "number") for name in ("estimate", "low", "high")),
            Column("n", "integer", "people"),
        ),
        rows=tuple(
            (
                row["metric"],
                row["version"],
                row["currency"],
                *(_units(row, name) for name in ("estimate", "low", "high")),
                row["n"],
            )
            for row in rows
        ),
        definition=f"{_WHOLE} Money in units of its currency.",
        as_of_time=view.fresh_time,
    )


def _units(row: dict[str, Any], name: str) -> float | None:
    value: float | None = row[name]
    return value / MICROS if row["currency"] and value is not None else value


@named("period close", CloseParams, action="define", changes=True, whole=True)
def _close(asked: Asked, params: CloseParams) -> Body:
    """Close now what is due; with a day, all that ended by its start."""
    before = parse_date(params.to_date) if params.to_date else None
    done = close_due(asked.workspace, asker=asked.asker, before=before, progress=asked.progress)
    told = {f"{every}s": done.periods.get(every, 0) for every in ("day", "week", "month")}
    return {**told, "figures": done.figures}
