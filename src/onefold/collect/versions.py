"""Versions of one key: which stands, and which source told each field.

Of one source the version known last stands, for it says what the source says now. Of several
sources the one of the higher priority goes first, then the one known later; a field that it leaves
empty is taken from the next.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import msgspec

from onefold.collect.staged import Values, read_values, value_columns
from onefold.collect.times import micros_of
from onefold.collect.veil import Veil
from onefold.model.facts import RECORD_TABLES
from onefold.store import Log, LogRow

_ROWS_AT_HAND = 64


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a key, as a row of `records` tells it.

    Attributes:
        rank: What goes first has the greater one: priority, time, message.
        place: Log offset and place in that row, where its content stands.
    """

    key: str
    source: str
    known_time: int
    rank: tuple[int, int, int, int]
    place: tuple[int, int]

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Version":
        """Return the version that a row of `records` tells of."""
        known = micros_of(row["known_time"].replace(tzinfo=UTC))
        return cls(
            key=row["key"],
            source=row["source"],
            known_time=known,
            rank=(row["priority"], known, row["message_hi"], row["message_lo"]),
            place=(row["log_offset"], row["place"]),
        )


class Contents:
    """What versions say, read again from the log; a few rows are kept at hand."""

    def __init__(self, log: Log, veil: Veil, scrub: Callable[[LogRow], LogRow]) -> None:
        """`scrub` takes out of a row who is erased; a log may be one that nobody can rewrite."""
        self._log = log
        self._scrub = scrub
        self._veil = veil
        self._rows: OrderedDict[int, Values | None] = OrderedDict()

    def get(self, entity: str, version: Version) -> dict[str, Any]:
        """Return column -> value; nothing but nulls where the log has forgotten the row."""
        offset, place = version.place
        if offset not in self._rows:
            row = self._log.row(offset)
            self._rows[offset] = None if row is None else read_values(self._scrub(row), self._veil)
            if len(self._rows) > _ROWS_AT_HAND:
                self._rows.popitem(last=False)
        at_hand = self._rows[offset]
        found = None if at_hand is None else at_hand.get(place)
        return dict.fromkeys(value_columns(entity)) if found is None else found


def merged(entity: str, versions: Sequence[Version], contents: Contents) -> dict[str, Any]:
    """Return the row that stands for a key: column of its entity's table -> value."""
    latest: dict[str, Version] = {}
    for version in versions:
        former = latest.get(version.source)
        if former is None or version.rank[1:] > former.rank[1:]:
            latest[version.source] = version
    ranked = sorted(latest.values(), key=lambda one: one.rank, reverse=True)
    first = ranked[0]
    row = dict(contents.get(entity, first))
    sources = {"*": first.source}
    for version in ranked[1:]:
        told = contents.get(entity, version)
        for name, value in told.items():
            if name == "properties":
                row[name], added = _joined(row[name], value)
                sources |= dict.fromkeys(added, version.source)
            elif row[name] is None and value is not None:
                row[name] = value
                sources[name] = version.source
    row[RECORD_TABLES[entity][1]] = first.key
    row["known_time"] = max(version.known_time for version in ranked)
    row["sources"] = msgspec.json.encode(sources, order="sorted").decode()
    return row


def _joined(first: str | None, second: str | None) -> tuple[str, list[str]]:
    """Return both properties in one, the first one's values where both have one; and the new."""
    high, low = (json.loads(text or "{}") for text in (first, second))
    added = [name for name in low if name not in high]
    text = json.dumps(low | high, ensure_ascii=False, sort_keys=True)
    return text, [f"properties.{name}" for name in added]
