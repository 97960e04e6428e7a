"""The people at the advertisers: they look around, sign up, join their account, come weekly."""

from dataclasses import dataclass

import numpy as np

from onefold.simulate.advertisers import Advertisers, history_days
from onefold.simulate.behaviour import (
    GROUP,
    IDENTIFY,
    PAGE,
    SIGNUP,
    Events,
    join_events,
    make_events,
)
from onefold.simulate.catalogue import FIRST_NAMES, LAST_NAMES
from onefold.simulate.records import DAY, Ints, MarketPlan
from onefold.simulate.visits import SECOND

SELL, PRICING, CAMPAIGNS, BILLING, REPORTS = 3, 4, 5, 6, 7
"""Places in `catalogue.PAGES`."""
MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Contacts:
    """One row a contact: the account, the day of the first visit, whether known before."""

    account: Ints
    day: Ints
    known: Ints
    first: Ints
    last: Ints


def make_contacts(plan: MarketPlan, accounts: Advertisers, rng: np.random.Generator) -> Contacts:
    """Return one to three contacts an account; some come for the first time in these days."""
    account = np.repeat(np.arange(plan.account_count), rng.integers(1, 4, plan.account_count))
    n = len(account)
    fresh = accounts.fresh[account]
    known = np.where(fresh, 0, (rng.random(n) < 0.5).astype(np.int64))
    start = accounts.created[account] - history_days(plan) - rng.integers(1, 5, n)
    day = np.where(fresh, start, rng.integers(0, max(1, plan.days - 10), n))
    return Contacts(
        account=account,
        day=np.clip(day, 0, plan.days - 1),
        known=known,
        first=rng.integers(0, len(FIRST_NAMES), n),
        last=rng.integers(0, len(LAST_NAMES), n),
    )


def contact_events(plan: MarketPlan, contacts: Contacts, rng: np.random.Generator) -> Events:
    """Return what contacts do: browse without a name, then identify, then join the account."""
    n = len(contacts.account)
    device = plan.people + np.arange(n)
    start = plan.start_time + contacts.day * DAY + rng.integers(8 * 3_600, 17 * 3_600, n) * SECOND
    known = contacts.known == 1
    joined = start + np.where(known, 30 * SECOND, rng.integers(3, 20, n) * MINUTE)
    new = ~known
    looking = rng.integers(1, 3, n) * MINUTE
    parts = [
        make_events(start[new], PAGE, device[new], item=SELL, number=1 + device[new] % 3),
        make_events((start + looking)[new], PAGE, device[new], item=PRICING),
        make_events(joined[new], SIGNUP, device[new], known=True),
        make_events(start[known], PAGE, device[known], known=True, item=CAMPAIGNS),
        make_events(joined + 300_000, IDENTIFY, device, known=True),
        make_events(joined + 600_000, GROUP, device, known=True, item=contacts.account),
    ]
    weeks = np.maximum((plan.days - contacts.day - 1) // 4, 0)
    rows = np.repeat(np.arange(n), weeks)
    later = start[rows] + rng.integers(1, 1 + np.maximum(4 * weeks[rows], 1)) * DAY
    later += rng.integers(-60, 60, len(rows)) * MINUTE
    kept = rng.random(len(rows)) < 3 * plan.depth
    kept &= (later < plan.end_time - 30 * MINUTE) & (later > joined[rows] + MINUTE)
    rows, later = rows[kept], later[kept]
    name = rng.choice(np.array([CAMPAIGNS, CAMPAIGNS, REPORTS, REPORTS, BILLING]), size=len(rows))
    parts.append(make_events(later, PAGE, device[rows], known=True, item=name))
    return join_events(parts)
