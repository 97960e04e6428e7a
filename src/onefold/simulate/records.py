"""What crosses the door of simulate: a plan, a market, its requests, what was measured."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Strings: TypeAlias = Any
"""A pyarrow array of strings; pyarrow ships no types."""

DAY = 86_400_000_000
"""Microseconds of a day."""

LIFT = "larger-first-pins"
NULL = "new-board-button"
ARMS = ("control", "treatment")

STARTED_SHARE = 8 / 60
PLANNED_SHARE = 21 / 60


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """How large the market is, when it ends, and which of all possible markets it is.

    Attributes:
        end_time: The last moment of its history, microseconds UTC.
        people: How many persons ever come by; advertisers' contacts come on top.
        days: Days of history before the day of `end_time`.
        seed: The same seed and sizes give the same market.
        accounts: Advertisers; None for one to eighty people, at least 80.
        depth: Factor on what a visit holds beyond what is planted; a small one makes a light
            market that is as true.
        existing_share: Share of the people who came before the history begins.
        rush: Share of the new people who come while the experiments take people in.
    """

    end_time: int
    people: int = 20_000
    days: int = 60
    seed: int = 7
    accounts: int | None = None
    depth: float = 1.0
    existing_share: float = 0.3
    rush: float = 0.5

    @property
    def account_count(self) -> int:
        """How many advertisers there are."""
        return max(80, self.people // 80) if self.accounts is None else self.accounts

    @property
    def start_time(self) -> int:
        """Midnight (UTC) of the first day of the history, microseconds."""
        return self.end_time // DAY * DAY - self.days * DAY

    @property
    def start_date(self) -> date:
        """The first day of the history."""
        return datetime.fromtimestamp(self.start_time / 1e6, UTC).date()

    @property
    def started_day(self) -> int:
        """The day of the history on which both experiments start."""
        return max(1, round(self.days * STARTED_SHARE))

    @property
    def planned_days(self) -> int:
        """How long they take people in; the long window of 28 days then still fits."""
        room = self.days - 29 - self.started_day
        return max(1, min(round(self.days * PLANNED_SHARE), room))

    @property
    def started_date(self) -> date:
        """The day on which both experiments start."""
        return self.start_date + timedelta(days=self.started_day)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: when, and its body in the Segment dialect.

    Attributes:
        received_time: When it arrived, microseconds UTC.
        body: A `/v1/batch` body without write key.
        events: How many events it carries.
    """

    received_time: int
    body: bytes
    events: int


@dataclass(frozen=True, slots=True)
class PlantedEffect:
    """One thing that is true of this market because it was planted.

    Attributes:
        id: Its name, such as `creative_help`.
        label: The same as a page says it.
        kind: `lift`, `null`, `service`, `friction` or `churn`.
        what: What happens, in one sentence.
        where: The experiment, service or ticket topic that it hangs on.
        unit: Unit of `value`: `share` or `micros`.
        value: The true effect (absolute).
        relative: The true effect as a share of what would have been; None where undefined.
        estimand: What exactly the value is the value of.
        window: The days that count.
        basis: `population` (the parameter it was drawn from) or `world` (the mean over the
            treated of this very world of their own two potential outcomes).
        currency: Of a value in micros, else empty.
        treated: Units treated in this world, as planted.
        naive: What a comparison without care tends to, where the world knows it.
    """

    id: str
    label: str
    kind: str
    what: str
    where: str
    unit: str
    value: float
    relative: float | None
    estimand: str
    window: str
    basis: str
    currency: str = ""
    treated: int = 0
    naive: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as it stands in `truth.json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One planted truth beside what was measured.

    Attributes:
        id: As in the planted effect; likewise label, kind, what, where, unit and definition.
        truth: The true value.
        estimate: What was measured; None when it was refused, with low and high its interval.
        n: Units it rests on.
        naive: The figure of a comparison without care, with its interval where there is one.
        covered: Whether the interval holds the truth; None when there is no interval.
        verdict: better, worse, no_difference or not_yet.
        method: How it was measured.
        cannot: What the method cannot tell, or why there is no figure.
    """

    id: str
    label: str
    kind: str
    what: str
    where: str
    unit: str
    currency: str
    truth: float
    estimate: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    naive: float | None
    naive_low: float | None
    naive_high: float | None
    covered: bool | None
    verdict: str
    method: str
    definition: str
    cannot: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as it stands in `measured.json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TruthReport:
    """This world's hits and misses."""

    rows: tuple[TruthRow, ...]
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Return it as it stands in `measured.json`."""
        return {"rows": [row.as_dict() for row in self.rows], "notes": list(self.notes)}
