"""Group commit: many requests wait for one fsync."""

import asyncio
import threading
import time
from collections import defaultdict
from queue import Empty, SimpleQueue
from typing import Protocol

from onefold.model.errors import Busy, MachineFailed, OnefoldError, TooLarge
from onefold.store.log import Log
from onefold.store.records import NewRow


class Answered(Protocol):
    """Who waits for a row: a future, or what is told as one is."""

    def done(self) -> bool:
        """Return whether nobody waits any more."""
        ...

    def set_result(self, offset: int, /) -> None:
        """Hear that the row is durable, and its offset."""
        ...

    def set_exception(self, error: Exception, /) -> None:
        """Hear why the row was not kept."""
        ...


_Waiting = tuple[NewRow, asyncio.AbstractEventLoop, Answered]


class GroupWriter:
    """One thread that appends whatever has gathered, in commits of about a thousand requests.

    A request is answered only when its row is durable. Rows wait in memory up to a limit;
    beyond it `append` refuses at once, so that pressure reaches the sender and not the heap.
    """

    def __init__(self, log: Log, *, most_rows: int = 1000, most_bytes: int = 64_000_000) -> None:
        self._log = log
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self._queue: SimpleQueue[list[_Waiting] | None] = SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        self._waiting_bytes = 0
        self.failure: OnefoldError | None = None
        """Why the last commit failed, or None when it did not."""
        self._began = 0.0
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def standing_seconds(self) -> float:
        """How long the commit under way has taken so far; 0 when there is none."""
        began = self._began
        return time.monotonic() - began if began else 0.0

    @property
    def waiting_bytes(self) -> int:
        """Bytes of rows that wait to be durable."""
        return self._waiting_bytes

    async def append(self, row: NewRow) -> int:
        """Return the row's offset once it is durable.

        Raises:
            Busy: Too much is waiting already.
            DiskFull: There is no room; the row was not kept.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.put(row, future)
        return await future

    def put(self, row: NewRow, answered: Answered) -> None:
        """Hand a row over; who waits for it is told in this loop once it is durable or refused.

        Raises:
            Busy: Too much is waiting already.
        """
        if self._waiting_bytes > self._most_bytes:
            message = f"{self._waiting_bytes // 1_000_000} MB wait to be written already."
            raise Busy(message, "Send again in a second.")
        self._waiting_bytes += len(row.body)
        loop = asyncio.get_running_loop()
        gathered = self._gathered.setdefault(loop, [])
        if not gathered:
            # What else comes in this turn of the loop goes along: to wake the thread costs more
            # than a row.
            loop.call_soon(self._hand_over, loop)
        gathered.append((row, loop, answered))

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._queue.put(self._gathered.pop(loop))

    def close(self) -> None:
        """Write what waits, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            group: list[_Waiting] = []
            first = self._queue.get()
            while first is not None:
                group += first
                if len(group) >= self._most_rows:
                    break
                try:
                    first = self._queue.get_nowait()
                except Empty:
                    break
            going = first is not None
            if group:
                self._commit(group)

    def _commit(self, group: list[_Waiting]) -> None:
        offsets: list[int] = []
        error: OnefoldError | None = None
        self._began = time.monotonic()
        try:
            offsets = self._log.append([row for row, _, _ in group])
        except OnefoldError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001 - a dead writer would leave senders waiting
            error = MachineFailed(f"The log could not be written: {failure}.")
        if isinstance(error, TooLarge) and len(group) > 1:
            # One row that the log does not take must not cost the others theirs.
            for one in group:
                self._commit([one])
            return
        self.failure = None if isinstance(error, TooLarge) else error
        self._began = 0.0
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Answered, int, int]]]
        by_loop = defaultdict(list)
        for place, (row, loop, answered) in enumerate(group):
            told = answered, offsets[place] if offsets else 0, len(row.body)
            by_loop[loop].append(told)
        for loop, answers in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._settle, answers, error)

    def _settle(self, answers: list[tuple[Answered, int, int]], error: OnefoldError | None) -> None:
        for answered, offset, size in answers:
            self._waiting_bytes -= size
            if answered.done():
                continue
            if error is None:
                answered.set_result(offset)
            else:
                answered.set_exception(error)
