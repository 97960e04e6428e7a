"""The log in Kafka: one topic of one partition, so that there is one order for all to read.

A row's offset is its place in the partition plus one. The offset that counts is the one that the
facts hold, committed with them in one transaction; the consumer group only tells Kafka's own tools
how far that is. Which control entry is the latest of its kind is told by a small compacted topic
beside the log, `TOPIC.control`: kind -> offset.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

from onefold.model.errors import BadInput, Busy, MachineFailed, OnefoldError, TooLarge
from onefold.store.kafka_rows import key_of, packed, unpacked
from onefold.store.records import LogRow, NewRow

try:
    from confluent_kafka import (
        OFFSET_BEGINNING,
        Consumer,
        KafkaError,
        KafkaException,
        Message,
        Producer,
        TopicPartition,
    )
    from confluent_kafka.admin import AdminClient, NewTopic
except ModuleNotFoundError as missing:
    _fix = "Install it with `pip install 'onefold[kafka]'`."
    raise BadInput(f"The log is in Kafka, but {missing.name} is not installed.", _fix) from missing

LARGEST_MESSAGE = 32 * 1024 * 1024
"""Bytes of a row that the topic takes, as we make it."""

_WAIT_SECONDS = 10.0
_SHORT_SECONDS = 5.0
_LOOK_SECONDS = 3.0
_READERS = 3
_NEWEST_ROWS = 10_000
_log = logging.getLogger("onefold.log")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a log stands.

    Attributes:
        brokers: HOST:PORT, apart by commas.
        topic: Of the log.
    """

    brokers: str
    topic: str


