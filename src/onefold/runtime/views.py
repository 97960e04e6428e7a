"""The one module that makes a View: facts restricted by asker, purpose, environment, as-of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis

from onefold.consent import rules
from onefold.governance import may, policies, require
from onefold.model.facts import RECORD_TIMES
from onefold.model.records import MARKS, Question
from onefold.model.time import to_datetime
from onefold.runtime.retention_days import bound_of
from onefold.runtime.view_access import people_of, seen
from onefold.runtime.view_accounts import as_one_account, decided
from onefold.runtime.view_closed import closed_of
from onefold.runtime.view_consent import ConsentTerm, Stated, consent_term, consents_of
from onefold.runtime.view_rolled import Counted, rolled_of, unmarked
from onefold.store import View, planes

if TYPE_CHECKING:
    from datetime import date, datetime

    import ibis.expr.types as ir

DERIVED_PERSON = "person_id"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a question has to look out for in the facts; what is not there costs nothing.

    Attributes:
        marked: Somebody or something may be marked as no customer's.
        sampled: Some of the events may be of a sample.
        stated: What was ever stated of consent.
        consent: What is laid down about it.
        off: Purposes that are switched off for everybody.
        linked: Some of the accounts or contacts are one.
        horizon: Before when nothing may be used for the purpose any more, microseconds; or None.
        rows: Table of imported rows -> before when none of its rows may be used, likewise.
    """

    marked: bool = True
    sampled: bool = True
    stated: Stated = frozenset()
    consent: rules.ConsentRules = field(default_factory=rules.shipped_consent)
    off: frozenset[str] = frozenset()
    linked: bool = False
    horizon: int | None = None
    rows: Mapping[str, int] = field(default_factory=dict)


def make_view(
    facts: planes.Readable,
    question: Question,
    *,
    now: int,
    zone: str,
    fresh_time: int | None,
    terms: Terms = Terms(),
    sight: "policies.Sight" = policies.WHOLE,
) -> View:
    """Return the facts as a question may see them.

    Args:
        facts: The engine.
        question: Under which terms it is asked.
        now: The time of asking, microseconds UTC.
        zone: The workspace's time zone.
        fresh_time: Received time of the last event folded, or None.
        terms: What the facts hold that a question has to look out for.
        sight: What the policies in force let the asker see.

    Raises:
        NotAllowed, NotFound: The asker may not ask at all; there is no such purpose.
    """
    require(question.asker, "ask")
    everything, until = facts.tables(), _until(question)
    told = seen(everything, sight)
    tables = as_one_account(told, everything["account_heads"]) if terms.linked else told
    # Who withdrew did so whatever the asker may see of it.
    consent = _consent(everything, question, terms, now)
    here = _young(_here(tables["events"], question, until), terms, "event_time")
    known = consent.events(here)
    identifiers = consent.persons(_somebodys(tables))
    strangers = _strangers(everything, question) if terms.marked else None
    allowed = known.filter(unmarked(known, question))
    people = consent.persons(people_of(_somebodys(everything), tables, sight))
    if strangers is not None:
        people = people.anti_join(strangers, "person_id")
        allowed = allowed.anti_join(strangers, allowed.identifier == strangers.key)
    sessions = _young(_sessions(tables["sessions"], question, until), terms, "start_time")
    orders = consent.events(_young(tables["orders"], terms, "order_time"), "order_time")
    out = _LeftOut(facts, tables, (here, known), strangers, question)
    counted = Counted(here, allowed, consent, strangers, terms.horizon, now)
    return View(
        facts=facts,
        question=question,
        events=allowed,
        person_events=_with_person(allowed, people),
        sessions=_with_person(consent.sessions(sessions), people),
        contexts=tables["contexts"],
        records={
            name: consent.records(name, _known_by(_kept(tables[name], terms, name), time, until))
            for name, time in RECORD_TIMES.items()
        },
        orders=_orders(orders, question, until, strangers),
        quarantine=_of(tables["quarantine"], question),
        **_of_nobody(tables),
        now=now if question.as_of_time is None else min(now, question.as_of_time),
        zone=zone,
        fresh_time=fresh_time,
        left_out=out.by_consent,
        marked_out=out.of_span if terms.marked else lambda _from, _to: {},
        marked_of=out.of_customer if terms.marked else lambda **_customer: {},
        sampled=terms.sampled,
        sight=(may(question.asker, "see_persons"), sight),
        **_of_persons(tables, question, (identifiers, people), (consent, known), until),
        decided=decided(told, question, until),
        **_closed(everything, question, sight, terms),
        rolled=rolled_of(tables, question, sight, counted),
    )


