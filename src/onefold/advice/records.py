"""What crosses the door of advice."""

from dataclasses import dataclass
from typing import Any

from onefold.model.records import Estimate
from onefold.model.time import format_time

GRADES = ("", "Rule", "Seen together", "Compared", "Tested")
"""Evidence grades by number: 4 assigned at random, 3 like with like, 2 not yet compared, 1 rule."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing worth doing: what, where, when, why, and what it is worth.

    Attributes:
        id: Stable over restarts and rebuilds: kind and target, `service.creative_help:acc-1`.
        kind: The part before the colon.
        what: What to do, as an imperative sentence without its full stop.
        where: Account and phase, or which accounts.
        when: The window, and why then.
        until_time: When the window ends, microseconds UTC; None while it stays open.
        grade: 1 to 4 (see `GRADES`).
        why: The evidence in a few words, with counts.
        evidence: Where the evidence is shown, an address in this workspace.
        value: Expected worth over 28 days in micros; None where it is not in money.
        currency: Of the money; empty without.
        worth: What it is worth in words where it is not in money.
        worth_note: Of what, low and high; empty with money.
        anyway: What would come anyway over the same 28 days, micros; None where unknown.
        method: How the worth was found.
        cannot_tell: What it cannot tell.
        account_id: The one account it is for, or None.
        accounts: Ids of all accounts it is for.
    """

    id: str
    kind: str
    what: str
    where: str
    when: str
    until_time: int | None
    grade: int
    why: str
    evidence: str
    value: Estimate | None
    currency: str
    worth: str
    worth_note: str
    anyway: float | None
    method: str
    cannot_tell: str
    account_id: str | None
    accounts: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "id": self.id,
            "kind": self.kind,
            "what": self.what,
            "where": self.where,
            "when": self.when,
            "until_time": None if self.until_time is None else format_time(self.until_time),
            "grade": self.grade,
            "grade_word": GRADES[self.grade],
            "why": self.why,
            "evidence": self.evidence,
            "value": None if self.value is None else self.value.to_json(),
            "value_unit": "micros" if self.value is not None else None,
            "currency": self.currency or None,
            "worth": self.worth or None,
            "worth_note": self.worth_note or None,
            "anyway": self.anyway,
            "horizon_days": 28,
            "method": self.method,
            "cannot_tell": self.cannot_tell,
            "account_id": self.account_id,
            "accounts": list(self.accounts),
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was thought of and is not advised.

    Attributes:
        kind: Of the recommendation it would have been.
        what: What it would have said.
        where: For whom; empty for the whole market.
        reason: Why not.
    """

    kind: str
    what: str
    where: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"kind": self.kind, "what": self.what, "where": self.where, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Advice:
    """Three to five things worth doing, or fewer with the reason.

    Attributes:
        recommendations: The best first.
        considered: How many things were thought of.
        refused: Those that are not advised, each with its reason.
        decided: How many were left out because somebody has decided on them.
        method: How the worth is found, in words.
        cannot_tell: What that cannot tell.
        note: How the list came to be this short; empty for three to five.
        asked_time: As of when, microseconds UTC.
    """

    recommendations: tuple[Recommendation, ...]
    considered: int
    refused: tuple[Refusal, ...]
    decided: int
    method: str
    cannot_tell: str
    note: str
    asked_time: int

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "recommendations": [each.to_json() for each in self.recommendations],
            "considered": self.considered,
            "refused": [each.to_json() for each in self.refused],
            "decided": self.decided,
            "method": self.method,
            "cannot_tell": self.cannot_tell,
            "note": self.note,
            "as_of": format_time(self.asked_time),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided on a recommendation.

    Attributes:
        recommendation_id: Its stable id.
        verdict: `accept`, `dismiss` or `later`.
        reason: Why, in the words of whoever decided; may be empty.
        decided_by: Who.
        decided_time: When, microseconds UTC.
        until_time: For `later`: when it may come back.
        detail: What it said then: what, where, worth.
    """

    recommendation_id: str
    verdict: str
    reason: str
    decided_by: str
    decided_time: int
    until_time: int | None
    detail: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "recommendation_id": self.recommendation_id,
            "verdict": self.verdict,
            "reason": self.reason,
            "decided_by": self.decided_by,
            "decided_time": format_time(self.decided_time),
            "until_time": None if self.until_time is None else format_time(self.until_time),
            "detail": self.detail,
        }
