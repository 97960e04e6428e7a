"""Who is who, decided by hand: merge, unmerge, block, and what the review queue asks."""

from onefold.identity.queries import links
from onefold.identity.review import asking, separation_named
from onefold.identity.store import decide, hand_of
from onefold.identity.undo import blocked, kept_apart, merged, unblocked, unmerged

__all__ = [
    "asking",
    "blocked",
    "decide",
    "hand_of",
    "kept_apart",
    "links",
    "merged",
    "separation_named",
    "unblocked",
    "unmerged",
]
