"""Decisions on recommendations; the only file of this room that touches the state."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onefold.advice.records import Decision
from onefold.governance import require
from onefold.model.errors import BadInput, did_you_mean
from onefold.model.time import DAY
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.model.records import Asker
    from onefold.store import State

VERDICTS = ("accept", "dismiss", "later")
LATER = 7 * DAY
"""When a recommendation that was put off comes back, unless said otherwise."""
MEASURED = 28 * DAY
"""How long an accepted one stays away: until what came of it can be counted."""
LONGEST_ID = 300
LONGEST_REASON = 1000


def decide(
    state: "State",
    asker: "Asker",
    recommendation_id: str,
    verdict: str,
    reason: str = "",
    *,
    now: int,
    until_time: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Decision:
    """Keep a decision with its audit entry, and return it.

    Args:
        state: Where it is kept.
        asker: Who decides.
        recommendation_id: Kind and target, as `advise` gave it.
        verdict: `accept`, `dismiss` or `later`.
        reason: Why; free text, not part of the audit trail.
        now: The time, microseconds UTC.
        until_time: For `later`: when it may come back; a week from now if not given.
        detail: What the recommendation said (what, where, worth), to look back on.

    Raises:
        NotAllowed: The asker may not decide.
        BadInput: The verdict or the id is none, or the time lies in the past.
    """
    require(asker, "decide")
    if verdict not in VERDICTS:
        raise BadInput(
            f"No verdict `{verdict}`.{did_you_mean(verdict, VERDICTS)}",
            f"Use one of: {', '.join(VERDICTS)}.",
        )
    kind, _, target = recommendation_id.partition(":")
    if not kind or not target or len(recommendation_id) > LONGEST_ID:
        raise BadInput(
            f"{recommendation_id[:60]!r} is no recommendation.", "Give the id that `advise` shows."
        )
    until = (until_time if until_time is not None else now + LATER) if verdict == "later" else None
    if until is not None and until <= now:
        raise BadInput("The time to come back lies in the past.", "Give a later time.")
    kept = Decision(
        recommendation_id=recommendation_id,
        verdict=verdict,
        reason=reason.strip()[:LONGEST_REASON],
        decided_by=asker.name,
        decided_time=now,
        until_time=until,
        detail=dict(detail or {}),
    )
    with state.change(asker, f"advice.{verdict}", recommendation_id) as change:
        change.execute(
            tables.decisions.insert().values(
                recommendation=kept.recommendation_id,
                account_id=kept.detail.get("account_id"),
                verdict=kept.verdict,
                reason=kept.reason,
                detail=json.dumps(kept.detail, ensure_ascii=False, sort_keys=True),
                decided_by=kept.decided_by,
                decided_time=kept.decided_time,
                until_time=kept.until_time,
            )
        )
    return kept


def decisions(state: "State") -> tuple[Decision, ...]:
    """Return all decisions, the newest first."""
    table = tables.decisions
    return tuple(
        Decision(
            recommendation_id=row["recommendation"],
            verdict=row["verdict"],
            reason=row["reason"],
            decided_by=row["decided_by"],
            decided_time=row["decided_time"],
            until_time=row["until_time"],
            detail=json.loads(row["detail"]),
        )
        for row in state.rows(table.select().order_by(table.c.id.desc()))
    )


def kept_away(state: "State", now: int) -> frozenset[str]:
    """Return the recommendations that stay away at a time, by their last decision.

    A dismissed one for ever, one put off until its time, an accepted one for 28 days.
    """
    last: dict[str, Decision] = {}
    for each in decisions(state):
        last.setdefault(each.recommendation_id, each)
    away: set[str] = set()
    for name, each in last.items():
        if _stays_away(each, now):
            kind = name.partition(":")[0]
            # What was decided for a group was decided for each account in it.
            away |= {name, *(f"{kind}:{account}" for account in each.detail.get("accounts", ()))}
    return frozenset(away)


def _stays_away(decision: Decision, now: int) -> bool:
    if decision.verdict == "dismiss":
        return True
    if decision.verdict == "later":
        return now < (decision.until_time or 0)
    return now < decision.decided_time + MEASURED
