"""Links that evidence made: each told once for all, with the earliest time that it was told."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from onefold.identity.records import CONFIDENCE
from onefold.model.facts import TABLES
from onefold.model.ids import identifier_key
from onefold.model.kinds import CONTACT, EMAIL, PHONE, USER
from onefold.store import FactsWriter

_MOST_CACHED = 400_000
_NAMED_BY = ("from_key", "to_key", "kind", "source")
_EVIDENCE = "contact"
_FIELDS = (("user_key", USER), ("email_key", EMAIL), ("phone_key", PHONE))
_SCHEMA = ("from_key", "from_kind", "to_key", "to_kind", "kind", "source")

_Name = tuple[int, int, str, str]
_Times = tuple[int, int | None]
"""When it was told first, by any clock and by a sender's own."""


class EvidenceFold:
    """Keeps `edges`; remembers the times of those seen of late."""

    def __init__(self, identity_key: bytes) -> None:
        self._identity_key = identity_key
        self._known: dict[_Name, _Times] = {}

    def fold(self, told: pa.Table, writer: FactsWriter) -> pa.Table:
        """Write links as events tell them; return those that are new or were told earlier."""
        if not told.num_rows:
            return told
        names, times = _names(told), _times(told)
        known = self._known
        open_places = [
            place
            for place, (name, time) in enumerate(zip(names, times, strict=True))
            if (seen := known.get(name)) is None or _is_earlier(time, seen)
        ]
        if not open_places:
            return told.slice(0, 0)
        told = told.take(pa.array(open_places, pa.int64()))
        return self._write(told, writer)

    def _write(self, told: pa.Table, writer: FactsWriter) -> pa.Table:
        keys = pa.table({"from_key": pc.unique(told["from_key"])})
        found = writer.matching("edges", keys, ["from_key"])
        at = {name: place for place, name in enumerate(_names(found))}
        standing = _times(found)
        offsets = found["log_offset"].to_pylist()
        if len(self._known) > _MOST_CACHED:
            self._known.clear()
        changed, gone, rows = [], [], []
        columns = zip(_names(told), _times(told), told["log_offset"].to_pylist(), strict=True)
        for place, (name, time, offset) in enumerate(columns):
            former = at.get(name)
            best, first = time, offset
            if former is not None:
                if not _is_earlier(time, standing[former]):
                    self._known[name] = standing[former]
                    continue
                gone.append(former)
                best = _earliest(time, standing[former])
                first = min(offset, offsets[former])
            self._known[name] = best
            changed.append(place)
            rows.append((*best, first))
        if gone:
            writer.delete("edges", found.take(gone).select(list(_NAMED_BY)), list(_NAMED_BY))
        fresh = told.take(pa.array(changed, pa.int64()))
        for at_column, time_name in enumerate(("event_time", "told_time")):
            values = pa.array([row[at_column] for row in rows], pa.int64()).cast(pa.timestamp("us"))
            fresh = fresh.set_column(fresh.column_names.index(time_name), time_name, values)
        place = fresh.column_names.index("log_offset")
        fresh = fresh.set_column(place, "log_offset", pa.array([r[2] for r in rows], pa.int64()))
        writer.insert("edges", _sure(fresh))
        return fresh

    def contacts(
        self, ids: Iterable[str], offset: int, writer: FactsWriter
    ) -> tuple[pa.Table, pa.Table, dict[int, bool]]:
        """Write the links of imported contacts anew.

        Args:
            ids: Of the contacts that changed.
            offset: Of the log, at which they did.
            writer: The open transaction.

        Returns:
            The links that are new or changed, those that went, and the key of each contact with
            whether it stands.
        """
        keys = {one: identifier_key(self._identity_key, CONTACT, one) for one in ids}
        meant = pa.table({"contact_id": pa.array(list(keys), pa.string())})
        rows = writer.matching("contacts", meant, ["contact_id"])
        now = _contact_links(rows, keys, offset)
        ends = pa.table(
            {
                "to_key": pa.array(list(keys.values()), pa.int64()),
                "kind": pa.repeat(_EVIDENCE, len(keys)),
            }
        )
        former = writer.matching("edges", ends, ["to_key", "kind"])
        firsts = dict(zip(_names(former), former["log_offset"].to_pylist(), strict=True))
        offsets = [min(offset, firsts.get(name, offset)) for name in _names(now)]
        now = now.set_column(
            now.column_names.index("log_offset"), "log_offset", pa.array(offsets, pa.int64())
        )
        before = dict(zip(_names(former), _times(former), strict=True))
        after = dict(zip(_names(now), _times(now), strict=True))
        writer.delete("edges", ends, ["to_key", "kind"])
        writer.insert("edges", _sure(now))
        fresh = [at for at, (name, time) in enumerate(after.items()) if before.get(name) != time]
        gone = [at for at, name in enumerate(before) if name not in after]
        there = set(rows["contact_id"].to_pylist())
        stands = {key: one in there for one, key in keys.items()}
        return (
            now.take(pa.array(fresh, pa.int64())),
            former.take(pa.array(gone, pa.int64())),
            stands,
        )


def _names(edges: pa.Table) -> list[_Name]:
    columns = (edges[name].to_pylist() for name in _NAMED_BY)
    return list(zip(*columns, strict=True))


def _times(edges: pa.Table) -> list[_Times]:
    columns = (edges[name].cast(pa.int64()).to_pylist() for name in ("event_time", "told_time"))
    return list(zip(*columns, strict=True))


def _is_earlier(time: _Times, seen: _Times) -> bool:
    told, known = time[1], seen[1]
    return time[0] < seen[0] or (told is not None and (known is None or told < known))


def _earliest(one: _Times, other: _Times) -> _Times:
    told = [time for time in (one[1], other[1]) if time is not None]
    return min(one[0], other[0]), min(told, default=None)


def _sure(edges: pa.Table) -> pa.Table:
    sure = [CONFIDENCE[kind] for kind in edges["kind"].to_pylist()]
    return edges.append_column("confidence", pa.array(sure, pa.float64()))


def _contact_links(rows: pa.Table, keys: Mapping[str, int], offset: int) -> pa.Table:
    """Return the links of contacts: from each of their identifiers to the contact's own."""
    found: list[dict[str, Any]] = []
    wanted = rows.select(
        ["contact_id", "created_time", "known_time", "sources", *(name for name, _ in _FIELDS)]
    )
    for row in wanted.to_pylist():
        sources: dict[str, str] = msgspec.json.decode(row["sources"])
        for column, kind in _FIELDS:
            if row[column] is not None:
                found.append(
                    {
                        "from_key": row[column],
                        "from_kind": kind,
                        "to_key": keys[row["contact_id"]],
                        "to_kind": CONTACT,
                        "kind": _EVIDENCE,
                        "source": sources.get(column, sources.get("*", "")),
                        "event_time": row["known_time"],
                        "told_time": row["created_time"],
                        "log_offset": offset,
                    }
                )
    kinds = {"int64": pa.int64(), "string": pa.string(), "timestamp": pa.timestamp("us")}
    columns = TABLES["edges"].columns
    names = (*_SCHEMA, "event_time", "told_time", "log_offset")
    return pa.Table.from_pylist(found, schema=pa.schema([(n, kinds[columns[n]]) for n in names]))
