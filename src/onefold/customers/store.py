"""Pairs of records in the state; the only file of this room that touches it."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from onefold.customers.pairs import LATER, Pair
from onefold.model.decided import DIFFERENT, OPEN, SAME
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

Connection = Any
"""What `State.change` yields; only the store knows its engine."""

_pairs = tables.record_pairs
_AT_ONCE = 5_000


def waiting(state: "State", entity: str, *, most: int, doubtful: bool = False) -> tuple[Pair, ...]:
    """Return pairs to be decided, in an order drawn at random or the most doubtful first.

    Those that were put off stand last.
    """
    mine = _pairs.select().where(_pairs.c.entity == entity, _pairs.c.decision.in_((OPEN, LATER)))
    far = _pairs.c.weight * _pairs.c.weight
    order = far if doubtful else _pairs.c.drawn
    found = mine.order_by(_pairs.c.decision == LATER, order, _pairs.c.left_id, _pairs.c.right_id)
    return tuple(map(_pair, state.rows(found.limit(most))))


def decided(state: "State", entity: str) -> tuple[Pair, ...]:
    """Return the pairs that people decided, the last ones first."""
    mine = _pairs.select().where(
        _pairs.c.entity == entity, _pairs.c.decision.in_((SAME, DIFFERENT))
    )
    found = mine.order_by(_pairs.c.decided_time.desc(), _pairs.c.left_id, _pairs.c.right_id)
    return tuple(map(_pair, state.rows(found)))


def pair_of(state: "State", entity: str, left_id: str, right_id: str) -> Pair | None:
    """Return one pair, if it was ever found or decided."""
    found = state.rows(_pairs.select().where(_is(entity, left_id, right_id)))
    return _pair(found[0]) if found else None


def count_waiting(state: "State", entity: str) -> int:
    """Return how many pairs are to be decided."""
    mine = _pairs.c.entity == entity, _pairs.c.decision.in_((OPEN, LATER))
    return len(state.rows(_pairs.select().with_only_columns(_pairs.c.left_id).where(*mine)))


def above(state: "State", entity: str, probability: float) -> tuple[Pair, ...]:
    """Return the open pairs that are at least so likely, the likeliest first."""
    mine = _pairs.select().where(
        _pairs.c.entity == entity,
        _pairs.c.decision.in_((OPEN, LATER)),
        _pairs.c.probability >= probability,
    )
    return tuple(map(_pair, state.rows(mine.order_by(_pairs.c.weight.desc(), _pairs.c.left_id))))


def replace_open(
    connection: Connection, entity: str, pairs: Sequence[tuple[Pair, float]], now: int
) -> None:
    """Put pairs, each with its place drawn at random, in place of all that were open."""
    gone = (_pairs.c.entity == entity, _pairs.c.decision == OPEN)
    connection.execute(_pairs.delete().where(*gone))
    for start in range(0, len(pairs), _AT_ONCE):
        rows = [
            {**_row(pair), "drawn": drawn, "found_time": now}
            for pair, drawn in pairs[start : start + _AT_ONCE]
        ]
        connection.execute(_pairs.insert(), rows)


def decide(
    connection: Connection, pairs: Iterable[Pair], decision: str, *, by: str, now: int
) -> None:
    """Keep a decision on pairs, found or not."""
    for pair in pairs:
        values: dict[str, Any] = {"decision": decision}
        values |= (
            {"decided_by": by, "decided_time": now}
            if decision != OPEN
            else {
                "decided_by": None,
                "decided_time": None,
            }
        )
        mine = _is(pair.entity, pair.left_id, pair.right_id)
        if not connection.execute(_pairs.update().where(mine).values(**values)).rowcount:
            row = {**_row(pair), "drawn": 1.0, "found_time": now, **values}
            connection.execute(_pairs.insert().values(**row))


def undecided_of(pairs: Sequence[Pair], known: Collection[tuple[str, str]]) -> list[Pair]:
    """Return the pairs of which nobody has decided yet."""
    return [pair for pair in pairs if (pair.left_id, pair.right_id) not in known]


def _is(entity: str, left_id: str, right_id: str) -> Any:
    of = (_pairs.c.entity == entity, _pairs.c.left_id == left_id, _pairs.c.right_id == right_id)
    return of[0] & of[1] & of[2]


def _row(pair: Pair) -> dict[str, Any]:
    parts = {name: [level, round(bits, 4)] for name, (level, bits) in pair.parts.items()}
    return {
        "entity": pair.entity,
        "left_id": pair.left_id,
        "right_id": pair.right_id,
        "probability": pair.probability,
        "weight": pair.weight,
        "parts": json.dumps(parts),
        "decision": pair.decision,
        "decided_by": pair.decided_by,
        "decided_time": pair.decided_time,
    }


def _pair(row: Any) -> Pair:
    told = json.loads(row["parts"])
    return Pair(
        entity=row["entity"],
        left_id=row["left_id"],
        right_id=row["right_id"],
        probability=row["probability"],
        weight=row["weight"],
        parts={name: (level, bits) for name, (level, bits) in told.items()},
        decision=row["decision"],
        decided_by=row["decided_by"],
        decided_time=row["decided_time"],
    )
