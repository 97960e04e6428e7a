"""The one module that makes a View: facts restricted by asker, purpose, environment, as-of."""

from typing import TYPE_CHECKING

import ibis

from onefold.consent import purpose_bit
from onefold.governance import may
from onefold.model.records import Question
from onefold.model.time import to_datetime
from onefold.store import DuckFacts, View

if TYPE_CHECKING:
    import ibis.expr.types as ir

DERIVED_PERSON = "person_id"


def make_view(
    facts: DuckFacts, question: Question, *, now: int, zone: str, fresh_time: int | None
) -> View:
    """Return the facts as a question may see them.

    Raises:
        NotAllowed: The asker may not ask at all.
        NotFound: There is no such purpose.
    """
    from onefold.governance import require

    require(question.asker, "ask")
    tables = facts.tables()
    bit = purpose_bit(question.purpose)
    until = None if question.as_of_time is None else to_datetime(question.as_of_time)
    until = until.replace(tzinfo=None) if until else None
    events = tables["events"]
    place = events.environment == question.environment
    if until is not None:
        place &= events.event_time <= until
    if question.as_of_offset is not None:
        place &= events.log_offset <= question.as_of_offset
    here = events.filter(place)
    allowed = here.filter((events.purposes.cast("int64") & bit) > 0)
    identifiers = tables["identifiers"]
    sessions = tables["sessions"]
    sessions = sessions.filter(
        (sessions.environment == question.environment)
        & ((sessions.purposes.cast("int64") & bit) > 0)
    )
    if until is not None:
        sessions = sessions.filter(sessions.start_time <= until)
    memberships = _by(tables["memberships"], "first_time", until)
    if not may(question.asker, "see_persons"):
        names = identifiers.filter(ibis.literal(False))
    else:
        names = identifiers

    def left_out(from_time: int, to_time: int) -> int:
        span = here.filter(
            (here.event_time >= to_datetime(from_time).replace(tzinfo=None))
            & (here.event_time < to_datetime(to_time).replace(tzinfo=None))
            & ((here.purposes.cast("int64") & bit) == 0)
        )
        answer = facts.ask(span.aggregate(events=span.count()))
        return int(answer.column("events")[0].as_py())

    quarantine = tables["quarantine"]
    return View(
        facts=facts,
        question=question,
        events=allowed,
        person_events=_with_person(allowed, identifiers),
        sessions=_with_person(sessions, identifiers),
        contexts=tables["contexts"],
        identifiers=names,
        memberships=_with_person(memberships, identifiers),
        accounts=_by(tables["accounts"], "created_time", until),
        spend=_until_day(tables["spend"], until),
        tickets=_by(tables["tickets"], "opened_time", until),
        interactions=_by(tables["interactions"], "start_time", until),
        quarantine=quarantine.filter(quarantine.environment == question.environment),
        duplicates=tables["duplicates"],
        runs=tables["runs"],
        now=now if question.as_of_time is None else min(now, question.as_of_time),
        zone=zone,
        fresh_time=fresh_time,
        left_out=left_out,
    )


def _with_person(table: "ir.Table", identifiers: "ir.Table") -> "ir.Table":
    keys = identifiers.select("key", DERIVED_PERSON)
    joined = table.inner_join(keys, table.identifier == keys.key)
    return joined.drop("key")


def _by(table: "ir.Table", column: str, until: object) -> "ir.Table":
    if until is None:
        return table
    return table.filter(table[column].isnull() | (table[column] <= until))


def _until_day(table: "ir.Table", until: object) -> "ir.Table":
    if until is None:
        return table
    return table.filter(table.spend_date <= ibis.literal(until).cast("date"))
