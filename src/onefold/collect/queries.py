"""What is asked of the facts about the events themselves: how many came, what waits, and why."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from onefold.collect.link_queries import link_counts
from onefold.collect.purchase_queries import purchase_sums, purchases
from onefold.collect.quarantine import waiting_event
from onefold.collect.times import micros_of
from onefold.collect.told import told_fields
from onefold.collect.touchpoints import Touchpoint, inventory, read_said
from onefold.model.records import Answer, Column
from onefold.model.time import DAY, SECOND, to_datetime

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

__all__ = [
    "Reason",
    "SeenEvent",
    "Totals",
    "Touchpoint",
    "import_runs",
    "inventory",
    "last_event",
    "link_counts",
    "mend_of",
    "moment_of",
    "purchase_sums",
    "purchases",
    "read_said",
    "reasons",
    "seen_events",
    "told_fields",
    "totals",
    "waiting",
    "waiting_event",
]

_MOST_REASONS = 5000
_LINE = re.compile(r"^(?P<file>\S.*) (?P<kind>line|row) (?P<line>\d+): ")
_SHOWN_LINES = 3
_A_LINE = re.compile(r", a (line|row)\)$")
_NUMBER = re.compile(r"\b\d[\d,]*\b")


@dataclass(frozen=True, slots=True)
class Totals:
    """What came in over some days.

    Attributes:
        accepted: Events that count, whether consent lets anybody look at them or not.
        left_out: How many of these consent left out of this view.
        waiting: Messages in quarantine.
        repeated: Events sent again and counted once.
    """

    accepted: int
    left_out: int
    waiting: int
    repeated: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some events wait.

    Attributes:
        event: Their name; the entity for imported records; may be empty.
        reason: One sentence; numbers and lines that differ are left out of it.
        source: Where they came from.
        events: How many messages wait for it.
        first_time: Received time of the first, microseconds UTC; `last_time` likewise.
        log_offset: Where the last of them stands, with its `place`.
        lines: Lines of the file in which they stand; empty for events.
    """

    event: str
    reason: str
    source: str
    events: int
    first_time: int
    last_time: int
    log_offset: int
    place: int
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """A track event that came in.

    Attributes:
        event: Its name.
        days: How many on each day of the span.
        last_time: Received time of the last, microseconds UTC.
    """

    event: str
    days: tuple[int, ...]
    last_time: int


def totals(view: "View", from_time: int, to_time: int) -> Totals:
    """Return what came in between two times (microseconds UTC, the latter exclusive)."""
    events = _received(view.events, from_time, to_time)
    waiting = _received(view.quarantine, from_time, to_time)
    days = view.duplicates
    first, last = moment_of(from_time).date(), moment_of(to_time - 1).date()
    again = days.filter((days.received_date >= first) & (days.received_date <= last))
    left_out = view.left_out(from_time, to_time)
    return Totals(
        accepted=_whole(view, events.count()) + left_out,
        left_out=left_out,
        waiting=_whole(view, waiting.message_hi.nunique()),
        repeated=_whole(view, again.events.sum()),
    )


def first_time(view: "View") -> int | None:
    """Return the time of the earliest event, microseconds UTC; None where there is none."""
    earliest = view.events.event_time.min().name("value").as_table()
    found: datetime | None = view.ask(earliest).column("value")[0].as_py()
    return None if found is None else micros_of(found)


def reasons(
    view: "View", *, from_time: int = 0, to_time: int | None = None, event: str | None = None
) -> tuple[Reason, ...]:
    """Return why events wait, the most frequent reason first."""
    table = view.quarantine
    if to_time is not None:
        table = _received(table, from_time, to_time)
    if event is not None:
        table = table.filter(table.event == event)
    last = table.log_offset.argmax(table.received_time)
    grouped = table.group_by(["event", "reason", "source"]).aggregate(
        events=table.message_hi.nunique(),
        first_time=table.received_time.min(),
        last_time=table.received_time.max(),
        log_offset=last,
        place=table.place.argmax(table.received_time),
    )
    ordered = grouped.order_by([grouped.events.desc(), grouped.event, grouped.reason])
    found: dict[tuple[str, str, str], Reason] = {}
    for row in view.ask(ordered.limit(_MOST_REASONS)).to_pylist():
        one = Reason(
            event=row["event"] or "",
            reason=_general(row["reason"]),
            source=row["source"],
            events=row["events"],
            first_time=micros_of(row["first_time"]),
            last_time=micros_of(row["last_time"]),
            log_offset=row["log_offset"],
            place=row["place"],
            lines=_lines_of(row["reason"]),
        )
        key = (one.event, one.reason, one.source)
        found[key] = _joined(found[key], one) if key in found else one
    told = [replace(one, reason=_with_lines(one)) for one in found.values()]
    return tuple(sorted(told, key=lambda one: (-one.events, one.event, one.reason)))


