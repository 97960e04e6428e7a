"""What each service really changed."""

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from onefold.customers import queries
from onefold.customers.effects import Effect, Matter, effect_of
from onefold.customers.panel import Panel
from onefold.model.time import DAY, day_of, day_start

if TYPE_CHECKING:
    from onefold.store import View

HISTORY = 120
"""Days of spend that are looked at."""
EARLIEST = 28
"""Days of spend that are known before the first index day."""


def panel_of(view: "View") -> Panel:
    """Return accounts by days: ad spend of the last 120 whole days, in the main currency.

    The main currency is that in which most accounts spend; accounts that spend in others only
    are left out and counted, since amounts of two currencies cannot be compared.
    """
    today = queries.asked(view).today.toordinal()
    first = today - HISTORY
    rows = queries.daily_spend(view, date.fromordinal(first))
    ids, currencies = queries.column(rows, "account_id"), queries.column(rows, "currency")
    spenders: dict[str, set[str]] = defaultdict(set)
    for account_id, currency in zip(ids, currencies, strict=True):
        spenders[currency].add(account_id)
    currency = max(sorted(spenders), key=lambda each: len(spenders[each]), default="")
    names = tuple(sorted(spenders[currency])) if currency else ()
    places = {name: row for row, name in enumerate(names)}
    spend = np.zeros((len(names), HISTORY))
    days, amounts = queries.column(rows, "spend_date"), queries.column(rows, "amount")
    for account_id, found, day, amount in zip(ids, currencies, days, amounts, strict=True):
        if found == currency:
            spend[places[account_id], day.toordinal() - first] += float(amount)
    industries, created = _known(view, names)
    return Panel(
        accounts=names,
        spend=spend,
        first_date=first,
        industries=industries,
        created=created,
        currency=currency,
        left_out=len(set(ids) - set(names)),
    )


def _known(
    view: "View", names: tuple[str, ...]
) -> "tuple[tuple[str, ...], np.ndarray[tuple[int], np.dtype[np.float64]]]":
    rows = queries.account_rows(view)
    ids = queries.column(rows, "account_id")
    industry = dict(zip(ids, queries.column(rows, "industry"), strict=True))
    made = dict(zip(ids, queries.micros(rows, "created_time"), strict=True))
    days = [
        -np.inf if made.get(name) is None else day_of(made[name] or 0, view.zone).toordinal()
        for name in names
    ]
    labels = tuple(industry.get(name) or "unknown" for name in names)
    return labels, np.array(days, dtype=np.float64)


def in_words(service: str) -> str:
    """Return a service as a sentence says it.

    >>> in_words("creative_help")
    'creative help'
    """
    return service.replace("_", " ").strip()


def service_effects(
    view: "View", *, seed: int = 0, panel: Panel | None = None
) -> tuple[Effect, ...]:
    """Return what each service changed in the spend of those who had it.

    Compared with accounts of the same industry that were alike before and had none of that
    service within 28 days; refused below 30 a side. Largest sample first.

    Args:
        view: The facts.
        seed: Of the chance in index days, ties and the bootstrap.
        panel: Accounts by days, if they were read already.
    """
    panel = panel or panel_of(view)
    since = day_start(date.fromordinal(panel.first_date), view.zone)
    rows = queries.service_starts(view, since - EARLIEST * DAY)
    happened: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for account_id, service, start in zip(
        queries.column(rows, "account_id"),
        queries.column(rows, "service"),
        queries.micros(rows, "start_time"),
        strict=True,
    ):
        if start is not None and service:
            happened[service][account_id].append(day_of(start, view.zone).toordinal())
    found = [
        effect_of(
            panel,
            days,
            matter=Matter("service", service, in_words(service), "its first day", by_industry=True),
            seed=seed,
        )
        for service, days in sorted(happened.items())
    ]
    return tuple(sorted(found, key=lambda each: -each.treated))
