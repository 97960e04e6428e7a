"""Withdrawals that the facts obey, put into the register with the time and the offset."""

from typing import TYPE_CHECKING

from onefold.consent import proofs
from onefold.model.facts import SAID_BY_EVENT
from onefold.model.time import from_datetime
from onefold.store import Facts, State

if TYPE_CHECKING:
    import ibis.expr.types as ir

_MOST = 10_000
"""So many are put down at a time."""


def put_down(facts: Facts, state: State, *, offset: int, now: int) -> int:
    """Put withdrawals into the register that are not there yet; return how many.

    The View reads the same rows of the facts, so from this moment on no question, no live count,
    no export and no destination uses what they withdraw.

    Args:
        facts: As they were just committed.
        state: Holds the register.
        offset: Up to where the facts have read the log.
        now: Microseconds.
    """
    found = 0
    while True:
        rows = facts.ask(_since(facts.tables()["consents"], proofs.noted(state))).to_pylist()
        told = [
            proofs.Proof(
                place=proofs.FACTS,
                applied_time=now,
                applied_offset=offset,
                **{**row, "asked_time": from_datetime(row["asked_time"])},
            )
            for row in rows
        ]
        fresh = proofs.note(state, told)
        found += fresh
        if not fresh:
            return found


def _since(consents: "ir.Table", offset: int) -> "ir.Table":
    found = consents.filter(~consents.granted, consents.log_offset >= offset)
    # What an event refuses of itself stands since then; a statement since its own time.
    moment = (found.means == SAID_BY_EVENT).ifelse(found.last_time, found.from_time)
    told = found.select("key", "purpose", "means", "source", "log_offset", asked_time=moment)
    return told.order_by("log_offset", "key", "purpose").limit(_MOST)
