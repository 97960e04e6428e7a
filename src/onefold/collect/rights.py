"""What collect keeps of persons in the facts: told whole, and let go of.

What is let go of is gone as if it had never been sent, but that a message counts once for ever: the
hashes of its ids stay in `erased`.
"""

from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.entities import KEYED
from onefold.model.facts import RECORD_CODES, RECORD_TABLES, TABLES
from onefold.store import FactsWriter, planes

WHOLE = ("contact", "creator", "consent")
"""Entities whose every row is of one person; a row of another only names somebody."""

_OWN = {
    "events": ("identifier", "user_key", "anonymous_key"),
    "orders": ("identifier",),
    "marked": ("key",),
    "echoes": ("identifier",),
    "consents": ("key",),
}
IMPORTS: Mapping[str, tuple[str, ...]] = {
    table: columns
    for table, _ in RECORD_TABLES.values()
    if (columns := tuple(name for name in TABLES[table].columns if name in KEYED))
}
"""Table of imported rows -> its columns that hold keys of persons."""
KEEPS: Mapping[str, tuple[str, ...]] = {**_OWN, **IMPORTS}

_LINKED = ("opportunity", "item")
"""Entities that name a contact or a creator, and no key of a person."""
_ID = ("message_hi", "message_lo", "log_offset", "place")
_PLACE = ["log_offset", "place"]
_NAMING = ("user_key", "anonymous_key")


def tell(keys: Collection[int], writer: FactsWriter) -> dict[str, list[dict[str, Any]]]:
    """Return table -> rows of what is kept of persons, with the contexts of their events."""
    found = planes.rows_of(writer, KEEPS, keys)
    contexts = {row["context_key"] for row in found.get("events", ())} - {None}
    if contexts:
        wanted = pa.table({"key": pa.array(sorted(contexts), pa.int64())})
        found["contexts"] = writer.matching("contexts", wanted, ["key"]).to_pylist()
    waiting = [(row["log_offset"], row["place"]) for row in found.get("echoes", ())]
    if waiting:
        found["quarantine"] = writer.matching("quarantine", places(waiting), _PLACE).to_pylist()
    return found


def places(at: Collection[tuple[int, int]]) -> pa.Table:
    """Return log offsets and places as a table to match by."""
    ordered = sorted(at)
    return pa.table(
        {
            "log_offset": pa.array([offset for offset, _ in ordered], pa.int64()),
            "place": pa.array([place for _, place in ordered], pa.int32()),
        }
    )


def where(keys: Collection[int], writer: FactsWriter) -> tuple[set[int], set[int]]:
    """Return the log offsets of events that may name persons, and those of imported rows.

    What waits and names nobody that could be read is among the first; all rows of entities that
    name persons are among the second, for an older version may have named another one.
    """
    events: set[int] = set()
    for column in _OWN["events"]:
        found = writer.matching("events", _wanted(column, keys), [column], columns=_PLACE)
        events |= set(found["log_offset"].to_pylist())
    for row in writer.matching("echoes", _wanted("identifier", keys), ["identifier"]).to_pylist():
        events.add(row["log_offset"])
    events |= set(writer.distinct("echoes", "log_offset", where_null="identifier"))
    named = [
        RECORD_CODES[one]
        for one, (table, _) in RECORD_TABLES.items()
        if table in IMPORTS or one in _LINKED
    ]
    entities = pa.table({"entity": pa.array(named, pa.int16())})
    rows = writer.matching("records", entities, ["entity"], columns=("log_offset",))
    return events, set(pc.unique(rows["log_offset"]).to_pylist())


def forget_events(keys: Collection[int], writer: FactsWriter) -> None:
    """Let go of the events of persons, and of their names in events of others."""
    wanted = _wanted("identifier", keys)
    columns = (*_ID, "context_key")
    gone = writer.matching("events", wanted, ["identifier"], columns=columns)
    writer.insert("erased", gone.select(_ID))
    planes.delete_of(writer, {table: (cols[0],) for table, cols in _OWN.items()}, keys)
    for column in _NAMING:
        _unname(column, keys, writer)
    _drop_contexts(gone["context_key"], writer)


def vacate(at: Collection[tuple[int, int]], writer: FactsWriter) -> None:
    """Let nothing wait any more that stood at some places of the log, and keep no note of it."""
    if not at:
        return
    wanted = places(at)
    for table in ("quarantine", "echoes"):
        writer.delete(table, wanted, _PLACE)


def _wanted(column: str, keys: Collection[int]) -> pa.Table:
    return pa.table({column: pa.array(sorted(keys), pa.int64())})


def _unname(column: str, keys: Collection[int], writer: FactsWriter) -> None:
    """Let events of others no longer name somebody."""
    rows = writer.matching("events", _wanted(column, keys), [column])
    if not rows.num_rows:
        return
    writer.delete("events", rows.select(_PLACE), _PLACE)
    at = rows.column_names.index(column)
    writer.insert("events", rows.set_column(at, column, pa.nulls(rows.num_rows, pa.int64())))


def _drop_contexts(keys: pa.ChunkedArray, writer: FactsWriter) -> None:
    """Let go of the contexts that no event has any more."""
    candidates = pc.unique(keys).drop_null()
    if not len(candidates):
        return
    wanted = pa.table({"context_key": candidates})
    used = writer.matching("events", wanted, ["context_key"], columns=("context_key",))
    left = pc.is_in(candidates, pc.unique(used["context_key"]))
    lost = candidates.filter(pc.invert(left))
    writer.delete("contexts", pa.table({"key": lost}), ["key"])


def forget_messages(rows: pa.Table, writer: FactsWriter) -> None:
    """Let go of imported rows, given as rows of `records`."""
    if not rows.num_rows:
        return
    at = rows.select(_PLACE)
    writer.delete("records", at, _PLACE)
    writer.delete("quarantine", at, _PLACE)
