"""What crosses the door of sharing: destinations, what went to them, bases, answers to joins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FILES, WEBHOOK, POSTGRES, AUDIENCE = KINDS = ("files", "webhook", "postgres", "audience")
"""How data leaves the house."""

BASES = ("adequacy", "scc", "bcr", "derogation", "same-law")
"""On what a transfer across a border may rest: an adequacy decision, standard contractual
clauses, binding corporate rules, a derogation for the case (GDPR, articles 45 to 49), or that one
law holds on both sides."""

UNKNOWN_REGION = "unknown"
"""Where data is from whose source has no region."""

NOBODY = 0
"""Stands in the ledger for events that have no identifier."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where data goes, for which purpose, and how far it has got.

    Attributes:
        name: Small letters, digits, `-` and `_`.
        kind: One of `KINDS`.
        purpose: What the receiver may use it for; consent to it decides who is in.
        region: Where the receiver is, such as `us`.
        basis: On what the handing over rests, in the words of whoever registered it.
        environment: Whose events: `production`, `staging` or `development`.
        every: When it comes again, such as `1m`, `1h` or five fields as cron has them.
        settings: What its kind needs: format, url, table, events, platform, allow, names.
        secret: Signs webhooks and keys the pseudonyms of its receiver.
        stopped: It sends nothing new; what must be taken back still is.
        created_time: Microseconds UTC.
        cursor: The last log offset that was sent.
        pending_to: The end of the batch that is tried again; None where none is.
        sequence: How many messages were delivered.
        sent_events: How many events stand at the receiver by our ledger.
        sent_mark: All their message ids, combined by exclusive or.
        tries: How often the batch under way failed.
        next_time: Not before this time is it tried again; None where nothing failed.
        last_time: When the last run began; None before the first.
        trouble: Why the last run failed or was blocked, one sentence; may be empty.
    """

    name: str
    kind: str
    purpose: str
    region: str
    basis: str
    environment: str = "production"
    every: str = "1m"
    settings: Mapping[str, Any] = field(default_factory=dict)
    secret: str = ""
    stopped: bool = False
    created_time: int = 0
    cursor: int = -1
    pending_to: int | None = None
    sequence: int = 0
    sent_events: int = 0
    sent_mark: int = 0
    tries: int = 0
    next_time: int | None = None
    last_time: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of a stretch of the log, ready to be carried.

    Attributes:
        first: The first log offset it may hold.
        last: The last one.
        rows: As receivers get them (see `queries.COLUMNS`), in the order of the log.
        keys: Of each row: the key of its identifier, `NOBODY` where it has none.
        marks: Of each row: one half of its message id.
        sources: Of each row: the source that sent it.
    """

    first: int
    last: int
    rows: tuple[Mapping[str, Any], ...]
    keys: tuple[int, ...]
    marks: tuple[int, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at a receiver of one identifier: how many events, and their combined ids."""

    events: int
    mark: int


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a destination did.

    Attributes:
        destination: Its name.
        events: How many events went out, those sent anew included.
        taken_back: Of how many identifiers something was taken back.
        batches: How many deliveries that were.
        cursor: The log offset it has reached.
        dead: How many stretches were given up as dead letters.
        more: There is more to send.
    """

    destination: str
    events: int = 0
    taken_back: int = 0
    batches: int = 0
    cursor: int = -1
    dead: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A stretch of the log that a receiver would not take.

    Only its offsets are kept, no content: a replay asks anew what consent allows of it.
    """

    id: int
    destination: str
    first: int
    last: int
    tries: int
    reason: str
    time: int


@dataclass(frozen=True, slots=True)
class TransferBasis:
    """Why data may go from one region to another, who said so, and until when.

    Attributes:
        id: Its number in the register.
        from_region: Where the data is from.
        to_region: Where it may go.
        basis: One of `BASES`.
        note: The decision or contract it rests on, in words.
        approved_by: Who registered it.
        approved_time: When, microseconds UTC.
        until_time: Until when it holds; None is until it is revoked.
        revoked_time: When it was revoked; None while it stands.
    """

    id: int
    from_region: str
    to_region: str
    basis: str
    note: str
    approved_by: str
    approved_time: int
    until_time: int | None = None
    revoked_time: int | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer across a border that happened."""

    destination: str
    from_region: str
    to_region: str
    basis: str
    basis_id: int
    time: int
    events: int
    people: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer took out of the privacy budget."""

    data_set: str
    asker: str
    what: str
    answers: int
    epsilon: float
    time: int
