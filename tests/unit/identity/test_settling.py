"""Many links settled at a time come out as if each were settled in its turn."""

import numpy as np
import pytest

from onefold.identity.settling import Settled, settled
from onefold.model.kinds import DEFAULT

NAMES = ("user_id", "email", "anonymous_id")
LIMITS = [DEFAULT.of(name).limit for name in NAMES]


def graph_of(seed: int, *, groups: int, star: int, apart: int) -> Settled:
    """Return groups of up to thirty identifiers, one of them with many rays."""
    chance = np.random.default_rng(seed)
    ends, start = [], 0
    for _ in range(groups):
        size = int(chance.integers(2, 30))
        ends.append(start + chance.integers(0, size, (int(chance.integers(1, 2 * size)), 2)))
        start += size
    ends.append(np.stack([np.full(star, start), start + 1 + np.arange(star)], axis=1))
    count = start + star + 1
    one, other = np.concatenate(ends).T
    links = chance.permutation(np.flatnonzero(one != other))
    cores = np.arange(count)
    cores[1::11] = cores[:-1][::11][: len(cores[1::11])]
    kept = chance.integers(0, len(links), apart)
    return Settled(
        nodes=np.arange(count),
        cores=cores,
        kinds=chance.integers(0, 3, count),
        names=NAMES,
        one=one[links],
        other=other[links],
        times=chance.integers(0, 5, len(links)),
        keys=np.sort(chance.integers(-(2**63), 2**63 - 1, count)),
        apart=tuple((int(one[links[at]]), int(other[links[at]])) for at in kept),
    )


def in_turn(graph: Settled, *, limited: bool) -> list[set[int]]:
    """Return the persons as the words say: one link after the other, sets of identifiers."""
    person = {}
    for node in graph.nodes.tolist():
        person.setdefault(int(graph.cores[node]), set()).add(node)
    person = {node: whole for whole in person.values() for node in whole}
    ranks = [DEFAULT.place(name) for name in NAMES]
    kinds, keys = graph.kinds.tolist(), graph.keys.tolist()
    links = zip(graph.one.tolist(), graph.other.tolist(), graph.times.tolist(), strict=True)
    for one, other, _ in sorted(
        links,
        key=lambda link: (
            max(ranks[kinds[link[0]]], ranks[kinds[link[1]]]),
            link[2],
            sorted((keys[link[0]], keys[link[1]])),
        ),
    ):
        both = person[one] | person[other]
        parts = (person[one], person[other])
        if any(
            {*pair} <= both and not any({*pair} <= part for part in parts) for pair in graph.apart
        ):
            continue
        if limited and one not in person[other] and too_many(graph, both):
            continue
        for node in both:
            person[node] = both
    return [person[node] for node in graph.nodes.tolist()]


def too_many(graph: Settled, both: set[int]) -> bool:
    has = [sum(graph.kinds[node] == kind for node in both) for kind in range(3)]
    users = {int(graph.cores[node]) for node in both if graph.kinds[node] == 0}
    allowed = [LIMITS[0], *(limit * max(has[0], 1) for limit in LIMITS[1:])]
    return any(n > most for n, most in zip([len(users), *has[1:]], allowed, strict=True))


@pytest.mark.parametrize("limited", [True, False])
@pytest.mark.parametrize(("seed", "apart"), [(1, 0), (2, 40), (3, 3)])
def test_many_at_a_time_is_one_after_the_other(seed, apart, limited) -> None:
    graph = graph_of(seed, groups=400, star=500, apart=apart)
    assert len(graph.one) > 5_000
    found = settled(graph, DEFAULT, limited=limited).tolist()
    expected = in_turn(graph, limited=limited)
    together = {}
    for node, number in enumerate(found):
        together.setdefault(number, set()).add(node)
    assert [together[number] for number in found] == expected


def test_nothing_to_settle_is_nothing() -> None:
    nothing = np.array([], np.int64)
    graph = Settled(nothing, nothing, nothing, (), nothing, nothing, nothing, nothing, ())
    assert settled(graph, DEFAULT, limited=True).tolist() == []
