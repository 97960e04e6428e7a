"""What questions over what persons did one after the other have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from onefold.metrics.compile import Span, dimension_of, instant, within
from onefold.metrics.weights import weight_of
from onefold.model.errors import BadInput
from onefold.model.facts import CONTEXT
from onefold.model.records import Estimate
from onefold.stats import Moments, mean, wilson

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

FEWEST_PEOPLE = 30
"""Below so many people no interval is told."""
MOST_NAME = 200
SAMPLED = "What a source sampled weighs one over its rate: people are an estimate."


@dataclass(frozen=True, slots=True)
class People:
    """Persons and the sums of their weights; without sampling each weighs one.

    Attributes:
        n: How many were seen.
        weight: Sum of the weights: whom they stand for.
        squares: Sum of the squares of the weights.
    """

    n: int = 0
    weight: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, row: dict[str, Any]) -> "People":
        """Return the persons of a row with `n`, `weight` and `squares`."""
        return cls(int(row["n"]), float(row["weight"]), float(row["squares"]))

    def __add__(self, other: "People") -> "People":
        """Return the persons of both, of whom none is in both."""
        return People(self.n + other.n, self.weight + other.weight, self.squares + other.squares)


def share_of(some: People, among: People) -> Estimate:
    """Return the share of some persons among those whom they belong to, with its interval.

    Wilson's where every person weighs one; else that of a ratio of two weighted totals (see
    `metrics.weights`). Below `FEWEST_PEOPLE` the interval is left out.
    """
    if among.squares == among.n:
        value = wilson(some.n, among.n)
    else:
        products = ((some.squares, some.squares), (some.squares, among.squares))
        value = mean(Moments(among.n, (some.weight, among.weight), products))
        low, high = (
            None if one is None else min(max(one, 0.0), 1.0) for one in (value.low, value.high)
        )
        value = replace(value, low=low, high=high)
    if value.estimate is not None and among.n < FEWEST_PEOPLE:
        note = f"Not enough data for an interval: {among.n} of {FEWEST_PEOPLE} people."
        return replace(value, low=None, high=None, note=note)
    return value


def counted() -> dict[str, Any]:
    """Return the aggregates that make `People` of rows a person with `weight`."""
    from ibis import _

    return {"n": _.count(), "weight": _.weight.sum(), "squares": (_.weight * _.weight).sum()}


def events_of(view: "View", names: Sequence[str], span: Span, *, by: str | None = None) -> Any:
    """Return `person_id`, `moment` (microseconds), `event`, `weight` and `by` (null without).

    Raises:
        BadInput: There is nothing of that name to split by.
    """
    import ibis

    events = view.person_events
    meant, group = split_by(
        view,
        events.filter(
            events.event.isin(tuple(dict.fromkeys(names))),
            events.kind == "track",
            within(events.event_time, span),
        ),
        by,
    )
    return meant.select(
        person_id=meant.person_id,
        event_time=meant.event_time,
        moment=meant.event_time.delta(instant(0), unit="microsecond"),
        event=meant.event,
        weight=weight_of(meant) if view.sampled else ibis.literal(1.0),
        by=group,
    )


def split_by(view: "View", meant: "ir.Table", by: str | None) -> "tuple[ir.Table, Any]":
    """Return events with what surrounds them, and the column to split them by (null without).

    Raises:
        BadInput: There is nothing of that name to split by.
    """
    import ibis

    if by in CONTEXT and f"p_{by}" not in meant.columns:
        around = view.contexts.select("key", by)
        meant = meant.left_join(around, meant.context_key == around.key).drop("key")
    return meant, dimension_of(meant, by) if by else ibis.null("string")


def check_names(names: Sequence[str], *, fewest: int, most: int, what: str) -> None:
    """Refuse too few or too many names of events, and one that cannot be a name.

    Raises:
        BadInput: See above.
    """
    if not fewest <= len(names) <= most:
        raise BadInput(
            f"{what} of {len(names)} events.", f"Name {fewest} to {most} events, in their order."
        )
    for name in names:
        if not name.strip() or len(name) > MOST_NAME:
            raise BadInput(
                f"`{name[:MOST_NAME]}` is no name of an event.", "Name events as they were sent."
            )


def unheard(view: "View", names: Sequence[str], span: Span) -> tuple[str, ...]:
    """Return the names of which no event of these days has a person behind it."""
    events = events_of(view, names, span)
    found = view.ask(events.select("event").distinct()).column("event").to_pylist()
    return tuple(name for name in dict.fromkeys(names) if name not in found)


def unheard_notes(names: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence a name of which there is nothing."""
    return tuple(f"No `{one}` of these days has a person behind it: is it sent?" for one in names)
