"""Statements over proofs of withdrawals; the only file of consent that asks the state."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from onefold.consent.records import Proof
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

_proofs = tables.withdrawals
_WHAT = ("key", "purpose", "means", "asked_time", "log_offset")


def last_offset(state: "State", place: str) -> int:
    """Return the offset of the last withdrawal that is proven for a place; -1 before any."""
    mine = _proofs.select().where(_proofs.c.place == place)
    rows = state.rows(mine.order_by(_proofs.c.log_offset.desc()).limit(1))
    return rows[0]["log_offset"] if rows else -1


def add(state: "State", proofs: Sequence[Proof]) -> int:
    """Keep proofs that are not there yet; return how many."""
    if not proofs:
        return 0
    since = _proofs.c.log_offset >= min(one.log_offset for one in proofs)
    known = {_named(row) for row in state.rows(_proofs.select().where(since))}
    fresh = [one for one in proofs if _name(one) not in known]
    if fresh:
        rows = [{name: getattr(one, name) for name in Proof.__slots__} for one in fresh]
        state.touch(_proofs.insert().values(rows))
    return len(fresh)


def _name(proof: Proof) -> tuple[object, ...]:
    return (*(getattr(proof, name) for name in _WHAT), proof.place)


def _named(row: object) -> tuple[object, ...]:
    return tuple(row[name] for name in (*_WHAT, "place"))  # type: ignore[index]


def proofs(
    state: "State",
    *,
    place: str | None = None,
    purpose: str | None = None,
    since: int | None = None,
    most: int | None = None,
) -> tuple[Proof, ...]:
    """Return proofs, the latest first: of a place, of a purpose, from an offset of the log on."""
    query = _proofs.select().order_by(_proofs.c.id.desc())
    if place is not None:
        query = query.where(_proofs.c.place == place)
    if purpose is not None:
        query = query.where(_proofs.c.purpose == purpose)
    if since is not None:
        query = query.where(_proofs.c.log_offset >= since)
    if most is not None:
        query = query.limit(most)
    return tuple(
        Proof(**{name: row[name] for name in Proof.__slots__}) for row in state.rows(query)
    )
