"""The newest messages, each with its verdict and its way through the log into the facts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from onefold.collect.catalogue import Catalogue
from onefold.collect.dialects.stored import Columns, read_stored
from onefold.collect.quarantine import HIDDEN, masked
from onefold.consent import purpose_bit
from onefold.model.errors import OnefoldError
from onefold.model.ids import identifier_key

if TYPE_CHECKING:
    from onefold.store import Log, LogRow, View

COUNTS, WAITS, AGAIN, ON_ITS_WAY = "counts", "waits", "again", "on-its-way"
LEFT_OUT, NO_CUSTOMER = "left-out", "no-customer"
VERDICTS = (COUNTS, WAITS, AGAIN, LEFT_OUT, NO_CUSTOMER, ON_ITS_WAY)
"""What can be said of a message. `left-out` is kept, but consent keeps it from this view;
`no-customer` is kept, but marked as of a bot, a colleague or a test."""

MOST = 50
_STEPS = (8, 32, 128, 512)
"""Rows of the log looked at, step by step, until there are enough messages."""
_MOST_BYTES = 4_000_000
_MOST_SHOWN = 4000
_objects = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the tail.

    Attributes:
        offset: Of its row in the log, and its `place` there.
        received_time: When it came, microseconds UTC; event_time: when it was true.
        basis: What the event time rests on: `sent`, `corrected`, `received`, `future`.
        dialect: What it was sent in, and over which `route`, under which `trace` (may be empty).
        user_key: Key of the user id, or None; anonymous_key likewise.
        verdict: One of `VERDICTS`.
        reason: Why it waits; empty where it does not.
        properties: As JSON, without identifiers and personal fields; empty where consent does
            not let anybody look.
    """

    offset: int
    place: int
    received_time: int
    event_time: int
    basis: str
    source: str
    dialect: str
    route: str
    trace: str
    kind: str
    event: str
    user_key: int | None
    anonymous_key: int | None
    verdict: str
    reason: str
    properties: str


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the tail is read, and by what terms.

    Attributes:
        log: The log.
        view: The facts as the asker may see them; its environment is that of the tail.
        whole: The same with what is marked as no customer's.
        facts_offset: How far the facts are.
        identity_key: Keys the hashes of identifiers.
        catalogue: Says which fields are personal.
        limited: The asker may see some rows alone: what is no event of theirs is not told of.
    """

    log: "Log"
    view: "View"
    whole: "View"
    facts_offset: int
    identity_key: bytes
    catalogue: Catalogue = field(default_factory=Catalogue)
    limited: bool = False


def newest(
    tail: Tail, *, source: str = "", event: str = "", verdict: str = "", most: int = MOST
) -> tuple[Message, ...]:
    """Return the newest messages, the latest first; empty filters let everything through.

    So many rows back are looked at, that a rare event may not be among them.
    """
    found: list[Message] = []
    before = tail.log.last_offset() + 1
    for step in _STEPS:
        rows = tail.log.read(max(0, before - step - 1), most_rows=step, most_bytes=_MOST_BYTES)
        rows = [row for row in rows if row.offset < before and _meant(tail, row, source)]
        found += [
            message
            for message in _messages(tail, rows)
            if event in {"", message.event} and verdict in {"", message.verdict}
        ]
        before = max(0, before - step)
        if len(found) >= most or not before:
            break
    return tuple(found[:most])


def message_at(tail: Tail, offset: int, place: int) -> Message | None:
    """Return one message by its place in the log, or None where there is none to be shown."""
    row = tail.log.row(offset)
    if row is None or not _meant(tail, row, ""):
        return None
    return next((one for one in _messages(tail, [row]) if one.place == place), None)


def under_trace(tail: Tail, trace: str, *, most_rows: int = 20) -> tuple[Message, ...]:
    """Return the messages whose sender named a trace, in the order of the log."""
    rows = tail.log.traced(trace, most_rows=most_rows)
    found = [list(_messages(tail, [row])) for row in rows if _meant(tail, row, "")]
    return tuple(message for messages in found for message in reversed(messages))


def _meant(tail: Tail, row: "LogRow", source: str) -> bool:
    if row.dialect in {"records", "control"} or source not in {"", row.source}:
        return False
    return row.environment == tail.view.question.environment


def _messages(tail: Tail, rows: list["LogRow"]) -> Iterator[Message]:
    """Yield the messages of some rows, the latest first."""
    if not rows:
        return
    first, last = rows[0].offset, rows[-1].offset
    counted, kept = _counted(tail.view, first, last), _counted(tail.whole, first, last)
    waiting = _waiting(tail.view, first, last)
    bit = purpose_bit(tail.view.question.purpose)
    for row in reversed(rows):
        try:
            columns = read_stored(row.route, row.body, row.received_time, row.source.encode())
        except OnefoldError:
            continue
        told = msgspec.json.decode(row.reasons, type=dict[str, str]) if row.reasons else {}
        for place in reversed(range(len(row.verdicts))):
            allowed = bool(row.verdicts[place] & bit)
            at = row.offset, place
            if tail.limited and at not in kept:
                continue
            reason = waiting.get(at, "")
            if row.offset > tail.facts_offset:
                reason = told.get(str(place), "")
                verdict = WAITS if row.verdicts[place] >> 4 else ON_ITS_WAY
            elif at in counted:
                verdict = COUNTS
            elif at in kept:
                verdict = NO_CUSTOMER
            elif at in waiting:
                verdict = WAITS
            else:
                verdict = AGAIN if allowed else LEFT_OUT
            yield _message(tail, row, place, columns, (verdict, reason), allowed=allowed)


def _message(
    tail: Tail,
    row: "LogRow",
    place: int,
    columns: Columns,
    said: tuple[str, str],
    *,
    allowed: bool,
) -> Message:
    name = columns.events[place]
    return Message(
        offset=row.offset,
        place=place,
        received_time=row.received_time,
        event_time=columns.times[place],
        basis=columns.bases[place],
        source=row.source,
        dialect=row.dialect,
        route=row.route,
        trace=row.trace,
        kind=columns.kinds[place],
        event=name,
        user_key=_key(tail, "user_id", columns.user_ids[place]) if allowed else None,
        anonymous_key=_key(tail, "anonymous_id", columns.anonymous_ids[place]) if allowed else None,
        verdict=said[0],
        reason=said[1],
        properties=_shown(tail.catalogue, name, columns.properties[place]) if allowed else "",
    )


def _key(tail: Tail, kind: str, value: str | None) -> int | None:
    return None if value is None else identifier_key(tail.identity_key, kind, value)


def _shown(catalogue: Catalogue, event: str, properties: bytes) -> str:
    definition = catalogue.events.get(event)
    classed = {
        name
        for name, found in (definition.properties if definition else {}).items()
        if found.pii != "none"
    }
    try:
        content: Mapping[str, Any] = _objects.decode(properties)
    except msgspec.DecodeError:
        return ""
    shown = {
        name: HIDDEN if name in classed else masked(value, name) for name, value in content.items()
    }
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()[:_MOST_SHOWN]


def _counted(view: "View", first: int, last: int) -> set[tuple[int, int]]:
    """Return which places of some log rows are events of a view."""
    events = view.events
    here = events.filter(events.log_offset.between(first, last)).select("log_offset", "place")
    found = view.ask(here)
    return set(zip(found["log_offset"].to_pylist(), found["place"].to_pylist(), strict=True))


def _waiting(view: "View", first: int, last: int) -> dict[tuple[int, int], str]:
    """Return which places of some log rows wait, and why."""
    waits = view.quarantine
    there = waits.filter(waits.log_offset.between(first, last))
    found = view.ask(there.select("log_offset", "place", "reason"))
    columns = (found[name].to_pylist() for name in ("log_offset", "place", "reason"))
    return {(offset, place): reason for offset, place, reason in zip(*columns, strict=True)}
