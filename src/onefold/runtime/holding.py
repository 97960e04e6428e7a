"""What is held before consent, settled: let in whole after a yes, or as nobody's in the end.

Who said yes is asked of the facts; whose a held event is, only its own text tells, which is read
with the key of its day and never written. So nothing that stands in a file tells them apart.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onefold.collect import sources
from onefold.consent import ANALYTICS, PURPOSES
from onefold.model.errors import OnefoldError
from onefold.model.facts import SAID_BY_EVENT
from onefold.runtime.schedules import alone
from onefold.runtime.threads import Loop
from onefold.runtime.workspace import Workspace
from onefold.store import Facts, LogRow, NewRow

if TYPE_CHECKING:
    import ibis.expr.types as ir

_LOOK_SECONDS = 10.0
_AT_ONCE = 1_000
_PURPOSE = next(name for name, bit in PURPOSES.items() if bit == ANALYTICS)
_GRANTED = ANALYTICS << 8
"""What an event says of itself, in `purposes`: yes to analytics."""
_MESSAGE = ("message_hi", "message_lo")
_log = logging.getLogger("onefold.house")

_At = tuple[int, int]
"""Place in the log: offset and place."""
_Whose = tuple[str, int]
"""Environment and key of an identifier."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of held events.

    Attributes:
        let_in: With their names, for their person agreed.
        unnamed: As nobody's, for their key has ended, or they are of somebody erased.
        waiting: How many wait still.
        keys: How many keys were destroyed.
    """

    let_in: int = 0
    unnamed: int = 0
    waiting: int = 0
    keys: int = 0


@dataclass(slots=True)
class Holding:
    """Settles again and again; remembers whose the events are that wait.

    Attributes:
        workspace: Whose.
    """

    workspace: Workspace
    _known: dict[_At, _Whose | None] = field(default_factory=dict)
    _days: dict[_At, int] = field(default_factory=dict)
    _waiting: set[_At] = field(default_factory=set)
    _offset: int = -1
    """Up to where the facts were looked at: what stood then is not asked again."""

    def settle(self) -> Settled:
        """Let in what may be let in, end keys whose time has come, and say how much that was.

        The facts hold it when this returns. Killed half-way, it does the rest another time: an
        event that is let in twice counts once.

        Raises:
            Conflict: Another settles.
        """
        with alone(self.workspace, "held events", what="settling of"):
            self.workspace.catch_up()
            facts, reached = self.workspace.folds.generation.facts, self.workspace.facts_offset
            fresh, gone = _news(facts, self._offset)
            waiting = (self._waiting - gone) | fresh
            now = self.workspace.clock()
            keys = self.workspace.vault.sealing_keys(now)
            self._read(_entries(self.workspace, fresh), fresh, keys)
            due = self._due(waiting, fresh, keys)
            rows, let_in, unnamed = self._rows(_entries(self.workspace, due), due, keys)
            if rows:
                self.workspace.log.append(rows)
                self.workspace.catch_up()
            # What was let in just now is found as gone at the next look.
            self._waiting, self._offset = waiting, reached
            # What was sealed under them stands in the log as nobody's by now.
            ended = self.workspace.vault.end_keys(now)
        return Settled(let_in, unnamed, len(waiting) - let_in - unnamed, ended)

    def _read(
        self, entries: Iterable[LogRow], fresh: Collection[_At], keys: Mapping[int, bytes]
    ) -> None:
        """Learn of what is new whose it is, and the day of its key."""
        for row in entries:
            entry = sources.held_in(row)
            for place, item in enumerate(entry.items):
                at = (row.offset, place)
                if at in fresh:
                    event = _opened(item, keys.get(entry.day))
                    key = event and sources.key_of(event[1], self.workspace.identity_key)
                    self._known[at] = None if key is None else (row.environment, key)
                    self._days[at] = entry.day

    def _due(
        self, waiting: Collection[_At], fresh: Collection[_At], keys: Mapping[int, bytes]
    ) -> set[_At]:
        """Return what waits no more: its person agreed, or its key has ended."""
        self._known = {at: self._known[at] if self._days[at] in keys else None for at in waiting}
        self._days = {at: self._days[at] for at in waiting}
        facts = self.workspace.folds.generation.facts
        told = _told_since(facts, self._offset)
        asked = set()
        for at, one in self._known.items():
            if one is not None and (at in fresh or one in told or ("", one[1]) in told):
                asked.add(one)
        agreed = agreeing(facts, asked)
        return {at for at, one in self._known.items() if one is None or one in agreed}

    def _rows(
        self, entries: Iterable[LogRow], due: Collection[_At], keys: Mapping[int, bytes]
    ) -> tuple[list[NewRow], int, int]:
        """Return the rows that let events in, how many by name, and how many as nobody's."""
        gone = sources.suppressed(self.workspace.state)
        rows: list[NewRow] = []
        let_in = unnamed = 0
        for row in entries:
            entry = sources.held_in(row)
            items: list[sources.HeldItem] = []
            wholes: dict[int, bytes] = {}
            for place, item in enumerate(entry.items):
                at = (row.offset, place)
                if at not in due:
                    continue
                found = _opened(item, keys.get(entry.day)) if self._known[at] else None
                if found is not None and not gone.meets(found[1]):
                    wholes[len(items)] = found[0]
                items.append(item)
            rows.append(sources.row_of(row, items, wholes, self.workspace.clock()))
            let_in += len(wholes)
            unnamed += len(items) - len(wholes)
        return rows, let_in, unnamed


