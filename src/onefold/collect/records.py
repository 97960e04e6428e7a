"""What crosses the doors of collect: sources, decoded events, receipts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import msgspec

from onefold.store import NewRow


class Code(IntEnum):
    """The verdict on one event, kept in the upper half of its byte in the log.

    The lower half is the mask of purposes that consent allows. `ACCEPTED` is 0; all others
    wait in quarantine, but for `REFUSED`, whose event is not kept, and `ERASED`, of which only
    the place is left.
    """

    ACCEPTED = 0
    REFUSED = 1
    UNKNOWN_TYPE = 2
    NO_EVENT_NAME = 3
    NO_IDENTIFIER = 4
    BAD_TIME = 5
    BAD_PROPERTIES = 6
    LONG_ID = 7
    SCHEMA = 8
    UNPLANNED = 9
    MALFORMED = 10
    ERASED = 11


CONFLICT = "Another event was sent before under the same message id."
"""Why a second, different body under a known id waits; the fold finds it, not intake."""


def verdict_byte(code: Code, purposes: int) -> int:
    """Return the byte of one event's verdict: the code above, the purposes below."""
    return code << 4 | purposes & 15


@dataclass(frozen=True, slots=True)
class Source:
    """Where events come from, and what may be kept of them.

    Attributes:
        name: Unique in the workspace, such as `app`.
        write_key: What its SDKs send; public in browsers, so no secret.
        environment: `production`, `staging` or `development`.
        basis: `opt-in`, `notice` or `contract`: what may be kept without a consent object.
        region: Where its people are, such as `eu`; may be empty.
        unplanned: What to do with undescribed events: `allow`, `strip`, `quarantine`.
        sample: Share of persons whose events are kept, above 0 and at most 1.
        country: Where the country of an event is read from (see `collect.countries`): `header:`
            and its name, `ip`, `connection`, or nothing: then only the sender tells it.
    """

    name: str
    write_key: str
    environment: str = "production"
    basis: str = "opt-in"
    region: str = ""
    unplanned: str = "allow"
    sample: float = 1.0
    country: str = ""


class Incoming(msgspec.Struct, frozen=False, gc=False):
    """One event as decoded from any dialect; the fold sees nothing else of the wire.

    Attributes:
        kind: track, identify, page, screen, group or alias.
        event: Name of a track event; for other kinds the kind.
        message_id: As sent, or made from the content.
        user_id: As sent, or None; likewise the other ids.
        event_time: When it was true, microseconds UTC, corrected once.
        time_basis: `sent`, `corrected`, `received` or `future`.
        properties: JSON object as bytes: properties, or traits of identify and group.
        code: The decoder's own verdict.
        reason: Why it waits, one sentence; empty when accepted.
        sent_consent: The consent object as sent, JSON bytes; None when there is none.
    """

    kind: str
    event: str
    message_id: str
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    group_id: str | None
    event_time: int
    time_basis: str
    properties: bytes
    code: int = 0
    reason: str = ""
    sent_consent: bytes | None = None


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One imported row; the body of a log row of dialect `records` is a JSON list of these.

    Attributes:
        entity: A key of `model.facts.RECORD_TABLES`.
        key: The row's own key, such as the ticket's number.
        message_id: Made of import, key and content, so that the same row counts once.
        event_time: When it was true or, where the file does not say, when it was imported.
        fields: Columns of the entity's table: times as integer microseconds UTC, days as
            `2026-11-22`, money as integer micros.
        where: File and line it came from.
        reason: Why it waits in quarantine; empty when it counts.
        priority: Of its import; where two sources tell a field, the greater one goes first.
    """

    entity: str
    key: str
    message_id: str
    event_time: int
    fields: dict[str, Any]
    where: str = ""
    reason: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a scheduled import, as the state keeps it.

    Attributes:
        id: Its own.
        name: The import's.
        started_time: Microseconds; `ended_time` is None while it goes on, or when it was ended.
        outcome: `done`, `failed`, or None.
        detail: `run` of one that is done; `reason` of one that failed, and of how many in a row
            it is the last (`tries`).
    """

    id: str
    name: str
    started_time: int
    ended_time: int | None
    outcome: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits in quarantine, or was refused: its place, id and reason."""

    index: int
    message_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What intake says to one request.

    Attributes:
        row: What to append to the log; None when nothing is to be kept.
        accepted: How many events count.
        quarantined: Kept, but waiting, with reasons.
        refused: Not kept, with reasons.
        sampled_out: How many are of persons whom the source's sample leaves out; not kept.
        dropped: How many consent let nothing be kept of, but that they came.
        held: Control entry of the events that wait for a yes, to append as well; None without.
        held_events: How many those are.
        unnamed: How many of the accepted are kept as nobody's, for they are of somebody erased;
            the sender is not told.
    """

    row: NewRow | None
    accepted: int
    quarantined: tuple[Waiting, ...] = field(default=())
    refused: tuple[Waiting, ...] = field(default=())
    sampled_out: int = 0
    dropped: int = 0
    unnamed: int = 0
    held: NewRow | None = None
    held_events: int = 0

    @property
    def rows(self) -> tuple[NewRow, ...]:
        """All that is to be appended to the log."""
        return tuple(row for row in (self.row, self.held) if row is not None)

    def answer(self) -> dict[str, object]:
        """Return what the sender hears (see the interface reference)."""
        return {
            "success": True,
            "accepted": self.accepted,
            "quarantined": [_told(one) for one in self.quarantined],
            "refused": [_told(one) for one in self.refused],
            **({"sampled_out": self.sampled_out} if self.sampled_out else {}),
            **({"dropped": self.dropped} if self.dropped else {}),
            **({"held": self.held_events} if self.held_events else {}),
        }


def _told(waiting: Waiting) -> dict[str, object]:
    return {"index": waiting.index, "message_id": waiting.message_id, "reason": waiting.reason}
