"""The fold loop: micro-batches of the log into the facts, all folds in one transaction."""

import logging
import math
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect import Batch, CollectFold, FoldRules, catalogues, imports
from onefold.identity import IdentityFold, same
from onefold.metrics import folding
from onefold.model.cores import cores
from onefold.model.errors import Busy, DiskFull
from onefold.model.time import Clock, now
from onefold.runtime.definitions import KIND as DEFINITIONS
from onefold.runtime.definitions import RULING, applied
from onefold.runtime.forgetting import Hands, forget, unname
from onefold.runtime.generation import Generation
from onefold.runtime.threads import Loop
from onefold.store import FactsWriter, Log, LogRow, Vault

_log = logging.getLogger("onefold.house")

_TICK_SECONDS = 0.05
_GATHER_SECONDS, _LONGER_SECONDS = 0.12, 0.25
"""From the start of one batch to the next at the least: fewer, fuller batches cost less."""
_MANY_ROWS = 250
"""So many requests in a batch are small ones, which keep the door busy: it gathers for longer."""
MOST_LET_IN = 5_000
"""Rows with waiting events that a retry judges one by one; of more the facts are built anew."""
MICRO_BATCH = 8_000_000
"""Bytes of requests that are folded in one transaction at the most."""
_CATCH_UP = 24_000_000
"""The same where more waits: fuller batches cost less an event, and come later."""

_BUSY_BATCH = 1_000_000
"""A batch of so many bytes takes long enough for another process to read the next meanwhile."""
_IN_A_ROW = 2
"""So many busy batches in a row begin that process; so many full ones mean that the folds lag."""
_IDLE_SECONDS = 20.0
"""So long after the last busy batch the process is kept."""

_CAUSES = {
    catalogues.ERASE: "erasure",
    catalogues.EXPIRE: "retention",
    catalogues.RETRY: "late",
    DEFINITIONS: "definition",
    imports.UNDO: "undo",
}
"""Route of a control entry -> why a figure that was closed may be another afterwards."""


