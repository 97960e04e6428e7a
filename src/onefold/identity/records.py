"""What crosses the door of identity: decisions, what is known of somebody, what asks for one."""

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

LinkKind = Literal["merge", "separation", "block"]
MERGE: Final = "merge"
SEPARATION: Final = "separation"
BLOCK: Final = "block"
SHARED, BLOCKED, BLOCKED_BY_HAND = "shared", "blocked", "blocked_by_hand"
"""States of an identifier that counts for nobody: by its cap, by the rules, by hand."""
ROUTE = "identity.links"
"""Route of the control entry that makes links by hand, or takes some back."""

CONFIDENCE = {
    "identify": 1.0,
    "alias": 1.0,
    "contact": 0.95,
    "external_id": 0.95,
    "trait": 0.9,
    "device": 0.8,
}
"""How sure a link is by its evidence, from 0 to 1: shown beside it, and no part of the rules."""


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """A link that somebody made by hand.

    Attributes:
        link: Its id.
        kind: `merge`: both are one person; `separation`: they are two; `block`: the first one
            stands for nobody, and the second is the same.
        from_key, from_kind: One identifier.
        to_key, to_kind: The other.
        made_by: Who made it.
        made_time: When, microseconds.
    """

    link: str
    kind: LinkKind
    from_key: int
    from_kind: str
    to_key: int
    to_kind: str
    made_by: str = ""
    made_time: int = 0

    @property
    def ends(self) -> frozenset[int]:
        """Return the keys that it is about."""
        return frozenset((self.from_key, self.to_key))


class Decision(msgspec.Struct, frozen=True):
    """What a control entry of `ROUTE` says.

    Attributes:
        made: Links that stand from now on.
        gone: Ids of links that count no more.
        time: When it was decided, microseconds.
    """

    made: tuple[Link, ...] = ()
    gone: tuple[str, ...] = ()
    time: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """An identifier as the facts know it.

    Attributes:
        key: Its key.
        kind: Its kind.
        person_id: Whose it is; None where it is nobody's.
        state: Empty, `shared` (by more records than its cap), `blocked` (by the rules) or
            `blocked_by_hand`.
    """

    key: int
    kind: str
    person_id: int | None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A link that evidence made.

    Attributes:
        from_key, to_key: Its ends, and `from_kind`, `to_kind` what they are.
        kind: The evidence: `identify` (sent under both), `alias`, `trait`, `external_id`, `device`
            or `contact`.
        source: Who told it.
        confidence: How sure it is, from 0 to 1.
        event_time: When it was told first, microseconds.
        told_time: The same where the sender's clock says it, or None.
        log_offset: The first row of the log that tells it.
    """

    from_key: int
    from_kind: str
    to_key: int
    to_kind: str
    kind: str
    source: str
    confidence: float
    event_time: int
    told_time: int | None
    log_offset: int

    @property
    def ends(self) -> frozenset[int]:
        """Return the keys that it joins."""
        return frozenset((self.from_key, self.to_key))


@dataclass(frozen=True, slots=True)
class Asks:
    """New evidence that two are one, whom somebody has separated.

    Attributes:
        separation: The separation.
        edges: What was learned of it since.
        one, other: Their persons, or None where one is nobody's.
    """

    separation: Link
    edges: tuple[Edge, ...]
    one: int | None
    other: int | None
