"""What is true of a market, and what exactly it is the truth of.

The effects of experiments and of the billing ticket are truths of the population: the
parameters that outcomes were drawn from. An interval for a difference of shares is about them;
for the finite world it would be too wide, since the two outcomes of one person hang together.
The effects on spend are truths of this very world: the mean, over the accounts that were
treated, of the difference between their own two potential outcomes.
"""

import numpy as np

from onefold.simulate.advertisers import (
    AHEAD,
    AT_RISK,
    BILLING_PATIENCE,
    NEVER,
    STOP_HAZARD,
    STOP_SEEN,
    STOP_SHARE,
    Advertisers,
    at_risk,
    spend_days,
)
from onefold.simulate.people import BOARD_SHARE, RETURN_SHARE, SAVE_SHARE
from onefold.simulate.records import LIFT, NULL, Bools, Floats, Ints, MarketPlan, PlantedEffect

CURRENCY = "USD"


def planted_effects(plan: MarketPlan, accounts: Advertisers) -> tuple[PlantedEffect, ...]:
    """Return every planted effect with its true value."""
    return (
        *_experiments(plan),
        *_services(accounts),
        _friction(accounts),
        _churn(plan, accounts),
    )


def _experiments(plan: MarketPlan) -> tuple[PlantedEffect, ...]:
    sample = (
        f"Persons who grant analytics, first exposed in the {plan.planned_days} days from "
        f"{plan.started_date.isoformat()}, seen in one arm only. "
    )
    return (
        PlantedEffect(
            id=f"{LIFT}/short",
            label="Larger first pins: a save in the first week",
            kind="lift",
            what="Larger first pins make more newcomers save something in their first week.",
            where=LIFT,
            unit="share",
            value=SAVE_SHARE[1] - SAVE_SHARE[0],
            relative=SAVE_SHARE[1] / SAVE_SHARE[0] - 1,
            estimand=sample + "Share with a pin_saved in the 7 days from first exposure, "
            "treatment less control.",
            window="days 1-7 after first exposure",
            basis="population",
        ),
        PlantedEffect(
            id=f"{LIFT}/long",
            label="Larger first pins: back in week 4",
            kind="lift",
            what="Larger first pins make slightly more newcomers come back in their fourth week.",
            where=LIFT,
            unit="share",
            value=RETURN_SHARE[1] - RETURN_SHARE[0],
            relative=RETURN_SHARE[1] / RETURN_SHARE[0] - 1,
            estimand=sample + "Share with a session of at least one action in days 22-28 after "
            "first exposure, treatment less control.",
            window="days 22-28 after first exposure",
            basis="population",
        ),
        PlantedEffect(
            id=f"{NULL}/short",
            label="New board button: a board within a week",
            kind="null",
            what="The new board button changes nothing.",
            where=NULL,
            unit="share",
            value=BOARD_SHARE[1] - BOARD_SHARE[0],
            relative=BOARD_SHARE[1] / BOARD_SHARE[0] - 1,
            estimand=sample + "Share with a board_created in the 7 days from first exposure, "
            "treatment less control.",
            window="days 1-7 after first exposure",
            basis="population",
        ),
    )


def _services(accounts: Advertisers) -> tuple[PlantedEffect, ...]:
    found = []
    for service, day, gain, without, what in (
        (
            "measurement_help",
            accounts.measurement,
            accounts.measured_gain,
            accounts.measured_without,
            "Measurement help goes to accounts that grow anyway; it adds only a little.",
        ),
        (
            "creative_help",
            accounts.creative,
            accounts.creative_gain,
            accounts.creative_without,
            "Creative help raises what accounts spend afterwards.",
        ),
    ):
        counted = _counted(accounts, day, gain)
        found.append(
            PlantedEffect(
                id=service,
                label=f"{service.replace('_', ' ').capitalize()}: spend",
                kind="service",
                what=what,
                where=service,
                unit="micros",
                currency=CURRENCY,
                value=_mean(gain, counted),
                relative=_share(gain, without, counted),
                estimand="Accounts that got the service: what they spent in the 28 days from its "
                "day on, less what the same accounts would have spent without it; mean an "
                "account.",
                window="28 days from the day of the service",
                basis="world",
                treated=int(counted.sum()),
                naive=_naive(accounts, day, counted),
            )
        )
    return tuple(found)