class Folds:
    """All folds of one generation, step by step."""

    def __init__(
        self,
        generation: Generation,
        *,
        log: Log,
        vault: Vault,
        identity_key: bytes,
        clock: Clock = now,
        engine: str = "",
    ) -> None:
        self.generation = generation
        self.stale = False
        """Built by other rules than the log says, by other folds or in another engine than the
        settings say: it has to be built anew."""
        self.move_to(engine)
        self.last_event_time: int | None = None
        """When the newest event folded here was received; None while none was."""
        self.heard = True
        """Something was said of consent that may have to stand in the register."""
        self._log = log
        self._vault = vault
        self._identity_key = identity_key
        self._clock = clock
        self.cores = cores()
        """So many may be used."""
        self.catch_up_bytes = _CATCH_UP
        self._full = self._busy = 0
        self._busy_time = -math.inf
        self._make()

    def move_to(self, engine: str) -> None:
        """Say in which engine the facts shall stand, a URL; `take_up` tells whether they do."""
        self._moves = self.generation.engine != engine

    def _make(self) -> None:
        rules = self.generation.rules
        self._collect = CollectFold(
            identity_key=self._identity_key,
            rules=rules,
            seen=self.generation.seen,
            vault=self._vault,
            log=self._log,
        )
        self._identity = IdentityFold(rules.persons, self._identity_key)
        self._accounts = same.AccountsFold()
        self._periods = folding.PeriodsFold(_CAUSES)
        self._rollups = folding.RollupsFold(self._clock)
        self._sessions = folding.SessionsFold(
            passive=frozenset(rules.passive), discoveries=frozenset(rules.discoveries)
        )

    @property
    def offset(self) -> int:
        """The last log offset that the facts hold."""
        return self.generation.offset

    def step(self, *, most_bytes: int = MICRO_BATCH) -> int:
        """Fold the next rows of the log and return how many log rows that were; 0 at the end."""
        try:
            stretch = self._collect.read(self.generation.offset, most_bytes)
            full = stretch.size >= most_bytes
            # Imported rows are quickly read: another process would be in the way.
            busy = stretch.events and (full or stretch.size >= _BUSY_BATCH)
            self._note(full=full, busy=busy)
            if not stretch.rows:
                return 0
            lags = self._full >= _IN_A_ROW
            ahead_bytes = max(most_bytes, self.catch_up_bytes) if lags else most_bytes
            aside = self._busy >= _IN_A_ROW and self._ask(stretch.offset, ahead_bytes)
            wide = not stretch.events and stretch.size >= _BUSY_BATCH
            with self._engine(wide=wide), self.generation.facts.transaction() as writer:
                batch = self._fold(stretch.write, writer)
                linked = self._accounts.fold(stretch.controls, writer)
                if full and not aside:
                    # More waits: it is read while this is brought to the disk, when nothing else
                    # here has work for the interpreter.
                    self._collect.read_ahead(stretch.offset, ahead_bytes)
        except BaseException:
            # What the folds remember may be of rows or a transaction that did not stand.
            self._collect.close()
            self._make()
            raise
        self._collect.committed(batch)
        if batch.late:
            self._log.rewrite(self._collect.without_erased(self._log.rows(batch.late)))
        self.generation.offset = batch.offset
        self.generation.received_time = batch.received_time
        if batch.events.num_rows:
            newest = pc.max(batch.events.column("received_time")).cast(pa.int64())
            self.last_event_time = newest.as_py()
        self.generation.marked |= batch.marked
        self.generation.sampled |= batch.sampled
        if batch.stated:
            self.generation.note_stated()
            self.heard = True
        self.generation.linked |= linked
        self._look_for_rules(stretch.controls)
        return stretch.rows

    def _engine(self, *, wide: bool) -> AbstractContextManager[None]:
        """Return what gives the engine all cores meanwhile, where it has whole columns to write."""
        return self.generation.facts.on_cores(self.cores) if wide else nullcontext()

    def hasten(self) -> None:
        """Fold as where much waits, from the first batch on."""
        self._full = self._busy = _IN_A_ROW
        self._ask(self.offset, self.catch_up_bytes)

    def close(self) -> None:
        """End what helps the folds; the generation stays open."""
        self._collect.close()

    def _ask(self, after: int, most_bytes: int) -> bool:
        """Return whether another process reads what comes next meanwhile, on a core of its own."""
        return self.cores > 1 and self._collect.ask(after, most_bytes)

    def _note(self, *, full: bool, busy: bool) -> None:
        """Count such batches in a row; with none for a while, no process reads ahead."""
        self._full = self._full + 1 if full else 0
        self._busy = self._busy + 1 if busy else 0
        if busy:
            self._busy_time = time.monotonic()
        elif time.monotonic() - self._busy_time > _IDLE_SECONDS:
            self._collect.close()

    def _fold(self, write: Callable[[FactsWriter], Batch], writer: FactsWriter) -> Batch:
        batch = write(writer)
        self._identity.fold(batch, writer)
        unname(self.generation.rules.erasures, batch, writer)
        self._sessions.fold(batch, writer)
        self._rollups.fold(batch, writer)
        self._periods.fold(batch.controls, writer)
        fold = pa.array(["all"], pa.string())
        writer.delete("progress", pa.table({"fold": fold}), ["fold"])
        received = pa.array([batch.received_time], pa.int64()).cast(pa.timestamp("us"))
        writer.insert(
            "progress",
            pa.table({"fold": fold, "log_offset": [batch.offset], "received_time": received}),
        )
        return batch

    def _look_for_rules(self, controls: Sequence[LogRow]) -> None:
        if any(row.route in RULING for row in controls):
            _, rules = applied(self._log)
            self.take_up(rules)
            self.stale = self._moves or (self.stale and not self._let_in(rules))

    def take_up(self, rules: FoldRules) -> None:
        """Bring facts as they were found to the rules of the log; stale where that cannot be."""
        fits = self.generation.fits(rules) or self._forget(rules)
        self.stale = self._moves or not fits

    def told(self, keys: Collection[int], writer: FactsWriter) -> dict[str, list[dict[str, Any]]]:
        """Return table -> rows of what every fold keeps of persons."""
        found: dict[str, list[dict[str, Any]]] = {}
        for fold in (self._collect, self._identity, self._sessions):
            found |= fold.tell(keys, writer)
        return found

    def keys_known(self, writer: FactsWriter) -> set[int]:
        """Return every key of a person that the facts name."""
        found: set[int] = set()
        for fold in (self._collect, self._identity, self._sessions):
            for table, columns in fold.KEEPS.items():
                for column in columns:
                    for one in writer.distinct(table, column):
                        several = one.split(",") if isinstance(one, str) else [one]
                        found.update(int(key) for key in several if key != "")
        return found

    def _forget(self, rules: FoldRules) -> bool:
        """Let log and facts go of whom further erasures name; False where more has changed."""
        hands = Hands(
            log=self._log,
            vault=self._vault,
            go_by=self._go_by,
            folds=lambda: (self._collect, self._identity, self._sessions),
            rollups=lambda: self._rollups,
        )
        return forget(hands, self.generation, rules)

    def waiting_rows(self, *, most: int) -> Iterator[LogRow] | None:
        """Return all rows of the log of which an event waits, in order; None where they are more.

        The folds keep an index of them (`echoes.waits`), so that no other row is read.
        """
        facts = self.generation.facts
        echoes = facts.tables()["echoes"]
        at = echoes.filter(echoes.waits).select("log_offset").distinct()
        asked = facts.ask(at.order_by("log_offset").limit(most + 1))
        offsets: list[int] = asked.column("log_offset").to_pylist()
        return None if len(offsets) > most else catalogues.rows_at(self._log, offsets)

    def _let_in(self, rules: FoldRules) -> bool:
        """Let in what further retries mend; return False where the facts have to be built anew.

        What is written is what a rebuild would write, since every fold makes the same of a set of
        events in whatever order they come. The ids are on disk before the facts are: should this
        end in between, the facts do not fit the log's rules, and the next start builds them anew.
        """
        former = self.generation.rules
        further = len(former.retries)
        alike = replace(rules, retries=former.retries) == former
        if not alike or rules.retries[:further] != former.retries:
            return False
        rows = self.waiting_rows(most=MOST_LET_IN)
        if rows is None:
            return False
        found = catalogues.mended(former.retries, rules.retries, rows, self._identity_key)
        if found is None:
            return False
        self._go_by(rules)
        written = False
        try:
            written = self._written(found, rules)
        except Busy:
            _log.warning("What a retry lets in had no room; the facts are built anew.")
        finally:
            if not written:
                self._go_by(former)
        return written

    def _go_by(self, rules: FoldRules) -> None:
        """Fold by other rules from here on; what was read ahead by the former is read again."""
        self._collect.close()
        self.generation.rules = rules
        self._make()

    def _written(self, found: catalogues.Mended, rules: FoldRules) -> bool:
        write = self._collect.let_in(found) if found.rows else None
        if found.rows and write is None:
            return False
        with self.generation.facts.transaction() as writer:
            if write is not None:
                batch = write(writer)
                self._identity.fold(batch, writer)
                self._sessions.fold(batch, writer)
                self._rollups.fold(batch, writer)
                self._collect.committed(batch)
                if not self._collect.kept():
                    message = "The ids of what was let in do not fit on the disk."
                    raise DiskFull(message, "Make room on the disk.", retry_seconds=5)
                self.generation.marked |= batch.marked
                self.generation.sampled |= batch.sampled
            self.generation.note_rules(rules, writer)
        self.generation.note_stated()
        return True


