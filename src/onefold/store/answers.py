"""Answers kept by question and version of the data, so that whoever asks it again waits for none.

A question is its text in the engine's words, and who may see what is part of that: two who may see
different rows ask different questions. So nothing is ever told to somebody who may not hear it.
"""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

MEGABYTE = 1_000_000


class Answers:
    """The answers of one generation of the facts; safe to use from any thread."""

    def __init__(
        self, *, most_bytes: int = 48 * MEGABYTE, largest_bytes: int = 2 * MEGABYTE
    ) -> None:
        """Begin with none; larger answers are not kept, and the least used go first."""
        self._most, self._largest = most_bytes, largest_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, pa.Table] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._taken = 0
        self._version = 0
        self._under_way: dict[str, threading.Event] = {}

    def moved(self) -> None:
        """Forget everything: the data changed."""
        with self._lock:
            self._version += 1
            self._kept.clear()
            self._sizes.clear()
            self._under_way.clear()
            self._taken = 0

    def get(self, question: str, make: "Callable[[], pa.Table]") -> "pa.Table":
        """Return the answer to a question; of several who ask at once one works it out.

        Args:
            question: Its text.
            make: Works it out; whoever waited does so in turn if it failed for the first, or is too
                large to keep.
        """
        while True:
            with self._lock:
                found = self._kept.get(question)
                if found is not None:
                    self._kept.move_to_end(question)
                    return found
                version = self._version
                other = self._under_way.get(question)
                if other is None:
                    mine = self._under_way[question] = threading.Event()
                    break
            other.wait()
        try:
            made = make()
            self._keep(question, made, version)
            return made
        finally:
            with self._lock:
                if self._under_way.get(question) is mine:
                    del self._under_way[question]
            mine.set()

    def _keep(self, question: str, answer: "pa.Table", version: int) -> None:
        size = answer.nbytes + len(question)
        if size > self._largest:
            return
        with self._lock:
            # An answer that was begun before the data changed may be of either.
            if version != self._version or question in self._kept:
                return
            self._kept[question], self._sizes[question] = answer, size
            self._taken += size
            while self._taken > self._most:
                oldest, _ = self._kept.popitem(last=False)
                self._taken -= self._sizes.pop(oldest)
