"""What people do when they come: visits become columns of events."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from onefold.simulate.catalogue import UTM, Items
from onefold.simulate.people import People
from onefold.simulate.records import Bools, Floats, Ints, MarketPlan
from onefold.simulate.visits import SECOND, Visits

KINDS = (
    *("page", "search_made", "pin_viewed", "pin_opened", "pin_saved", "board_created"),
    *("ad_viewed", "ad_clicked", "link_clicked", "signed_up", "exposure", "identify", "group"),
    *("misspelt", "bad_click", "bad_search", "bad_open"),
)
"""Kinds of events; the last four are dirt."""
(PAGE, SEARCH, VIEW, OPEN, SAVE, BOARD, AD, CLICK, LINK, SIGNUP, EXPOSURE, IDENTIFY, GROUP) = range(
    13
)
MISSPELT, BAD_CLICK, BAD_SEARCH, BAD_OPEN = range(13, 17)
OPENING = 3 * SECOND
"""A visit's first seconds are for its page call and what is shown with it."""


@dataclass(frozen=True, slots=True)
class Events:
    """One row an event.

    Attributes:
        time: When, microseconds UTC in whole milliseconds.
        kind: Place in `KINDS`.
        device: Whose, and on which device: the person, plus all persons for a second device.
        known: The user id is sent.
        item: An item; for a page call the place of its name, for an exposure experiment * 2 +
            arm, for a group call the account.
        number: Results of a search, cents of a click, the person's board of a save.
        surface: Place in `SURFACES`.
        campaign: The campaign of an advertisement.
        query: Place in `QUERIES`, -1 for none.
    """

    time: Ints
    kind: npt.NDArray[np.int8]
    device: npt.NDArray[np.int32]
    known: Bools
    item: npt.NDArray[np.int32]
    number: npt.NDArray[np.int32]
    surface: npt.NDArray[np.int8]
    campaign: npt.NDArray[np.int32]
    query: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.time)


def make_events(
    time: Ints,
    kind: int,
    device: Ints,
    *,
    known: Bools | bool = False,
    item: Ints | int = 0,
    number: Ints | int = 0,
    surface: Ints | int = 0,
    campaign: Ints | int = 0,
    query: Ints | int = -1,
) -> Events:
    """Return events of one kind; a single value stands for all rows."""
    n = len(time)
    return Events(
        time=time // 1_000 * 1_000,
        kind=np.full(n, kind, np.int8),
        device=device.astype(np.int32),
        known=np.broadcast_to(np.asarray(known), n),
        item=np.broadcast_to(np.asarray(item, np.int32), n),
        number=np.broadcast_to(np.asarray(number, np.int32), n),
        surface=np.broadcast_to(np.asarray(surface, np.int8), n),
        campaign=np.broadcast_to(np.asarray(campaign, np.int32), n),
        query=np.broadcast_to(np.asarray(query, np.int8), n),
    )


