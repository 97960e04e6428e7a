"""The audit trail: who changed what, whether the trail is whole, and the trail to take along."""

import csv
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace

from onefold.model.cells import guarded
from onefold.model.time import HOUR
from onefold.store import State, tables

READ_WHOLE_AFTER = HOUR
"""Microseconds after which a trail that is watched is read from its first entry again."""


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
        read_from: The first entry that was followed now; 1 where the whole trail was.
        read_time: When all of it was followed last, microseconds UTC; None where nobody watches.
    """

    whole: bool
    entries: int
    broken_at: int | None
    why: str = ""
    anchored: int | None = None
    read_from: int = 1
    read_time: int | None = None


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
    return _follow(state, anchor, Anchor(0, State.FIRST_HASH))[0]


class Watch:
    """Follows a trail that grows: the whole of it now and then, between only what is new.

    It lives as long as a process. A change of what was followed already, with its hashes left as
    they were, is found by the next whole reading; entries that are gone, and hashes that are
    other than they were at the place reached or in the log, are found at once.
    """

    def __init__(self) -> None:
        """Begin with nothing followed."""
        self._lock = threading.Lock()
        self._reached: Anchor | None = None
        self._read_time = 0

    def look(self, state: State, anchor: Anchor | None, now: int) -> TrailCheck:
        """Return whether the trail is whole, reading what is new where the rest still holds.

        Args:
            state: Where the trail stands.
            anchor: The entry that the log remembers.
            now: Microseconds UTC; a whole reading older than READ_WHOLE_AFTER is made anew.
        """
        with self._lock:
            reached, read_time = self._reached, self._read_time
        fresh = 0 <= now - read_time < READ_WHOLE_AFTER
        if reached is not None and fresh and _holds(state, reached, anchor):
            found, reached = _follow(state, anchor, reached)
            if found.whole:
                self._keep(reached, read_time)
                return replace(found, read_time=read_time)
        return self.read(state, anchor, now)

    def read(self, state: State, anchor: Anchor | None, now: int) -> TrailCheck:
        """Return whether the trail is whole, reading all of it; arguments as of `look`."""
        found, reached = _follow(state, anchor, Anchor(0, State.FIRST_HASH))
        self._keep(reached if found.whole else None, now)
        return replace(found, read_time=now)

    def _keep(self, reached: Anchor | None, read_time: int) -> None:
        with self._lock:
            self._reached, self._read_time = reached, read_time


def _follow(state: State, anchor: Anchor | None, after: Anchor) -> tuple[TrailCheck, Anchor]:
    """Return whether the entries after one follow from it, and the last that does."""
    known = None if anchor is None else anchor.entry
    reached, why, broken_at = after, "", None
    for entry in _all(state, after.entry or None):
        expected, broken_at = reached.entry + 1, entry.id
        content = (entry.time, entry.actor, entry.action, entry.subject, entry.detail)
        if entry.id != expected:
            why = f"Entry {expected} is not there." if entry.id > expected else "It stands twice."
        elif entry.hash != State.audit_hash(reached.hash, content):
            why = "It was changed, or what stood before it was."
        elif anchor is not None and entry.id == known and entry.hash != anchor.hash:
            why = "The log remembers another entry in its place."
        if why:
            break
        reached, broken_at = Anchor(entry.id, entry.hash), None
    if not why and known is not None and known > reached.entry:
        broken_at = reached.entry + 1
        why = "The log remembers it: entries are gone from the end."
    check = TrailCheck(not why, reached.entry, broken_at, why, known, after.entry + 1)
    return check, reached


def _holds(state: State, reached: Anchor, anchor: Anchor | None) -> bool:
    """Return whether nothing up to an entry is gone, and its hash and the log's still stand."""
    table = tables.audit
    kept = table.select().where(table.c.id <= reached.entry)
    if state.count(kept) != reached.entry or not agrees(state, reached):
        return False
    return anchor is None or anchor.entry > reached.entry or agrees(state, anchor)


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


def _all(state: State, after: int | None = None) -> Iterator[AuditEntry]:
    table = tables.audit
    query = table.select().order_by(table.c.id)
    for row in state.rows(query.where(table.c.id > after) if after else query):
        yield AuditEntry(**row)