class FoldLoop(Loop):
    """Keeps the facts up with the log until it is stopped, after the batch under way.

    A fold that fails for want of room waits and tries again; a fold that fails otherwise ends
    the process, so that the door can start a fresh one.
    """

    def __init__(
        self,
        step: Callable[[], int],
        *,
        on_commit: Callable[[], None],
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__("folds")
        self._step = step
        self._on_commit = on_commit
        self._on_idle = on_idle
        self.trouble = ""
        """Why the folds stand still, one sentence; empty while they go."""

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._once()
        except BaseException:  # noqa: BLE001 - a dead fold must end its process, whatever it died of
            # The text of an exception may quote a value of somebody: the log leaves it out.
            _log.critical("The folds died.", exc_info=True)
            os._exit(70)

    def _once(self) -> None:
        began = time.monotonic()
        try:
            folded = self._step()
        except Busy as trouble:
            self.trouble = trouble.message
            self._stop.wait(trouble.retry_seconds)
            return
        self.trouble = ""
        if folded:
            self._on_commit()
            gathers = _LONGER_SECONDS if folded >= _MANY_ROWS else _GATHER_SECONDS
            self._stop.wait(max(0.0, gathers - (time.monotonic() - began)))
        else:
            self._on_idle()
            self._stop.wait(_TICK_SECONDS)
