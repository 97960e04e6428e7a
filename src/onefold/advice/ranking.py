"""Which three to five of all: worth most first, but not all of one kind or for one account."""

from collections import Counter
from collections.abc import Sequence

from onefold.advice.records import Recommendation

MOST = 5
FEWEST = 3
A_KIND = 2
"""At most so many of one kind."""
RULES = 2
"""At most so many that rest on a rule alone."""


def worth(recommendation: Recommendation) -> tuple[int, float, float, str]:
    """Return what to order by: measured in money first, then tests, then rules; most first.

    Currencies cannot be compared; they stand in the order of their amounts, as they are.
    """
    value = recommendation.value
    if value is not None and value.estimate is not None:
        return (0, -value.estimate, -(value.low or 0.0), recommendation.id)
    tier = 1 if recommendation.grade > 1 else 2
    return (tier, -recommendation.grade, -(recommendation.anyway or 0.0), recommendation.id)


def chosen(
    found: Sequence[Recommendation], *, most: int = MOST, one_account: bool = False
) -> tuple[Recommendation, ...]:
    """Return the best few, the best first.

    At most two of a kind, one for each account (all are for the same one when `one_account`),
    and at most two that rest on a rule alone.

    Args:
        found: All that clear the bar.
        most: How many at most.
        one_account: Whether they are all for one account.
    """
    kinds: Counter[str] = Counter()
    accounts: set[str] = set()
    rules = 0
    picked: list[Recommendation] = []
    for each in sorted(found, key=worth):
        if len(picked) >= most or kinds[each.kind] >= A_KIND:
            continue
        if not one_account and accounts & set(each.accounts):
            continue
        if each.grade == 1:
            if rules >= RULES:
                continue
            rules += 1
        kinds[each.kind] += 1
        accounts |= set(each.accounts)
        picked.append(each)
    return _with_a_test(picked, found, most)


def _with_a_test(
    picked: list[Recommendation], found: Sequence[Recommendation], most: int
) -> tuple[Recommendation, ...]:
    """Keep a place for the best that was tested: amounts must not push out the best evidence."""
    tests = sorted((each for each in found if each.grade == 4), key=worth)
    if not tests or any(each.grade == 4 for each in picked):
        return tuple(picked)
    return (*picked[: most - 1], tests[0])
