"""What hangs together with some identifiers: all whose person a change there may change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onefold.identity.decided import DecidedFold
from onefold.identity.stitch import NO_TIME, Graph
from onefold.store import FactsWriter

Ints = npt.NDArray[np.int64]

ALIAS = "alias"
"""The evidence that states more than it shows: two ids were said to be one."""
_COLUMNS = ("from_key", "from_kind", "to_key", "to_kind", "kind", "told_time")


@dataclass(frozen=True, slots=True)
class Nearby:
    """Identifiers and the evidence between them.

    Attributes:
        keys: All identifiers.
        edges: The columns that count of `edges`; a link may stand twice.
    """

    keys: frozenset[int]
    edges: pa.Table


def nearby(
    start: Iterable[int],
    closed: frozenset[int],
    decided: DecidedFold,
    writer: FactsWriter,
    *,
    stated: bool = False,
) -> Nearby:
    """Return what hangs together with some identifiers.

    Args:
        start: The identifiers.
        closed: Those that are not followed: they count for nobody.
        decided: Merges are followed too.
        writer: The open transaction.
        stated: Follow only what somebody stated, but for the links of `start` itself.
    """
    asked: set[int] = set()
    frontier = set(start) - closed
    reached = set(start)
    tables: list[pa.Table] = []
    while frontier:
        only_stated = stated and bool(asked)
        found = [_edges_at(side, frontier, writer, stated=only_stated) for side in _SIDES]
        tables += found
        asked |= frontier
        ends = {key for link in decided.merges_at(frontier) for key in link.ends}
        for table in found:
            for side in _SIDES:
                ends.update(table[side].unique().to_pylist())
        reached |= ends
        frontier = ends - asked - closed
    edges = pa.concat_tables(tables) if tables else _NOTHING
    return Nearby(frozenset(reached), edges)


_SIDES = ("from_key", "to_key")


def _edges_at(side: str, keys: set[int], writer: FactsWriter, *, stated: bool) -> pa.Table:
    wanted = pa.table({side: pa.array(sorted(keys), pa.int64())})
    if stated:
        wanted = wanted.append_column("kind", pa.repeat(ALIAS, wanted.num_rows))
    return writer.matching("edges", wanted, wanted.column_names, columns=_COLUMNS)


_NOTHING = pa.table(
    {
        name: pa.array([], pa.int64() if name.endswith("_key") else pa.string())
        for name in _COLUMNS[:-1]
    }
    | {"told_time": pa.array([], pa.timestamp("us"))}
)


def graph_of(
    near: Nearby,
    kinds: Mapping[int, str],
    decided: DecidedFold,
    *,
    there: Iterable[int],
    blocked: Iterable[int],
    shared: Iterable[int],
) -> Graph:
    """Return what hangs together as a graph; kinds that its links tell need not be given."""
    merges = [one for one in decided.merges_at(near.keys) if one.ends <= near.keys]
    apart = [each for each in decided.separations_at(near.keys) if each.ends <= near.keys]
    said = dict(kinds)
    for link in (*merges, *apart):
        said |= {link.from_key: link.from_kind, link.to_key: link.to_kind}
    known = pa.table(
        {
            "key": pa.array(list(said), pa.int64()),
            "kind": pa.array(list(said.values()), pa.string()),
        }
    )
    ends = [("from_key", "from_kind"), ("to_key", "to_kind")]
    keys, codes, names = kinds_of([(near.edges, ends), (known, [("key", "kind")])])
    one, other = (_places(keys, near.edges[side].to_numpy()) for side in _SIDES)
    by_hand = [
        _places(keys, np.array([getattr(link, side) for link in merges], np.int64))
        for side in _SIDES
    ]
    times = near.edges["told_time"].cast(pa.int64()).fill_null(NO_TIME).to_numpy()
    stated = np.array([kind == ALIAS for kind in near.edges["kind"].to_pylist()], np.bool_)
    return Graph(
        keys=keys,
        kinds=codes,
        names=names,
        there=_among(keys, there),
        blocked=_among(keys, blocked),
        shared=_among(keys, shared),
        one=np.concatenate([one, by_hand[0]]),
        other=np.concatenate([other, by_hand[1]]),
        stated=np.concatenate([stated, np.ones(len(merges), np.bool_)]),
        times=np.concatenate([times, np.array([m.made_time for m in merges], np.int64)]),
        apart=tuple(
            (int(np.searchsorted(keys, each.from_key)), int(np.searchsorted(keys, each.to_key)))
            for each in apart
        ),
    )


def kinds_of(
    tables: Iterable[tuple[pa.Table, Iterable[tuple[str, str]]]],
) -> tuple[Ints, Ints, tuple[str, ...]]:
    """Return all keys in order, the place of each one's kind, and the kinds.

    Args:
        tables: Each with its pairs of columns, of keys and of their kinds.
    """
    columns = [(table, pair) for table, pairs in tables for pair in pairs]
    keys = np.concatenate([table[pair[0]].to_numpy() for table, pair in columns])
    chunks = [chunk for table, pair in columns for chunk in table[pair[1]].chunks]
    coded = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    found, first = np.unique(keys, return_index=True)
    codes = coded.indices.to_numpy().astype(np.int64)[first]
    return found, codes, tuple(coded.dictionary.to_pylist())


def _places(keys: Ints, wanted: Ints) -> Ints:
    return np.searchsorted(keys, wanted)


def _among(keys: Ints, some: Iterable[int]) -> npt.NDArray[np.bool_]:
    return np.isin(keys, np.array(list(some), np.int64))
