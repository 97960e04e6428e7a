"""What hangs together: connected components of graphs of integers."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_FEW = 20_000
"""Links that are joined one by one; of more it pays to load what joins them at one go."""


def components(one: Ints, other: Ints, count: int) -> Ints:
    """Return for each of `count` nodes the number of its component, from 0.

    Args:
        one: Shape (m,), one end of each link, 0 to `count` - 1.
        other: Shape (m,), the other end.
        count: How many nodes there are.

    Returns:
        Shape (count,); components are numbered in the order of their first nodes.

    >>> components(np.array([3, 1]), np.array([0, 3]), 5).tolist()
    [0, 0, 1, 0, 2]
    """
    if not len(one):
        return np.arange(count)
    return _joined(one, other, count) if len(one) <= _FEW else _at_one_go(one, other, count)


def _joined(one: Ints, other: Ints, count: int) -> Ints:
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for low, high in zip(map(root, one.tolist()), other.tolist(), strict=True):
        low_root, high_root = sorted((low, root(high)))
        parent[high_root] = low_root
    # A parent is never greater than its child, so one pass from the front settles all.
    for node, above in enumerate(parent):
        parent[node] = parent[above]
    return np.unique(np.array(parent, np.int64), return_inverse=True)[1]


def _at_one_go(one: Ints, other: Ints, count: int) -> Ints:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(one), np.bool_)
    links = coo_array((ones, (one, other)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)
