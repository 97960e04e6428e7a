"""What to do where links would join more than one person may have: the first ones count."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onefold.identity.graphs import components
from onefold.model.kinds import USER, IdentityRules

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_FEW = 2_000
"""Links that are decided one by one; of more it pays to decide many at a time."""
_MOST_ROUNDS = 200
"""After so many, what hangs on one part like the rays of a star is decided one by one."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Groups to settle; places are of the whole graph.

    Attributes:
        nodes: Shape (k,), places of their identifiers, ascending.
        cores: Shape (n,), what is joined already.
        kinds: Shape (n,), places in `names`.
        names: The kinds that there are.
        one, other: Shape (l,), places of the ends of their links, all of them among the nodes.
        times: Shape (l,), earliest told times.
        keys: Shape (n,).
        apart: Pairs of places to keep apart.
    """

    nodes: Ints
    cores: Ints
    kinds: Ints
    names: tuple[str, ...]
    one: Ints
    other: Ints
    times: Ints
    keys: Ints
    apart: tuple[tuple[int, int], ...]


def settled(groups: Settled, rules: IdentityRules, *, limited: bool) -> Ints:
    """Return a number for each of the nodes, equal where they are one person after all.

    Links count in the order of the lower priority of their ends, their earliest told time and
    their values; one that would pass a limit or a separation does not count.

    Args:
        groups: What to settle.
        rules: Limits and priorities.
        limited: Limits hold; else separations alone.
    """
    part_of = np.unique(groups.cores[groups.nodes], return_inverse=True)[1]
    parts = _Parts.of(groups, part_of, rules, limited=limited)
    order = _in_order(groups, rules)
    one = part_of[np.searchsorted(groups.nodes, groups.one[order])]
    other = part_of[np.searchsorted(groups.nodes, groups.other[order])]
    away = _away(groups, part_of)
    held = _hang_together_with(away, one, other, len(parts.parent))
    one, other = parts.decide_in_rounds(one, other, held)
    parts.decide_one_by_one(one, other, away)
    return np.asarray(parts.roots()[part_of], np.int64)


def _in_order(groups: Settled, rules: IdentityRules) -> Ints:
    """Return the places of the links in the order in which they count."""
    ranks = np.array([rules.place(name) for name in groups.names] or [0], np.int64)
    lower = np.maximum(ranks[groups.kinds[groups.one]], ranks[groups.kinds[groups.other]])
    mine, theirs = groups.keys[groups.one], groups.keys[groups.other]
    return np.lexsort((np.maximum(mine, theirs), np.minimum(mine, theirs), groups.times, lower))


def _away(groups: Settled, part_of: Ints) -> dict[int, set[int]]:
    """Return part -> parts that separations keep away from it."""
    found: dict[int, set[int]] = {}
    for pair in groups.apart:
        at = np.searchsorted(groups.nodes, pair)
        if (at < len(groups.nodes)).all() and (groups.nodes[at] == pair).all():
            one, other = part_of[at].tolist()
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return found


def _hang_together_with(away: dict[int, set[int]], one: Ints, other: Ints, count: int) -> Flags:
    """Return which parts any links could bring to one that is kept away from another."""
    if not away:
        return np.zeros(count, np.bool_)
    whole = components(one, other, count)
    return np.isin(whole, whole[np.array(sorted(away), np.int64)])


@dataclass(slots=True)
class _Parts:
    """What has grown together so far, as long as rules and separations let it.

    Attributes:
        parent: Shape (p,), the part that one grew into; its own number where it is one yet.
        has: Shape (p, kinds), how many identifiers of each kind a part has.
        users: Shape (p,), how many cores with a user id: what was stated to be one counts once.
        limits: Shape (kinds,), 0 where there is none.
        user: The place of the user id among the kinds; -1 where there is none.
    """

    parent: Ints
    has: Ints
    users: Ints
    limits: Ints
    user: int

    @classmethod
    def of(cls, groups: Settled, part_of: Ints, rules: IdentityRules, *, limited: bool) -> "_Parts":
        count, kinds = int(part_of.max(initial=-1)) + 1, max(len(groups.names), 1)
        cells = part_of * kinds + groups.kinds[groups.nodes]
        has = np.bincount(cells, minlength=count * kinds).reshape(count, kinds)
        user = groups.names.index(USER) if USER in groups.names else -1
        users = (has[:, user] > 0).astype(np.int64) if user >= 0 else np.zeros(count, np.int64)
        limits = [rules.of(name).limit if limited else 0 for name in groups.names] or [0]
        return cls(np.arange(count), has, users, np.array(limits, np.int64), user)

    def roots(self) -> Ints:
        """Return for each part the one that it has grown into in the end."""
        while not np.array_equal(above := self.parent[self.parent], self.parent):
            self.parent = above
        return self.parent

    def decide_in_rounds(self, one: Ints, other: Ints, held: Flags) -> tuple[Ints, Ints]:
        """Decide all links at a time that are the first of both their parts, again and again.

        What is decided of a link depends on its two parts alone, which no later link has changed
        and every earlier one of theirs has: so it comes out as if it were decided in its turn.

        Returns:
            The ends of the links that are left to decide, in order.
        """
        first = np.empty(len(self.parent), np.int64)
        for _ in range(_MOST_ROUNDS):
            one, other, free = self._undecided(one, other, held)
            if free.sum() <= _FEW:
                break
            at = np.arange(len(one))
            first[one] = first[other] = len(one)
            np.minimum.at(first, one, at)
            np.minimum.at(first, other, at)
            ready = free & (first[one] == at) & (first[other] == at)
            self._join(one[ready], other[ready])
            one, other = one[~ready], other[~ready]
        return one, other

    def _undecided(self, one: Ints, other: Ints, held: Flags) -> tuple[Ints, Ints, Flags]:
        one, other = self.parent[one], self.parent[other]
        apart = one != other
        one, other = one[apart], other[apart]
        return one, other, ~held[one]

    def _join(self, one: Ints, other: Ints) -> None:
        """Let pairs of parts be one each, unless a limit forbids it; none is in two pairs."""
        has, users = self.has[one] + self.has[other], self.users[one] + self.users[other]
        most = self.limits * np.maximum(has[:, [self.user]], 1) if self.user >= 0 else self.limits
        over = (has > most) & (self.limits > 0)
        if self.user >= 0:
            over[:, self.user] = (users > self.limits[self.user]) & (self.limits[self.user] > 0)
        fine = ~over.any(axis=1)
        one, other = one[fine], other[fine]
        self.parent[other] = one
        self.has[one] = has[fine]
        self.users[one] = users[fine]

    def decide_one_by_one(self, one: Ints, other: Ints, away: dict[int, set[int]]) -> None:
        """Decide links in their order; parts that are kept away from each other do not join."""
        for first, second in zip(one.tolist(), other.tolist(), strict=True):
            into, gone = self._root(first), self._root(second)
            if into == gone or any(self._root(each) == gone for each in away.get(into, ())):
                continue
            self._join(np.array([into]), np.array([gone]))
            if self.parent[gone] == into and gone in away:
                away.setdefault(into, set()).update(away.pop(gone))

    def _root(self, part: int) -> int:
        while (above := int(self.parent[part])) != part:
            self.parent[part] = part = int(self.parent[above])
        return part
