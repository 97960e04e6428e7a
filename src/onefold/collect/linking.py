"""What events say of who is who: identifiers that were sent together, or told beside."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.promote import arrow_column
from onefold.collect.sheet import Sheet
from onefold.model.facts import TABLES
from onefold.model.ids import identifier_key
from onefold.model.kinds import ANONYMOUS, USER

Ints = npt.NDArray[np.int64]

IDENTIFY, ALIAS = "identify", "alias"
"""Evidence: sent under both ids; a former id was said to be this user's."""
_SAME = ["from_key", "from_kind", "to_key", "to_kind", "kind", "source"]
_FIRST = ["event_time", "told_time", "log_offset"]
_COLUMNS = {name: TABLES["edges"].columns[name] for name in (*_SAME, *_FIRST)}
_NONE = pa.table({name: arrow_column([], kind) for name, kind in _COLUMNS.items()})


def links_of(sheet: Sheet, events: pa.Table, keep: Ints, identity_key: bytes) -> pa.Table:
    """Return the links that events tell, each once, with its earliest times and first offset.

    A time is told where the sender's clock alone says it.

    Args:
        sheet: What was read.
        events: Those of its events that count.
        keep: Their spots in the sheet.
        identity_key: Of the workspace.
    """
    parts = [_sent_together(events)]
    notes = sheet.notes
    if notes.previous_ids or notes.told:
        spots = {spot: at for at, spot in enumerate(keep.tolist())}
        if notes.previous_ids:
            parts += _aliases(events, notes.previous_ids, spots, identity_key)
        if notes.told:
            parts.append(_told_beside(events, notes.told, spots))
    links = pa.concat_tables([part for part in parts if part.num_rows] or [_NONE])
    if not links.num_rows:
        return _NONE
    firsts = links.group_by(_SAME).aggregate([(name, "min") for name in _FIRST])
    return firsts.rename_columns([name.removesuffix("_min") for name in firsts.column_names])


def _sent_together(events: pa.Table) -> pa.Table:
    meant = pc.and_(pc.is_valid(events["user_key"]), pc.is_valid(events["anonymous_key"]))
    both = events.filter(meant)
    if not both.num_rows:
        return _NONE
    return _links(both, both["anonymous_key"], ANONYMOUS, both["user_key"], USER, IDENTIFY)


def _aliases(
    events: pa.Table, former: Mapping[int, str], spots: Mapping[int, int], identity_key: bytes
) -> list[pa.Table]:
    told = [(spots[spot], previous) for spot, previous in former.items() if spot in spots]
    rows = events.take(pa.array([at for at, _ in told], pa.int64()))
    parts = []
    # An alias does not say which kind its former id was of: both may be meant.
    for kind, link in ((ANONYMOUS, IDENTIFY), (USER, ALIAS)):
        keys = pa.array([identifier_key(identity_key, kind, one) for _, one in told], pa.int64())
        parts.append(_links(rows, keys, kind, rows["user_key"], USER, link))
    return parts


def _told_beside(
    events: pa.Table,
    told: Mapping[tuple[int, str, str], Sequence[int]],
    spots: Mapping[int, int],
) -> pa.Table:
    rows: list[int] = []
    which: list[int] = []
    kinds = list(told)
    for at, where in enumerate(told.values()):
        found = [spots[spot] for spot in where if spot in spots]
        rows += found
        which += [at] * len(found)
    chosen, said = events.take(pa.array(rows, pa.int64())), pa.array(which, pa.int64())
    keys, names, evidence = (
        pa.array(list(column), kind).take(said)
        for column, kind in zip(
            zip(*kinds, strict=True), (pa.int64(), pa.string(), pa.string()), strict=True
        )
    )
    owner = pc.if_else(pc.is_valid(chosen["user_key"]), USER, ANONYMOUS)
    return _links(chosen, keys, names, chosen["identifier"], owner, evidence)


def _links(
    rows: pa.Table,
    from_key: pa.Array,
    from_kind: pa.Array | str,
    to_key: pa.Array,
    to_kind: pa.Array | str,
    kind: pa.Array | str,
) -> pa.Table:
    """Return links of rows, a row each; none that leads from a key to itself, or to nobody."""
    count = rows.num_rows
    sent = pc.equal(rows["time_basis"], "sent")
    table = pa.table(
        {
            "from_key": from_key,
            "from_kind": _all(from_kind, count),
            "to_key": to_key,
            "to_kind": _all(to_kind, count),
            "kind": _all(kind, count),
            "source": rows["source"],
            "event_time": rows["event_time"],
            "told_time": pc.if_else(sent, rows["event_time"], pa.scalar(None, pa.timestamp("us"))),
            "log_offset": rows["log_offset"],
        }
    )
    return table.filter(pc.not_equal(table["from_key"], table["to_key"]))


def _all(value: pa.Array | str, count: int) -> pa.Array:
    return pa.repeat(value, count) if isinstance(value, str) else value
