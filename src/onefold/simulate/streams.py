"""Chance of its own for each part of the market, so that a change of one leaves the others."""

import numpy as np

from onefold.simulate.records import MarketPlan

(
    PEOPLE,
    VISITS,
    EVENTS,
    ITEMS,
    ACCOUNTS,
    CONTACTS,
    DIRT,
    ADS,
    CONTACT_EVENTS,
    RECORDS,
    PICTURES,
    TALKED,
) = range(12)


def stream(plan: MarketPlan, part: int) -> np.random.Generator:
    """Return the chance of one part of a market; its seed decides all of it."""
    return np.random.default_rng([plan.seed, part])
