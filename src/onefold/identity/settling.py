"""What to do where links would join more than one person may have: the first ones count."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onefold.model.kinds import USER, IdentityRules

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Settled:
    """Groups to settle; places are of the whole graph.

    Attributes:
        nodes: Shape (k,), places of their identifiers.
        cores: Shape (n,), what is joined already.
        kinds: Shape (n,), places in `names`.
        names: The kinds that there are.
        one, other: Shape (l,), places of the ends of their links.
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
    parts = _Parts(groups, rules, limited=limited)
    ranks = [rules.place(name) for name in groups.names]
    kinds, keys = groups.kinds.tolist(), groups.keys.tolist()
    links = sorted(
        (max(ranks[kinds[one]], ranks[kinds[other]]), time, *sorted((keys[one], keys[other])), i)
        for i, (one, other, time) in enumerate(
            zip(groups.one.tolist(), groups.other.tolist(), groups.times.tolist(), strict=True)
        )
    )
    ends = list(zip(groups.one.tolist(), groups.other.tolist(), strict=True))
    for *_, at in links:
        parts.join(*ends[at])
    return np.array([parts.root(node) for node in groups.nodes.tolist()], np.int64)


class _Parts:
    """Sets of nodes that grow together as long as rules and separations let them."""

    def __init__(self, groups: Settled, rules: IdentityRules, *, limited: bool) -> None:
        self._limits = [rules.of(name).limit if limited else 0 for name in groups.names]
        self._user = groups.names.index(USER) if USER in groups.names else -1
        self._parent: dict[int, int] = {}
        self._has: dict[int, Counter[int]] = {}
        self._users: dict[int, int] = {}
        """How many cores with a user id a part has: what was stated to be one counts once."""
        self._away: dict[int, set[int]] = {}
        self._members: dict[int, list[int]] = {}
        leaders: dict[int, int] = {}
        cores = groups.cores.tolist()
        for node in groups.nodes.tolist():
            leader = leaders.setdefault(cores[node], node)
            self._parent[node] = leader
            self._members.setdefault(leader, []).append(node)
            self._has.setdefault(leader, Counter())[int(groups.kinds[node])] += 1
        for leader, has in self._has.items():
            self._users[leader] = int(has[self._user] > 0)
        self._keep_apart(groups.apart)

    def _keep_apart(self, pairs: Iterable[tuple[int, int]]) -> None:
        for one, other in pairs:
            if one in self._parent and other in self._parent:
                self._away.setdefault(self.root(one), set()).add(other)
                self._away.setdefault(self.root(other), set()).add(one)

    def root(self, node: int) -> int:
        while self._parent[node] != node:
            self._parent[node] = node = self._parent[self._parent[node]]
        return node

    def join(self, one: int, other: int) -> None:
        """Let two parts be one unless a limit or a separation forbids it."""
        into, gone = self.root(one), self.root(other)
        if into == gone or self._are_apart(into, gone) or self._too_many(into, gone):
            return
        if len(self._members[into]) < len(self._members[gone]):
            into, gone = gone, into
        self._parent[gone] = into
        self._has[into] += self._has.pop(gone)
        self._users[into] += self._users.pop(gone)
        self._members[into] += self._members.pop(gone)
        if gone in self._away:
            self._away.setdefault(into, set()).update(self._away.pop(gone))

    def _are_apart(self, one: int, other: int) -> bool:
        return any(self.root(node) == other for node in self._away.get(one, ()))

    def _too_many(self, one: int, other: int) -> bool:
        mine, theirs = self._has[one], self._has[other]
        users = max(1, mine[self._user] + theirs[self._user])
        for kind in mine.keys() | theirs.keys():
            limit = self._limits[kind]
            if not limit:
                continue
            if kind == self._user:
                if self._users[one] + self._users[other] > limit:
                    return True
            elif mine[kind] + theirs[kind] > limit * users:
                return True
        return False
