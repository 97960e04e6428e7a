"""The table `consents`: what was said of consent, by person and purpose, over time.

A statement (a change told by an event, the API, a file) is a row of its own; one that an import
told stands as long as its row of `consent` does. What ordinary
events say of themselves is one row of refusals an identifier and purpose, from the first to the
last, and one of the yeses that came after the first refusal: with none refused there is none.
So the table is a function of the set of log entries, and small where nobody refuses.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.holding import ROUTE as HELD
from onefold.collect.holding import entry_in
from onefold.collect.promote import arrow_column
from onefold.collect.stating import ENTRY, GRANTED, MASK, REFUSED, ConsentEntry, Statement
from onefold.collect.times import SENT, micros_of
from onefold.consent import PURPOSES
from onefold.model.facts import RECORD_CODES, SAID_BY_EVENT, TABLES
from onefold.model.time import DAY
from onefold.store import FactsWriter, LogRow

_COLUMNS = TABLES["consents"].columns
_EVERYWHERE = ""
"""The environment of what holds in all of them."""
_ASKED = (
    "identifier",
    "environment",
    "event_time",
    "time_basis",
    "purposes",
    "log_offset",
    "place",
)
_SAME = tuple(name for name in _COLUMNS if name not in {"last_time", "log_offset", "place"})


@dataclass(frozen=True, slots=True)
class _Heard:
    """What ordinary events of one identifier said of one purpose.

    Attributes:
        refused: First and last time of a no, microseconds.
        granted: First and last time of a yes after the first no; None without.
        clocked: Whether a time of the noes, of the yeses, rests on our clock.
        evidence: Place in the log of the first no and of the first yes.
    """

    refused: tuple[int, int]
    granted: tuple[int, int] | None
    clocked: tuple[bool, bool]
    evidence: tuple[tuple[int, int], tuple[int, int]]


_Key = tuple[int, str, str]
"""Identifier, environment, purpose."""


class ConsentsFold:
    """Writes `consents` and `dropped`."""

    def __init__(self) -> None:
        self._refused: bool | None = None
        """Whether any event ever refused something."""

    def write(
        self,
        controls: Sequence[LogRow],
        stated: Iterable[tuple[str, Sequence[Statement]]],
        events: pa.Table,
        writer: FactsWriter,
    ) -> bool:
        """Write what a micro-batch says of consent; return whether it said anything that counts.

        Args:
            controls: Its control entries.
            stated: Environment and statements of each of its events that change consent.
            events: Its new rows of `events`, which stand in the table already.
            writer: The open transaction.
        """
        rows = [
            (_EVERYWHERE, one)
            for row in controls
            if row.route == ENTRY
            for one in statements_of(row)
        ]
        rows += [(environment, one) for environment, said in stated for one in said]
        wrote = bool(rows) and _write_statements(rows, writer)
        return self._write_heard(events, writer) or wrote

    def _write_heard(self, events: pa.Table, writer: FactsWriter) -> bool:
        said = _speaking(events)
        if not said.num_rows:
            return False
        refusing = bool(((said["purposes"].to_numpy() >> REFUSED) & MASK).any())
        if self._refused is None:
            mine = pa.table({"means": pa.array([SAID_BY_EVENT])})
            self._refused = writer.matching("consents", mine, ["means"]).num_rows > 0
        if not refusing and not self._refused:
            return False
        self._refused = True
        keys = pa.table({"key": pc.unique(said["identifier"])})
        standing = writer.matching("consents", keys, ["key"])
        standing = standing.filter(pc.equal(standing["means"], SAID_BY_EVENT))
        former = _heard_of(standing.to_pylist())
        found = _merged(former, said, writer)
        changed = {key: heard for key, heard in found.items() if former.get(key) != heard}
        if not changed:
            return False
        gone = [
            {"key": key, "environment": environment, "purpose": purpose, "means": SAID_BY_EVENT}
            for key, environment, purpose in changed
            if (key, environment, purpose) in former
        ]
        if gone:
            named = pa.Table.from_pylist(gone)
            writer.delete("consents", named, named.column_names)
        writer.insert(
            "consents", _table([row for key in changed for row in _rows(key, found[key])])
        )
        return True


def settle_imported(ids: Collection[str], writer: FactsWriter) -> bool:
    """Let imported rows of `consent` say what they say now; return whether any was asked for.

    Args:
        ids: Their ids; of one that is gone nothing is left.
        writer: The open transaction, in which `consent` and `records` are settled.
    """
    if not ids:
        return False
    named = pa.array(sorted(ids), pa.string())
    writer.delete("consents", pa.table({"record": named}), ["record"])
    rows = writer.matching("consent", pa.table({"consent_id": named}), ["consent_id"]).to_pylist()
    code = pa.scalar(RECORD_CODES["consent"], pa.int16())
    keys = pa.table({"entity": pa.repeat(code, len(named)), "key": named})
    at: dict[str, tuple[int, int]] = {}
    for one in writer.matching("records", keys, ["entity", "key"]).to_pylist():
        at[one["key"]] = max(at.get(one["key"], (0, 0)), _at(one))
    said = [
        {
            "key": key,
            "environment": _EVERYWHERE,
            "purpose": row["purpose"],
            "granted": row["answer"] == "granted",
            "from_time": _micros(row["said_time"]),
            "last_time": _micros(row["said_time"]),
            "means": "import",
            "source": ", ".join(sorted(set(msgspec.json.decode(row["sources"]).values()))),
            "region": row["region"] or "",
            "basis": row["basis"] or "consent",
            "clocked": False,
            "record": row["consent_id"],
            "log_offset": at[row["consent_id"]][0],
            "place": at[row["consent_id"]][1],
        }
        for row in rows
        for key in sorted({row["user_key"], row["email_key"]} - {None})
    ]
    if said:
        writer.insert("consents", _table(said))
    return True


def statements_of(row: LogRow) -> list[Statement]:
    """Return what a control entry says."""
    entry = msgspec.json.decode(row.body, type=ConsentEntry)
    return [
        Statement(
            key=key,
            purpose=purpose,
            granted=answer,
            from_time=entry.time,
            means=entry.means,
            source=entry.source,
            region=entry.region,
            basis=entry.basis,
            log_offset=row.offset,
        )
        for key in entry.keys
        for purpose, answer in entry.answers.items()
    ]


def dropped_table(dropped: Sequence[tuple[int, str, int]]) -> pa.Table:
    """Return rows of `dropped`: by day and source, how many events were only counted."""
    days, sources, counts = zip(*dropped, strict=True) if dropped else ((), (), ())
    return pa.table(
        {
            "received_date": pa.array(days, pa.int32()).cast(pa.date32()),
            "source": pa.array(sources, pa.string()),
            "events": pa.array(counts, pa.int64()),
        }
    )


def held_table(controls: Sequence[LogRow]) -> pa.Table:
    """Return rows of `held`: the events that wait for a yes, by message."""
    columns = TABLES["held"].columns
    rows = [
        (*item.message, row.received_time // DAY, row.source, row.environment, row.offset, place)
        for row in controls
        if row.route == HELD
        for place, item in enumerate(entry_in(row).items)
    ]
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [
        pa.array(column, pa.int32()).cast(pa.date32())
        if kind == "date"
        else arrow_column(column, kind)
        for column, kind in zip(values, columns.values(), strict=True)
    ]
    return pa.Table.from_arrays(arrays, names=list(columns))


def _write_statements(rows: Sequence[tuple[str, Statement]], writer: FactsWriter) -> bool:
    """Write statements; one that stands already says nothing new."""
    keys = pa.table({"key": pa.array({one.key for _, one in rows}, pa.int64())})
    known = {_same(row) for row in writer.matching("consents", keys, ["key"]).to_pylist()}
    fresh = []
    for environment, one in rows:
        row = msgspec.structs.asdict(one) | {"environment": environment}
        row["last_time"], row["record"] = row["from_time"], ""
        same = _same(row)
        if same not in known:
            known.add(same)
            fresh.append(row)
    if fresh:
        writer.insert("consents", _table(fresh))
    return bool(fresh)


def _same(row: dict[str, Any]) -> tuple[object, ...]:
    return tuple(_micros(row[name]) if name == "from_time" else row[name] for name in _SAME)


def _speaking(events: pa.Table) -> pa.Table:
    """Return the events with an identifier that say something of consent themselves."""
    says = pc.greater(events["purposes"], MASK)
    return events.select(list(_ASKED)).filter(pc.and_(says, pc.is_valid(events["identifier"])))


def _merged(former: dict[_Key, _Heard], said: pa.Table, writer: FactsWriter) -> dict[_Key, _Heard]:
    """Return what is heard now of all of whom anything was refused, now or before."""
    found = dict(former)
    noes = _answers(said, REFUSED)
    earlier: dict[_Key, int] = {}
    for key, told in noes.items():
        one = found.get(key)
        first, last = min(told), max(told)
        clocked = any(by_clock for _, by_clock, _ in told)
        if one is None or first[0] < one.refused[0]:
            earlier[key] = first[0]
        if one is None:
            found[key] = _Heard((first[0], last[0]), None, (clocked, False), (first[2], (0, 0)))
            continue
        evidence = first[2] if first[0] < one.refused[0] else one.evidence[0]
        found[key] = replace(
            one,
            refused=(min(first[0], one.refused[0]), max(last[0], one.refused[1])),
            clocked=(one.clocked[0] or clocked, one.clocked[1]),
            evidence=(evidence, one.evidence[1]),
        )
    # What was granted after a refusal that comes before all known ones is asked of the events.
    asked = _grants_since(earlier, writer) if earlier else {}
    mine = pa.array({key for key, _, _ in former}, pa.int64())
    yeses = _answers(said.filter(pc.is_in(said["identifier"], mine)), GRANTED)
    for key, one in found.items():
        if key in earlier:
            found[key] = _with_grants(replace(one, granted=None), asked.get(key, []))
        else:
            after = [each for each in yeses.get(key, ()) if each[0] > one.refused[0]]
            found[key] = _with_grants(one, after)
    return found


_Yes = tuple[int, bool, tuple[int, int]]
"""An answer: when, whether by our clock, and where in the log."""


def _with_grants(heard: _Heard, grants: Sequence[_Yes]) -> _Heard:
    if not grants:
        return heard
    times = [time for time, _, _ in grants]
    first = min(grants)
    evidence = first[2]
    if heard.granted is not None:
        times += heard.granted
        if heard.granted[0] <= first[0]:
            evidence = heard.evidence[1]
    clocked = heard.clocked[1] or any(one for _, one, _ in grants)
    return replace(
        heard,
        granted=(min(times), max(times)),
        clocked=(heard.clocked[0], clocked),
        evidence=(heard.evidence[0], evidence),
    )


def _grants_since(earlier: dict[_Key, int], writer: FactsWriter) -> dict[_Key, list[_Yes]]:
    """Return the yeses of events later than a time, by identifier and purpose."""
    since = pa.scalar(min(earlier.values()), pa.timestamp("us")).as_py()
    keys = pa.table({"identifier": pa.array({key for key, _, _ in earlier}, pa.int64())})
    events = writer.matching(
        "events", keys, ["identifier"], since=("event_time", since), columns=_ASKED
    )
    told = _answers(_speaking(events), GRANTED)
    return {
        key: [one for one in told.get(key, ()) if one[0] > first] for key, first in earlier.items()
    }


def _answers(said: pa.Table, shift: int) -> dict[_Key, list[_Yes]]:
    """Return what events say from one bit on: by identifier, environment and purpose."""
    masks = said["purposes"].to_numpy() >> shift & MASK
    spots = np.flatnonzero(masks)
    found: dict[_Key, list[_Yes]] = defaultdict(list)
    if not len(spots):
        return found
    rows = said.take(pa.array(spots))
    ones = zip(
        rows["event_time"].cast(pa.int64()).to_pylist(),
        pc.not_equal(rows["time_basis"], SENT).to_pylist(),
        zip(rows["log_offset"].to_pylist(), rows["place"].to_pylist(), strict=True),
        strict=True,
    )
    who = zip(rows["identifier"].to_pylist(), rows["environment"].to_pylist(), strict=True)
    for (identifier, environment), mask, one in zip(who, masks[spots].tolist(), ones, strict=True):
        for purpose in _named(mask):
            found[identifier, environment, purpose].append(one)
    return found


@cache
def _named(mask: int) -> tuple[str, ...]:
    return tuple(purpose for purpose, bit in PURPOSES.items() if mask & bit)


def _heard_of(rows: Sequence[dict[str, Any]]) -> dict[_Key, _Heard]:
    """Return what rows of `consents` by events say."""
    found: dict[_Key, dict[bool, dict[str, Any]]] = {}
    for row in rows:
        key = (row["key"], row["environment"], row["purpose"])
        found.setdefault(key, {})[row["granted"]] = row
    return {key: _heard(both[False], both.get(True)) for key, both in found.items()}


def _heard(no: dict[str, Any], yes: dict[str, Any] | None) -> _Heard:
    return _Heard(
        refused=(_micros(no["from_time"]), _micros(no["last_time"])),
        granted=None if yes is None else (_micros(yes["from_time"]), _micros(yes["last_time"])),
        clocked=(no["clocked"], yes is not None and yes["clocked"]),
        evidence=(_at(no), (0, 0) if yes is None else _at(yes)),
    )


def _at(row: dict[str, Any]) -> tuple[int, int]:
    return row["log_offset"], row["place"]


def _rows(key: _Key, heard: _Heard) -> list[dict[str, Any]]:
    identifier, environment, purpose = key
    spans = [(False, heard.refused, heard.clocked[0], heard.evidence[0])]
    if heard.granted is not None:
        spans.append((True, heard.granted, heard.clocked[1], heard.evidence[1]))
    return [
        {
            "key": identifier,
            "environment": environment,
            "purpose": purpose,
            "granted": granted,
            "from_time": span[0],
            "last_time": span[1],
            "means": SAID_BY_EVENT,
            "source": "",
            "region": "",
            "basis": "consent",
            "clocked": clocked,
            "record": "",
            "log_offset": at[0],
            "place": at[1],
        }
        for granted, span, clocked, at in spans
    ]


def _table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    arrays = [arrow_column([row[name] for row in rows], kind) for name, kind in _COLUMNS.items()]
    return pa.Table.from_arrays(arrays, names=list(_COLUMNS))


def _micros(moment: datetime | int) -> int:
    return moment if isinstance(moment, int) else micros_of(moment)
