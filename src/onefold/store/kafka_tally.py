"""How many events the newest rows hold and who named a trace: each row is looked at once."""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from onefold.store.kafka_lanes import Lanes

_MOST_ROWS = 500_000
"""Rows of a partition whose counts are kept: 4 MB; older ones are read again where asked for."""
_MOST_TRACES = 20_000

Next = Callable[[list[int]], list[tuple[int, int, int, str]]]
"""Returns offset, received time, events and trace of rows from a place of each partition on."""


class Tally:
    """What is known of the newest rows of each partition."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._begins = [0] * lanes.count
        self._sums = [array("q", [0]) for _ in range(lanes.count)]
        self._times = [array("q") for _ in range(lanes.count)]
        self._begun = False
        self._lock = threading.Lock()
        self._traces: OrderedDict[int, str] = OrderedDict()

    def begin(self, starts: list[int]) -> None:
        """Know nothing but from these places on."""
        with self._lock:
            self._begins = list(starts)
            self._sums = [array("q", [0]) for _ in starts]
            self._times = [array("q") for _ in starts]
            self._traces.clear()
            self._begun = True

    def reaches(self, starts: list[int]) -> bool:
        """Return whether the rows from these places on are known, as far as any are."""
        return self._begun and all(
            begin <= start for begin, start in zip(self._begins, starts, strict=True)
        )

    def follow(self, following: Next) -> None:
        """Look at all that has come since."""
        while found := following(self._ends()):
            for row in found:
                self.note(*row)

    def note(self, offset: int, received_time: int, events: int, trace: str) -> None:
        """Take in a row, if it is the next of its partition; others are known, or not yet due."""
        lane, place = self._lanes.partition(offset), self._lanes.place(offset)
        with self._lock:
            sums = self._sums[lane]
            if not self._begun or place != self._begins[lane] + len(sums) - 1:
                return
            sums.append(sums[-1] + events)
            self._times[lane].append(received_time)
            if trace:
                self._traces[offset] = trace
                if len(self._traces) > _MOST_TRACES:
                    self._traces.popitem(last=False)
            if len(sums) > 2 * _MOST_ROWS:
                del sums[:_MOST_ROWS], self._times[lane][:_MOST_ROWS]
                self._begins[lane] += _MOST_ROWS

    def events(self, starts: list[int]) -> int:
        """Return how many events are known from these places on, which it `reaches`."""
        with self._lock:
            return sum(
                sums[-1] - sums[min(max(start - begin, 0), len(sums) - 1)]
                for begin, start, sums in zip(self._begins, starts, self._sums, strict=True)
            )

    def events_since(self, starts: list[int], received_time: int) -> int:
        """Return how many events of rows from these places on were received at a time or later."""
        total = 0
        with self._lock:
            for begin, start, sums, times in zip(
                self._begins, starts, self._sums, self._times, strict=True
            ):
                first = max(start - begin, 0)
                counts = np.diff(np.array(sums[first:], np.int64))
                total += int(counts[np.array(times[first:], np.int64) >= received_time].sum())
        return total

    def traced(self, trace: str, *, most: int) -> list[int]:
        """Return the offsets of the known rows that name a trace, in order."""
        with self._lock:
            found = [offset for offset, named in self._traces.items() if named == trace]
        return sorted(found)[:most]

    def _ends(self) -> list[int]:
        return [begin + len(sums) - 1 for begin, sums in zip(self._begins, self._sums, strict=True)]