class KafkaLog:
    """Any number of processes append; each reads in the one order."""

    def __init__(self, url: str) -> None:
        """Open the log, making its topics where there are none.

        Args:
            url: `kafka://BROKER[,BROKER...]/TOPIC`.

        Raises:
            BadInput: The URL is none, or its topic has more than one partition.
            Busy: The broker does not answer.
        """
        self._place = place = _place_of(url)
        self._common: dict[str, Any] = {"bootstrap.servers": place.brokers, "logger": _log}
        self._group = f"onefold-{place.topic}"
        with _told():
            self._make_topics()
            self._producer = Producer(self._common | _PRODUCING)
            self._looker = _Reader(self._consumer("look"), place.topic)
            self._pointers = _Pointers(self._consumer("control"), f"{place.topic}.control")
        self._known = 0
        """The last offset that this process has appended or read."""
        self._readers: list[_Reader] = []
        self._reading = threading.RLock()
        self._looking = threading.RLock()
        self._writing = threading.Lock()

    def append(self, rows: Sequence[NewRow]) -> list[int]:
        """Return the offsets of the rows once all brokers in sync have them.

        Kafka keeps no group whole without transactions: where some rows fail, the others may stand
        though none is acknowledged. They are sent again then, and count once by their ids.

        Raises:
            TooLarge: A row is over what the topic takes.
            Busy: The broker does not answer; nothing is acknowledged.
        """
        offsets = [0] * len(rows)
        failures: list[KafkaError] = []
        with self._writing, _told():
            for spot, row in enumerate(rows):
                done = _noted(offsets, failures, spot)
                self._produce(self._place.topic, packed(row), row.source.encode(), done)
            left = self._producer.flush(_WAIT_SECONDS)
            if left or failures:
                self._producer.purge()
                self._producer.flush(_SHORT_SECONDS)
                raise _failure(failures[0] if failures else None)
            self._known = max(self._known, *offsets, 0)
            for row, offset in zip(rows, offsets, strict=True):
                if row.dialect == "control":
                    self._point(row, offset)
        return offsets

    def _point(self, row: NewRow, offset: int) -> None:
        """Tell all processes where the latest entry of a kind stands."""
        told, failures = [0], list[KafkaError]()
        key = key_of(row.dialect, row.route)
        value, done = str(offset).encode(), _noted(told, failures, 0)
        self._produce(f"{self._place.topic}.control", value, key.encode(), done)
        if self._producer.flush(_WAIT_SECONDS) or failures:
            raise _failure(failures[0] if failures else None)
        self._pointers.note(key, offset)

    @property
    def file(self) -> None:
        """It stands in no file (see `Log.file`)."""

    def _produce(self, topic: str, value: bytes, key: bytes, done: Callable[..., None]) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, partition=0, on_delivery=done)
            except BufferError:
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                return

    def read(
        self, after: int, *, most_bytes: int = 8_000_000, most_rows: int = 2000
    ) -> list[LogRow]:
        """Return the next rows after an offset, in order; empty at the end.

        Raises:
            MachineFailed: The topic has let go of rows that were not read.
            Busy: The broker does not answer.
        """
        with self._reading, _told():
            reader = self._reader_at(after)
            if after != reader.next and (low := reader.ends()[0]) > after:
                message = f"The topic {self._place.topic} has let go of rows up to {low:,}."
                fix = "Set its retention.ms to -1; build the facts from a backup of the log."
                raise MachineFailed(message, fix)
            # What this process knows to be there is waited for; what else comes, may come later.
            try:
                rows = reader.read(
                    after, wait=after < self._known, most_bytes=most_bytes, most_rows=most_rows
                )
            except Busy:
                self._drop(reader)
                raise
            if not rows and reader.is_forgotten(self.last_offset):
                _log.warning("The broker hands out nothing at row %s; it is asked anew.", after)
                self._drop(reader)
                return []
            self._known = max(self._known, rows[-1].offset if rows else 0)
            for row in rows:
                if row.dialect == "control":
                    self._pointers.note(key_of(row.dialect, row.route), row.offset)
            reader.tell(after)
            return rows

    def _reader_at(self, after: int) -> "_Reader":
        """Return a reader that stands at an offset, or the one that was not used for longest."""
        found = next((one for one in self._readers if one.next == after), None)
        if found is None and len(self._readers) < _READERS:
            found = _Reader(self._consumer(str(len(self._readers))), self._place.topic)
        elif found is None:
            found = self._readers[0]
        self._readers = [one for one in self._readers if one is not found] + [found]
        return found

    def _drop(self, reader: "_Reader") -> None:
        """Let a reader go that gets nothing; another with a connection of its own comes instead."""
        self._readers.remove(reader)
        reader.close()

    def row(self, offset: int) -> LogRow | None:
        """Return one row, or None."""
        with self._looking, _told():
            if offset < 1 or offset <= self._looker.ends()[0]:
                return None
            wait = offset <= self._known
            rows = self._looker.read(offset - 1, wait=wait, most_bytes=1, most_rows=1)
            return next((row for row in rows if row.offset == offset), None)

    def latest(self, dialect: str, route: str) -> LogRow | None:
        """Return the last row of a dialect and route, or None; only control entries are known."""
        with _told():
            return self._pointers.row(key_of(dialect, route), self.row)

    def last_offset(self) -> int:
        """Return the offset of the last row, 0 when there is none."""
        with self._looking, _told():
            return max(self._known, self._looker.ends()[1])

    def events(self, after: int = 0) -> int:
        """Return how many events the rows after an offset hold; they are read for it."""
        return sum(len(row.verdicts) for row in self._rows_after(after))

    def events_since(self, received_time: int) -> int:
        """Return how many events the newest rows hold, back to a received time."""
        with self._looking, _told():
            start = self._looker.place_at(received_time // 1000)
        rows = self._rows_after(start)
        return sum(len(row.verdicts) for row in rows if row.received_time >= received_time)

    def traced(self, trace: str, *, most_rows: int = 100) -> list[LogRow]:
        """Return those of the newest ten thousand rows whose sender named a trace, in order."""
        start = max(0, self.last_offset() - _NEWEST_ROWS)
        rows = (row for row in self._rows_after(start) if trace and row.trace == trace)
        return [row for row, _ in zip(rows, range(most_rows), strict=False)]

    def waiting(self, *, until: int, most_rows: int) -> list[LogRow]:
        """Return rows up to an offset of which an event does not count, in order."""
        known = takewhile(lambda row: row.offset <= until, self._rows_after(0))
        rows = (row for row in known if row.reasons)
        return [row for row, _ in zip(rows, range(most_rows), strict=False)]

    def _rows_after(self, after: int) -> Iterator[LogRow]:
        with self._looking, _told():
            after = max(after, self._looker.ends()[0])
            while True:
                wait = after < self._known
                rows = self._looker.read(after, wait=wait, most_bytes=8_000_000, most_rows=2000)
                if not rows:
                    return
                yield from rows
                after = rows[-1].offset

    def close(self) -> None:
        """Let go of the broker."""
        self._pointers.close()
        for reader in (*self._readers, self._looker):
            reader.close()
        self._producer.flush(_SHORT_SECONDS)

    def _consumer(self, name: str) -> Consumer:
        # Only the readers of the folds tell the group how far they are.
        group = self._group if name.isdigit() else f"{self._group}-{name}"
        return Consumer(self._common | _CONSUMING | {"group.id": group})

    def _make_topics(self) -> None:
        admin = AdminClient(self._common)
        found = admin.list_topics(timeout=_WAIT_SECONDS).topics
        wanted = {self._place.topic: _KEPT, f"{self._place.topic}.control": _COMPACTED}
        made = [
            NewTopic(name, num_partitions=1, replication_factor=-1, config=dict(config))
            for name, config in wanted.items()
            if name not in found
        ]
        for name, future in (admin.create_topics(made) if made else {}).items():
            try:
                future.result(_WAIT_SECONDS)
            except KafkaException as error:
                # Another process may have been quicker.
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
            _log.debug("made the topic %s", name)
        for name in wanted.keys() & found.keys():
            count = len(found[name].partitions)
            if count > 1:
                message = f"The topic {name} has {count} partitions; a log has one order."
                raise BadInput(message, "Name a topic of one partition, or one that is not there.")


_PRODUCING = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 0,
    "message.timeout.ms": int(_WAIT_SECONDS * 900),
    "message.max.bytes": LARGEST_MESSAGE + 1_000_000,
    "queue.buffering.max.kbytes": 262_144,
}
_CONSUMING = {
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 50,
    "fetch.message.max.bytes": 8_000_000,
    "queued.max.messages.kbytes": 32_768,
    "message.max.bytes": LARGEST_MESSAGE + 1_000_000,
}
_KEPT = {"retention.ms": "-1", "max.message.bytes": str(LARGEST_MESSAGE)}
_COMPACTED = {"cleanup.policy": "compact"}


