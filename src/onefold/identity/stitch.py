"""Persons from links: a function of the set of links and the rules, whatever their order.

Links that somebody stated (an alias, a merge by hand) join what they join unless a separation
forbids it; what they join is a core. Evidence (sent together, a trait, a device, a contact) joins
cores under the rules: a blocked value, and one that more records share than its cap, count for
nobody, from the first link on; where a person would pass a limit, or a separation would be passed
over, links count in the order of (priority, earliest told time, value) until one would.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onefold.identity.graphs import components
from onefold.identity.settling import Settled, settled
from onefold.model.kinds import ANONYMOUS, USER, IdentityRules

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NO_TIME = np.iinfo(np.int64).max
"""Of a link whose time no sender told: it counts after those with one."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Identifiers and the links between them; a place is an index of `keys`.

    Attributes:
        keys: Shape (n,), ascending.
        kinds: Shape (n,), places in `names`.
        names: The kinds that there are.
        there: Shape (n,), whether it was seen; one that a link alone names makes no person.
        blocked: Shape (n,), whether its value stands for nobody.
        shared: Shape (n,), whether more records than its cap are known to share it anyway.
        one, other: Shape (m,), places of the ends of each link.
        stated: Shape (m,), whether somebody stated it; else it is evidence.
        times: Shape (m,), earliest told time, microseconds, or `NO_TIME`.
        apart: Pairs of places that separations keep apart.
    """

    keys: Ints
    kinds: Ints
    names: tuple[str, ...]
    there: Flags
    blocked: Flags
    shared: Flags
    one: Ints
    other: Ints
    stated: Flags
    times: Ints
    apart: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Stitched:
    """Who is who.

    Attributes:
        persons: Shape (n,), the key that names the person of each identifier.
        belongs: Shape (n,), whether it belongs to anybody.
        shared: Shape (n,), whether more records share it than its cap allows.
    """

    persons: Ints
    belongs: Flags
    shared: Flags


def stitch(graph: Graph, rules: IdentityRules) -> Stitched:
    """Return the persons that links make under rules."""
    count = len(graph.keys)
    ranks = np.array([rules.place(name) for name in graph.names] or [0], np.int64)[graph.kinds]
    live = ~graph.blocked[graph.one] & ~graph.blocked[graph.other]
    stated = live & graph.stated
    cores = components(graph.one[stated], graph.other[stated], count)
    cores = _held_apart(graph, rules, cores, stated, np.arange(count))
    evidence = live & ~graph.stated
    shared = graph.shared | _over_cap(graph, rules, cores, evidence)
    evidence &= ~shared[graph.one] & ~shared[graph.other]
    groups = components(cores[graph.one[evidence]], cores[graph.other[evidence]], count)[cores]
    groups = _held_apart(graph, rules, groups, evidence, cores, limited=True)
    persons = _named(graph, ranks, groups)
    return Stitched(persons, _of_somebody(graph, rules, groups), shared)


def _over_cap(graph: Graph, rules: IdentityRules, cores: Ints, evidence: Flags) -> Flags:
    """Return which values more cores share, with records of one kind, than their caps allow."""
    caps = np.array([rules.of(name).shared_by for name in graph.names] or [0], np.int64)
    records = np.array([rules.of(name).record for name in graph.names] or [False], np.bool_)
    one, other = graph.one[evidence], graph.other[evidence]
    values = np.concatenate([one, other])
    sharers = np.concatenate([other, one])
    counted = (caps[graph.kinds[values]] > 0) & records[graph.kinds[sharers]]
    values, sharers = values[counted], sharers[counted]
    over = np.zeros(len(graph.keys), np.bool_)
    for kind in np.flatnonzero(records).tolist():
        mine = graph.kinds[sharers] == kind
        over |= _shared_by_many(values[mine], cores[sharers[mine]], caps[graph.kinds])
    return over


def _shared_by_many(values: Ints, cores: Ints, caps: Ints) -> Flags:
    """Return for each place whether more cores than its cap share it, each counted once."""
    # Few values have so many links at all, so that few are looked at one by one.
    many = (np.bincount(values, minlength=len(caps)) > caps) & (caps > 0)
    values, cores = values[many[values]], cores[many[values]]
    order = np.lexsort((cores, values))
    values, cores = values[order], cores[order]
    fresh = np.ones(len(values), np.bool_)
    fresh[1:] = (values[1:] != values[:-1]) | (cores[1:] != cores[:-1])
    return np.asarray(many & (np.bincount(values[fresh], minlength=len(caps)) > caps))


def _held_apart(
    graph: Graph,
    rules: IdentityRules,
    groups: Ints,
    links: Flags,
    cores: Ints,
    *,
    limited: bool = False,
) -> Ints:
    """Return the groups that remain where some pass a limit or join what is to stay apart."""
    doubtful = {int(groups[one]) for one, other in graph.apart if groups[one] == groups[other]}
    if limited:
        doubtful |= set(_too_large(graph, rules, groups, cores).tolist())
    if not doubtful:
        return groups
    meant = np.isin(groups, np.array(sorted(doubtful), np.int64))
    chosen = np.flatnonzero(links & meant[graph.one])
    nodes = np.flatnonzero(meant)
    found = settled(
        Settled(
            nodes=nodes,
            cores=cores,
            kinds=graph.kinds,
            names=graph.names,
            one=graph.one[chosen],
            other=graph.other[chosen],
            times=graph.times[chosen],
            keys=graph.keys,
            apart=graph.apart,
        ),
        rules,
        limited=limited,
    )
    again = groups.copy()
    # Numbers above all that stand, so that the others stay as they are.
    again[nodes] = found + groups.max() + 1
    return np.asarray(np.unique(again, return_inverse=True)[1], np.int64)


def _too_large(graph: Graph, rules: IdentityRules, groups: Ints, cores: Ints) -> Ints:
    """Return the groups that have more of a kind than one person may."""
    users = graph.names.index(USER) if USER in graph.names else -1
    of_users = graph.kinds == users
    user_counts = np.bincount(groups[of_users], minlength=int(groups.max(initial=0)) + 1)
    found = [np.array([], np.int64)]
    for at, name in enumerate(graph.names):
        limit = rules.of(name).limit
        if not limit:
            continue
        mine = np.flatnonzero(graph.kinds == at)
        if at == users:
            # What was stated to be one counts once.
            groups_of = np.zeros(len(groups), np.int64)
            groups_of[cores] = groups
            there = np.zeros(len(groups), np.bool_)
            there[cores[mine]] = True
            counts = np.bincount(groups_of[there], minlength=len(user_counts))
            found.append(np.flatnonzero(counts > limit))
            continue
        counts = np.bincount(groups[mine], minlength=len(user_counts))
        found.append(np.flatnonzero(counts > limit * np.maximum(user_counts, 1)))
    return np.unique(np.concatenate(found))


def _named(graph: Graph, ranks: Ints, groups: Ints) -> Ints:
    """Return the key that names each identifier's person: the smallest by priority and value."""
    # What was not seen comes last: a person is named by what it was seen under. Places are in the
    # order of the keys, so one number a place says all that is compared.
    count = len(groups)
    scores = (ranks + graph.there.astype(np.int64) * -(int(ranks.max(initial=0)) + 1)) * count
    scores += np.arange(count)
    best = np.full(int(groups.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(best, groups, scores)
    names: Ints = graph.keys[best % max(count, 1)]
    return names[groups]


def _of_somebody(graph: Graph, rules: IdentityRules, groups: Ints) -> Flags:
    """Return which identifiers are in a group with one under which somebody can be known."""
    stands = [rules.of(name).record or name == ANONYMOUS for name in graph.names] or [False]
    known = np.zeros(int(groups.max(initial=-1)) + 1, np.bool_)
    known[groups[graph.there & np.array(stands, np.bool_)[graph.kinds]]] = True
    return known[groups]
