"""Who comes by: arrival, device, sign-up, consent, and what the experiments make of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from onefold.simulate.catalogue import COUNTRIES, COUNTRY_SHARES, FIRST_NAMES, LAST_NAMES
from onefold.simulate.records import LIFT, NULL, Bools, Floats, Ints, MarketPlan

Assign = Callable[[str, str], str]
"""Experiment and targeting key in, name of the arm out."""

SAVE_SHARE = (0.30, 0.35)
"""Chance of a first save within 7 days of first exposure, by arm of `larger-first-pins`."""
RETURN_SHARE = (0.20, 0.22)
"""Chance of a visit in days 22-28 after first exposure, by arm of `larger-first-pins`."""
BOARD_SHARE = (0.12, 0.12)
"""Chance of a board within 7 days of first exposure, by arm of `new-board-button`."""

REFUSED_SHARE = 0.06
ADVERTISING_SHARE = 0.8
SECOND_DEVICE_SHARE = 0.12


@dataclass(frozen=True, slots=True)
class People:
    """One row a person. Days count from the first day of the history.

    Attributes:
        existing: Came before the history begins.
        arrival: Day of the first visit; 0 for those who existed.
        lifetime: Days from arrival after which they come no more.
        rate: Chance of a visit on a day of their life.
        keen: Factor on saves, opens and searches.
        member: 0 signs up at the first visit, 1 at the second, 2 was a member, 3 never.
        second_device: Uses two devices, the second from `second_day` on.
        analytics: Grants the purpose; likewise advertising.
        country: Place in `COUNTRIES`; first and last are places in the lists of names.
        lift_arm: Arm (0, 1) of the first device in `larger-first-pins`, -1 when never exposed.
        null_arm: Arm of the first device in `new-board-button`.
        second_lift_arm: Arm of the second device; likewise second_null_arm.
        saves: Saves within 7 days of the first exposure, if exposed.
        returns: Comes in days 22-28 after arrival.
        boards: Makes a board within 7 days of the first exposure to `new-board-button`.
    """

    existing: Bools
    arrival: Ints
    lifetime: Ints
    rate: Floats
    keen: Floats
    member: Ints
    second_device: Bools
    second_day: Ints
    analytics: Bools
    advertising: Bools
    country: Ints
    first: Ints
    last: Ints
    lift_arm: Ints
    null_arm: Ints
    second_lift_arm: Ints
    second_null_arm: Ints
    saves: Bools
    returns: Bools
    boards: Bools


def anonymous_id(person: int, *, second: bool = False) -> str:
    """Return the anonymous id that a person's device sends.

    >>> anonymous_id(12), anonymous_id(12, second=True)
    ('a12', 'a12b')
    """
    return f"a{person}b" if second else f"a{person}"


def make_people(plan: MarketPlan, rng: np.random.Generator, *, assign: Assign) -> People:
    """Return the people of a market, their arms given by `assign` on the anonymous id.

    Outcomes of the experiments are drawn straight from the shares above, independent of all
    else but the arm: so the share of each arm is known exactly, whoever is left out.
    """
    n = plan.people
    existing = rng.random(n) < plan.existing_share
    arrival = np.where(existing, 0, _arrivals(plan, rng))
    exposed = ~existing & (arrival >= plan.started_day)
    second = rng.random(n) < SECOND_DEVICE_SHARE
    first_arms = _arms(plan, assign, second=None)
    second_arms = _arms(plan, assign, second=second)
    lift_arm = np.where(exposed, first_arms[0], -1)
    returns = rng.random(n) < np.where(
        existing, 0.6, np.array(RETURN_SHARE)[np.maximum(lift_arm, 0)]
    )
    member = rng.choice(np.array([0, 1, 3]), size=n, p=[0.32, 0.2, 0.48])
    member = np.where(existing, np.where(rng.random(n) < 0.75, 2, 3), member)
    member = np.where(second & ~existing, 0, np.where(second, 2, member))
    analytics = rng.random(n) >= REFUSED_SHARE
    return People(
        existing=existing,
        arrival=arrival,
        lifetime=_lifetimes(returns, existing, rng),
        rate=rng.beta(2.0, 4.0, n) * np.where(returns, 1.1, 0.8),
        keen=rng.lognormal(-0.18, 0.6, n),
        member=member,
        second_device=second,
        second_day=arrival + rng.integers(1, 4, n),
        analytics=analytics,
        advertising=analytics & (rng.random(n) < ADVERTISING_SHARE),
        country=rng.choice(len(COUNTRIES), size=n, p=COUNTRY_SHARES),
        first=rng.integers(0, len(FIRST_NAMES), n),
        last=rng.integers(0, len(LAST_NAMES), n),
        lift_arm=lift_arm,
        null_arm=first_arms[1],
        second_lift_arm=np.where(exposed, second_arms[0], -1),
        second_null_arm=second_arms[1],
        saves=rng.random(n) < np.array(SAVE_SHARE)[np.maximum(lift_arm, 0)],
        returns=returns,
        boards=rng.random(n) < np.array(BOARD_SHARE)[first_arms[1]],
    )


def _arrivals(plan: MarketPlan, rng: np.random.Generator) -> Ints:
    """Spread arrivals over the days, `rush` of them while the experiments take people in."""
    anywhere = rng.integers(0, plan.days + 1, plan.people)
    inside = plan.started_day + rng.integers(0, plan.planned_days, plan.people)
    return np.where(rng.random(plan.people) < plan.rush, inside, anywhere)


def _lifetimes(returns: Bools, existing: Bools, rng: np.random.Generator) -> Ints:
    """Those who return live on past day 30; most others are gone before day 20."""
    n = len(returns)
    short = np.minimum(1 + rng.exponential(5.0, n), 20.0)
    back = rng.random(n) < 0.06
    short = np.where(back & ~existing, 45.0, short)
    return np.where(returns, 31 + rng.exponential(45.0, n), short).astype(np.int64)


def _arms(plan: MarketPlan, assign: Assign, *, second: Bools | None) -> tuple[Ints, Ints]:
    """Return the arms (0, 1) of everyone's first device, or of the second where there is one."""
    lift = np.zeros(plan.people, np.int64)
    null = np.zeros(plan.people, np.int64)
    everyone = range(plan.people) if second is None else np.flatnonzero(second).tolist()
    for person in everyone:
        key = anonymous_id(person, second=second is not None)
        lift[person] = assign(LIFT, key) != "control"
        null[person] = assign(NULL, key) != "control"
    return lift, null
