"""The audit trail: who changed what, and whether the trail is whole."""

from dataclasses import dataclass

from onefold.store import State, tables


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change.

    Attributes:
        id: Its place in the trail.
        time: Microseconds UTC.
        actor: Who.
        action: What, such as `source.add`.
        subject: To what.
        detail: JSON object.
        hash: Chained over all before it.
    """

    id: int
    time: int
    actor: str
    action: str
    subject: str
    detail: str
    hash: str


@dataclass(frozen=True, slots=True)
class TrailCheck:
    """Whether the trail is whole.

    Attributes:
        whole: No entry was changed, removed or moved.
        entries: How many were read.
        broken_at: The first entry that does not follow from those before it, or None.
    """

    whole: bool
    entries: int
    broken_at: int | None


def trail(state: State, *, most: int = 200, action: str = "") -> list[AuditEntry]:
    """Return the newest entries first; `action` keeps those that begin with it."""
    table = tables.audit
    query = table.select().order_by(table.c.id.desc()).limit(most)
    if action:
        query = query.where(table.c.action.startswith(action, autoescape=True))
    return [AuditEntry(**row) for row in state.rows(query)]


def verify(state: State) -> TrailCheck:
    """Return whether every entry follows from those before it."""
    table = tables.audit
    former, entries, expected = State.FIRST_HASH, 0, 1
    for row in state.rows(table.select().order_by(table.c.id)):
        entry = AuditEntry(**row)
        content = (entry.time, entry.actor, entry.action, entry.subject, entry.detail)
        if entry.id != expected or entry.hash != State.audit_hash(former, content):
            return TrailCheck(whole=False, entries=entries, broken_at=entry.id)
        former, entries, expected = entry.hash, entries + 1, entry.id + 1
    return TrailCheck(whole=True, entries=entries, broken_at=None)
