"""A View: the facts as one asker may see them, for one purpose, at one time."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onefold.model.records import BOT, INTERNAL, MARKED, SYNTHETIC, TEST, Question
from onefold.store.facts import Readable

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

Rolled = Callable[[tuple[int, int], str], "ir.Table"]
"""From a span (from, to; microseconds) and `s` or `m` to rows of a rollup, to be added up."""

_OF_MARK = {
    BOT: "bots",
    INTERNAL: "our own people",
    TEST: "test users",
    SYNTHETIC: "synthetic traffic",
}


def nothing_marked(*_of: object, **_named: object) -> dict[str, int]:
    """Return that no traffic was left out."""
    return {}


@dataclass(frozen=True, slots=True)
class View:
    """Tables already restricted by asker, purpose, environment and as-of.

    Attributes:
        question: Under which terms it was made.
        events: Events, with or without a person behind them.
        person_events: Events that have an identifier, with `person_id`.
        sessions: Sessions with `person_id`.
        contexts: What surrounds events (see `model.facts.CONTEXT`), by `context_key` of theirs.
        identifiers: key, kind, person_id of all that belong to somebody.
        graph: `nodes` (identifiers, those that count for nobody too), `edges` (what evidence
            says), `links` (what people decided).
        memberships: identifier, person_id, account_id, from_time: until the next one's.
        records: Every table that imports fill, by name.
        orders: Purchases made online, as events told them.
        people: key, person_id of everybody that figures are of, to join by; not to be shown.
        consents: What was said of consent, by each `key` of a person; nothing is left out of it.
        quarantine: What waits, with reasons; without content.
        duplicates: Events sent twice and counted once, by day and source.
        dropped: Events of which consent let nothing be kept, by day and source.
        held: Events that came before a yes and were held for it, by message.
        runs: Runs of imports in every environment, with what is left of each.
        now: The time of asking, microseconds UTC.
        zone: The workspace's time zone.
        fresh_time: Received time of the last event folded, microseconds UTC, or None.
        left_out: How many events of a span (from, to; microseconds) consent left out.
        sight: Under which policies it was made: answers are kept apart by it. None sees all.
        sampled: Some events may stand for more than one (`sample_rate`).
        marked_out: How many of a span were left out as no customer's: mark -> events.
        marked_of: Likewise of one person (`person_id`), or of all who were ever of an account
            (`account_id`), of all time.
        decided: What people decided of accounts, and every version of imported rows: `links`,
            `heads`, `parents`, `versions`.
        closed: Figures of closed periods, counted over every row; None for who may not see all
            rows, and for a question of other terms than those of the closing.
        moves: Returns what came to the log that may move a closed figure: `cause`, `log_offset`,
            `event_time` (None is any); None where `closed` is.
        rolled: Returns what rollups hold of these events, columns of `rolled_minutes`, by second
            (of the last hour alone) or by minute; None where only events can tell.
    """

    facts: Readable
    question: Question
    events: "ir.Table"
    person_events: "ir.Table"
    sessions: "ir.Table"
    contexts: "ir.Table"
    identifiers: "ir.Table"
    memberships: "ir.Table"
    records: Mapping[str, "ir.Table"]
    orders: "ir.Table"
    people: "ir.Table"
    consents: "ir.Table"
    quarantine: "ir.Table"
    duplicates: "ir.Table"
    dropped: "ir.Table"
    held: "ir.Table"
    runs: "ir.Table"
    now: int
    zone: str
    fresh_time: int | None
    left_out: Callable[[int, int], int]
    graph: Mapping[str, "ir.Table"] = field(default_factory=dict)
    marked_out: Callable[[int, int], dict[str, int]] = nothing_marked
    marked_of: Callable[..., dict[str, int]] = nothing_marked
    sampled: bool = False
    sight: Hashable = None
    decided: Mapping[str, "ir.Table"] = field(default_factory=dict)
    closed: "ir.Table | None" = None
    moves: "Callable[[], ir.Table] | None" = None
    rolled: "Rolled | None" = None

    @property
    def accounts(self) -> "ir.Table":
        """One row an account, the latest known."""
        return self.records["accounts"]

    @property
    def spend(self) -> "ir.Table":
        """Money of accounts, one row an entry."""
        return self.records["spend"]

    @property
    def tickets(self) -> "ir.Table":
        """Issues of accounts."""
        return self.records["tickets"]

    @property
    def interactions(self) -> "ir.Table":
        """What was done with accounts."""
        return self.records["interactions"]

    def ask(self, expression: "ir.Expr") -> "pa.Table":
        """Return the whole answer of an expression over this view's tables."""
        return self.facts.ask(expression)

    def marked_notes(self, from_time: int, to_time: int) -> tuple[str, ...]:
        """Return the sentence on what of a span was left out as no customer's, if anything was."""
        found = self.marked_out(from_time, to_time)
        if not found:
            return ()
        parts = ", ".join(f"{events:,} of {_OF_MARK[mark]}" for mark, events in found.items())
        return (f"{MARKED} {parts}.",)

    def sql(self, expression: "ir.Expr") -> str:
        """Return the query in the engine's dialect, as a page prints it."""
        return self.facts.sql(expression)