def _of_nobody(tables: "Mapping[str, ir.Table]") -> dict[str, Any]:
    """Return the tables that tell of nobody."""
    return {name: tables[name] for name in ("duplicates", "dropped", "held", "runs")}


def _until(question: Question) -> "datetime | None":
    """Return the time a question is as of, as the facts keep times."""
    if question.as_of_time is None:
        return None
    return to_datetime(question.as_of_time).replace(tzinfo=None)


def _consent(
    tables: "Mapping[str, ir.Table]", question: Question, terms: Terms, now: int
) -> ConsentTerm:
    return consent_term(
        tables,
        question,
        laid_down=terms.consent,
        stated=terms.stated,
        now=now,
        off=question.purpose in terms.off,
    )


def _of_persons(
    tables: "Mapping[str, ir.Table]",
    question: Question,
    persons: "tuple[ir.Table, ir.Table]",
    consent: "tuple[ConsentTerm, ir.Table]",
    until: "datetime | None",
) -> dict[str, Any]:
    """Return the tables that say who is who, of those who agreed to what is asked for.

    Args:
        tables: The raw facts.
        question: Under which terms it is asked.
        persons: key, person_id of who may be used, and of those without marked ones.
        consent: Consent's term, and the events that it allows.
        until: As of when; None for now.
    """
    term, known = consent
    identifiers, people = (term.agreed(each, known) for each in persons)
    said = consents_of(tables, question)
    names = may(question.asker, "see_persons")
    return {
        "graph": _graph(tables, until, term, shown=names),
        "identifiers": identifiers if names else _none_of(identifiers),
        "people": people,
        "memberships": _with_person(_by(tables["memberships"], "from_time", until), people),
        "consents": said if names else _none_of(said),
    }


def _none_of(table: "ir.Table") -> "ir.Table":
    return table.filter(ibis.literal(value=False))


def _somebodys(tables: "Mapping[str, ir.Table]") -> "ir.Table":
    """Return the identifiers that belong to somebody."""
    identifiers = tables["identifiers"]
    return identifiers.filter(identifiers.person_id.notnull())


def _graph(
    tables: "Mapping[str, ir.Table]",
    until: "datetime | None",
    consent: ConsentTerm,
    *,
    shown: bool,
) -> dict[str, "ir.Table"]:
    """Return identifiers, evidence and decisions of who is who; nothing for who sees no persons."""
    found = {"nodes": consent.persons(tables["identifiers"])}
    for name, time in (("edges", "event_time"), ("links", "made_time")):
        ends = consent.persons(_by(tables[name], time, until), "from_key")
        found[name] = consent.persons(ends, "to_key")
    found["cohorts"], found["members"] = tables["cohorts"], consent.persons(tables["members"])
    return found if shown else {name: _none_of(table) for name, table in found.items()}


def _of(quarantine: "ir.Table", question: Question) -> "ir.Table":
    return quarantine.filter(quarantine.environment == question.environment)


def _young(table: "ir.Table", terms: Terms, column: str) -> "ir.Table":
    """Return the rows that are not too old for the purpose."""
    if terms.horizon is None:
        return table
    return table.filter(table[column] >= to_datetime(terms.horizon).replace(tzinfo=None))


def _closed(
    tables: "Mapping[str, ir.Table]", question: Question, sight: "policies.Sight", terms: Terms
) -> dict[str, Any]:
    """Return what of closed periods may be shown; nothing of a purpose that is switched off."""
    if question.purpose in terms.off:
        return {}
    return closed_of(tables, question, sight, _old(terms))


def _old(terms: Terms) -> dict[str, "date | datetime"]:
    """Return `events` or a table of imported rows -> before when its rows are too old."""
    found = {name: bound_of(name, time) for name, time in terms.rows.items()}
    if terms.horizon is not None:
        found["events"] = to_datetime(terms.horizon).replace(tzinfo=None)
    return found


def _kept(table: "ir.Table", terms: Terms, name: str) -> "ir.Table":
    """Return the imported rows that are not too old."""
    if name not in terms.rows:
        return table
    bound = ibis.literal(bound_of(name, terms.rows[name]))
    return table.filter(table[RECORD_TIMES[name]] >= bound)


def _here(events: "ir.Table", question: Question, until: "datetime | None") -> "ir.Table":
    """Return the events of the environment, as of what is asked."""
    place = events.environment == question.environment
    if until is not None:
        place &= events.event_time <= until
    if question.as_of_offset is not None:
        place &= events.log_offset <= question.as_of_offset
    return events.filter(place)


def _sessions(sessions: "ir.Table", question: Question, until: "datetime | None") -> "ir.Table":
    """Return the sessions of the environment, without marked traffic."""
    found = sessions.filter(
        (sessions.environment == question.environment)
        & sessions.traffic.isin(["", *sorted(question.include)])
    )
    return found if until is None else found.filter(found.start_time <= until)


