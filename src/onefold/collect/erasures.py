"""Erasures as the log tells them: whose, since when, and what of others they must not change.

An entry names keys alone. Whatever the log holds of them before it is gone, wherever it is read;
what comes after it is kept without its identifiers, so that nobody returns who was erased.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from onefold.model.facts import TABLES
from onefold.store import Log, LogRow

if TYPE_CHECKING:
    import pyarrow as pa

KIND = "person.erase"
"""The route of the control entry."""
EXPIRE = "retention.expire"
"""The route of the entry that says before when nothing is kept for a purpose any more."""
MASK = "person.mask"
"""The route of the entry that says that rows before it name somebody erased no more."""

Link = dict[str, Any]
"""A row of `edges`, its times as microseconds."""
_COLUMNS = {n: kind for n, kind in TABLES["edges"].columns.items() if n != "confidence"}


@dataclass(frozen=True, slots=True)
class Erasure:
    """One person erased.

    Attributes:
        id: Of the control entry.
        keys: Of everything the person was known by.
        offset: Where the entry stands in the log.
    """

    id: str
    keys: tuple[int, ...]
    offset: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a control entry.

    Attributes:
        id: Its own.
        keys: Of everything the person was known by.
        named: Keys whose words in the vault go too, such as of a name.
        links: Links to what others share: they stay, so that a device that two shared is not
            taken for one person's when the other is erased.
        before: Offset of the entry before it, 0 for the first.
        request: In the register.
    """

    id: str
    keys: list[int]
    named: list[int] = []
    links: list[Link] = []
    before: int = 0
    request: str = ""


_entries = msgspec.json.Decoder(Entry)


def entry_in(body: bytes) -> Entry:
    """Return what the body of a control entry says."""
    return _entries.decode(body)


def erasures_of(log: Log) -> tuple[Erasure, ...]:
    """Return all erasures that the log tells of, oldest first: each entry names the one before."""
    row = log.latest("control", KIND)
    found: list[Erasure] = []
    while row is not None:
        entry = entry_in(row.body)
        found.append(Erasure(entry.id, tuple(entry.keys), row.offset))
        row = log.row(entry.before) if entry.before else None
    return tuple(reversed(found))


def expired_of(log: Log) -> tuple[dict[str, int], dict[str, int]]:
    """Return before when nothing is kept any more, as the last entry says, microseconds.

    Purpose -> before when nothing is kept for it; table of imported rows -> before when no row is.
    """
    row = log.latest("control", EXPIRE)
    said = {} if row is None else msgspec.json.decode(row.body)
    before, rows = said.get("before", {}), said.get("rows", {})
    return msgspec.convert(before, dict[str, int]), msgspec.convert(rows, dict[str, int])


def masked_of(log: Log) -> int:
    """Return the offset of the last entry after rows of others were masked; 0 for none."""
    row = log.latest("control", MASK)
    return 0 if row is None else row.offset


def links_in(rows: Iterable[LogRow]) -> "pa.Table":
    """Return the links that entries of erasures leave to what others share, as rows of `edges`."""
    import pyarrow as pa

    from onefold.collect.promote import arrow_column

    told = [link for row in rows if row.route == KIND for link in entry_in(row.body).links]
    columns = {
        name: arrow_column([one.get(name) for one in told], kind) for name, kind in _COLUMNS.items()
    }
    return pa.table(columns)


def up_to_erasure(rows: list[LogRow]) -> list[LogRow]:
    """Return rows up to the first entry of an erasure: what follows is read by other rules."""
    for place, row in enumerate(rows):
        if row.dialect == "control" and row.route == KIND:
            return rows[: place + 1]
    return rows


@lru_cache(maxsize=8)
def since(erasures: Sequence[Erasure]) -> dict[int, int]:
    """Return key -> the offset up to which it is gone: that of the last entry that names it."""
    return {key: one.offset for one in erasures for key in one.keys}
