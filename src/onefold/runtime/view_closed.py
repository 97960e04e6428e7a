"""Closed periods as a View may show them, and what came since that may have moved their figures.

Closed figures were counted over every row. Who may see but some of them, or asks on other terms
than those of the closing, is shown none: all of that is counted anew.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import ibis

from onefold.model.facts import RECORD_CODES, SAID_BY_EVENT

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.governance import policies
    from onefold.model.records import Question

_MERGE = "merge"
"""Kind of a link by which somebody said that two identifiers are one person's."""

_LAST = 2**63 - 1
"""After every row of the log."""

Tables = Mapping[str, "ir.Table"]


def closed_of(
    tables: Tables,
    question: "Question",
    sight: "policies.Sight",
    old: Mapping[str, Any],
) -> dict[str, Any]:
    """Return `closed` and `moves` of a View; nothing where closed figures may not be shown.

    Args:
        tables: The raw facts.
        question: Under which terms it is asked.
        sight: What the policies in force let the asker see.
        old: `events` or a table of imported rows -> before when none of its rows may be used any
            more, as its column of time has it.
    """
    if not sight.whole or question.include or question.as_of_time is not None:
        return {}
    table = tables["closed"]
    of_purpose = table.purpose == question.purpose
    shown = table.filter(of_purpose, table.environment == question.environment)
    return {"closed": shown, "moves": partial(moves_of, tables, question, old)}


def moves_of(tables: Tables, question: "Question", old: Mapping[str, Any]) -> "ir.Table":
    """Return what may move a figure: `cause`, `log_offset` that told it, `event_time` it reaches.

    A time of None is any: what is gone has no time left. Who was merged, or said another word,
    reaches the times of every event of that person. What is too old became so after every row.
    """
    events = tables["events"]
    here = events.filter(events.environment == question.environment)
    late = here.select(cause=ibis.literal("late"), log_offset="log_offset", event_time="event_time")
    reached = _reached(_told(tables, question), tables["identifiers"], here)
    aged = [
        table.filter(table[time] < ibis.literal(old[name])).select(
            cause=ibis.literal("retention"), log_offset=ibis.literal(_LAST), event_time=table[time]
        )
        for name, table, time in (
            ("events", here, "event_time"),
            ("purchases", tables["purchases"], "purchase_time"),
        )
        if name in old
    ]
    return ibis.union(late, _purchases(tables), reached, _any_time(tables), *aged)


def _purchases(tables: Tables) -> "ir.Table":
    """Return when the rows of imported purchases were told."""
    records, bought = tables["records"], tables["purchases"]
    mine = records.filter(records.entity == RECORD_CODES["purchase"])
    joined = mine.inner_join(bought, mine.key == bought.purchase_id)
    return joined.select(
        cause=ibis.literal("late"), log_offset=mine.log_offset, event_time=bought.purchase_time
    )


def _told(tables: Tables, question: "Question") -> "ir.Table":
    """Return what was told of identifiers: `cause`, `log_offset`, `key`."""
    merges = tables["links"].filter(tables["links"].kind == _MERGE)
    merged = ibis.literal("merge")
    found = [
        table.select(cause=merged, log_offset=table.log_offset, key=table[end])
        for table in (tables["edges"], merges)
        for end in ("from_key", "to_key")
    ]
    consents = tables["consents"]
    said = consents.filter(
        consents.environment.isin(["", question.environment]),
        # An event tells of its own yes again and again; that moves nothing but itself.
        ~(consents.granted & (consents.means == SAID_BY_EVENT)),
    )
    word = said.granted.ifelse("consent", "withdrawal")
    found.append(said.select(cause=word, log_offset=said.log_offset, key=said.key))
    return ibis.union(*found)


def _reached(told: "ir.Table", identifiers: "ir.Table", events: "ir.Table") -> "ir.Table":
    """Return what was told of identifiers with the times of the events of their persons."""
    whose = identifiers.filter(identifiers.person_id.notnull()).select("key", "person_id")
    persons = told.inner_join(whose, "key").group_by("cause", "person_id")
    last = persons.aggregate(log_offset=lambda t: t.log_offset.max())
    theirs = whose.view()
    keys = last.inner_join(theirs, last.person_id == theirs.person_id)
    keys = keys.select(cause=last.cause, log_offset=last.log_offset, whose=theirs.key)
    reached = events.inner_join(keys, events.identifier == keys.whose)
    return reached.select(
        cause=keys.cause, log_offset=keys.log_offset, event_time=events.event_time
    )


def _any_time(tables: Tables) -> "ir.Table":
    links, gone, moved = tables["links"], tables["unlinked"], tables["moved"]
    parted = links.filter(links.kind != _MERGE)
    pieces = [
        (parted, ibis.literal("unmerge")),
        (gone, ibis.literal("unmerge")),
        (moved, moved.cause),
    ]
    return ibis.union(
        *(
            table.select(
                cause=cause, log_offset=table.log_offset, event_time=ibis.null("timestamp")
            )
            for table, cause in pieces
        )
    )
