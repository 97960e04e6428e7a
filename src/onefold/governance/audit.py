"""The audit trail: who changed what, whether the trail is whole, and the trail to take along."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

from onefold.model.cells import guarded
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
        why: What is wrong with it; empty where nothing is.
        anchored: The last entry whose hash stands in the log too, or None where none does.
    """

    whole: bool
    entries: int
    broken_at: int | None
    why: str = ""
    anchored: int | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """An entry as it was when its hash was brought to the log, which the trail cannot change."""

    entry: int
    hash: str


def trail(
    state: State,
    *,
    most: int = 200,
    action: str = "",
    actor: str = "",
    subject: str = "",
    before: int | None = None,
) -> list[AuditEntry]:
    """Return the newest entries first.

    Args:
        state: Where the trail stands.
        most: How many at most.
        action: Keeps those whose action begins so.
        actor: Keeps those by a name that holds this, case ignored.
        subject: Keeps those whose subject holds this, case ignored.
        before: Keeps those older than this entry.
    """
    table = tables.audit
    query = table.select().order_by(table.c.id.desc()).limit(most)
    if action:
        query = query.where(table.c.action.startswith(action, autoescape=True))
    if actor:
        query = query.where(table.c.actor.icontains(actor, autoescape=True))
    if subject:
        query = query.where(table.c.subject.icontains(subject, autoescape=True))
    if before is not None:
        query = query.where(table.c.id < before)
    return [AuditEntry(**row) for row in state.rows(query)]


def verify(state: State, anchor: Anchor | None = None) -> TrailCheck:
    """Return whether every entry follows from those before it, and none is gone from the end.

    Args:
        state: Where the trail stands.
        anchor: The entry that the log remembers; without one, entries that are gone from the
            end cannot be missed.
    """
    former, entries, expected = State.FIRST_HASH, 0, 1
    known = None if anchor is None else anchor.entry
    for entry in _all(state):
        content = (entry.time, entry.actor, entry.action, entry.subject, entry.detail)
        why = ""
        if entry.id != expected:
            why = f"Entry {expected} is not there." if entry.id > expected else "It stands twice."
        elif entry.hash != State.audit_hash(former, content):
            why = "It was changed, or what stood before it was."
        elif anchor is not None and entry.id == known and entry.hash != anchor.hash:
            why = "The log remembers another entry in its place."
        if why:
            return TrailCheck(
                whole=False, entries=entries, broken_at=entry.id, why=why, anchored=known
            )
        former, entries, expected = entry.hash, entries + 1, entry.id + 1
    if known is not None and known >= expected:
        gone = "The log remembers it: entries are gone from the end."
        return TrailCheck(
            whole=False, entries=entries, broken_at=expected, why=gone, anchored=known
        )
    return TrailCheck(whole=True, entries=entries, broken_at=None, anchored=known)


def head(state: State) -> Anchor | None:
    """Return the last entry, to be remembered in the log."""
    last = trail(state, most=1)
    return Anchor(last[0].id, last[0].hash) if last else None


def agrees(state: State, anchor: Anchor) -> bool:
    """Return whether an entry that the log remembers still stands as it was."""
    table = tables.audit
    found = state.rows(table.select().where(table.c.id == anchor.entry))
    return bool(found) and found[0]["hash"] == anchor.hash


def as_lines(state: State) -> Iterator[str]:
    """Yield the trail as JSON, one entry a line, with the hashes by which it can be followed."""
    for entry in _all(state):
        yield json.dumps(asdict(entry), ensure_ascii=False)


def as_csv(state: State) -> str:
    """Return the trail as CSV (RFC 4180); no cell of it can become a formula of a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([field.name for field in fields(AuditEntry)])
    writer.writerows([guarded(each) for each in asdict(entry).values()] for entry in _all(state))
    return out.getvalue()


def _all(state: State) -> Iterator[AuditEntry]:
    table = tables.audit
    for row in state.rows(table.select().order_by(table.c.id)):
        yield AuditEntry(**row)
