"""The register of withdrawals: who, what, since when, applied where and when, by offset."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from onefold.consent import store
from onefold.consent.records import FACTS, Proof

if TYPE_CHECKING:
    from onefold.store import State

__all__ = ["FACTS", "Proof", "applied", "listed", "note", "noted"]


def noted(state: "State") -> int:
    """Return the offset up to which withdrawals stand in the register; -1 before any."""
    return store.last_offset(state, FACTS)


def note(state: "State", withdrawals: Iterable[Proof]) -> int:
    """Keep proofs of withdrawals that the facts obey; return how many were new."""
    return store.add(state, tuple(withdrawals))


def applied(state: "State", place: str, *, purpose: str, offset: int, now: int) -> int:
    """Keep that a place beside the facts obeys every withdrawal up to an offset; return how many.

    Args:
        state: Holds the register.
        place: Such as `destination:NAME`.
        purpose: What the place uses people's data for.
        offset: Of the log, as far as the place has heard.
        now: Microseconds.
    """
    since = store.last_offset(state, place)
    heard = store.proofs(state, place=FACTS, purpose=purpose, since=since)
    return store.add(
        state,
        tuple(
            replace(one, place=place, applied_time=now, applied_offset=offset)
            for one in heard
            if one.log_offset <= offset
        ),
    )


def listed(state: "State", *, most: int = 100) -> tuple[Proof, ...]:
    """Return the last proofs, the latest first."""
    return store.proofs(state, most=most)