def _within(events: "ir.Table", span: tuple[int, int]) -> "ir.Table":
    from_time, to_time = (to_datetime(time).replace(tzinfo=None) for time in span)
    return events.filter((events.event_time >= from_time) & (events.event_time < to_time))


def _counted(facts: planes.Readable, events: "ir.Table", span: tuple[int, int]) -> int:
    inside = _within(events, span)
    answer = facts.ask(inside.aggregate(events=inside.count()))
    return int(answer.column("events")[0].as_py())


def _strangers(tables: "Mapping[str, ir.Table]", question: Question) -> "ir.Table | None":
    """Return every identifier of who is marked and not let in, and one mark of the person."""
    hidden = sorted(set(MARKS) - question.include)
    if not hidden:
        return None
    identifiers, marked = _somebodys(tables), tables["marked"]
    marked = marked.filter(marked.traffic.isin(hidden))
    found = identifiers.inner_join(marked, "key")
    persons = found.group_by("person_id").aggregate(mark=found.traffic.min())
    return identifiers.inner_join(persons, "person_id").select("key", "person_id", "mark")


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Counts what a question leaves out as no customer's: mark -> events, the most first."""

    facts: planes.Readable
    tables: "Mapping[str, ir.Table]"
    events: "tuple[ir.Table, ir.Table]"
    """Of the environment, and those of them that consent allows."""
    strangers: "ir.Table | None"
    question: Question

    @property
    def known(self) -> "ir.Table":
        """The events that consent allows."""
        return self.events[1]

    def by_consent(self, from_time: int, to_time: int) -> int:
        """Return how many events of a span consent left out."""
        here, known = (_counted(self.facts, each, (from_time, to_time)) for each in self.events)
        return here - known

    def of_span(self, from_time: int, to_time: int) -> dict[str, int]:
        """Return what is left out of a span."""
        return self._counted(_within(self.known, (from_time, to_time)))

    def of_customer(self, *, person_id: int | None = None, account_id: str = "") -> dict[str, int]:
        """Return what is left out of a person, or of all who were ever of an account."""
        identifiers, memberships = _somebodys(self.tables), self.tables["memberships"]
        if person_id is None:
            told = memberships.filter(memberships.account_id == account_id)
            members = identifiers.semi_join(told, identifiers.key == told.identifier)
            keys = identifiers.semi_join(members.select("person_id"), "person_id")
        else:
            keys = identifiers.filter(identifiers.person_id == person_id)
        return self._counted(self.known.semi_join(keys, self.known.identifier == keys.key))

    def _counted(self, events: "ir.Table") -> dict[str, int]:
        let_in = events.traffic.isin(sorted(self.question.include) or ["nobody"])
        told = let_in.ifelse(ibis.null("string"), events.traffic)
        events = events.select("identifier", told=told)
        if self.strangers is not None:
            strangers = self.strangers
            events = events.left_join(strangers, events.identifier == strangers.key)
            events = events.select(mark=ibis.coalesce(events.told, events.mark))
        else:
            events = events.select(mark=events.told)
        counted = events.filter(events.mark.notnull()).group_by("mark")
        rows = self.facts.ask(counted.aggregate(events=lambda t: t.count())).to_pylist()
        return {row["mark"]: row["events"] for row in sorted(rows, key=_most_first)}


def _most_first(row: dict[str, Any]) -> tuple[int, str]:
    return -row["events"], row["mark"]


def _with_person(table: "ir.Table", identifiers: "ir.Table") -> "ir.Table":
    keys = identifiers.select("key", DERIVED_PERSON)
    joined = table.inner_join(keys, table.identifier == keys.key)
    return joined.drop("key")


def _by(table: "ir.Table", column: str, until: object) -> "ir.Table":
    if until is None:
        return table
    return table.filter(table[column].isnull() | (table[column] <= until))


def _known_by(table: "ir.Table", column: str, until: object) -> "ir.Table":
    """Return imported rows that were true by a time; the day of it counts whole."""
    if until is None or not column.endswith("_date"):
        return _by(table, column, until)
    return _by(table, column, ibis.literal(until).cast("date"))


def _orders(
    orders: "ir.Table",
    question: Question,
    until: "datetime | None",
    strangers: "ir.Table | None",
) -> "ir.Table":
    """Return the orders of the environment, without those of strangers."""
    found = orders.filter(orders.environment == question.environment)
    found = found.filter(unmarked(found, question))
    if strangers is not None:
        found = found.anti_join(strangers, found.identifier == strangers.key)
    return _by(found, "order_time", until)