class _Reader:
    """One consumer that goes on from where it stands."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._ahead: list[Message] = []
        self._told = (0, 0.0)
        self._at_end = False
        self._looked, self._behind = 0.0, -1
        self.next = -1
        """The offset after which it reads on; -1 before the first read."""

    def ends(self) -> tuple[int, int]:
        """Return after which offset the topic begins, and the offset of its last row."""
        place = TopicPartition(self._topic, 0)
        low, high = self._consumer.get_watermark_offsets(place, timeout=_SHORT_SECONDS)
        return low, high

    def is_forgotten(self, end: Callable[[], int]) -> bool:
        """Return whether the broker has rows that it does not hand out; asked every few seconds.

        A fetch that the broker has lost sight of waits for ever, and rows come to others only.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return False
        self._looked, before = now, self._behind
        self._behind = self.next if self.next < end() else -1
        return self._behind >= 0 and self._behind == before

    def place_at(self, milliseconds: int) -> int:
        """Return the offset after which rows of a time and later stand."""
        asked = [TopicPartition(self._topic, 0, milliseconds)]
        (found,) = self._consumer.offsets_for_times(asked, timeout=_SHORT_SECONDS)
        return found.offset if found.offset >= 0 else self.ends()[1]

    def read(self, after: int, *, wait: bool, most_bytes: int, most_rows: int) -> list[LogRow]:
        """Return rows after an offset as far as the limits go; empty at the end.

        Args:
            after: The offset.
            wait: Whether a row is known to stand there, which may still be on its way.
            most_bytes: Of bodies, after which no further row is taken.
            most_rows: At the most.
        """
        if after != self.next:
            self._ahead, self._at_end = [], False
            self._consumer.assign([TopicPartition(self._topic, 0, after)])
        rows: list[LogRow] = []
        size, until = 0, time.monotonic() + _WAIT_SECONDS
        while len(rows) < most_rows and size < most_bytes:
            if not self._ahead:
                self._fill(0.0 if rows or (self._at_end and not wait) else 0.25)
            if self._ahead:
                message = self._ahead.pop(0)
                rows.append(unpacked(message.value() or b"", (message.offset() or 0) + 1))
                size += len(rows[-1].body)
            elif rows or (self._at_end and not wait):
                break
            elif time.monotonic() > until:
                raise Busy("The broker does not hand out what it holds.", "Look at its output.")
        self.next = rows[-1].offset if rows else after
        return rows

    def _fill(self, seconds: float) -> None:
        """Take what has come; where nothing has, wait so long for the first."""
        first = self._consumer.poll(seconds)
        if first is None:
            return
        for message in (first, *self._consumer.consume(500, timeout=0)):
            error = message.error()
            self._at_end = error is not None
            if error is None:
                self._ahead.append(message)
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                raise KafkaException(error)

    def tell(self, offset: int) -> None:
        """Tell the group that all up to an offset stands in the facts, every few seconds."""
        now = time.monotonic()
        if offset > self._told[0] and now - self._told[1] > _SHORT_SECONDS:
            self._told = offset, now
            self._consumer.commit(offsets=[TopicPartition(self._topic, 0, offset)])

    def close(self) -> None:
        self._consumer.close()


