"""What crosses the door of metrics: definitions and figures."""

from dataclasses import dataclass
from datetime import date

from onefold.model.facts import CONTEXT
from onefold.model.records import Estimate

SHIPPED, IN_GIT, KEPT = "shipped", "definitions", "kept"
"""Where a definition comes from: with Onefold, from the folder, or from who made it on a page."""

PURCHASE_FIELDS = ("origin", "store")
"""By what purchases may be told apart: `online` or `offline`, and where."""

UNITS = {
    "person": "person_id",
    "account": "account_id",
    "creator": "creator_id",
    "item": "item_id",
    "campaign": "campaign_id",
}
"""What may be the independent unit -> the column that names it."""

UNIT_WORDS = {
    "person": "people",
    "account": "accounts",
    "creator": "creators",
    "item": "items",
    "campaign": "campaigns",
}
"""Unit -> how definitions and pages call several of it."""

RECORDED = (
    "ad_costs",
    "answers",
    "comments",
    "contacts",
    "interactions",
    "items",
    "opportunities",
    "payments",
    "spend",
    "tickets",
)
"""Tables of imported rows that a metric may count, each row at its time."""

TIMED = {"tickets": ("opened_time", "closed_time"), "opportunities": ("opened_time", "closed_time")}
"""Of those, which begin and end: table -> the columns that say when."""


