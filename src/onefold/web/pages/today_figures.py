"""The five figures of Today: now, before, and day by day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from onefold import metrics
from onefold.collect import questions
from onefold.model.time import DAY, day_of, day_start
from onefold.stats import families
from onefold.web import wording

if TYPE_CHECKING:
    from pathlib import Path

    from onefold.metrics import Change, Metric
    from onefold.metrics import questions as over_time
    from onefold.store import View

SHOWN = (
    "weekly_active_discovery_sessions",
    "session_depth",
    "saves_per_session",
    "ad_revenue_per_engaged_user",
    "click_rate",
)
SPARK = 14
"""Points of a sparkline; the former ones lie behind them."""
CHART = 42
"""Days of the chart."""
CHANCE = 0.05
"""How often at most the headline tells of a move where nothing moved."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric now and before, and its days.

    Attributes:
        metric: What is measured.
        change: Now, before, and the change with its range.
        points: Day by day, oldest first.
    """

    metric: Metric
    change: Change
    points: tuple[over_time.Point, ...]

    @property
    def values(self) -> list[float | None]:
        """Return the last 14 days."""
        return [point.value.estimate for point in self.points[-SPARK:]]

    @property
    def former_values(self) -> list[float | None]:
        """Return the 14 days before those."""
        return [point.value.estimate for point in self.points[-2 * SPARK : -SPARK]]

    @property
    def clearness(self) -> float:
        """Return how far the change is from nothing, in halves of its range; 0 where unknown."""
        change = self.change.relative
        if change.estimate is None or change.low is None or change.high is None:
            return 0.0
        half = (change.high - change.low) / 2
        return abs(change.estimate) / half if half > 0 else 0.0

    def words(self) -> tuple[str, str]:
        """Return the figure of a tile and its unit."""
        value = self.change.now.estimate
        if self.metric.format == "number":
            return wording.figure(value)
        return self.said(value) or wording.NOTHING, ""

    def said(self, value: float | None) -> str | None:
        """Return a value of this metric as a table writes it."""
        if value is None:
            return None
        if self.metric.format == "money":
            return wording.money(value, self.change.currency or "USD")
        if self.metric.format == "percent":
            return wording.share(value, 2)
        if self.metric.format == "duration":
            return wording.duration(value)
        return wording.number(value)


def periods(view: View, days: int) -> tuple[Span, Span]:
    """Return the last whole days and those before them, microseconds UTC."""
    today = day_of(view.now, view.zone)
    ends = [day_start(today - timedelta(days=days * n), view.zone) for n in (0, 1, 2)]
    return (ends[1], ends[0]), (ends[2], ends[1])


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of a period as they were asked.

    Attributes:
        figures: In the order of the tiles.
        totals: What came in during the period.
        fresh_time: Received time of the last event they rest on.
    """

    figures: tuple[Figure, ...]
    totals: questions.Totals
    fresh_time: int | None

    def badges(self, figure: Figure, now: int) -> dict[str, object]:
        """Return version, age, people and the share that consent left out."""
        fresh, totals = self.fresh_time, self.totals
        return {
            "version": figure.metric.version,
            "seconds": None if fresh is None else max(now - fresh, 0) / 1e6,
            "n": figure.change.now.n,
            "left_out": totals.left_out / totals.accepted if totals.accepted else None,
        }


def measured(view: View, folder: Path, days: int) -> Measured:
    """Return the figures of Today that are defined, in their order."""
    known = metrics.load_metrics(folder)
    now, former = periods(view, days)
    began = questions.first_time(view)
    start = day_start(day_of(view.now, view.zone) - timedelta(days=CHART), view.zone)
    figures = tuple(
        Figure(
            metric=known[name],
            change=_with_history(
                metrics.change(view, known[name], period=now, former=former), former, began, view
            ),
            points=metrics.series(view, known[name], from_time=start, to_time=now[1]),
        )
        for name in SHOWN
        if name in known
    )
    return Measured(figures, questions.totals(view, *now), view.fresh_time)


def _with_history(change: Change, former: Span, began: int | None, view: View) -> Change:
    """Return a change as it can be told: with a period before that lies wholly in the data."""
    if began is None or began < former[0] + DAY:
        return change
    note = f"The data begin on {wording.day(began, view.zone)}: nothing whole to compare with yet."
    relative = replace(change.relative, estimate=None, low=None, high=None, note=note)
    return replace(change, relative=relative, verdict="not_yet")


def told_moves(figures: tuple[Figure, ...]) -> tuple[Figure, ...]:
    """Return the figures that the headline may tell of, the clearest first.

    Their own ranges leave zero out, and they still do where it counts that all of them were looked
    at (Holm 1979, see `onefold.stats.several`).
    """
    chances = families.holm([families.p_value(each.change.relative) for each in figures])
    found = [
        each
        for each, chance in zip(figures, chances, strict=True)
        if chance is not None and chance <= CHANCE and each.change.verdict in {"better", "worse"}
    ]
    return tuple(sorted(found, key=lambda each: -each.clearness))


def most_moved(figures: tuple[Figure, ...]) -> Figure | None:
    """Return the figure whose change is clearest, the first of them where none can be told."""
    return max(figures, key=lambda each: each.clearness, default=None)
