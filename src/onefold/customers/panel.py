"""Accounts by days: what each spent on every day, and who can be compared from which day on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

BEFORE = 28
"""Days before the index day by which accounts are alike."""
AFTER = 28
"""Days from the index day on over which an outcome is counted."""
AT_RISK = 14
"""An account counts only if it spent something in so many days before its index day."""
STOPPED_FROM = 21
"""An account has stopped if it spends nothing from this day after the index day to the end."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Panel:
    """Spend by account and day.

    Attributes:
        accounts: Account ids, a row each.
        spend: (accounts, days) micros of one currency.
        first_date: Ordinal of the first column's day; the last column is the last whole day.
        industries: Industry of each account, `unknown` where nobody said.
        created: Ordinal of the day on which each was made, -inf where unknown.
        currency: The currency of the money.
        left_out: Accounts that spend in other currencies only.
    """

    accounts: tuple[str, ...]
    spend: Floats
    first_date: int
    industries: tuple[str, ...]
    created: Floats
    currency: str
    left_out: int = 0

    @property
    def days(self) -> int:
        """Return how many days there are."""
        return int(self.spend.shape[1])

    def sums(self, rows: Ints, day: Ints, start: int, end: int) -> Floats:
        """Return the spend of rows over [day + start, day + end), days as columns."""
        total = np.concatenate([np.zeros((len(self.accounts), 1)), self.spend.cumsum(axis=1)], 1)
        low = np.clip(day + start, 0, self.days)
        high = np.clip(day + end, 0, self.days)
        return np.asarray(total[rows, high] - total[rows, low], dtype=np.float64)

    def ages(self, rows: Ints, day: Ints) -> Floats:
        """Return the age in days of rows on their day; where unknown, the days seen so far."""
        age = day + self.first_date - self.created[rows]
        return np.where(np.isfinite(age), np.maximum(age, 0), day).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Cases:
    """Accounts at their index day, a row each; those to whom it happened and those it did not.

    Attributes:
        rows: Place of the account in the panel.
        day: Column of the index day.
        treated: Whether it happened to it on that day.
        before: Spend of the 28 days before.
        growth: Log of the spend of the last 14 days over that of the 14 before.
        age: Age of the account in days.
        after: Spend of the 28 days from the index day on.
        stopped: Whether it spent nothing in days 22 to 28.
    """

    rows: Ints
    day: Ints
    treated: NDArray[np.bool_]
    before: Floats
    growth: Floats
    age: Floats
    after: Floats
    stopped: NDArray[np.bool_]


def cases_of(
    panel: Panel,
    happened: Mapping[str, Sequence[int]],
    *,
    rng: np.random.Generator,
    oldest: float = inf,
) -> Cases:
    """Return the cases of something that happened to accounts on some days.

    A treated account enters once, on the first of its days that has 28 whole days after it and on
    which it was at risk. Every other account enters once too, on a day drawn from the days of the
    treated, if it was at risk then and the same did not happen to it from 28 days before to 28
    days after: calendar and season so weigh the same on both sides, and rows stay independent.

    Args:
        panel: The spend.
        happened: Account -> ordinals of the days on which it happened.
        rng: The source of chance.
        oldest: Accounts older than this on their index day do not count.
    """
    places = {name: row for row, name in enumerate(panel.accounts)}
    columns = {
        places[name]: sorted(day - panel.first_date for day in days)
        for name, days in happened.items()
        if name in places
    }
    ours = [
        (row, first)
        for row, days in sorted(columns.items())
        if (first := _first_known(panel, row, days, oldest)) is not None
    ]
    taken = {row for row, _ in ours}
    drawn = np.unique([day for _, day in ours])
    theirs = _others(panel, columns, taken, np.array([day for _, day in ours]), drawn, rng, oldest)
    rows = np.array([row for row, _ in (*ours, *theirs)], dtype=np.int64)
    day = np.array([day for _, day in (*ours, *theirs)], dtype=np.int64)
    treated = np.arange(len(rows)) < len(ours)
    recent = panel.sums(rows, day, -AT_RISK, 0) / 1e6
    earlier = panel.sums(rows, day, -BEFORE, -AT_RISK) / 1e6
    return Cases(
        rows=rows,
        day=day,
        treated=treated,
        before=panel.sums(rows, day, -BEFORE, 0),
        growth=np.log1p(recent) - np.log1p(earlier),
        age=panel.ages(rows, day),
        after=panel.sums(rows, day, 0, AFTER),
        stopped=panel.sums(rows, day, STOPPED_FROM, AFTER) <= 0,
    )


def _fits(panel: Panel, rows: Ints, day: Ints, oldest: float) -> NDArray[np.bool_]:
    """Mark rows that are at risk on a day, known before it and after it."""
    whole = (day >= BEFORE) & (day + AFTER <= panel.days)
    at_risk = panel.sums(rows, day, -AT_RISK, 0) > 0
    return np.asarray(whole & at_risk & (panel.ages(rows, day) <= oldest), dtype=np.bool_)


def _first_known(panel: Panel, row: int, days: Sequence[int], oldest: float) -> int | None:
    found = np.array(days, dtype=np.int64)
    fits = _fits(panel, np.full(len(found), row), found, oldest)
    return int(found[fits][0]) if fits.any() else None


def _others(
    panel: Panel,
    columns: Mapping[int, Sequence[int]],
    taken: set[int],
    days: Ints,
    distinct: Ints,
    rng: np.random.Generator,
    oldest: float,
) -> list[tuple[int, int]]:
    """Return a row and a day for every account to which it did not happen about that day."""
    if not len(days):
        return []
    free = np.array([row for row in range(len(panel.accounts)) if row not in taken], np.int64)
    fits = np.stack(
        [_fits(panel, free, np.full(len(free), day), oldest) for day in distinct], axis=1
    )
    for place, row in enumerate(free):
        for day in columns.get(int(row), ()):
            fits[place] &= (distinct - day > BEFORE) | (day - distinct >= AFTER)
    weights = np.array([np.count_nonzero(days == day) for day in distinct], dtype=np.float64)
    found = []
    for place, row in enumerate(free):
        odds = weights * fits[place]
        if odds.any():
            found.append((int(row), int(rng.choice(distinct, p=odds / odds.sum()))))
    return found