def _friction(accounts: Advertisers) -> PlantedEffect:
    counted = _counted(accounts, accounts.tag_opened, accounts.tag_loss)
    return PlantedEffect(
        id="conversion_tag",
        label="A failing conversion tag: spend",
        kind="friction",
        what="While its conversion tag fails, an account that is being set up spends less.",
        where="conversion_tag",
        unit="micros",
        currency=CURRENCY,
        value=_mean(accounts.tag_loss, counted),
        relative=_share(accounts.tag_loss, accounts.tag_without, counted),
        estimand="Accounts in their implement phase whose conversion tag failed: what they spent "
        "in the 28 days from the opening of the ticket on, less what the same accounts would "
        "have spent had it not failed; mean an account.",
        window="28 days from the day the ticket was opened",
        basis="world",
        treated=int(counted.sum()),
        naive=_naive(accounts, accounts.tag_opened, counted),
    )


def _churn(plan: MarketPlan, accounts: Advertisers) -> PlantedEffect:
    index = accounts.billing_opened + BILLING_PATIENCE
    long = accounts.billing_closed - accounts.billing_opened > BILLING_PATIENCE
    days = spend_days(plan)
    counted = long & (accounts.billing_opened < NEVER) & (index + AHEAD <= days)
    counted &= at_risk(accounts.spend, index)
    # An account at risk was alive 14 days before; it has stopped if it did so before day 21.
    by_itself = 1 - (1 - STOP_HAZARD) ** (AT_RISK - 1 + STOP_SEEN)
    return PlantedEffect(
        id="billing",
        label="A bill open over five days: stopping",
        kind="churn",
        what="An account whose billing ticket stays open for more than five days is more likely "
        "to stop spending.",
        where="billing",
        unit="share",
        value=STOP_SHARE * (1 - by_itself),
        relative=None,
        estimand="Accounts with a billing ticket open for more than 5 days that spent something "
        "in the 14 days before its sixth day: chance of no spend in days 22-28 from that day, "
        "less the chance without such a ticket.",
        window="days 22-28 from the sixth day of the ticket",
        basis="population",
        treated=int(counted.sum()),
    )


def _counted(accounts: Advertisers, day: Ints, gain: Floats) -> Bools:
    """Mark the treated whose 28 days are complete and who were at risk when it happened."""
    return (day < NEVER) & np.isfinite(gain) & at_risk(accounts.spend, day) & ~accounts.fresh


def _mean(gain: Floats, counted: Bools) -> float:
    return float(gain[counted].mean()) if counted.any() else 0.0


def _share(gain: Floats, without: Floats, counted: Bools) -> float | None:
    total = float(without[counted].sum())
    return float(gain[counted].sum()) / total if total > 0 else None


def _naive(accounts: Advertisers, day: Ints, counted: Bools) -> float | None:
    """Return mean spend of the 28 days after, treated less all others at the median day."""
    if not counted.any():
        return None
    middle = int(np.median(day[counted]))
    others = (day == NEVER) & at_risk(accounts.spend, np.full(len(day), middle))
    sums = np.concatenate(
        [np.zeros((len(day), 1), np.int64), accounts.spend.cumsum(axis=1)], axis=1
    )
    rows = np.flatnonzero(counted)
    after = sums[rows, day[rows] + AHEAD] - sums[rows, day[rows]]
    rest = (sums[:, middle + AHEAD] - sums[:, middle])[others]
    return float(after.mean() - rest.mean()) if len(rest) else None