def _opened(item: sources.HeldItem, key: bytes | None) -> tuple[bytes, sources.Incoming] | None:
    """Return an event whole, as sent and as decoded; None where it cannot be read any more."""
    whole = None if key is None else sources.opened(item, key)
    event = None if whole is None else sources.event_in(whole)
    return None if whole is None or event is None else (whole, event)


def waiting_in(facts: Facts) -> int:
    """Return how many events are held and were not let in yet."""
    return len(_news(facts, -1)[0])


def _news(facts: Facts, since: int) -> tuple[set[_At], set[_At]]:
    """Return where events stand that are held since an offset, and those let in since."""
    tables, message = facts.tables(), list(_MESSAGE)
    held = tables["held"]
    fresh = held.filter(held.log_offset > since)
    gone = []
    for name in ("events", "erased"):
        table = tables[name]
        fresh = fresh.anti_join(table, message)
        gone.append(held.semi_join(table.filter(table.log_offset > since), message))
    return _places(facts, fresh), _places(facts, gone[0]) | _places(facts, gone[1])


def _places(facts: Facts, held: "ir.Table") -> set[_At]:
    rows = facts.ask(held.select("log_offset", "place"))
    columns = (rows.column(name).to_pylist() for name in ("log_offset", "place"))
    return set(zip(*columns, strict=True))


def _told_since(facts: Facts, since: int) -> set[_Whose]:
    """Return of whom a yes to analytics was heard since an offset of the log."""
    tables = facts.tables()
    events, consents = tables["events"], tables["consents"]
    told = set(_said_yes(facts, events.filter(events.log_offset > since)))
    yes = consents.filter(consents.granted, consents.purpose == _PURPOSE)
    rows = facts.ask(yes.filter(yes.log_offset > since).select("environment", "key")).to_pylist()
    return told | {(row["environment"], row["key"]) for row in rows}


def _entries(workspace: Workspace, waiting: Collection[_At]) -> list[LogRow]:
    return workspace.log.rows(sorted({offset for offset, _ in waiting}))


def agreeing(facts: Facts, whose: Collection[_Whose]) -> set[_Whose]:
    """Return those who agree to analytics by their latest word.

    A statement decides; without one a yes that an event of theirs said of itself, unless a later
    one said no.
    """
    tables = facts.tables()
    keys = sorted({key for _, key in whose})
    said: dict[int, list[dict[str, Any]]] = {}
    events: set[_Whose] = set()
    for start in range(0, len(keys), _AT_ONCE):
        piece = keys[start : start + _AT_ONCE]
        consents = tables["consents"]
        mine = consents.filter(consents.purpose == _PURPOSE, consents.key.isin(piece))
        for row in facts.ask(mine).to_pylist():
            said.setdefault(row["key"], []).append(row)
        events |= set(_said_yes(facts, tables["events"], piece))
    return {one for one in whose if _agrees(one, said.get(one[1], []), by_event=one in events)}


def _said_yes(facts: Facts, events: "ir.Table", keys: list[int] | None = None) -> Iterator[_Whose]:
    """Yield those of whom an event says yes to analytics; of some keys, or of all."""
    yes = events.filter((events.purposes.cast("int64") & _GRANTED) != 0)
    for name in ("user_key", "anonymous_key"):
        mine = yes.filter(yes[name].notnull() if keys is None else yes[name].isin(keys))
        mine = mine.select("environment", key=mine[name]).distinct()
        for row in facts.ask(mine).to_pylist():
            yield row["environment"], row["key"]


def _agrees(whose: _Whose, said: Iterable[Mapping[str, Any]], *, by_event: bool) -> bool:
    mine = [row for row in said if row["environment"] in {"", whose[0]}]
    stated = [row for row in mine if row["means"] != SAID_BY_EVENT]
    if stated:
        # Of a yes and a no of one moment, the no.
        latest = max(stated, key=lambda row: (row["from_time"], not row["granted"]))
        return bool(latest["granted"])
    heard = {row["granted"]: row["last_time"] for row in mine}
    if False in heard:
        return True in heard and heard[True] > heard[False]
    return by_event


class HoldLoop(Loop):
    """Settles what is held every few seconds, in a thread of its own."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("held events")
        self._workspace = workspace

    def _run(self) -> None:
        holding, settled = Holding(self._workspace), False
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                if is_holding(self._workspace, settled=settled):
                    holding.settle()
                    settled = True
            except OnefoldError as error:
                _log.warning("What is held could not be settled: %s", error.message)
            except Exception as error:  # noqa: BLE001 - it is tried again
                # The text of an exception may quote a value of somebody: its kind alone is told.
                _log.error("What is held could not be settled: %s", type(error).__name__)


def is_holding(workspace: Workspace, *, settled: bool = False) -> bool:
    """Return whether a key stands or, until it was settled once, anything was ever held."""
    if workspace.folds.stale:
        return False
    if workspace.vault.sealing_keys(0):
        return True
    if settled:
        return False
    facts = workspace.folds.generation.facts
    return bool(facts.ask(facts.tables()["held"].limit(1)).num_rows)
