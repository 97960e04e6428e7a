"""All persons at one go from all links: what the folds, batch by batch, must agree with."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.identity.nearby import ALIAS, kinds_of
from onefold.identity.records import (
    BLOCK,
    BLOCKED,
    BLOCKED_BY_HAND,
    MERGE,
    SEPARATION,
    SHARED,
    Edge,
    Link,
    Node,
)
from onefold.identity.stitch import NO_TIME, Graph, stitch
from onefold.model.kinds import IdentityRules

Ints = npt.NDArray[np.int64]


def restitch(nodes: pa.Table, edges: pa.Table, links: pa.Table, rules: IdentityRules) -> pa.Table:
    """Return who is who, from all links at one go.

    Args:
        nodes: key, kind and state of all identifiers; of the state only whether the rules block
            one is read.
        edges: All evidence: its ends, their kinds, `kind` and `told_time`.
        links: All that people decided.
        rules: By which links make persons.

    Returns:
        key, kind, person_id and state, a row each of `nodes`, by key.
    """
    graph = _graph(nodes, edges, links)
    found = stitch(graph, rules)
    state = np.where(found.shared & ~graph.blocked, SHARED, "").astype(object)
    ruled = nodes.filter(pc.equal(nodes["state"], BLOCKED))["key"].to_numpy()
    state[graph.blocked] = BLOCKED_BY_HAND
    state[np.isin(graph.keys, ruled)] = BLOCKED
    table = pa.table(
        {
            "key": graph.keys,
            "kind": pa.DictionaryArray.from_arrays(graph.kinds, list(graph.names)).cast(pa.string())
            if graph.names
            else pa.array([], pa.string()),
            "person_id": pa.array(found.persons, mask=~found.belongs | graph.blocked),
            "state": pa.array(state, pa.string()),
        }
    )
    return table.filter(pa.array(graph.there))


def disagreeing(nodes: pa.Table, edges: pa.Table, links: pa.Table, rules: IdentityRules) -> int:
    """Return of how many identifiers the facts say otherwise than all links at one go."""
    whole = restitch(nodes, edges, links, rules).to_pylist()
    standing = nodes.select(["key", "kind", "person_id", "state"]).sort_by("key").to_pylist()
    return sum(one != other for one, other in zip(whole, standing, strict=True))


def graph_of_rows(nodes: Sequence[Node], edges: Sequence[Edge], links: Sequence[Link]) -> Graph:
    """Return some identifiers and what is between them as a graph.

    Not all links at a shared value are among them, so it stays shared.
    """
    said: dict[int, str] = {node.key: node.kind for node in nodes}
    joins: list[Edge | Link] = [*edges, *links]
    for one in joins:
        said |= {one.from_key: one.from_kind, one.to_key: one.to_kind}
    names = tuple(sorted(set(said.values())))
    keys = np.array(sorted(said), np.int64)
    merges = [link for link in links if link.kind == MERGE]
    hands = [link.from_key for link in links if link.kind == BLOCK]
    joined: list[Edge | Link] = [*edges, *merges]
    blocked = [node.key for node in nodes if node.state == BLOCKED] + hands
    times = [NO_TIME if edge.told_time is None else edge.told_time for edge in edges]
    apart = [link for link in links if link.kind == SEPARATION]

    def places(wanted: Iterable[int]) -> Ints:
        return np.searchsorted(keys, np.array(list(wanted), np.int64))

    def among(some: Iterable[int]) -> npt.NDArray[np.bool_]:
        return np.isin(keys, np.array(list(some), np.int64))

    return Graph(
        keys=keys,
        kinds=np.array([names.index(said[key]) for key in keys.tolist()], np.int64),
        names=names,
        there=among(node.key for node in nodes),
        blocked=among(blocked),
        shared=among(node.key for node in nodes if node.state == SHARED),
        one=places(each.from_key for each in joined),
        other=places(each.to_key for each in joined),
        stated=np.array([edge.kind == ALIAS for edge in edges] + [True] * len(merges), np.bool_),
        times=np.array([*times, *(link.made_time for link in merges)], np.int64),
        apart=tuple(
            zip(
                places(link.from_key for link in apart).tolist(),
                places(link.to_key for link in apart).tolist(),
                strict=True,
            )
        ),
    )


def _graph(nodes: pa.Table, edges: pa.Table, links: pa.Table) -> Graph:
    merges, separations, blocks = (
        links.filter(pc.equal(links["kind"], kind)) for kind in (MERGE, SEPARATION, BLOCK)
    )
    sides = [("key", "kind")]
    tables = [(nodes, sides)]
    ends = [("from_key", "from_kind"), ("to_key", "to_kind")]
    tables += [(edges, ends), (merges, ends), (separations, ends)]
    keys, codes, names = kinds_of(tables)
    blocked = np.concatenate(
        [nodes.filter(pc.equal(nodes["state"], BLOCKED))["key"].to_numpy(), blocks["from_key"]]
    )
    joined = (edges, merges)
    one, other = (
        np.searchsorted(keys, np.concatenate([part[side].to_numpy() for part in joined]))
        for side in ("from_key", "to_key")
    )
    stated = np.concatenate(
        [pc.equal(edges["kind"], ALIAS).to_numpy(), np.ones(merges.num_rows, np.bool_)]
    )
    times = np.concatenate([_times(edges["told_time"]), _times(merges["made_time"])])
    apart = zip(*(_places(keys, separations[side]) for side, _ in ends), strict=True)
    return Graph(
        keys=keys,
        kinds=codes,
        names=names,
        there=np.isin(keys, nodes["key"].to_numpy()),
        blocked=np.isin(keys, blocked),
        shared=np.zeros(len(keys), np.bool_),
        one=one,
        other=other,
        stated=stated.astype(np.bool_),
        times=times,
        apart=tuple(apart),
    )


def _times(times: pa.ChunkedArray) -> Ints:
    return np.asarray(times.cast(pa.int64()).fill_null(NO_TIME).to_numpy(), np.int64)


def _places(keys: Ints, wanted: pa.ChunkedArray) -> Iterable[int]:
    found: list[int] = np.searchsorted(keys, wanted.to_numpy()).tolist()
    return found
