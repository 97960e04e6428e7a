"""Reading the log's topic: all lanes in their one order, or one row."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from onefold.model.errors import Busy
from onefold.store.kafka_lanes import Lanes
from onefold.store.kafka_rows import glanced, unpacked
from onefold.store.records import LogRow

_WAIT_SECONDS = 10.0
_SHORT_SECONDS = 5.0
_MOST_AHEAD = 4000
"""Messages of a lane that wait here for those of others; more are left with the broker."""
_QUIET = 6
"""Quarters of a second without a word, after which a place is asked for anew."""
_NEAR = 300
"""Messages that are read over sooner than another place is gone to."""


class Reader:
    """One consumer that goes on from where it stands."""

    def __init__(self, consumer: Consumer, topic: str, lanes: Lanes) -> None:
        self._consumer = consumer
        self._topic = topic
        self._lanes = lanes
        self._ahead: list[deque[Message]] = [deque() for _ in range(lanes.count)]
        self._at_end = [False] * lanes.count
        self._ends = [0] * lanes.count
        """The places at which the partitions ended, when they last did."""
        self._due = [0] * lanes.count
        """The next place of each partition that may come."""
        self._paused: set[int] = set()
        self._told = (0, 0.0)
        self.next = -1
        """The offset after which it reads on; -1 where it has to be set anew."""
        self._looked, self._behind = 0.0, -1
        self._alone = -1, 0
        """The partition and the place at which single rows are read on."""
        self._stands: list[int] = []
        """Likewise the places, where it reads each partition for itself."""

    def ends(self) -> tuple[list[int], list[int]]:
        """Return of each partition the first place that is kept, and the place after the last."""
        found = [
            self._consumer.get_watermark_offsets(
                TopicPartition(self._topic, lane), timeout=_SHORT_SECONDS
            )
            for lane in range(self._lanes.count)
        ]
        return [low for low, _ in found], [high for _, high in found]

    def is_forgotten(self, end: Callable[[], int], *, every: float) -> bool:
        """Return whether the broker has rows that it does not hand out; asked every few seconds.

        A fetch that the broker has lost sight of waits for ever, and rows come to others only.
        """
        now = time.monotonic()
        if now - self._looked < every:
            return False
        self._looked, before = now, self._behind
        self._behind = self.next if self.next < end() else -1
        return self._behind >= 0 and self._behind == before

    def reached(self) -> list[int]:
        """Return of each partition the place after the last, as a read of it finds it.

        A broker may list less than it hands out; only a read to the end is sure.
        """
        self.next = -1
        self._begin(self.ends()[1])
        until = time.monotonic() + _WAIT_SECONDS
        while not all(self._at_end):
            self._fill(0.25)
            self._ahead = [deque() for _ in self._ahead]
            if time.monotonic() > until:
                raise _silent()
        return list(self._ends)

    def places_at(self, milliseconds: int) -> list[int]:
        """Return of each partition the first place of a time or later."""
        asked = [
            TopicPartition(self._topic, lane, milliseconds) for lane in range(self._lanes.count)
        ]
        found = self._consumer.offsets_for_times(asked, timeout=_SHORT_SECONDS)
        highs = self.ends()[1] if any(one.offset < 0 for one in found) else []
        return [one.offset if one.offset >= 0 else highs[one.partition] for one in found]

    def read(self, after: int, *, wait: bool, most_bytes: int, most_rows: int) -> list[LogRow]:
        """Return rows after an offset as far as the limits go; empty at the end, or at a gap.

        Args:
            after: The offset.
            wait: Whether a row is known to stand there, which may still be on its way.
            most_bytes: Of bodies, after which no further row is taken.
            most_rows: At the most.
        """
        if after != self.next:
            self._begin([self._lanes.start(after, lane) for lane in range(self._lanes.count)])
            self.next = after
        rows: list[LogRow] = []
        size, until = 0, time.monotonic() + _WAIT_SECONDS
        while len(rows) < most_rows and size < most_bytes:
            lane = self._lanes.partition(self.next + 1)
            if not self._ahead[lane]:
                ended = self._at_end[lane] and not wait
                self._fill(0.0 if rows or ended or self.before_gap else 0.25)
            if self._ahead[lane]:
                message = self._ahead[lane].popleft()
                self.next += 1
                rows.append(unpacked(message.value() or b"", self.next))
                size += len(rows[-1].body)
            elif rows or self.before_gap or (self._at_end[lane] and not wait):
                break
            elif time.monotonic() > until:
                raise _silent()
        return rows

    @property
    def before_gap(self) -> bool:
        """Whether the next row has not come, while others that follow it have."""
        lane = self._lanes.partition(self.next + 1)
        return self._at_end[lane] and not self._ahead[lane] and any(self._ahead)

    def gap(self) -> tuple[dict[int, int], int]:
        """Return how many rows each lane lacks that is at its end, and of when those rows are."""
        heads = [lane[-1] for lane in self._ahead if lane]
        time_of = max(unpacked(head.value() or b"", 1).received_time for head in heads)
        longest = max((head.offset() or 0) + 1 for head in heads)
        lacking = {
            lane: longest - end
            for lane, end in enumerate(self._ends)
            if self._at_end[lane] and end < longest
        }
        return lacking, time_of

    def filled(self, lacking: Mapping[int, int]) -> None:
        """Hear that lanes were filled: what is written is on its way."""
        for lane, count in lacking.items():
            self._ends[lane] += count
            self._at_end[lane] = False

    def some(self, offsets: Iterable[int], *, sure: int) -> list[LogRow]:
        """Return the rows of some offsets that are there, those of each partition in order.

        All up to the offset `sure` are known to be there, whatever the broker says.

        Rows that are near each other are read on from one to the next: to go elsewhere costs a
        broker and us as much as some hundred rows.
        """
        self.next, self._stands = -1, []
        wanted = sorted(
            {(self._lanes.partition(each), self._lanes.place(each)) for each in offsets}
        )
        return [row for at in wanted if (row := self._one(*at, sure=sure)) is not None]

    def _one(self, lane: int, place: int, *, sure: int) -> LogRow | None:
        stands = self._lanes.offset(lane, place) <= sure
        at, here = self._alone
        if at != lane or not here <= place < here + _NEAR:
            self._consumer.assign([TopicPartition(self._topic, lane, place)])
        self._alone = -1, 0
        until, quiet = time.monotonic() + _WAIT_SECONDS, 0
        while True:
            message = self._consumer.poll(0.25)
            quiet = 0 if message is not None else quiet + 1
            if quiet == _QUIET:
                # A broker may lose sight of a fetch where one place is left for another.
                self._consumer.unassign()
                self._consumer.assign([TopicPartition(self._topic, lane, place)])
                quiet = 0
            if message is not None:
                _check(message.error())
                found = message.offset() or 0
                ended = message.error() is not None
                if found > place or (ended and not stands):
                    return None
                if found == place and not ended:
                    self._alone = lane, place + 1
                    return unpacked(message.value() or b"", self._lanes.offset(lane, place))
            if time.monotonic() > until:
                raise _silent()

    def each(self, starts: list[int]) -> list[tuple[int, int, int, str]]:
        """Return offset, received time, events and trace of some rows; empty at all ends.

        Args:
            starts: The first place wanted of each partition.
        """
        self.next = -1
        if starts != self._stands:
            self._begin(starts)
        until = time.monotonic() + _WAIT_SECONDS
        while not any(self._ahead):
            self._fill(0.25)
            if all(self._at_end) and not any(self._ahead):
                break
            if time.monotonic() > until:
                raise _silent()
        found = [
            (self._lanes.offset(lane, message.offset() or 0), *glanced(message.value() or b""))
            for lane, messages in enumerate(self._ahead)
            for message in messages
        ]
        self._stands = [
            start + len(messages) for start, messages in zip(starts, self._ahead, strict=True)
        ]
        self._ahead = [deque() for _ in starts]
        return found

    def tell(self, offset: int) -> None:
        """Tell the group that all up to an offset stands in the facts, every few seconds."""
        now = time.monotonic()
        if offset > self._told[0] and now - self._told[1] > _SHORT_SECONDS:
            self._told = offset, now
            places = [
                TopicPartition(self._topic, lane, self._lanes.start(offset, lane))
                for lane in range(self._lanes.count)
            ]
            self._consumer.commit(offsets=places)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _begin(self, starts: list[int]) -> None:
        self._ahead = [deque() for _ in starts]
        self._at_end = [False] * len(starts)
        self._ends = list(starts)
        self._due = list(starts)
        self._paused.clear()
        self._stands, self._alone = [], (-1, 0)
        places = [TopicPartition(self._topic, lane, start) for lane, start in enumerate(starts)]
        self._consumer.assign(places)

    def _fill(self, seconds: float) -> None:
        """Take what has come; where nothing has, wait so long for the first."""
        self._hold()
        first = self._consumer.poll(seconds)
        if first is None:
            return
        for message in (first, *self._consumer.consume(500, timeout=0)):
            lane, error = message.partition() or 0, message.error()
            _check(error)
            self._at_end[lane] = error is not None
            self._ends[lane] = max(self._ends[lane], (message.offset() or 0) + (error is None))
            place = message.offset() or 0
            if error is None and place >= self._due[lane]:
                if place > self._due[lane]:
                    raise _silent()
                # A broker that finds us ahead of itself begins from its start: that is read over.
                self._ahead[lane].append(message)
                self._due[lane] += 1

    def _hold(self) -> None:
        """Leave with the broker what has run far ahead of the other lanes."""
        if self._lanes.count == 1:
            return
        far = {lane for lane, one in enumerate(self._ahead) if len(one) >= _MOST_AHEAD}
        for lanes, change in (
            (far - self._paused, self._consumer.pause),
            (self._paused - far, self._consumer.resume),
        ):
            if lanes:
                change([TopicPartition(self._topic, lane) for lane in sorted(lanes)])
        self._paused = far


def _check(error: KafkaError | None) -> None:
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
        raise KafkaException(error)


def _silent() -> Busy:
    return Busy("The broker does not hand out what it holds.", "Look at its output.")
