"""Records that people said are one, and accounts they placed below another: a fold of decisions.

What stands of a pair is the latest decision, whatever order they come in. Records said to be the
same, also by way of others, are named by the smallest id among them.
"""

from collections.abc import Iterable, Sequence

import msgspec
import pyarrow as pa

from onefold.model.decided import LINKED, PLACED, SAME, LinkEntry, ParentEntry
from onefold.store import FactsWriter, LogRow

_PAIR = ["entity", "left_id", "right_id"]


class AccountsFold:
    """Keeps `account_links`, `account_heads` and `account_parents`."""

    def fold(self, controls: Sequence[LogRow], writer: FactsWriter) -> bool:
        """Write what control entries say; return whether records were linked or parted."""
        linked = [
            msgspec.json.decode(row.body, type=LinkEntry) for row in controls if row.route == LINKED
        ]
        placed = [
            msgspec.json.decode(row.body, type=ParentEntry)
            for row in controls
            if row.route == PLACED
        ]
        if placed:
            _place(placed, writer)
        changed = _link(linked, writer) if linked else set()
        for entity in sorted(changed):
            _name(entity, writer)
        return bool(changed)


def _link(entries: Iterable[LinkEntry], writer: FactsWriter) -> set[str]:
    """Keep the latest decision of each pair; return the entities any of which changed."""
    latest: dict[tuple[str, str, str], tuple[int, str, str]] = {}
    for one in entries:
        said = (one.decided_time, one.id, one.decision)
        for left, right in one.pairs:
            low, high = sorted((left, right))
            pair = (one.entity, low, high)
            latest[pair] = max(said, latest.get(pair, said))
    pairs = _table(_PAIR, list(latest))
    standing = writer.matching("account_links", pairs, _PAIR)
    times = standing["decided_time"].cast(pa.int64()).to_pylist()
    for row, time in zip(standing.to_pylist(), times, strict=True):
        pair = (row["entity"], row["left_id"], row["right_id"])
        if (time, row["entry"]) >= latest[pair][:2]:
            del latest[pair]
    if not latest:
        return set()
    gone = _table(_PAIR, list(latest))
    writer.delete("account_links", gone, _PAIR)
    when = pa.array([said[0] for said in latest.values()], pa.int64()).cast(pa.timestamp("us"))
    rows = gone.append_column("decision", pa.array([said[2] for said in latest.values()]))
    rows = rows.append_column("decided_time", when)
    entries_of = pa.array([said[1] for said in latest.values()], pa.string())
    writer.insert("account_links", rows.append_column("entry", entries_of))
    return {pair[0] for pair in latest}


def _name(entity: str, writer: FactsWriter) -> None:
    """Name every record that is one with others by the smallest id among them."""
    same = pa.table({"entity": [entity], "decision": [SAME]})
    rows = writer.matching("account_links", same, ["entity", "decision"])
    heads = heads_of(zip(rows["left_id"].to_pylist(), rows["right_id"].to_pylist(), strict=True))
    writer.delete("account_heads", pa.table({"entity": [entity]}), ["entity"])
    named = [(entity, one, head) for one, head in sorted(heads.items())]
    writer.insert("account_heads", _table(["entity", "id", "head_id"], named))


def heads_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return of every id that stands in a pair the smallest one it hangs together with.

    >>> heads_of([("b", "c"), ("a", "b")])
    {'b': 'a', 'c': 'a', 'a': 'a'}
    """
    heads: dict[str, str] = {}

    def head(one: str) -> str:
        heads.setdefault(one, one)
        while heads[one] != one:
            heads[one] = heads[heads[one]]
            one = heads[one]
        return one

    for left, right in pairs:
        first, second = sorted((head(left), head(right)))
        heads[second] = first
    return {one: head(one) for one in list(heads)}


def _place(entries: Iterable[ParentEntry], writer: FactsWriter) -> None:
    rows = [(one.account_id, one.parent_id, one.told_time, one.id) for one in entries]
    known = pa.table({"entry": pa.array([row[3] for row in rows], pa.string())})
    writer.delete("account_parents", known, ["entry"])
    columns = list(zip(*dict.fromkeys(rows), strict=True))
    writer.insert(
        "account_parents",
        pa.table(
            {
                "account_id": pa.array(columns[0], pa.string()),
                "parent_id": pa.array(columns[1], pa.string()),
                "told_time": pa.array(columns[2], pa.int64()).cast(pa.timestamp("us")),
                "entry": pa.array(columns[3], pa.string()),
            }
        ),
    )


def _table(names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.Table.from_arrays(arrays, names=list(names))
