"""The fold loop: micro-batches of the log into the facts, all folds in one transaction."""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from onefold.collect import Batch, CollectFold
from onefold.identity import IdentityFold
from onefold.metrics import SessionsFold
from onefold.model.errors import Busy
from onefold.runtime.definitions import RULING, applied
from onefold.runtime.generation import Generation
from onefold.store import FactsWriter, Log, LogRow, Vault

_log = logging.getLogger("onefold.house")

_TICK_SECONDS = 0.05
_GATHER_SECONDS = 0.12
"""From the start of one batch to the next at the least: fewer, fuller batches cost less."""
MICRO_BATCH = 8_000_000
"""Bytes of requests that are folded in one transaction at the most."""

_Read = tuple[Sequence[LogRow], Callable[[FactsWriter], Batch]]
"""Rows of the log, and what writes them."""


class Folds:
    """All folds of one generation, step by step."""

    def __init__(
        self, generation: Generation, *, log: Log, vault: Vault, identity_key: bytes
    ) -> None:
        self.generation = generation
        self.stale = False
        """Built by other rules than the log says, or other folds: it has to be built anew."""
        self._log = log
        self._vault = vault
        self._identity_key = identity_key
        self._pool = ThreadPoolExecutor(1, "reads ahead")
        self._make()

    def _make(self) -> None:
        self._ahead: Future[_Read] | None = None
        rules = self.generation.rules
        self._collect = CollectFold(
            identity_key=self._identity_key,
            rules=rules,
            seen=self.generation.seen,
            vault=self._vault,
            log=self._log,
        )
        self._identity = IdentityFold()
        self._sessions = SessionsFold(
            passive=frozenset(rules.passive), discoveries=frozenset(rules.discoveries)
        )

    @property
    def offset(self) -> int:
        """The last log offset that the facts hold."""
        return self.generation.offset

    def step(self, *, most_bytes: int = MICRO_BATCH) -> int:
        """Fold the next rows of the log and return how many log rows that were; 0 at the end."""
        try:
            rows, write = self._next(most_bytes)
            if not rows:
                return 0
            with self.generation.facts.transaction() as writer:
                batch = self._fold(write, writer)
                if sum(len(row.body) for row in rows) >= most_bytes:
                    # More waits: it is read while this is brought to the disk, when nothing else
                    # here has work for the interpreter.
                    self._ahead = self._pool.submit(
                        _read, self._collect, self._log, rows[-1].offset, most_bytes
                    )
        except BaseException:
            # What the folds remember may be of rows or a transaction that did not stand.
            self._make()
            raise
        self._collect.committed(batch)
        self.generation.offset = batch.offset
        self.generation.received_time = batch.received_time
        self.generation.marked |= batch.marked
        self.generation.sampled |= batch.sampled
        self._look_for_rules(rows)
        return len(rows)

    def _next(self, most_bytes: int) -> _Read:
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return _read(self._collect, self._log, self.generation.offset, most_bytes)
        return ahead.result()

    def _fold(self, write: Callable[[FactsWriter], Batch], writer: FactsWriter) -> Batch:
        batch = write(writer)
        self._identity.fold(batch, writer)
        self._sessions.fold(batch, writer)
        fold = pa.array(["all"], pa.string())
        writer.delete("progress", pa.table({"fold": fold}), ["fold"])
        received = pa.array([batch.received_time], pa.int64()).cast(pa.timestamp("us"))
        writer.insert(
            "progress",
            pa.table({"fold": fold, "log_offset": [batch.offset], "received_time": received}),
        )
        return batch

    def _look_for_rules(self, rows: Sequence[LogRow]) -> None:
        if any(row.dialect == "control" and row.route in RULING for row in rows):
            _, rules = applied(self._log)
            self.stale = not self.generation.fits(rules)


def _read(collect: CollectFold, log: Log, after: int, most_bytes: int) -> _Read:
    rows = log.read(after, most_bytes=most_bytes)
    return rows, collect.read(rows)


class FoldLoop:
    """Keeps the facts up with the log in a thread of its own until it is told to stop.

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
        self._step = step
        self._on_commit = on_commit
        self._on_idle = on_idle
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folds", daemon=True)
        self.trouble = ""
        """Why the folds stand still, one sentence; empty while they go."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch under way."""
        self._stop.set()
        self._thread.join()

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
            self._stop.wait(max(0.0, _GATHER_SECONDS - (time.monotonic() - began)))
        else:
            self._on_idle()
            self._stop.wait(_TICK_SECONDS)
