"""Records that cross more than one door: who asks, what comes back."""

from collections.abc import Callable
from dataclasses import dataclass, field

from onefold.model.money import Money
from onefold.model.time import format_time

Progress = Callable[[str, int, int | None], None]
"""Told as work goes on: what, how much is done, of how much (None when nobody knows)."""

ROLES = ("owner", "analyst", "marketer", "viewer")

BOT, INTERNAL, TEST, SYNTHETIC = MARKS = ("bot", "internal", "test", "synthetic")
"""Marks of traffic that is no customer's; figures leave it out unless a question includes it."""

MARKED = "Left out as no customers' events:"
"""How the note on them begins."""

type_names = ("text", "integer", "number", "boolean", "time", "date", "money", "estimate")
"""What a column of an answer may hold."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Attributes:
        name: The user's name, `key:<name>` for an API key, `command line` for the owner there.
        role: One of `ROLES`.
        scopes: What an API key may do; empty for a person, whose role decides.
    """

    name: str
    role: str
    scopes: tuple[str, ...] = ()

    @property
    def is_key(self) -> bool:
        """Whether a program asks, by an API key."""
        return self.name.startswith(KEY)

    @property
    def internal(self) -> bool:
        """Whether it is nobody who signs in: the command line, the schedule."""
        return self.name in WITHIN


KEY = "key:"
"""Before the name of an API key that asks."""

WITHIN = frozenset({"command line", "schedule"})
"""Who asks from within; no user may be called so."""

OWNER = Asker(name="command line", role="owner")
"""The command line acts as the workspace's owner."""


@dataclass(frozen=True, slots=True)
class Question:
    """Under which terms something is asked. Every View has one.

    Attributes:
        asker: Who asks.
        purpose: What the answer is for; consent decides by it.
        environment: `production`, `staging` or `development`.
        as_of_time: Only what was true by then (microseconds), or None for all.
        as_of_offset: Only what was known at this log offset, or None for all.
        include: Marks of traffic (`MARKS`) that are let in.
    """

    asker: Asker
    purpose: str = "analytics"
    environment: str = "production"
    as_of_time: int | None = None
    as_of_offset: int | None = None
    include: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate is never alone: low, estimate, high and what stands behind them.

    Attributes:
        estimate: The point estimate, or None where there is not enough data.
        low: Lower end of the interval.
        high: Upper end of the interval.
        n: How many units it rests on.
        level: Coverage of the interval.
        note: Why it is missing or what it cannot tell; may be empty.
    """

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    level: float = 0.95
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the estimate as the interface reference writes it."""
        return {
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "n": self.n,
        }


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer: its name, its type (`type_names`), its unit."""

    name: str
    type: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A table that explains itself.

    Attributes:
        columns: What each place of a row holds.
        rows: The values; times as integer microseconds, money as `Money`.
        definition: What was counted and how, in words.
        query: The query in the engine's dialect.
        as_of_time: Freshness: received time of the last event it rests on, microseconds.
        excluded_by_consent: How many events consent left out.
        notes: What a reader has to know beside the figures.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]
    definition: str = ""
    query: str = ""
    as_of_time: int | None = None
    excluded_by_consent: int = 0
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, object]:
        """Return the answer as the interface reference writes it."""
        kinds = [column.type for column in self.columns]
        return {
            "columns": [
                {"name": column.name, "type": column.type, "unit": column.unit}
                for column in self.columns
            ],
            "rows": [
                [_plain(v, kind) for v, kind in zip(row, kinds, strict=True)] for row in self.rows
            ],
            "definition": self.definition,
            "query": self.query,
            "as_of": None if self.as_of_time is None else format_time(self.as_of_time),
            "excluded_by_consent": self.excluded_by_consent,
            "notes": list(self.notes),
        }


def _plain(value: object, kind: str) -> object:
    if isinstance(value, Money):
        return {"micros": value.micros, "currency": value.currency}
    if isinstance(value, Estimate):
        return value.to_json()
    if kind == "time" and isinstance(value, int):
        return format_time(value)
    if kind == "date" and value is not None:
        return str(value)
    return value
