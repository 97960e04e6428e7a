"""To which account a person belonged when, and what of the person's doings counts for which."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onefold.customers import queries

if TYPE_CHECKING:
    from onefold.store import View

Periods = tuple[tuple[int, int | None], ...]
"""From when until when, microseconds; None at the end of one that lasts."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """The accounts of one person, one after the other.

    Attributes:
        starts: When each began, microseconds, growing.
        accounts: Which it was, likewise.
    """

    starts: tuple[int, ...]
    accounts: tuple[str, ...]

    def at(self, time: int) -> str:
        """Return the account in force at a time; before the first one that is the first.

        What somebody did before anybody said where he belongs is how he came there.
        """
        return self.accounts[max(0, bisect_right(self.starts, time) - 1)]

    def periods(self) -> dict[str, Periods]:
        """Return account -> its periods, in the order in which the accounts were joined."""
        found: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
        ends = (*self.starts[1:], None)
        for start, end, account in zip(self.starts, ends, self.accounts, strict=True):
            found[account].append((start, end))
        return {account: tuple(periods) for account, periods in found.items()}


def belongings(view: "View", persons: Sequence[int]) -> dict[int, Belonging]:
    """Return person -> accounts over time, of those who were ever told to be of one.

    A person's identifiers count alike: what was told last, of any of them, is in force. Of two
    accounts told at one instant the greater id is.
    """
    rows = queries.membership_changes(view, persons)
    told: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for person_id, account, time in zip(
        queries.column(rows, "person_id"),
        queries.column(rows, "account_id"),
        queries.micros(rows, "from_time"),
        strict=True,
    ):
        points = told[person_id]
        if not points or points[-1][1] != account:
            points.append((time or 0, account))
    return {
        person_id: Belonging(
            tuple(time for time, _ in points), tuple(account for _, account in points)
        )
        for person_id, points in told.items()
    }


def counts_for(account_id: str, told: str | None, time: int, belonging: Belonging | None) -> bool:
    """Return whether what a contact did at a time counts for an account.

    Args:
        account_id: The account.
        told: The account that the event itself names; None where it names none.
        time: When it was, microseconds.
        belonging: The contact's accounts over time.
    """
    if told is not None or belonging is None:
        return told == account_id
    return belonging.at(time) == account_id


def who_came_for(account_id: str, known: Mapping[int, Belonging]) -> list[int]:
    """Return the persons whose first account it was: their way there is its prehistory."""
    return [person_id for person_id, one in known.items() if one.accounts[0] == account_id]
