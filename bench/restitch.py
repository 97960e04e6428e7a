"""How long all persons take from all links at one go, and whether they are the components.

`--edges N` changes how many. The peer is scipy's `connected_components` on the same links, in the
same run: without limits, caps and blocked values the persons have to be its components.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from figures import Figure, report
from onefold.identity.stitch import NO_TIME, Graph, stitch
from onefold.model.kinds import DEFAULT, IdentityRules, KindRule

NAMES = ("user_id", "email", "anonymous_id")
FREE = IdentityRules(
    kinds=tuple(replace(rule, limit=0, shared_by=0) for rule in DEFAULT.kinds), blocked=()
)
assert all(isinstance(rule, KindRule) for rule in FREE.kinds)


def graph_of(edges: int, seed: int = 7) -> Graph:
    """Return a graph in which users have devices and addresses, a few of them shared by many."""
    chance = np.random.default_rng(seed)
    users, mails = edges // 4, edges // 5
    devices = edges - mails - edges // 50
    owners = np.arange(devices) % users
    # A device is one person's, but for one in a hundred; an address likewise.
    of_device = np.arange(devices)
    of_device[::100] = chance.integers(0, devices, len(of_device[::100]))
    shared = edges - devices - mails
    of_mail = np.arange(mails)
    one = np.concatenate([users + mails + of_device, users + of_mail, users + of_mail[:shared]])
    other = np.concatenate([owners, np.arange(mails), chance.integers(0, users, shared)])
    count = users + mails + devices
    keys = np.sort(chance.integers(-(2**63), 2**63 - 1, count))
    kinds = np.repeat(np.arange(3), [users, mails, devices])
    nothing = np.zeros(count, np.bool_)
    return Graph(
        keys=keys,
        kinds=kinds,
        names=NAMES,
        there=np.ones(count, np.bool_),
        blocked=nothing,
        shared=nothing,
        one=one,
        other=other,
        stated=np.zeros(len(one), np.bool_),
        times=np.full(len(one), NO_TIME),
    )


def components(graph: Graph) -> np.ndarray:
    """Return scipy's components of a graph."""
    links = coo_array(
        (np.ones(len(graph.one), np.bool_), (graph.one, graph.other)),
        shape=(len(graph.keys), len(graph.keys)),
    )
    return np.asarray(connected_components(links, directed=False)[1])


def are_equal(persons: np.ndarray, labels: np.ndarray) -> bool:
    """Return whether two ways to divide the same things are one."""
    _, mine = np.unique(persons, return_inverse=True)
    both = np.unique(mine.astype(np.int64) * (labels.max() + 1) + labels)
    return bool(len(both) == mine.max() + 1 == labels.max() + 1)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    graph = graph_of(wanted.edges)
    began = time.perf_counter()
    labels = components(graph)
    peer = time.perf_counter() - began
    began = time.perf_counter()
    free = stitch(graph, FREE)
    seconds = time.perf_counter() - began
    equal = are_equal(free.persons, labels)
    assert equal, "The persons are not the components."
    began = time.perf_counter()
    stitch(graph, DEFAULT)
    ruled = time.perf_counter() - began
    millions = f"{len(graph.one) / 1e6:g} M links"
    name = "scipy's connected_components"
    report(
        "restitch",
        [
            Figure(f"persons of {millions}, no limits", seconds, "s", 10, False, peer, name),
            Figure(f"persons of {millions}, limits and caps", ruled, "s"),
        ],
    )


if __name__ == "__main__":
    main()
