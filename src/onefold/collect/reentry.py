"""Events that waited and fit now: judged anew by what a retry in the log says.

A verdict stands in the log for good. A retry is a control entry beside it, whole in itself: until
when, which events, their definitions and the policies of the sources at that time. It is a term
of the rules that the facts are built by, so the fold judges what waits by it wherever it reads the
row again, and the facts are those of a run in which the definitions were right from the start.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import msgspec

from onefold.collect.catalogue import Catalogue, make_catalogue
from onefold.collect.dialects.stored import read_stored
from onefold.collect.records import Code
from onefold.collect.validation import QUARANTINE, judge_call
from onefold.model.ids import message_hash
from onefold.store import Log, LogRow

KIND = "quarantine.retry"
"""The route of the control entry."""

_CODES = frozenset({Code.SCHEMA, Code.UNPLANNED})
_WAITING = 16
"""Verdict bytes from here on are of events that do not count."""
_ROWS_AT_A_TIME = 200
_FIRST = min(_CODES) << 4
_objects = msgspec.json.Decoder(dict[str, object])
_raw_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Retry:
    """One decision to judge waiting events anew.

    Attributes:
        until: Only what was received by then, microseconds UTC.
        events: The names of the events meant.
        definitions: Event -> its YAML, of those that the catalogue described then.
        policies: Source -> what it did then with what nobody described.
    """

    until: int
    events: tuple[str, ...] = ()
    definitions: dict[str, str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)


class Events(Protocol):
    """The events of a log row side by side, as far as they matter here."""

    kinds: list[str]
    events: list[str]
    properties: list[bytes]


def retries_in(body: bytes) -> tuple[Retry, ...]:
    """Return all retries up to the one whose control entry this is, oldest first."""
    found = msgspec.json.decode(body)["retries"]
    return msgspec.convert(found, tuple[Retry, ...])


def retries_of(log: Log) -> tuple[Retry, ...]:
    """Return the retries in force, oldest first: the last entry repeats all before it."""
    row = log.latest("control", KIND)
    return () if row is None else retries_in(row.body)


def judged_anew(
    retries: Sequence[Retry], row: LogRow, events: Events, reasons: dict[str, str]
) -> bytes:
    """Return a row's verdicts after the retries.

    The reason of an event that still waits is written into `reasons` (by place); the properties
    of one that counts without some fields are written into `events`.
    """
    if not retries or max(row.verdicts, default=0) < _FIRST:
        return row.verdicts
    verdicts = bytearray(row.verdicts)
    for place, verdict in enumerate(row.verdicts):
        if verdict >> 4 not in _CODES:
            continue
        for retry in retries:
            if row.received_time > retry.until or events.events[place] not in retry.events:
                continue
            code, reason = _judged(retry, row.source, events, place)
            if not code:
                verdicts[place] = verdict & 15
                reasons.pop(str(place), None)
                break
            reasons[str(place)] = reason
    return bytes(verdicts)


def _judged(retry: Retry, source: str, events: Events, place: int) -> tuple[int, str]:
    catalogue = _catalogue(tuple(retry.definitions.items()))
    properties = _objects.decode(events.properties[place])
    policy = retry.policies.get(source, QUARANTINE)
    said = judge_call(catalogue, events.kinds[place], events.events[place], properties, policy)
    if said.dropped and not said.code:
        raw = _raw_objects.decode(events.properties[place])
        kept = {name: value for name, value in raw.items() if name not in said.dropped}
        events.properties[place] = msgspec.json.encode(kept)
    return said.code, said.reason


@lru_cache(maxsize=64)
def _catalogue(definitions: tuple[tuple[str, str], ...]) -> Catalogue:
    return make_catalogue(definitions)


@dataclass(frozen=True, slots=True)
class Mended:
    """Events of the log that waited and count now.

    Attributes:
        rows: The rows that hold them, in order.
        places: Log offset -> the places of those events.
    """

    rows: tuple[LogRow, ...]
    places: dict[int, frozenset[int]]


def mended(
    former: Sequence[Retry], now: Sequence[Retry], rows: Iterable[LogRow], identity_key: bytes
) -> Mended | None:
    """Return what further retries let in; None where that cannot be told event by event.

    It cannot where an event waits on for another reason than before, or where one message waits
    and counts: which of the two stands in the quarantine depends on which came first.

    Args:
        former: The retries that were in force.
        now: Those and further ones.
        rows: All rows of which an event waits.
        identity_key: Keys the hashes of message ids.
    """
    places: dict[int, frozenset[int]] = {}
    kept: list[LogRow] = []
    counts: set[tuple[int, int]] = set()
    waits: set[tuple[int, int]] = set()
    for row in rows:
        if row.dialect in {"records", "control"}:
            continue
        before, why = _verdicts(former, row)
        after, why_now = _verdicts(now, row)
        events = read_stored(row.route, row.body, row.received_time, row.source.encode())
        ids = [message_hash(one, identity_key) for one in events.message_ids]
        waiting = {place for place, verdict in enumerate(after) if verdict >= _WAITING}
        if any(why.get(str(place)) != why_now.get(str(place)) for place in waiting):
            return None
        waits |= {ids[place] for place in waiting}
        found = {place for place, verdict in enumerate(before) if verdict >= _WAITING} - waiting
        if found:
            places[row.offset] = frozenset(found)
            kept.append(row)
            counts |= {ids[place] for place in found}
    if counts & waits:
        return None
    return Mended(tuple(kept), places)


def rows_at(log: Log, offsets: Sequence[int]) -> Iterator[LogRow]:
    """Yield those rows of some offsets, which are in order, that are there; few at a time."""
    for start in range(0, len(offsets), _ROWS_AT_A_TIME):
        yield from log.rows(offsets[start : start + _ROWS_AT_A_TIME])


def _verdicts(retries: Sequence[Retry], row: LogRow) -> tuple[bytes, dict[str, str]]:
    events = read_stored(row.route, row.body, row.received_time, row.source.encode())
    reasons: dict[str, str] = msgspec.json.decode(row.reasons) if row.reasons else {}
    return judged_anew(retries, row, events, reasons), reasons


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a retry would do.

    Attributes:
        mended: Event -> how many waiting messages would count.
        waiting: (event, reason) -> how many would still wait.
    """

    mended: Counter[str]
    waiting: Counter[tuple[str, str]]


def outlook(
    retry: Retry,
    log: Log,
    places: Mapping[int, Sequence[int]],
    told: Callable[[int], None],
) -> Outlook:
    """Return what a retry would do with events that wait.

    Args:
        retry: The decision, not yet taken.
        log: The log that keeps the events.
        places: Log offset -> the places in that row that wait.
        told: Hears how many rows are read.
    """
    mended: Counter[str] = Counter()
    waiting: Counter[tuple[str, str]] = Counter()
    for done, row in enumerate(rows_at(log, sorted(places)), 1):
        told(done)
        # An imported row waits for its file to be mended, not for the catalogue.
        if row.dialect == "records":
            continue
        events = read_stored(row.route, row.body, row.received_time, row.source.encode())
        reasons: dict[str, str] = {}
        verdicts = judged_anew((retry,), row, events, reasons)
        for place in places[row.offset]:
            name = events.events[place]
            if row.verdicts[place] >> 4 not in _CODES:
                continue
            if verdicts[place] < _WAITING:
                mended[name] += 1
            elif str(place) in reasons:
                waiting[name, reasons[str(place)]] += 1
    return Outlook(mended, waiting)
