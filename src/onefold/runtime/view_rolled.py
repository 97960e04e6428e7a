"""The rollups of a View: what they hold, less what a question may not use of it.

Rollups know nobody. So of all whom any term of the question looks out for (who said anything of
consent, who is marked), whatever they did in the span is taken back as it was counted, and what
may be used of it is added again from the events: the sums are those of the View's events, as
persons are merged and consent stands at the moment of asking.
"""

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from onefold.metrics import folding
from onefold.model.records import Question
from onefold.runtime.view_consent import ConsentTerm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ibis.expr.types as ir

    from onefold.governance import policies

    Rolled = Callable[[tuple[int, int], str], ir.Table]


@dataclass(frozen=True, slots=True)
class Counted:
    """What a View's events are made of.

    Attributes:
        here: Events of the environment.
        allowed: Those of them that the View shows.
        consent: What may be used of persons.
        strangers: `key` of whoever is marked and not let in; None without any.
        horizon: Before when nothing may be used, microseconds; or None.
        now: The time of asking, microseconds UTC.
    """

    here: "ir.Table"
    allowed: "ir.Table"
    consent: ConsentTerm
    strangers: "ir.Table | None"
    horizon: int | None
    now: int

    def keys(self) -> "ir.Table | None":
        """Return `key` of everybody whom a term of the question looks out for; None of nobody."""
        named = self.consent.named()
        if self.strangers is not None:
            named.append(self.strangers.select("key"))
        return reduce(lambda one, other: one.union(other), named).distinct() if named else None

    def too_old(self, span: tuple[int, int], every: str) -> bool:
        """Return whether rollups do not reach so far back."""
        bounds = [] if self.horizon is None else [self.horizon]
        bounds += [self.now - folding.rollups.KEPT] if every == "s" else []
        return any(span[0] < bound for bound in bounds)


def rolled_of(
    tables: "Mapping[str, ir.Table]", question: Question, sight: "policies.Sight", counted: Counted
) -> "Rolled | None":
    """Return what gives the rows of a rollup for a span; None where only events can tell.

    Rollups are of now, and do not know who sent an event, which policies on accounts ask.

    Args:
        tables: The facts' tables with the rows that policies let be seen.
        question: Under which terms it is asked.
        sight: What the asker may see.
        counted: What the sums are of.
    """
    past = question.as_of_time is not None or question.as_of_offset is not None
    if past or counted.consent.off or any(rows.names_accounts for rows in sight.rows):
        return None
    rollups, keys = folding.rollups, counted.keys()

    def kept(rows: Any) -> Any:
        """Return what masks and marks of the rows themselves let in."""
        rows = counted.consent.masked(rows)
        return rows.filter(unmarked(rows, question))

    def rolled(span: tuple[int, int], every: str) -> "ir.Table":
        allowed = rollups.within(counted.allowed, span, "event_time")
        if counted.too_old(span, every):
            return rollups.rolled(allowed, every)
        parts = rollups.within(tables[rollups.TABLE[every]], span)
        parts = parts.filter(parts.environment == question.environment)
        found = kept(parts).select(*rollups.COLUMNS)
        if keys is None:
            return found
        here = kept(rollups.within(counted.here, span, "event_time"))
        taken = rollups.taken_back(rollups.rolled(_of(here, keys), every))
        again = rollups.rolled(_of(allowed, keys), every)
        return found.union(taken, again)

    return rolled


def unmarked(events: "ir.Table", question: Question) -> "ir.BooleanValue":
    """Return whether an event is a customer's, or of a kind that the question lets in."""
    people = events.traffic.isnull()
    return people | events.traffic.isin(sorted(question.include)) if question.include else people


def _of(events: Any, keys: "ir.Table") -> Any:
    somebodys = keys.view()
    return events.semi_join(somebodys, events.identifier == somebodys.key)
