"""A pair of records that may be the same, and how well pairs were told apart so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onefold.model.records import Estimate
from onefold.model.time import format_time

_OF_REVIEWED = (
    "Both are of reviewed pairs. The queue is in an order drawn at random, so those decided in its "
    "order stand for all that wait; pairs that nothing brought together are in neither."
)
LATER = "later"
"""A pair that somebody put off; it stands open, at the end of the queue."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be the same.

    Attributes:
        entity: `account` or `contact`.
        left_id, right_id: Their ids, the smaller first.
        probability: How likely they are the same, from 0 to 1.
        weight: The same in bits: each doubles the odds.
        parts: Field -> (level, bits): how alike it is, and what of the weight it gives.
        decision: `open`, `same`, `different` or `later`.
        decided_by, decided_time: Who decided it when; None while it is open.
    """

    entity: str
    left_id: str
    right_id: str
    probability: float
    weight: float
    parts: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    decision: str = "open"
    decided_by: str | None = None
    decided_time: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "entity": self.entity,
            "left_id": self.left_id,
            "right_id": self.right_id,
            "probability": self.probability,
            "weight": self.weight,
            "parts": {name: {"level": a, "weight": b} for name, (a, b) in self.parts.items()},
            "decision": self.decision,
            "decided_by": self.decided_by,
            "decided_time": None if self.decided_time is None else format_time(self.decided_time),
        }


@dataclass(frozen=True, slots=True)
class Quality:
    """How well pairs were told apart, on those that people reviewed.

    Attributes:
        entity: `account` or `contact`.
        above: From which probability on a pair counts as the same.
        precision: Of the reviewed pairs from there on, the share that are the same.
        recall: Of the reviewed pairs that are the same, the share that lie from there on.
        reviewed: How many were decided.
        waiting: How many were not.
    """

    entity: str
    above: float
    precision: Estimate
    recall: Estimate
    reviewed: int
    waiting: int

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "entity": self.entity,
            "above": self.above,
            "precision": self.precision.to_json(),
            "recall": self.recall.to_json(),
            "reviewed": self.reviewed,
            "waiting": self.waiting,
            "notes": [_OF_REVIEWED],
        }
