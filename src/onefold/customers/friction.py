"""Where accounts get stuck and what it costs: a conversion tag that fails, a bill that waits."""

from collections import defaultdict
from math import ceil
from typing import TYPE_CHECKING

from onefold.customers import queries
from onefold.customers.effects import Effect, Matter, effect_of
from onefold.customers.services import panel_of, service_effects
from onefold.model.time import DAY, day_of

if TYPE_CHECKING:
    from onefold.customers.panel import Panel
    from onefold.store import View

FRICTION = "conversion_tag"
"""Topic of tickets about a tag that does not report what people did after the click."""
YOUNG = 120
"""Tags are set up in an account's first days; older accounts are no measure for them."""
BILLING = "billing"
"""Topic of tickets about a bill."""
PATIENCE = 5
"""Days a billing ticket may stay open before it counts."""


def friction_effect(view: "View", *, seed: int = 0, panel: "Panel | None" = None) -> Effect:
    """Return what an open conversion tag ticket costs in the 28 days from its opening on.

    Compared with accounts of about the same age whose tag did not fail within 28 days; both
    sides are younger than 120 days. Refused below 30 a side.
    """
    happened: dict[str, list[int]] = defaultdict(list)
    for account_id, opened, _ in _tickets(view, FRICTION):
        happened[account_id].append(day_of(opened, view.zone).toordinal())
    matter = Matter(
        "friction", FRICTION, "a failing conversion tag", "the day it was reported", oldest=YOUNG
    )
    return effect_of(panel or panel_of(view), happened, matter=matter, seed=seed)


def churn_effect(view: "View", *, seed: int = 0, panel: "Panel | None" = None) -> Effect:
    """Return how many more accounts stop when a billing ticket stays open over five days.

    The index day is the opening day plus five; an account has stopped if it spends nothing in
    days 22 to 28 after it. `spend` of the answer is the same comparison for spend.
    """
    now = queries.asked(view).time
    happened: dict[str, list[int]] = defaultdict(list)
    for account_id, opened, closed in _tickets(view, BILLING):
        if (now if closed is None else min(closed, now)) - opened > PATIENCE * DAY:
            happened[account_id].append(day_of(opened + PATIENCE * DAY, view.zone).toordinal())
    matter = Matter(
        "churn",
        BILLING,
        f"a billing ticket open for more than {ceil(PATIENCE)} days",
        "its fifth day",
        stops=True,
    )
    return effect_of(panel or panel_of(view), happened, matter=matter, seed=seed)


def all_effects(view: "View", *, seed: int = 0) -> tuple[Effect, ...]:
    """Return what services, failing tags and waiting bills changed, reading spend once."""
    panel = panel_of(view)
    return (
        *service_effects(view, seed=seed, panel=panel),
        friction_effect(view, seed=seed, panel=panel),
        churn_effect(view, seed=seed, panel=panel),
    )


def _tickets(view: "View", topic: str) -> list[tuple[str, int, int | None]]:
    rows = queries.ticket_rows(view, topic=topic)
    return [
        (account_id, opened, closed)
        for account_id, opened, closed in zip(
            queries.column(rows, "account_id"),
            queries.micros(rows, "opened_time"),
            queries.micros(rows, "closed_time"),
            strict=True,
        )
        if opened is not None and account_id
    ]