class _Pointers:
    """Kind of control entry -> where the latest one stands, kept up by a thread."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._lock = threading.Lock()
        self._offsets: dict[str, int] = {}
        self._rows: dict[str, LogRow] = {}
        self._ending = threading.Event()
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        until = time.monotonic() + _WAIT_SECONDS
        while not self._take(0.25):
            if time.monotonic() > until:
                raise Busy("The broker does not hand out what it holds.", "Look at its output.")
        self._thread = threading.Thread(target=self._follow, name="log-control", daemon=True)
        self._thread.start()

    def note(self, key: str, offset: int) -> None:
        """Remember an entry, unless a later one is known."""
        with self._lock:
            self._offsets[key] = max(offset, self._offsets.get(key, 0))

    def row(self, key: str, fetch: Callable[[int], LogRow | None]) -> LogRow | None:
        """Return the latest entry of a kind, or None."""
        with self._lock:
            offset, kept = self._offsets.get(key, 0), self._rows.get(key)
        if not offset or (kept is not None and kept.offset == offset):
            return kept if offset else None
        row = fetch(offset)
        if row is not None:
            with self._lock:
                self._rows[key] = row
        return row

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self._consumer.close()

    def _follow(self) -> None:
        while not self._ending.is_set():
            try:
                self._take(0.2)
            except KafkaException:
                # What was known stays so until the broker answers again.
                self._ending.wait(1.0)

    def _take(self, seconds: float) -> bool:
        """Note what comes within a time and return whether the topic ends there."""
        at_end = False
        first = self._consumer.poll(seconds)
        found = () if first is None else (first, *self._consumer.consume(500, timeout=0))
        for message in found:
            error = message.error()
            at_end = error is not None
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                raise KafkaException(error)
            key, value = message.key(), message.value()
            if error is None and key and value:
                self.note(bytes(key).decode(), int(value))
        return at_end


def _place_of(url: str) -> _Place:
    parts = urlsplit(url)
    topic = parts.path.strip("/")
    if not parts.netloc or not topic or "/" in topic or parts.query or "@" in parts.netloc:
        raise BadInput("The log's address is none.", "Write kafka://BROKER:9092/TOPIC.")
    return _Place(parts.netloc, topic)


def _noted(offsets: list[int], failures: list[KafkaError], spot: int) -> Callable[..., None]:
    """Return what hears of one row that it stands, or why it does not."""

    def done(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failures.append(error)
        else:
            offsets[spot] = (message.offset() or 0) + 1

    return done


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        raise _failure(error.args[0]) from error


def _failure(error: KafkaError | None) -> OnefoldError:
    if error is not None and error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return TooLarge(
            "The row is larger than the topic takes.",
            f"Send less at once, or set the topic's max.message.bytes to {LARGEST_MESSAGE}.",
        )
    what = f": {error.name()}" if error is not None else ""
    return Busy(
        f"The log's broker does not take part{what}.",
        "Look whether the broker runs; senders come back by themselves.",
        retry_seconds=5,
    )
