"""What may leave the house, asked of a View: consent, access and environment are its terms."""

import hmac
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from onefold.model.time import to_datetime
from onefold.sharing.records import NOBODY, Batch, Destination, Standing

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import Vault, View

COLUMNS = (
    "message_id",
    "kind",
    "event",
    "event_time",
    "received_time",
    "source",
    "subject",
    "account_id",
    "properties",
)
"""What a receiver gets of an event; `user_id` besides where the destination says `names`."""
USER_ID = "user_id"
VALUES = "values"
"""What the vault knows of the person of an event, where it is hashed for a platform."""
PINTEREST = "pinterest"
"""The format of events for it, and the platform itself."""

_ASKED = (
    "message_hi",
    "message_lo",
    "kind",
    "event",
    "event_time",
    "received_time",
    "source",
    "identifier",
    "user_key",
    "anonymous_key",
    "account_id",
    "properties",
    "log_offset",
)
_KEYS_AT_ONCE = 1000
_HALF = 1 << 64
Span = tuple[int, int]
"""Log offsets from and to, both counted."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The events of a View that a destination may carry, and how they read there.

    Attributes:
        view: Of the destination's purpose and environment.
        destination: Where they go.
        without: Stretches of the log that were given up.
        vault: Holds the values where the destination names its users or hashes for a platform.
    """

    view: "View"
    destination: Destination
    without: tuple[Span, ...] = ()
    vault: "Vault | None" = None
    _subjects: dict[int, str] = field(default_factory=dict)

    @property
    def _events(self) -> "ir.Table":
        events = self.view.events
        wanted = self.destination.settings.get("events") or ()
        return events.filter(events.event.isin(sorted(wanted))) if wanted else events

    def _until(self, cursor: int) -> "ir.Table":
        events = self._events
        found = events.filter(events.log_offset <= cursor)
        for first, last in self.without:
            found = found.filter(~found.log_offset.between(first, last))
        return found

    def whole(self, cursor: int) -> Standing:
        """Return how many events up to a log offset may stand at the receiver, and their mark."""
        events = self._until(cursor)
        row = self.view.ask(
            events.aggregate(events=events.count(), mark=events.message_lo.bit_xor())
        ).to_pylist()[0]
        return Standing(row["events"], row["mark"] or 0)

    def standings(self, cursor: int) -> dict[int, Standing]:
        """Return the same by the key of the identifier."""
        events = self._until(cursor)
        grouped = events.group_by("identifier").aggregate(
            events=events.count(), mark=events.message_lo.bit_xor()
        )
        return {
            NOBODY if row["identifier"] is None else row["identifier"]: Standing(
                row["events"], row["mark"] or 0
            )
            for row in self.view.ask(grouped).to_pylist()
        }

    def keys_between(self, first: int, last: int) -> frozenset[int]:
        """Return whose events a stretch of the log holds."""
        events = self._events
        there = events.filter(events.log_offset.between(first, last))
        found = self.view.ask(there.select("identifier").distinct()).column("identifier")
        return frozenset(NOBODY if key is None else key for key in found.to_pylist())

    def offsets_of(self, keys: Collection[int], cursor: int) -> list[int]:
        """Return where in the log events of identifiers stand, up to a log offset, in order."""
        events = self._until(cursor)
        found: set[int] = set()
        named = sorted(set(keys) - {NOBODY})
        for start in range(0, len(named), _KEYS_AT_ONCE):
            piece = named[start : start + _KEYS_AT_ONCE]
            mine = events.filter(events.identifier.isin(piece)).select("log_offset").distinct()
            found.update(self.view.ask(mine).column("log_offset").to_pylist())
        if NOBODY in keys:
            mine = events.filter(events.identifier.isnull()).select("log_offset").distinct()
            found.update(self.view.ask(mine).column("log_offset").to_pylist())
        return sorted(found)

    def end_of_batch(self, cursor: int, end: int, most: int) -> int | None:
        """Return the last log offset of the next batch; None where nothing is left to send.

        A request is never cut: one that holds more than `most` events is a batch by itself.
        """
        events = self._events
        ahead = events.filter((events.log_offset > cursor) & (events.log_offset <= end))
        rows = ahead.group_by("log_offset").aggregate(events=ahead.count())
        found = self.view.ask(rows.order_by("log_offset").limit(most + 1))
        offsets = found.column("log_offset").to_pylist()
        counts = found.column("events").to_pylist()
        if not offsets:
            return None
        total, last = 0, offsets[0]
        for offset, events_in in zip(offsets, counts, strict=True):
            total += events_in
            if total > most and offset != offsets[0]:
                break
            last = offset
        return int(last)

    def batch(self, first: int, last: int) -> Batch:
        """Return the events of a stretch of the log."""
        events = self._events
        return self._batch(events.filter(events.log_offset.between(first, last)), (first, last))

    def again(self, keys: Collection[int], cursor: int) -> Iterable[Batch]:
        """Yield what may still stand of some identifiers, up to a log offset."""
        events = self._until(cursor)
        named = sorted(set(keys) - {NOBODY})
        for start in range(0, len(named), _KEYS_AT_ONCE):
            mine = events.filter(events.identifier.isin(named[start : start + _KEYS_AT_ONCE]))
            yield self._batch(mine, (0, cursor))
        if NOBODY in keys:
            yield self._batch(events.filter(events.identifier.isnull()), (0, cursor))

    def _batch(self, events: "ir.Table", span: Span) -> Batch:
        asked = events.select(*_ASKED, "place").order_by(["log_offset", "place"])
        found = self.view.ask(asked.select(*_ASKED)).to_pylist()
        names = self._names(found)
        keys = [NOBODY if row["identifier"] is None else row["identifier"] for row in found]
        rows = [
            self._row(row, key) | names.get(place, {})
            for place, (row, key) in enumerate(zip(found, keys, strict=True))
        ]
        return Batch(
            *span,
            rows=tuple(rows),
            keys=tuple(keys),
            marks=tuple(row["message_lo"] for row in found),
            sources=tuple(row["source"] for row in found),
        )

    def _row(self, row: dict[str, Any], key: int) -> dict[str, Any]:
        high, low = (row[name] % _HALF for name in ("message_hi", "message_lo"))
        return {
            "message_id": f"{high:016x}{low:016x}",
            "kind": row["kind"],
            "event": row["event"],
            "event_time": _time(row["event_time"]),
            "received_time": _time(row["received_time"]),
            "source": row["source"],
            "subject": self.subject(key),
            "account_id": row["account_id"],
            "properties": row["properties"],
        }

    def _names(self, found: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """Return what the vault adds to each row, by its place."""
        settings = self.destination.settings
        hashed = settings.get("format") == PINTEREST
        if self.vault is None or not (settings.get("names") or hashed):
            return {}
        if hashed:
            from onefold.sharing.values import values_of

            wanted = {row[n] for row in found for n in ("user_key", "anonymous_key")} - {None}
            values = values_of(self.vault, wanted)
            return {
                place: {
                    VALUES: values.get(row["user_key"]) or values.get(row["anonymous_key"]) or {}
                }
                for place, row in enumerate(found)
            }
        known = self.vault.names({row["user_key"] for row in found} - {None})
        return {
            place: {USER_ID: known[row["user_key"]].value if row["user_key"] in known else None}
            for place, row in enumerate(found)
        }

    def subject(self, key: int) -> str:
        """Return what the receiver knows an identifier by; two receivers never know the same.

        It is an HMAC of our key under the destination's own secret, so that receivers cannot put
        together what they got, and none of them can tell whose it is.
        """
        if key == NOBODY:
            return ""
        found = self._subjects.get(key)
        if found is None:
            text = key.to_bytes(8, "big", signed=True)
            secret = self.destination.secret.encode()
            found = hmac.new(secret, b"subject" + text, sha256).hexdigest()[:32]
            self._subjects[key] = found
        return found


def tally(keys: Sequence[int], marks: Sequence[int]) -> dict[int, Standing]:
    """Return what rows add to the ledger.

    >>> tally([1, 1, 2], [4, 6, 8])
    {1: Standing(events=2, mark=2), 2: Standing(events=1, mark=8)}
    """
    counts: dict[int, int] = defaultdict(int)
    marked: dict[int, int] = defaultdict(int)
    for key, mark in zip(keys, marks, strict=True):
        counts[key] += 1
        marked[key] ^= mark
    return {key: Standing(counts[key], marked[key]) for key in counts}


def people_by_identifier(view: "View") -> dict[int, int]:
    """Return key of an identifier -> person, of everybody with an event that the View lets in.

    A person is in by any event under the purpose: who never agreed, or withdrew, has none.
    """
    events = view.person_events
    persons = events.select("person_id").distinct()
    identifiers = view.identifiers
    mine = identifiers.semi_join(persons, "person_id").select("key", "person_id")
    found = view.ask(mine)
    return dict(
        zip(found.column("key").to_pylist(), found.column("person_id").to_pylist(), strict=True)
    )


def sources_of(view: "View") -> dict[str, tuple[int, int]]:
    """Return the sources of the events of persons: source -> events, persons."""
    events = view.person_events
    found = events.group_by("source").aggregate(
        events=events.count(), people=events.person_id.nunique()
    )
    return {row["source"]: (row["events"], row["people"]) for row in view.ask(found).to_pylist()}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="microseconds") + "Z"


def did(view: "View", event: str) -> frozenset[int]:
    """Return the persons who ever did an event."""
    events = view.person_events
    mine = events.filter(events.event == event).select("person_id").distinct()
    return frozenset(view.ask(mine).column("person_id").to_pylist())


def groups_of_people(
    view: "View", event: str, by: str, span: tuple[int, int]
) -> list[tuple[int, str]]:
    """Return (person, group) of who did an event between two times, each pair once.

    Args:
        view: Whose events.
        event: Its name.
        by: `day`, `source` or nothing.
        span: From and to, microseconds UTC; the latter is not counted.
    """
    import ibis

    events = view.person_events
    first, last = (ibis.literal(to_datetime(time).replace(tzinfo=None)) for time in span)
    found = events.filter(
        (events.event == event) & (events.event_time >= first) & (events.event_time < last)
    )
    if by == "day":
        found = found.mutate(of_group=found.event_time.date().cast("string"))
    elif by == "source":
        found = found.mutate(of_group=found.source)
    else:
        found = found.mutate(of_group=ibis.literal("everybody"))
    pairs = view.ask(found.select("person_id", "of_group").distinct())
    columns = (pairs.column(name).to_pylist() for name in ("person_id", "of_group"))
    return list(zip(*columns, strict=True))
