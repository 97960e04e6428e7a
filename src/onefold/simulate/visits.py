"""When people come: one row a visit, with what the experiments allow and ask of it."""

from dataclasses import dataclass

import numpy as np

from onefold.simulate.people import People
from onefold.simulate.records import DAY, Bools, Floats, Ints, MarketPlan

HOURS = np.array(
    [2, 1, 1, 1, 1, 2, 3, 5, 6, 6, 6, 6, 7, 7, 6, 6, 6, 7, 8, 9, 10, 9, 6, 4], dtype=np.float64
)
"""Weights of the hours of a day: quiet at night, full in the evening."""
WEEK = np.array([1.0, 0.97, 0.95, 0.97, 1.02, 1.15, 1.2])
"""Weights of the days of a week from Monday: people pin at the weekend."""
SECOND = 1_000_000
SILENT = (20, 29)
"""Days after arrival in which one who does not return is not seen, wider than days 22-28 so
that no reading of the window can matter."""
RETURN_DAY = 24
QUIET_DAYS = 8
"""Days after exposure in which one who does not save (make a board) does not."""


@dataclass(frozen=True, slots=True)
class Visits:
    """One row a visit, in order of person and time.

    Attributes:
        person: Whose; day: on which day of the history.
        second: On the second device.
        start: Microseconds UTC; length: microseconds.
        order: 0 for the person's first visit, then 1, 2, ...
        opening: The first visit of its device.
        lift_exposure: `larger-first-pins` is shown at its start; likewise null_exposure.
        must_open: A pin has to be opened, so that a return is more than a look.
        may_save: Saves are possible; must_save: one has to happen; likewise for boards.
        after: Days since the person's arrival.
    """

    person: Ints
    day: Ints
    second: Bools
    start: Ints
    length: Ints
    order: Ints
    opening: Bools
    lift_exposure: Bools
    null_exposure: Bools
    must_open: Bools
    may_save: Bools
    must_save: Bools
    may_board: Bools
    must_board: Bools
    after: Ints


def make_visits(plan: MarketPlan, people: People, rng: np.random.Generator) -> Visits:
    """Return every visit of everybody that ends before the history ends."""
    save_day = people.arrival + np.where(rng.random(plan.people) < 0.75, 0, 1)
    save_day += np.where(save_day > people.arrival, rng.integers(0, 5, plan.people), 0)
    active = _active_days(plan, people, save_day=save_day, rng=rng)
    person, day = np.nonzero(active)
    twice = 1 + (rng.random(len(person)) < 0.2)
    person, day = np.repeat(person, twice), np.repeat(day, twice)
    start = plan.start_time + day * DAY + _moments(len(person), rng)
    length = (np.clip(rng.gamma(1.6, 260.0, len(person)), 45, 1500) * SECOND).astype(np.int64)
    order = np.lexsort((start, person))
    kept = order[(start + length + 60 * SECOND < plan.end_time)[order]]
    person, day, start, length = person[kept], day[kept], start[kept], length[kept]
    later = rng.random(len(person)) < 0.4
    second = people.second_device[person] & (
        (day == people.second_day[person]) | ((day > people.second_day[person]) & later)
    )
    return _with_experiments(plan, people, (person, day, second, start, length), save_day=save_day)


def _moments(count: int, rng: np.random.Generator) -> Ints:
    """Return times of day in whole milliseconds, as microseconds."""
    hour = rng.choice(24, size=count, p=HOURS / HOURS.sum())
    return (hour * 3_600_000 + rng.integers(0, 3_590_000, count)) * 1_000


def _active_days(
    plan: MarketPlan, people: People, *, save_day: Ints, rng: np.random.Generator
) -> Bools:
    days = np.arange(plan.days + 1)
    week = WEEK[(days + plan.start_date.weekday()) % 7]
    after = days[None, :] - people.arrival[:, None]
    chance: Floats = people.rate[:, None] * week[None, :]
    active = rng.random(after.shape) < chance
    active &= (after >= 0) & (after < people.lifetime[:, None])
    exposed = people.lift_arm >= 0
    silent = (after >= SILENT[0]) & (after <= SILENT[1])
    active &= ~(silent & (exposed & ~people.returns)[:, None])
    active |= (after == RETURN_DAY) & (exposed & people.returns)[:, None]
    active |= (after == 0) & ~people.existing[:, None]
    must = exposed & people.saves
    active |= (days[None, :] == save_day[:, None]) & must[:, None]
    active |= (days[None, :] == people.second_day[:, None]) & people.second_device[:, None]
    return active


def _with_experiments(
    plan: MarketPlan,
    people: People,
    visits: tuple[Ints, Ints, Bools, Ints, Ints],
    *,
    save_day: Ints,
) -> Visits:
    person, day, second, start, length = visits
    order = _order_within(person)
    device = person + plan.people * second
    opening = _firsts(device, np.ones(len(device), np.bool_))
    running = day >= plan.started_day
    shown = _firsts(device, running)
    lift = opening & (people.lift_arm[person] >= 0)
    null_first = _firsts(person, running)
    null_day = np.full(plan.people, plan.days + 99, np.int64)
    null_day[person[null_first]] = day[null_first]
    since_null = day - null_day[person]
    exposed = people.lift_arm[person] >= 0
    after = day - people.arrival[person]
    quiet = exposed & (after <= QUIET_DAYS) & ~people.saves[person]
    no_board = (since_null >= 0) & (since_null <= QUIET_DAYS) & ~people.boards[person]
    back = exposed & people.returns[person] & (after == RETURN_DAY)
    must_save = exposed & people.saves[person] & (day == save_day[person])
    return Visits(
        person=person,
        day=day,
        second=second,
        start=start,
        length=length,
        order=order,
        opening=opening,
        lift_exposure=lift,
        null_exposure=shown,
        must_open=_firsts(person, back),
        may_save=~quiet,
        must_save=_firsts(person, must_save),
        may_board=~no_board,
        must_board=null_first & people.boards[person],
        after=after,
    )


def _order_within(person: Ints) -> Ints:
    """Return 0, 1, 2, ... within each run of the same person."""
    places = np.arange(len(person))
    first = np.r_[True, person[1:] != person[:-1]]
    return places - np.maximum.accumulate(np.where(first, places, 0))


def _firsts(key: Ints, among: Bools) -> Bools:
    """Mark the first row of each key among those marked (rows of one person are in order)."""
    rows = np.flatnonzero(among)
    _, places = np.unique(key[rows], return_index=True)
    marked = np.zeros(len(key), np.bool_)
    marked[rows[places]] = True
    return marked
