"""What goes wrong on the way: sent twice, late, from a wrong clock, misspelt, malformed."""

from dataclasses import dataclass, replace

import numpy as np

from onefold.simulate import behaviour
from onefold.simulate.behaviour import Events, join_events, make_events
from onefold.simulate.records import DAY, Ints, MarketPlan
from onefold.simulate.visits import SECOND

TWICE_SHARE = 0.004
LATE_SHARE = 0.006
FUTURE_SHARE = 0.0004
BROKEN_EVERY = 40_000
"""One of each kind of broken event for so many events, and at least three."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What goes over the wire, in order of arrival.

    Attributes:
        events: All events, the broken ones too.
        place: For everything that is sent the place of its event; some are sent twice.
        arrival: When it arrives, microseconds UTC.
        twice: How many are sent a second time.
        late: How many come an hour to three days late; future: how many are dated ahead.
        broken: How many violate the catalogue; misspelt: how many have a name of no event.
    """

    events: Events
    place: Ints
    arrival: Ints
    twice: int
    late: int
    future: int
    broken: int
    misspelt: int


def send(plan: MarketPlan, clean: Events, rng: np.random.Generator) -> Sent:
    """Return the events with a little dirt, and the order in which they arrive."""
    count = max(3, len(clean) // BROKEN_EVERY)
    extra = [
        _beside(clean, kind, count, rng)
        for kind in (
            behaviour.MISSPELT,
            behaviour.BAD_CLICK,
            behaviour.BAD_SEARCH,
            behaviour.BAD_OPEN,
        )
    ]
    events = join_events([clean, *extra])
    n = len(events)
    arrival = events.time + rng.integers(200_000, 2_000_000, n)
    late = rng.random(n) < LATE_SHARE
    delayed = arrival + rng.integers(3_600 * SECOND, 3 * DAY, n)
    late &= delayed < plan.end_time - SECOND
    arrival = np.where(late, delayed, arrival)
    ahead = np.isin(events.kind, (behaviour.SEARCH, behaviour.LINK)) & ~late
    ahead &= rng.random(n) < FUTURE_SHARE * 10
    shifted = events.time + np.where(ahead, rng.integers(2, 20, n) * DAY, 0)
    twice = np.flatnonzero(rng.random(n) < TWICE_SHARE)
    again = arrival[twice] + rng.integers(60 * SECOND, 2 * DAY, len(twice))
    kept = again < plan.end_time - SECOND
    place = np.concatenate([np.arange(n), twice[kept]])
    times = np.concatenate([arrival, again[kept]])
    order = np.argsort(times, kind="stable")
    return Sent(
        events=replace(events, time=shifted),
        place=place[order],
        arrival=times[order],
        twice=int(kept.sum()),
        late=int(late.sum()),
        future=int(ahead.sum()),
        broken=sum(len(part) for part in extra[1:]),
        misspelt=len(extra[0]),
    )


def _beside(clean: Events, kind: int, count: int, rng: np.random.Generator) -> Events:
    """Return broken events, each half a second after a pin that its device opened."""
    opened = np.flatnonzero(clean.kind == behaviour.OPEN)
    rows = rng.choice(opened, size=count if len(opened) else 0)
    return make_events(
        clean.time[rows] + SECOND // 2,
        kind,
        clean.device[rows].astype(np.int64),
        known=clean.known[rows],
        item=clean.item[rows].astype(np.int64),
        surface=clean.surface[rows].astype(np.int64),
    )