def join_events(parts: list[Events]) -> Events:
    """Return all rows of the parts, one after another."""
    return Events(
        **{
            f.name: np.concatenate([getattr(part, f.name) for part in parts])
            for f in fields(Events)
        }
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """Which campaigns are shown: `chance[day]` are running sums over the campaigns."""

    chance: Floats
    cents: Ints


def member_events(
    plan: MarketPlan,
    people: People,
    visits: Visits,
    *,
    everyone: int,
    items: Items,
    reach: Reach,
    rng: np.random.Generator,
) -> Events:
    """Return everything that members do, unsorted.

    Args:
        plan: The market.
        people: Its people; visits: when they come.
        visits: When they come.
        everyone: Persons in all, contacts too: a second device is numbered after them.
        items: What there is to pin.
        reach: Which campaigns are shown on which day, and what a click on each costs.
        rng: Chance.
    """
    device = visits.person + everyone * visits.second
    known_from = _known_from(people, visits, everyone)
    draw = _Draw(plan, visits, device, known_from, rng)
    keen = people.keen[visits.person] * plan.depth
    mild = plan.depth * np.sqrt(people.keen[visits.person])
    came = (visits.order == 0) & ~people.existing[visits.person] & (visits.person % 5 < 2)
    parts = [
        make_events(
            visits.start,
            PAGE,
            device,
            known=visits.start >= known_from[device],
            number=np.where(came, 1 + visits.person % len(UTM), 0),
        ),
        draw.of(PAGE, 0.35 * plan.depth, span=(0.1, 1.0), item=2),
        draw.searches(0.8 * mild),
        draw.pins(VIEW, 6.0 * plan.depth, items, span=(0.0, 0.95)),
        draw.pins(OPEN, 1.9 * mild, items, span=(0.1, 0.97)),
        draw.pins(OPEN, visits.must_open, items, span=(0.1, 0.97)),
        draw.pins(SAVE, 0.55 * keen * visits.may_save, items, span=(0.2, 1.0)),
        draw.pins(SAVE, visits.must_save, items, span=(0.2, 1.0)),
        draw.of(BOARD, 0.035 * keen * visits.may_board, span=(0.3, 1.0)),
        draw.of(BOARD, visits.must_board, span=(0.3, 1.0)),
        draw.of(LINK, 0.15 * keen, span=(0.3, 1.0), item=None, items=items),
        *draw.advertisements(1.5 * plan.depth, reach),
        *_exposures(people, visits, device, known_from, everyone),
        *_sign_ups(people, visits, device, known_from),
    ]
    return join_events(parts)


def _known_from(people: People, visits: Visits, everyone: int) -> Ints:
    """Return for every device the time from which on it sends a user id."""
    never = np.iinfo(np.int64).max
    known = np.full(2 * everyone, never, np.int64)
    moment = visits.start + OPENING + (0.35 * visits.length).astype(np.int64)
    member = people.member[visits.person]
    at = (visits.order == 0) & (member == 0) | (visits.order == 1) & (member == 1)
    known[visits.person[at]] = moment[at]
    was = np.flatnonzero(people.member == 2)
    known[was] = 0
    second = visits.second & visits.opening
    known[visits.person[second] + everyone] = moment[second]
    return known


class _Draw:
    """Draws events within visits: how many a visit, and when in it."""

    def __init__(
        self,
        plan: MarketPlan,
        visits: Visits,
        device: Ints,
        known_from: Ints,
        rng: np.random.Generator,
    ) -> None:
        self.plan = plan
        self.visits = visits
        self.device = device
        self.known_from = known_from
        self.rng = rng

    def rows(self, mean: Floats | Bools | float) -> Ints:
        """Return the visit of each event: `mean` a visit, or exactly one where it is marked."""
        visits = np.arange(len(self.visits.person))
        if isinstance(mean, np.ndarray) and mean.dtype == np.bool_:
            return visits[mean.astype(np.bool_)]
        return np.repeat(visits, self.rng.poisson(mean, len(visits)))

    def times(self, rows: Ints, span: tuple[float, float]) -> Ints:
        share = span[0] + (span[1] - span[0]) * self.rng.random(len(rows))
        lengths = self.visits.length[rows] - 2 * OPENING
        return self.visits.start[rows] + OPENING + (share * lengths).astype(np.int64)

    def of(
        self,
        kind: int,
        mean: Floats | Bools | float,
        *,
        span: tuple[float, float],
        item: int | None = 0,
        items: Items | None = None,
    ) -> Events:
        """Return events of one kind; `item=None` draws one of `items`."""
        rows = self.rows(mean)
        time = self.times(rows, span)
        device = self.device[rows]
        chosen = item if items is None else self.popular(len(items.creator), len(rows))
        return make_events(
            time,
            kind,
            device,
            known=time >= self.known_from[device],
            item=0 if chosen is None else chosen,
            number=0 if kind == PAGE else self.rng.integers(0, 3, len(rows)),
        )

    def popular(self, count: int, size: int) -> Ints:
        """Return items, the first far more often than the last."""
        return (count * self.rng.random(size) ** 2.2).astype(np.int64)

    def searches(self, mean: Floats) -> Events:
        rows = self.rows(mean)
        time = self.times(rows, (0.0, 0.6))
        device = self.device[rows]
        return make_events(
            time,
            SEARCH,
            device,
            known=time >= self.known_from[device],
            number=self.rng.negative_binomial(2, 0.04, len(rows)),
            query=(40 * self.rng.random(len(rows)) ** 1.6).astype(np.int64),
            surface=1,
        )

    def pins(
        self, kind: int, mean: Floats | Bools | float, items: Items, *, span: tuple[float, float]
    ) -> Events:
        rows = self.rows(mean)
        time = self.times(rows, span)
        device = self.device[rows]
        surface = self.rng.choice(np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 3]), size=len(rows))
        query = (40 * self.rng.random(len(rows)) ** 1.6).astype(np.int64)
        return make_events(
            time,
            kind,
            device,
            known=time >= self.known_from[device],
            item=self.popular(len(items.creator), len(rows)),
            number=self.rng.integers(0, 3, len(rows)),
            surface=surface,
            query=np.where((kind == OPEN) & (surface == 1), query, -1),
        )

    def advertisements(self, mean: float, reach: Reach) -> list[Events]:
        """Return what was shown of campaigns, and the clicks that followed within seconds."""
        rows = self.rows(mean)
        time = self.times(rows, (0.0, 0.9))
        campaign = _campaigns(self.visits.day[rows], reach, self.rng)
        surface = self.rng.choice(np.array([0, 0, 0, 1, 2]), size=len(rows))
        device = self.device[rows]
        shown = make_events(
            time,
            AD,
            device,
            known=time >= self.known_from[device],
            campaign=campaign,
            surface=surface,
        )
        hit = np.flatnonzero(self.rng.random(len(rows)) < 0.07)
        after = time[hit] + self.rng.integers(400, 2_500, len(hit)) * 1_000
        price = reach.cents[campaign[hit]] * self.rng.lognormal(0, 0.25, len(hit))
        clicked = make_events(
            after,
            CLICK,
            device[hit],
            known=after >= self.known_from[device[hit]],
            campaign=campaign[hit],
            surface=surface[hit],
            number=np.clip(price, 5, 999).astype(np.int64),
        )
        return [shown, clicked]


