"""What people decided of accounts and contacts, as the log tells it."""

import msgspec

LINKED = "account.link"
"""Route of the control entry that says of pairs of records whether they are the same."""
PLACED = "account.parent"
"""Route of the control entry that says which account an account belongs below."""
SAME, DIFFERENT, OPEN = "same", "different", "open"
"""Decisions on a pair; an open one is as if it had never been decided."""
ENTITIES = ("account", "contact")
"""Records that may be linked."""


class LinkEntry(msgspec.Struct, frozen=True):
    """A decision on pairs of records.

    Attributes:
        id: Of the entry; of two at one time the greater stands.
        entity: One of `ENTITIES`.
        decision: `same`, `different` or `open`.
        decided_time: Microseconds UTC.
        pairs: Ids, the smaller first.
    """

    id: str
    entity: str
    decision: str
    decided_time: int
    pairs: tuple[tuple[str, str], ...]


class ParentEntry(msgspec.Struct, frozen=True):
    """Where an account belongs by hand.

    Attributes:
        id: Of the entry; of two at one time the greater stands.
        account_id: Whose place it is.
        parent_id: Below which account; empty: below none; None: as the imports say.
        told_time: From when on, microseconds UTC.
    """

    id: str
    account_id: str
    parent_id: str | None
    told_time: int
