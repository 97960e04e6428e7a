"""Calls about use: what nobody asks for any more, and who asks how much himself."""

from datetime import timedelta
from typing import Annotated

import msgspec

from onefold.governance import may
from onefold.model.records import Answer, Asker, Column
from onefold.model.time import day_of, parse_date
from onefold.model.words import plural
from onefold.runtime import using
from onefold.runtime.registry import Asked, Body, named
from onefold.runtime.stale import stale

_Days = Annotated[int, msgspec.Meta(ge=1, le=using.KEPT_DAYS)]


class StaleParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was not used over so many last days."""

    days: _Days = 90


class UsageParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was asked over so many last days, today with them."""

    days: _Days = 28


@named("stale", StaleParams)
def _stale(asked: Asked, params: StaleParams) -> Body:
    """Events, metrics, segments and dashboards nobody uses any more, with their last use."""
    rows, began = stale(asked.workspace, params.days)
    workspace = asked.workspace
    known_days = (day_of(workspace.clock(), workspace.settings.zone) - parse_date(began)).days
    notes = [f"Uses are counted since {began}; what was used before is not known."]
    if known_days < params.days:
        notes.append(
            f"That is {plural(known_days, 'day')} and not yet {params.days}: what nobody used "
            "since then is listed."
        )
    return Answer(
        columns=(
            *(Column(name, "text") for name in ("kind", "name", "label", "owner")),
            *(Column(name, "date") for name in ("last_use_date", "last_seen_date")),
            *(Column(name, "text") for name in ("read_by", "why")),
        ),
        rows=tuple(
            (
                *(one.kind, one.name, one.label or None, one.owner or None),
                *(parse_date(text) if text else None for text in (one.used, one.seen)),
                *(", ".join(one.read_by) or None, one.why),
            )
            for one in rows
        ),
        definition=f"What nobody asked for over the last {params.days} days, and events of which "
        "none came. An event is used by who names it in a question, or asks for a metric or an "
        "experiment that reads it; a segment by who asks for its members or asks anything of them; "
        "a metric by its figure on a page, a dashboard, Today, in a file "
        "or a call. What comes with Onefold and was never used is left out.",
        as_of_time=workspace.fresh_time,
        notes=tuple(notes),
    )


@named("usage", UsageParams, action="audit")
def _usage(asked: Asked, params: UsageParams) -> Body:
    """How many questions were asked, by whom, and how much of that was self-served."""
    workspace = asked.workspace
    workspace.uses.write(workspace.state, now=workspace.clock(), every=0)
    today = day_of(workspace.clock(), workspace.settings.zone)
    first = (today - timedelta(days=params.days - 1)).isoformat()
    found = [one for one in using.uses_since(workspace.state, first) if one.is_question]
    by: dict[str, list[using.Use]] = {}
    for one in found:
        by.setdefault(one.by, []).append(one)
    most_first = sorted(by.values(), key=lambda mine: (-sum(one.times for one in mine), mine[0].by))
    return Answer(
        columns=(
            Column("by", "text"),
            Column("role", "text"),
            Column("self_served", "text"),
            *(Column(name, "integer") for name in ("questions", "metrics", "dashboards", "days")),
            Column("last_time", "time"),
        ),
        rows=tuple(map(_row, most_first)),
        definition="A question is one that was answered, on a page, by command line, API or "
        "Python; a dashboard counts as one, and so does each figure on it. Self-served is what "
        "people asked who may not change definitions: they did not wait for those who may. Keys "
        "and the command line count neither as self-served nor among people.",
        notes=(_self_served(found, params.days),),
    )


def _row(mine: list[using.Use]) -> tuple[object, ...]:
    """Return what somebody asked: who, as what, self-served, and how much."""
    last = max(mine, key=lambda one: one.last_time)
    asked = {ask: {one.subject for one in mine if one.ask == ask} for ask in _NAMED}
    return (
        last.by,
        last.role,
        {True: "yes", False: "no", None: "no person"}[_serves(last)],
        sum(one.times for one in mine),
        *(len(asked[ask]) for ask in _NAMED),
        len({one.day for one in mine}),
        last.last_time,
    )


_NAMED = ("metric", "dashboard show")


def _serves(one: using.Use) -> bool | None:
    """Return whether a question was self-served; None where no person asked."""
    asker = Asker(one.by, one.role)
    if asker.is_key or asker.internal:
        return None
    return not may(asker, "define")


def _self_served(found: list[using.Use], days: int) -> str:
    people = [one for one in found if _serves(one) is not None]
    all_of, own = (
        sum(one.times for one in some) for some in (people, [one for one in people if _serves(one)])
    )
    if not all_of:
        return f"No person asked anything over the last {days} days."
    said = f"Self-served: {own:,} of {plural(all_of, 'question')} of people"
    return f"{said}, {own / all_of:.0%}, over the last {days} days."
