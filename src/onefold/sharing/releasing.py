"""Figures to publish: how many persons did something, with noise by differential privacy.

Whether one person is in the data changes the chance of any published table by at most a factor of
e to the epsilon (Dwork & Roth 2014, section 3.3). The noise is OpenDP's discrete Laplace, drawn
from the system's secure randomness.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from math import ceil, exp, log
from typing import TYPE_CHECKING, Any

from onefold.model.errors import BadInput
from onefold.model.records import Answer, Asker, Column, Estimate
from onefold.model.time import day_of
from onefold.sharing.joining import check_group
from onefold.sharing.queries import groups_of_people
from onefold.sharing.spending import SMALLEST_GROUP, Cost, data_set, spend

if TYPE_CHECKING:
    from onefold.store import State, View

BY = ("", "day", "source")
PROTECTS = (
    "Protects whether any one person is in the data, whatever else somebody knows. It does not "
    "hide what is true of a whole group."
)
DELTA = 1e-6
"""The chance with which the name of a group may show that only one person is in it."""
_LEVEL = 0.95
_MOST_GROUPS = 400
_EPSILON = (0.01, 2.0)


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be published.

    Attributes:
        event: Persons who did this are counted.
        from_time: From when, microseconds UTC.
        to_time: Until when; not counted.
        by: `day`, `source` or nothing.
        epsilon: How much of the privacy budget it takes; less is more noise.
        each: In how many groups one person counts at most.
        k: Persons that a group needs to be shown.
    """

    event: str
    from_time: int
    to_time: int
    by: str = ""
    epsilon: float = 1.0
    each: int = 1
    k: int = SMALLEST_GROUP


def release(view: "View", state: "State", asker: Asker, what: Release) -> Answer:
    """Return noisy counts of persons, and take their epsilon out of the budget.

    Raises:
        BadInput: A parameter is none, or the extra `privacy` is not installed.
        NotAllowed: The privacy budget is used up.
    """
    _check(what)
    noise = Noise(what.each / what.epsilon)
    pairs = groups_of_people(view, what.event, what.by, (what.from_time, what.to_time))
    counts = counted(pairs, what.each)
    if what.by == "day":
        days = _days(what)
        counts = {day: counts.get(day, 0) for day in days}
    elif not what.by:
        counts = {"everybody": counts.get("everybody", 0)}
    asked = blake2b(repr(what).encode(), digest_size=32).hexdigest()
    of = data_set(view.question.environment)
    # Paid before it is drawn: who breaks off and asks again pays again.
    spend(state, asker, of, Cost("release", epsilon=what.epsilon, asked=asked))
    names = sorted(counts)
    noisy = dict(zip(names, noise.added([counts[name] for name in names]), strict=True))
    least = what.k if what.by != "source" else max(what.k, threshold(what.each, what.epsilon))
    reach = noise.half_width(_LEVEL)
    rows = tuple(
        (name, Estimate(count, max(0.0, count - reach), count + reach, count, _LEVEL))
        if count >= least
        else (name if what.by != "source" else "another", None)
        for name, count in noisy.items()
        if count >= least or what.by != "source"
    )
    return Answer(
        columns=(Column("group", "text"), Column("persons", "estimate", "persons")),
        rows=rows,
        definition=_told(what, noise.scale, least),
        as_of_time=view.fresh_time,
        notes=(
            f"Epsilon {what.epsilon:g} of the budget is used up by this.",
            PROTECTS,
        ),
    )


class Noise:
    """Discrete Laplace noise of a scale."""

    def __init__(self, scale: float) -> None:
        """Prepare it.

        Raises:
            BadInput: The extra `privacy` is not installed.
        """
        self.scale = scale
        dp = opendp()
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
        self._add = dp.m.make_laplace(*space, scale=scale)

    def added(self, counts: list[int]) -> list[int]:
        """Return counts with noise added to each."""
        return [int(count) for count in self._add(counts)] if counts else []

    def epsilon(self, distance: int) -> float:
        """Return what OpenDP says that a change by so much costs."""
        return float(self._add.map(d_in=distance))

    def half_width(self, level: float) -> int:
        """Return how far a noisy count is from the true one at most, with this chance or more.

        Noise n has the chance r^|n| (1 - r) / (1 + r) with r = exp(-1 / scale), so it passes a
        whole number h with the chance 2 r^(h + 1) / (1 + r) (Ghosh, Roughgarden and Sundararajan,
        2009).
        """
        passed = (1 - level) * (1 + exp(-1 / self.scale)) / 2
        return max(0, ceil(-self.scale * log(passed)) - 1)


def opendp() -> Any:
    """Return OpenDP.

    Raises:
        BadInput: The extra `privacy` is not installed.
    """
    try:
        import opendp.prelude as dp
    except ImportError as error:
        message = "Differential privacy needs OpenDP, which is not installed."
        raise BadInput(message, "Install `onefold[privacy]`.") from error
    dp.enable_features("contrib")
    return dp


def counted(pairs: Iterable[tuple[int, str]], each: int) -> Mapping[str, int]:
    """Return persons by group, where a person counts in at most so many.

    Which ones is decided by a hash of the person and the group: it does not depend on anybody
    else, or one person could change the counts of others.

    >>> counted([(1, "a"), (1, "b"), (2, "a")], 2)
    {'a': 2, 'b': 1}
    """
    groups: dict[int, list[str]] = defaultdict(list)
    for person, group in pairs:
        groups[person].append(group)
    found: dict[str, int] = defaultdict(int)
    for person, mine in groups.items():
        if len(mine) > each:
            mine = sorted(mine, key=lambda group: _drawn(person, group))[:each]  # noqa: PLW2901
        for group in mine:
            found[group] += 1
    return dict(found)


def threshold(each: int, epsilon: float) -> int:
    """Return the noisy count from which on the name of a group may be told.

    Source: stability-based histograms (Bun, Nissim & Stemmer 2016), as OpenDP's
    `make_laplace_threshold`: a group of one person passes with a chance of at most delta.

    >>> threshold(1, 1.0)
    15
    """
    return ceil(1 + each * log(each / (2 * DELTA)) / epsilon)


def _drawn(person: int, group: str) -> bytes:
    text = f"{person}\x00{group}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=8).digest()


def _days(what: Release) -> list[str]:
    first, last = day_of(what.from_time, "UTC"), day_of(what.to_time - 1, "UTC")
    days = (last - first).days + 1
    if days > _MOST_GROUPS:
        raise BadInput(f"{days} days are too many.", f"Take at most {_MOST_GROUPS}.")
    return [str(first + timedelta(days=one)) for one in range(days)]


def _check(what: Release) -> None:
    check_group(what.k)
    if what.by not in BY:
        raise BadInput(f"No dimension `{what.by}`.", "Use day, source or none.")
    low, high = _EPSILON
    if not low <= what.epsilon <= high:
        raise BadInput(f"Epsilon {what.epsilon:g} is none.", f"Take one of {low:g} to {high:g}.")
    if not 1 <= what.each <= _MOST_GROUPS:
        raise BadInput(f"A person cannot count in {what.each} groups.", "Take 1 or a few.")


def _told(what: Release, scale: float, least: int) -> str:
    delta = f" (delta {DELTA:g} for the names of groups)" if what.by == "source" else ""
    return (
        f"Persons who did {what.event}, each in at most {what.each} of the groups, with discrete "
        f"Laplace noise of scale {scale:.4g}: epsilon {what.epsilon:g}{delta}. Groups whose noisy "
        f"count is under {least} are not told; days are of UTC. The interval is the noise's, at "
        f"{_LEVEL:.0%}."
    )