def _campaigns(day: Ints, reach: Reach, rng: np.random.Generator) -> Ints:
    """Return a campaign for each row, by the chances of its day."""
    chosen = np.zeros(len(day), np.int64)
    chance = rng.random(len(day))
    for each in range(len(reach.chance)):
        rows = np.flatnonzero(day == each)
        sums = reach.chance[each]
        chosen[rows] = np.searchsorted(sums, chance[rows] * sums[-1], side="right")
    return np.asarray(np.minimum(chosen, reach.chance.shape[1] - 1), np.int64)


def _exposures(
    people: People, visits: Visits, device: Ints, known_from: Ints, everyone: int
) -> list[Events]:
    found = []
    for number, shown, arms, second_arms in (
        (0, visits.lift_exposure, people.lift_arm, people.second_lift_arm),
        (1, visits.null_exposure, people.null_arm, people.second_null_arm),
    ):
        rows = np.flatnonzero(shown)
        person = visits.person[rows]
        arm = np.where(device[rows] >= everyone, second_arms[person], arms[person])
        time = visits.start[rows] + 1_200_000 + number * 100_000
        found.append(
            make_events(
                time,
                EXPOSURE,
                device[rows],
                known=time >= known_from[device[rows]],
                item=number * 2 + np.maximum(arm, 0),
            )
        )
    return found


def _sign_ups(people: People, visits: Visits, device: Ints, known_from: Ints) -> list[Events]:
    """Return sign-ups, and an identify for every device at its first moment with a user."""
    opening = np.flatnonzero(visits.opening)
    was = opening[known_from[device[opening]] == 0]
    again = make_events(visits.start[was] + 800_000, IDENTIFY, device[was], known=True)
    inside = (visits.start <= known_from[device]) & (
        known_from[device] < visits.start + visits.length
    )
    rows = np.flatnonzero(inside)
    rows = rows[np.unique(device[rows], return_index=True)[1]]
    moment = known_from[device[rows]]
    identify = make_events(moment + 250_000, IDENTIFY, device[rows], known=True)
    new = ~visits.second[rows] & (people.member[visits.person[rows]] < 2)
    signed = make_events(moment[new], SIGNUP, device[rows][new], known=True)
    return [again, signed, identify]