@dataclass(frozen=True, slots=True)
class Term:
    """One quantity of a person: how many, or how much.

    Attributes:
        measure: `count`, `sum` or `distinct` (how many different values a unit has).
        of: What is counted or summed over: `events`, `sessions`, `people` (the units themselves),
            `purchases`, or one of `RECORDED`.
        column: What is summed, or told apart: a property of events, a column of sessions or of
            imported rows, or the `amount` of purchases; empty for a count.
        events: Names of the events meant; empty for sessions and purchases.
        where: Properties that must have one of these values: (property, values).
        having: Sessions with at least one of these: `events`, `actions`, `discoveries`; people
            with `purchases`; units with one of `RECORDED`; or empty.
        at_least: How many it takes for a person to count (`people` only).
        money: Whether what is summed is money: micros, apart by currency.
        weights: How much each event counts, where not one: (event, weight).
        points: What a number that is summed counts for: (from, to, points), both ends included;
            one that lies in none counts nothing.
        cap: What a unit counts for at most; None without end.
    """

    measure: str
    of: str
    column: str = ""
    events: tuple[str, ...] = ()
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    having: str = ""
    at_least: int = 1
    money: bool = False
    weights: tuple[tuple[str, float], ...] = ()
    points: tuple[tuple[float, float, float], ...] = ()
    cap: float | None = None

    @property
    def table(self) -> str:
        """Return the table it is read from: `events`, `sessions`, `purchases`, or imported rows."""
        if "purchases" in {self.of, self.having}:
            return "purchases"
        for name in (self.of, self.having):
            if name in RECORDED:
                return name
        by_sessions = self.of == "sessions" or not self.events
        return "sessions" if by_sessions else "events"


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers for what of a metric, and what it serves.

    Attributes:
        moves: The key result that it moves; empty where none is named.
        functions: The functions that contribute to it, such as product and marketing.
        steps: Its steps, each with who owns it: (step, owner).
        certified: Whether its owner is to vouch for it, by a signature.
    """

    moves: str = ""
    functions: tuple[str, ...] = ()
    steps: tuple[tuple[str, str], ...] = ()
    certified: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How the definition of a metric stands in a workspace.

    Attributes:
        origin: `SHIPPED`, `IN_GIT` or `KEPT`; empty where nobody looked.
        since: The day from which this version has held; None for one that was never applied.
        before: The version before it, 0 where there is none.
        certified_by: Who signed for just this definition; empty where nobody did.
        waits_for: Who has still to sign for it.
    """

    origin: str = ""
    since: date | None = None
    before: int = 0
    certified_by: str = ""
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as defined.

    Attributes:
        name: Its name.
        version: Grows with every change of the definition.
        label: How pages call it.
        description: What it says, in a sentence or two.
        owner: Who answers for it.
        purpose: Under which purpose it is asked.
        decision: What is decided by it.
        unit: The independent unit, one of `UNITS`.
        better: `up` or `down`.
        kind: `count`, `sum`, `share`, `ratio`, `mean`, `quantile`, `time_to` or `acquisition`.
        numerator: What is measured; of `time_to` what ends the time.
        denominator: What it is measured by; None for count and sum; of `time_to` what begins it.
        format: `number`, `percent`, `money` or `duration` (seconds).
        dimensions: Properties of its events by which it may be split.
        minimum_people: Below so many people no interval is told.
        margin: The smallest relative change that matters.
        lag_days: How long before somebody comes the cost is spent that brings them
            (`acquisition`).
        quantile: Which share of the units reaches the figure at most (`quantile`, `time_to`).
        answering: Who answers for what of it, and what it serves.
        standing: How its definition stands in the workspace that asks.
    """

    name: str
    version: int
    label: str
    description: str
    owner: str
    purpose: str
    decision: str
    unit: str
    better: str
    kind: str
    numerator: Term
    denominator: Term | None
    format: str
    dimensions: tuple[str, ...]
    minimum_people: int
    margin: float
    quantile: float = 0.5
    lag_days: int = 0
    answering: Answering = Answering()
    standing: Standing = Standing()

    @property
    def certified(self) -> bool:
        """Return whether its owner vouches for just this definition."""
        return self.answering.certified and bool(self.standing.certified_by)

    @property
    def is_spread(self) -> bool:
        """Return whether it is a quantile of units, and no figure of their sums."""
        return self.kind in {"quantile", "time_to"}

    @property
    def is_summed(self) -> bool:
        """Return whether it is made of the sums of its terms over units."""
        return not self.is_spread and self.kind != "acquisition"

    @property
    def per_unit(self) -> bool:
        """Return whether units are weighed, each once, and not what they did."""
        return self.kind in {"share", "mean", "quantile"}

    @property
    def unit_fields(self) -> tuple[str, ...]:
        """Return the properties of events that name its unit; none for persons and accounts."""
        return () if self.unit in {"person", "account"} else (UNITS[self.unit],)

    @property
    def of_people(self) -> bool:
        """Return whether it counts what people did, so that some of them can be chosen."""
        alien = any(term.table in RECORDED for term in self.terms)
        return self.kind != "acquisition" and (self.unit == "person" or not alien)

    @property
    def units(self) -> str:
        """Return what a figure rests on, several of it: `people`, `accounts`, `tickets`."""
        itself = self.kind == "time_to" and self.denominator is None
        return self.numerator.table if itself else UNIT_WORDS[self.unit]

    @property
    def terms(self) -> tuple[Term, ...]:
        """Return numerator and, if there is one, denominator."""
        return (self.numerator, self.denominator) if self.denominator else (self.numerator,)

    @property
    def purchase_fields(self) -> frozenset[str]:
        """Return by which fields of purchases it may be split: all, if it is of nothing else."""
        alone = all(term.table == "purchases" for term in self.terms)
        return frozenset(PURCHASE_FIELDS if alone else ())

    @property
    def splits(self) -> tuple[str, ...]:
        """Return by what it may be split: its source, its own dimensions, what surrounds events.

        A metric of sessions cannot be split: a session has no one channel or browser. Purchases
        are split by where they were made.
        """
        if any(term.table == "purchases" for term in self.terms):
            return tuple(name for name in PURCHASE_FIELDS if name in self.purchase_fields)
        if any(term.table == "sessions" for term in self.terms):
            return ()
        if any(term.table in RECORDED for term in self.terms):
            # No event has what the rows are told apart by; only a channel do both sides know.
            return self.dimensions
        return tuple(dict.fromkeys(("source", *self.dimensions, *CONTEXT)))


@dataclass(frozen=True, slots=True)
class Point:
    """A figure of one period.

    Attributes:
        start_date: First day of the period in the workspace's zone.
        value: The figure; money in micros.
        currency: ISO code for money, else empty.
        closed: Whether the period is closed, and the figure as it was then.
        recomputed: What is counted now, where a closed figure differs from it; else None.
        reason: Why it differs; empty where it does not.
    """

    start_date: date
    value: Estimate
    currency: str = ""
    closed: bool = False
    recomputed: Estimate | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A figure now beside the same figure of a former period.

    Attributes:
        now: The figure now; money in micros.
        former: The figure then.
        relative: The relative change of the same persons, as a share (0.03 is 3 %).
        verdict: `better`, `worse`, `no_difference` or `not_yet` (cannot tell).
        currency: ISO code for money, else empty.
        notes: What a reader has to know.
    """

    now: Estimate
    former: Estimate
    relative: Estimate
    verdict: str
    currency: str = ""
    notes: tuple[str, ...] = ()