def seen_events(view: "View", from_time: int, to_time: int) -> tuple[SeenEvent, ...]:
    """Return the track events of some whole days, with how many came each day."""
    table = _received(view.events, from_time, to_time)
    table = table.filter(table.kind == "track")
    day = (table.received_time.epoch_seconds() - from_time // SECOND) // (DAY // SECOND)
    counted = table.group_by(event=table.event, day=day.cast("int32")).aggregate(
        events=table.count(), last_time=table.received_time.max()
    )
    length = -(-(to_time - from_time) // DAY)
    days: dict[str, list[int]] = defaultdict(lambda: [0] * length)
    last: dict[str, int] = {}
    for row in view.ask(counted).to_pylist():
        days[row["event"]][row["day"]] += row["events"]
        last[row["event"]] = max(last.get(row["event"], 0), micros_of(row["last_time"]))
    return tuple(SeenEvent(name, tuple(days[name]), last[name]) for name in sorted(days))


def last_event(view: "View", source: str) -> tuple[int, str] | None:
    """Return received time (microseconds UTC) and name of a source's last event, or None."""
    table = view.events.filter(view.events.source == source)
    last = table.aggregate(
        time=table.received_time.max(),
        event=table.event.argmax(table.received_time),
    )
    (row,) = view.ask(last).to_pylist()
    return None if row["time"] is None else (micros_of(row["time"]), row["event"])


def waiting(view: "View", event: str | None = None) -> Answer:
    """Return what waits in quarantine and why, as the command line and the API show it."""
    rows = reasons(view, event=event)
    return Answer(
        columns=(
            Column("event", "text"),
            Column("reason", "text"),
            Column("source", "text"),
            Column("events", "integer", "messages"),
            Column("first_time", "time"),
            Column("last_time", "time"),
        ),
        rows=tuple(
            (one.event, one.reason, one.source, one.events, one.first_time, one.last_time)
            for one in rows
        ),
        definition="Messages that wait in quarantine, each counted once, by reason and source.",
        query=view.sql(view.quarantine),
        as_of_time=view.fresh_time,
    )


def mend_of(reason: str) -> str:
    """Return what would mend events that wait for a reason, as an imperative sentence."""
    return next((mend for word, mend in _MENDS if word in reason), "Mend it where it is sent.")


_MENDS = (
    ("Its key stands", "Keep one row a key, and import the file again."),
    (", line ", "Mend the row, and import the file again."),
    (", row ", "Mend the row, and import the file again."),
    ("is missing", "Send it, or take `required` out of the catalogue."),
    ("is not one of", "Send a known value, or add this one to the catalogue."),
    ("should be", "Send the other type, or change it in the catalogue."),
    ("does not match", "Send what the pattern asks for, or change the pattern."),
    ("less than", "Send a value in range, or change the range."),
    ("more than", "Send a value in range, or change the range."),
    ("does not name", "Describe the field, or let the source allow or strip undescribed ones."),
    ("not in the catalogue", "Describe the event, or let the source allow undescribed ones."),
    ("neither userId nor", "Send a userId or an anonymousId."),
    ("no userId", "Send the userId."),
    ("no groupId", "Send the groupId."),
    ("no previousId", "Send the previousId."),
    ("no event name", "Name the event."),
    ("type", "Send track, identify, page, screen, group or alias as its type."),
    ("ISO 8601", "Send it as 2026-11-22T08:30:00Z."),
    ("before 1970", "Set the clock of the sender."),
    ("is not an object", "Send {...}, or leave it out."),
    ("out of range", "Send a number that fits into 64 bits."),
    ("messageId has", "Send a shorter messageId."),
    ("same message id", "Give each event an id of its own."),
    ("neither text nor", "Send it as text."),
    ("not written in UTF-8", "Send UTF-8."),
    ("not a JSON object", "Send each event as a JSON object."),
)


def _general(reason: str) -> str:
    """Return a reason without the line and the numbers that differ from event to event."""
    line = _LINE.match(reason)
    if line:
        return f"{reason[line.end() :]} ({line['file']}, a {line['kind']})"
    if reason.startswith(("The event has ", "The messageId has ")):
        return _NUMBER.sub("so many", reason, count=1)
    return reason


def _lines_of(reason: str) -> tuple[int, ...]:
    found = _LINE.match(reason)
    return (int(found["line"]),) if found else ()


def _with_lines(one: Reason) -> str:
    """Return a reason with the first lines of the file that it holds for."""
    if not one.lines:
        return one.reason
    shown = ", ".join(map(str, one.lines[:_SHOWN_LINES]))
    more = len(one.lines) - _SHOWN_LINES
    words = f"{shown} and {more:,} more" if more > 0 else shown
    return _A_LINE.sub(rf", \1 {words})", one.reason)


def _joined(one: Reason, other: Reason) -> Reason:
    newer = other if other.last_time > one.last_time else one
    return replace(
        newer,
        events=one.events + other.events,
        lines=tuple(sorted({*one.lines, *other.lines})),
        first_time=min(one.first_time, other.first_time),
    )


def _received(table: "ir.Table", from_time: int, to_time: int) -> "ir.Table":
    received = table.received_time
    return table.filter((received >= moment_of(from_time)) & (received < moment_of(to_time)))


def moment_of(micros: int) -> datetime:
    """Return a time as the facts keep it: UTC, without a zone."""
    return to_datetime(micros).replace(tzinfo=None)


def _whole(view: "View", value: "ir.Value") -> int:
    return int(view.ask(value.name("value").as_table()).column("value")[0].as_py() or 0)


def import_runs(view: "View") -> list[dict[str, Any]]:
    """Return the runs of imports, the newest first: the columns of `runs`, times as micros."""
    rows = view.ask(view.runs.order_by(view.runs.run_time.desc())).to_pylist()
    return [
        {
            name: micros_of(value.replace(tzinfo=UTC)) if isinstance(value, datetime) else value
            for name, value in row.items()
        }
        for row in rows
    ]
