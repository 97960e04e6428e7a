"""The privacy budget: how much may be answered about the people of a workspace, and to whom.

It is kept by who asks and by the people asked about, never by the name of a question, of a file or
of a session: neither another name nor another sign-in gets more of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from onefold.model.errors import NotAllowed
from onefold.model.records import Answer, Asker, Column
from onefold.model.time import DAY
from onefold.sharing import store
from onefold.sharing.records import Spent

if TYPE_CHECKING:
    from onefold.store import State

Keys = npt.NDArray[np.int64]

SMALLEST_GROUP = 20
"""Persons that a group needs before anything is told of it, unless more is asked for."""
WINDOW = 90 * DAY
"""After so long an answer does not count any more."""
MOST_ANSWERS, MOST_ANSWERS_OF_ALL = 20, 60
"""Exact answers about groups: of one asker, and of all askers together."""
MOST_EPSILON, MOST_EPSILON_OF_ALL = 3.0, 6.0
"""Epsilon of noisy figures: of one asker, and of all askers together."""
_FIX = (
    "Wait until older answers no longer count (90 days); another name or session changes nothing."
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer takes out of the budget.

    Attributes:
        what: The kind of answer: `join`, `intersection`, `release`.
        answers: Exact answers.
        epsilon: Of noisy ones.
        asked: A fingerprint of the question, for the record alone.
    """

    what: str
    answers: int = 0
    epsilon: float = 0.0
    asked: str = ""


def data_set(environment: str) -> str:
    """Return what the budget is kept of: the people of an environment, whatever is asked of them.

    >>> data_set("production")
    'people of production'
    """
    return f"people of {environment}"


def spend(
    state: "State", asker: Asker, of: str, cost: Cost, groups: Sequence[Keys] = (), *, k: int = 0
) -> None:
    """Take an answer out of the budget, or refuse it.

    Args:
        state: Keeps what was answered.
        asker: Who asks.
        of: The data set, see `data_set`.
        cost: What it takes.
        groups: The sets of persons that it tells something of.
        k: A set that differs from one told before by fewer than so many would tell of those few.

    Raises:
        NotAllowed: The budget is used up, or the answer would tell of fewer than k persons beside
            one given before. The latter costs as much as an answer: a refusal tells something too.
    """
    sets = [np.unique(np.asarray(group, np.int64)) for group in groups]
    refused = ""
    detail = {"what": cost.what, "answers": cost.answers, "epsilon": cost.epsilon}
    with state.change(asker, "budget.spend", of, detail=detail) as change:
        since = state.now() - WINDOW
        _check(store.spent(change, of, since), asker, cost)
        number = store.put_disclosure(
            change,
            {
                "data_set": of,
                "asker": asker.name,
                "what": cost.what,
                "answers": cost.answers,
                "epsilon": cost.epsilon,
                "time": state.now(),
                "asked": cost.asked,
            },
        )
        for kept in store.told_groups(change, of, since):
            former = np.asarray(kept, np.int64)
            if any(_too_near(one, former, k) for one in sets):
                refused = (
                    f"Beside an answer given before, this one would tell of fewer than {k} persons."
                )
                break
        if not refused:
            store.put_groups(change, number, [one.tolist() for one in sets])
    if refused:
        raise NotAllowed(refused, "Ask of groups that differ more; this counted as an answer.")


def _check(spent: Sequence[Spent], asker: Asker, cost: Cost) -> None:
    mine = [one for one in spent if one.asker == asker.name]
    for found, most, whose in (
        (mine, MOST_ANSWERS, asker.name),
        (spent, MOST_ANSWERS_OF_ALL, "all together"),
    ):
        used = sum(one.answers for one in found)
        if cost.answers and used + cost.answers > most:
            message = f"{used} of {most} answers of {whose} are used up; this needs {cost.answers}."
            raise NotAllowed(message, _FIX)
    for found, limit, whose in (
        (mine, MOST_EPSILON, asker.name),
        (spent, MOST_EPSILON_OF_ALL, "all together"),
    ):
        gone = sum(one.epsilon for one in found)
        if cost.epsilon and gone + cost.epsilon > limit + 1e-9:
            message = (
                f"{gone:.3g} of epsilon {limit:g} of {whose} is used up; this needs "
                f"{cost.epsilon:g}."
            )
            raise NotAllowed(message, _FIX)


def _too_near(one: Keys, former: Keys, k: int) -> bool:
    # Sets of very different sizes differ by at least that.
    if abs(len(one) - len(former)) >= k:
        return False
    return 0 < len(np.setxor1d(one, former, assume_unique=True)) < k


def listed(state: "State") -> Answer:
    """Return what is left of the budget, by who asked."""
    since = state.now() - WINDOW
    with state.read() as line:
        spent = store.spent(line, None, since)
    totals: dict[tuple[str, str], tuple[int, float]] = {}
    for one in spent:
        for who in (one.asker, "all together"):
            answers, epsilon = totals.get((one.data_set, who), (0, 0.0))
            totals[one.data_set, who] = (answers + one.answers, epsilon + one.epsilon)
    rows = []
    for (of, who), (answers, epsilon) in sorted(totals.items()):
        whole = who == "all together"
        most = MOST_ANSWERS_OF_ALL if whole else MOST_ANSWERS
        limit = MOST_EPSILON_OF_ALL if whole else MOST_EPSILON
        rows.append((of, who, answers, max(0, most - answers), epsilon, max(0.0, limit - epsilon)))
    return Answer(
        columns=(
            Column("data_set", "text"),
            Column("asker", "text"),
            Column("answers", "integer"),
            Column("answers_left", "integer"),
            Column("epsilon", "number"),
            Column("epsilon_left", "number"),
        ),
        rows=tuple(rows),
        definition="What was told of the people of this workspace in the last 90 days, and what is "
        "left. It is kept by who asks and by whom it is about, whatever a question is called.",
        as_of_time=state.now(),
    )
