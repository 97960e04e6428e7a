"""The View's consent term: what a purpose may use, by what was said at the time and holds now.

A purpose may use what happened if consent held then and is not withdrawn now. It held where the
event was kept for the purpose (its mask, judged at intake) unless its person had said no before,
and where its person had said yes before unless the event itself refuses. It is withdrawn by the
latest statement, and by a refusal in a later event that no yes has followed since: a yes in an
event undoes a no in an event, never one that was stated.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from onefold.consent import ANALYTICS, PURPOSES, rules
from onefold.model.errors import unknown
from onefold.model.facts import SAID_BY_EVENT
from onefold.model.time import to_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir

    from onefold.model.records import Question

Stated = frozenset[tuple[str, bool, bool]]
"""What was ever stated: purpose, whether yes, whether by ordinary events alone."""

_ROWS_OF = ("contacts", "answers", "comments", "purchases", "creators", "consent")
"""Imported tables whose rows are of a person, by `user_key`."""
_ROWS_WITH = ("tickets",)
"""Imported tables whose rows are of an account and may name a person."""
_ROWS_AMONG = ("interactions",)
"""Imported tables whose rows are of an account and name any number of persons."""
_FOR_EVER = ibis.timestamp("9999-01-01")


@dataclass(frozen=True, slots=True)
class ConsentTerm:
    """What consent leaves of tables.

    Attributes:
        bit: Of the purpose in masks; 0 for one that only a yes lets in.
        withdrawn: key of whoever may not be used now; None where there is nobody.
        refused: key, from_time, until_time of former noes; None without any.
        granted: key, from_time, until_time of yeses that stand; None where masks say it all.
        off: Nothing may be used, of nobody.
    """

    bit: int
    withdrawn: "ir.Table | None" = None
    refused: "ir.Table | None" = None
    granted: "ir.Table | None" = None
    off: bool = False

    def masked(self, table: "ir.Table") -> "ir.Table":
        """Return the rows that were kept for the purpose, whatever was said since."""
        return table.filter(table.purposes.cast("int64") & self.bit > 0)

    def named(self) -> "list[ir.Table]":
        """Return `key` of everybody of whom more has to be asked than masks say."""
        found = (self.withdrawn, self.refused, self.granted)
        return [table.view().select("key") for table in found if table is not None]

    def events(self, events: "ir.Table", time: str = "event_time") -> "ir.Table":
        """Return what may be used of events, or of orders."""
        return self._usable(events, time, time)

    def sessions(self, sessions: "ir.Table") -> "ir.Table":
        """Return the sessions all of whose events may be used."""
        return self._usable(sessions, "start_time", "end_time")

    def persons(self, table: "ir.Table", key: str = "key") -> "ir.Table":
        """Return the rows of persons of whom anything may be used."""
        if self.off:
            return table.filter(ibis.literal(value=False))
        return self._without(table, key)

    def agreed(self, persons: "ir.Table", known: "ir.Table") -> "ir.Table":
        """Return those of persons who agreed: by an event that may be used, or by a yes that holds.

        For analytics that is whoever is known; for anything else one has to have been asked.

        Args:
            persons: key, person_id.
            known: Events that may be used.
        """
        if self.bit == ANALYTICS:
            return persons
        keys = known.filter(known.identifier.notnull()).select(key="identifier")
        if self.granted is not None:
            yes = self.granted
            keys = keys.union(yes.filter(yes.until_time == _FOR_EVER).select("key"))
        agreed = persons.semi_join(keys.distinct(), "key").select("person_id").distinct()
        return persons.semi_join(agreed, "person_id")

    def records(self, name: str, table: "ir.Table") -> "ir.Table":
        """Return what may be used of a table of imported rows."""
        if name in _ROWS_OF:
            return self.persons(table, "user_key")
        if name in _ROWS_AMONG:
            return self._among(table)
        if name not in _ROWS_WITH or (self.withdrawn is None and not self.off):
            return table
        if self.off:
            return table.mutate(user_key=ibis.null("int64"))
        gone = self.withdrawn.select(gone="key").distinct()  # type: ignore[union-attr]
        joined = table.left_join(gone, table.user_key == gone.gone)
        kept = joined.gone.isnull().ifelse(joined.user_key, ibis.null("int64"))
        return joined.mutate(user_key=kept).select(*table.columns)

    def _among(self, table: "ir.Table") -> "ir.Table":
        """Return rows less those of their participants of whom nothing may be used."""
        nobody = ibis.null("string")
        if self.off:
            return table.mutate(participant_keys=nobody)
        if self.withdrawn is None:
            return table
        # A list begins and ends with a comma, so its first and last pieces are empty.
        told = table.filter(table.participant_keys.notnull()).select(told="participant_keys")
        told = told.distinct()
        each = told.mutate(piece=told.told.split(",").unnest())
        each = each.filter(each.piece != "").mutate(key=each.piece.cast("int64"))
        withdrew = self.withdrawn.view()
        gone = each.semi_join(withdrew, each.key == withdrew.key)
        lost = gone.group_by("told").aggregate(lost=gone.piece.collect())
        joined = table.left_join(lost, table.participant_keys == lost.told)
        left = joined.participant_keys.split(",").filter(lambda one: ~joined.lost.contains(one))
        text = left.join(",")
        kept = joined.lost.isnull().ifelse(
            joined.participant_keys, (text == ",").ifelse(nobody, text)
        )
        return joined.mutate(participant_keys=kept).select(*table.columns)

    def _usable(self, table: "ir.Table", start: str, end: str) -> "ir.Table":
        if self.off:
            return table.filter(ibis.literal(value=False))
        allowed = table.purposes.cast("int64") & self.bit > 0
        held = self._without(table.filter(allowed), "identifier")
        if self.refused is not None:
            no = self.refused
            meets = (held[end] >= no.from_time, held[start] < no.until_time)
            held = held.anti_join(no, [held.identifier == no.key, *meets])
        if self.granted is None:
            return held
        # Masks are shifted by four where an event tells its own refusals.
        refuses = table.purposes.cast("int64") & (self.bit << 4) > 0
        others = table.filter(~allowed & ~refuses)
        yes = self.granted
        within = (others[start] >= yes.from_time, others[end] < yes.until_time)
        return held.union(others.semi_join(yes, [others.identifier == yes.key, *within]))

    def _without(self, table: "ir.Table", key: str) -> "ir.Table":
        if self.withdrawn is None:
            return table
        # Anew each time: a table that is joined with it twice must tell the two apart.
        gone = self.withdrawn.view()
        return table.anti_join(gone, table[key] == gone.key)


def consent_term(
    tables: "Mapping[str, ir.Table]",
    question: "Question",
    *,
    laid_down: rules.ConsentRules,
    stated: Stated,
    now: int,
    off: bool = False,
) -> ConsentTerm:
    """Return the consent term of a question.

    Args:
        tables: The raw facts.
        question: Names the purpose and the environment.
        laid_down: Names own purposes.
        stated: What was ever stated; of what nobody stated nothing is joined.
        now: The time of asking, microseconds UTC: what is withdrawn by now counts, whatever
            time the question is of.
        off: The purpose is switched off for everybody.

    Raises:
        NotFound: There is no such purpose.
    """
    purpose = question.purpose
    if purpose not in laid_down.known:
        raise unknown("purpose", purpose, laid_down.known)
    bit = PURPOSES.get(laid_down.purposes.get(purpose, purpose), 0)
    said = {(yes, by_event) for name, yes, by_event in stated if name == purpose}
    yeses, noes = (True, False) in said, (False, False) in said
    # Without a mask of its own, a purpose of one's own has nothing but yeses.
    alone = bit == 0
    if not said:
        return ConsentTerm(bit, granted=_nothing(tables) if alone else None, off=off)
    statements = _statements(tables, question, now)
    withdrawn = _withdrawn(statements) if noes or (False, True) in said else None
    spans = _spans(statements, withdrawn)
    refused = spans.filter(~spans.granted).drop("granted")
    # Who may not be known has no identifier that a later yes could bring back.
    reaches = yeses and purpose != "analytics" and bit != ANALYTICS
    return ConsentTerm(
        bit=bit,
        withdrawn=None if withdrawn is None else _keys(statements, withdrawn),
        refused=refused if noes and yeses else None,
        granted=spans.filter(spans.granted).drop("granted") if reaches or alone else None,
        off=off,
    )


def _nothing(tables: "Mapping[str, ir.Table]") -> "ir.Table":
    consents_ = tables["consents"]
    none = consents_.filter(ibis.literal(value=False))
    return none.select("key", "from_time", until_time=none.last_time)


@dataclass(frozen=True, slots=True)
class _Statements:
    """Statements with whom they are about, and all keys of everybody.

    Attributes:
        rows: subject, granted, from_time, last_time, by_event.
        keys: key, subject.
    """

    rows: "ir.Table"
    keys: "ir.Table"


def _statements(tables: "Mapping[str, ir.Table]", question: "Question", now: int) -> _Statements:
    # Views of them, for what is joined to this may be of the same tables.
    made, identifiers = tables["consents"].view(), tables["identifiers"].view()
    moment = ibis.literal(to_datetime(now).replace(tzinfo=None))
    made = made.filter(
        made.purpose == question.purpose,
        made.environment.isin(["", question.environment]),
        made.from_time <= moment,
    )
    made = made.select(
        "key", "granted", "from_time", "last_time", by_event=made.means == SAID_BY_EVENT
    )
    # An identifier of several people belongs to none of them: it is its own subject.
    subject = ibis.coalesce(identifiers.person_id, identifiers.key)
    known = identifiers.select("key", subject=subject)
    strangers = made.anti_join(known, "key").select("key", subject="key").distinct()
    keys = known.union(strangers)
    rows = made.inner_join(keys, "key").drop("key")
    return _Statements(rows, keys)


def _withdrawn(statements: _Statements) -> "ir.Table":
    """Return the subjects whose latest word is no."""
    rows = statements.rows
    latest = rows.group_by("subject").aggregate(
        no=rows.from_time.max(where=~rows.by_event & ~rows.granted),
        yes=rows.from_time.max(where=~rows.by_event & rows.granted),
        refused=rows.last_time.max(where=rows.by_event & ~rows.granted),
        agreed=rows.last_time.max(where=rows.by_event & rows.granted),
    )
    stated = latest.no.notnull() & (latest.yes.isnull() | (latest.yes <= latest.no))
    by_event = latest.refused.notnull()
    for later in (latest.agreed, latest.yes):
        by_event &= later.isnull() | (later <= latest.refused)
    return latest.filter(stated | by_event).select("subject")


def _keys(statements: _Statements, subjects: "ir.Table") -> "ir.Table":
    return statements.keys.semi_join(subjects, "subject").select("key")


def _spans(statements: _Statements, withdrawn: "ir.Table | None") -> "ir.Table":
    """Return from when until when each statement held, of those who did not withdraw."""
    rows = statements.rows.filter(~statements.rows.by_event)
    if withdrawn is not None:
        rows = rows.anti_join(withdrawn, "subject")
    # Of a yes and a no of one moment the no comes last.
    order = ibis.window(group_by=rows.subject, order_by=[rows.from_time, rows.granted.desc()])
    until = ibis.coalesce(rows.from_time.lead().over(order), _FOR_EVER)
    spans = rows.select("subject", "granted", "from_time", until_time=until)
    spans = spans.filter(spans.from_time < spans.until_time)
    return spans.inner_join(statements.keys, "subject").select(
        "key", "granted", "from_time", "until_time"
    )


def consents_of(tables: "Mapping[str, ir.Table]", question: "Question") -> "ir.Table":
    """Return what was said of consent, once for every identifier of its person.

    Columns are those of `consents`, with `of_key` for the identifier that it was said of, and
    `key` for each of the person's. Nothing is left out of it: a no has to be known to be obeyed.
    """
    made = tables["consents"]
    made = made.filter(made.environment.isin(["", question.environment]))
    known = tables["identifiers"].select("key", "person_id")
    known = known.mutate(person_id=ibis.coalesce(known.person_id, known.key))
    strangers = made.anti_join(known, "key").select("key", person_id="key").distinct()
    keys = known.union(strangers)
    said = made.inner_join(keys, "key").rename(of_key="key")
    return said.inner_join(keys.view(), "person_id")


def stated_in(tables: "Mapping[str, ir.Table]") -> "ir.Table":
    """Return what was ever stated: purpose, granted, by_event."""
    made = tables["consents"]
    return made.select("purpose", "granted", by_event=made.means == SAID_BY_EVENT).distinct()
