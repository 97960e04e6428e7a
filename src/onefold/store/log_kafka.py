"""The log in Kafka: one topic, whose partitions are lanes of one order (`kafka_lanes`).

The offset that counts is the one that the facts hold, committed with them in one transaction: one
number that says how far they are in every partition. The consumer group only tells Kafka's own
tools of it. Which control entry is the latest of its kind is told by a small compacted topic
beside the log, `TOPIC.control`: kind -> offset.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from onefold.model.errors import BadInput, Busy, MachineFailed, OnefoldError, TooLarge
from onefold.store.kafka_lanes import BLANK, Lanes, blank, lane_of
from onefold.store.kafka_rows import key_of, packed
from onefold.store.kafka_says import sparing_logger
from onefold.store.kafka_tally import Tally
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
    from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

    from onefold.store.kafka_reader import Reader
except ModuleNotFoundError as missing:
    _fix = "Install it with `pip install 'onefold[kafka]'`."
    raise BadInput(f"The log is in Kafka, but {missing.name} is not installed.", _fix) from missing

LARGEST_MESSAGE = 32 * 1024 * 1024
"""Bytes of a row that the topic takes, as we make it."""

_WAIT_SECONDS = 10.0
_SHORT_SECONDS = 5.0
_LOOK_SECONDS = 3.0
_READERS = 3
_PARTITIONS = "partitions"
"""Under which the count is noted beside the log, once and for all."""
MOST_PARTITIONS = 64
_NEWEST_ROWS = 10_000
_log = logging.getLogger("onefold.log")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a log stands.

    Attributes:
        brokers: HOST:PORT, apart by commas.
        topic: Of the log.
        partitions: Of the topic, where it has to be made; 0 where nobody says.
    """

    brokers: str
    topic: str
    partitions: int = 0


class KafkaLog:
    """Any number of processes append; each reads in the one order."""

    def __init__(self, url: str) -> None:
        """Open the log, making its topics where there are none.

        Args:
            url: `kafka://BROKER[,BROKER...]/TOPIC`, with `?partitions=N` where it is to have more
                than one.

        Raises:
            BadInput: The URL is none, or its topic has another number of partitions.
            Busy: The broker does not answer.
        """
        self._place = place = _place_of(url)
        self._common: dict[str, Any] = {
            "bootstrap.servers": place.brokers,
            "logger": sparing_logger(),
        }
        self._group = f"onefold-{place.topic}"
        with _told():
            self._lanes = Lanes(self._make_topics())
            self._producer = Producer(self._common | _PRODUCING)
            self._looker = self._reader("look")
            self._counter = self._reader("count")
            self._pointers = _Pointers(self._consumer("control"), f"{place.topic}.control")
            self._hold_partitions()
        self._tally = Tally(self._lanes)
        self._known = 0
        """The last offset that this process has appended or read."""
        self._read = 0
        """The last offset that this process has read: all before it stand."""
        self._turn = 0
        self._readers: list[Reader] = []
        self._reading = threading.RLock()
        self._looking = threading.RLock()
        self._counting = threading.RLock()
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
                if row.dialect == "control" and self._lanes.count > 1:
                    # It stands after all that was acknowledged before it.
                    self._sent(failures)
                    with self._looking:
                        ends = self._looker.reached()
                    self._fill({0: max(ends) - ends[0]}, row.received_time)
                lane = lane_of(row, self._turn, self._lanes)
                self._turn += 1
                done = _noted(offsets, failures, spot, partial(self._lanes.offset, lane))
                key = row.who or row.source.encode()
                self._produce(self._place.topic, packed(row), key, done, lane=lane)
            self._sent(failures)
            self._known = max(self._known, *offsets, 0)
            for row, offset in zip(rows, offsets, strict=True):
                if row.dialect == "control" and row.route != BLANK:
                    self._point(row, offset)
        return offsets

    def _sent(self, failures: list[KafkaError]) -> None:
        """Wait until all that was handed over stands; nothing is left behind where it does not."""
        left = self._producer.flush(_WAIT_SECONDS)
        if left or failures:
            self._producer.purge()
            self._producer.flush(_SHORT_SECONDS)
            raise _failure(failures[0] if failures else None)

    def _fill(self, lacking: Mapping[int, int], received_time: int) -> None:
        """Write so many rows that say nothing into lanes."""
        failures: list[KafkaError] = []
        value, whole = packed(blank(received_time)), [0]
        for each, count in lacking.items():
            for _ in range(count):
                done = _noted(whole, failures, 0, partial(self._lanes.offset, each))
                self._produce(self._place.topic, value, BLANK.encode(), done, lane=each)
        self._sent(failures)

    def _point(self, row: NewRow, offset: int) -> None:
        """Tell all processes where the latest entry of a kind stands."""
        key = key_of(row.dialect, row.route)
        self._note(key, offset)
        self._pointers.note(key, offset)

    @property
    def file(self) -> None:
        """It stands in no file (see `Log.file`)."""

    def _note(self, key: str, value: int) -> None:
        failures: list[KafkaError] = []
        done = _noted([0], failures, 0, int)
        self._produce(f"{self._place.topic}.control", str(value).encode(), key.encode(), done)
        self._sent(failures)

    def _produce(
        self, topic: str, value: bytes, key: bytes, done: Callable[..., None], *, lane: int = 0
    ) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, partition=lane, on_delivery=done)
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
            if after != reader.next:
                self._check_kept(reader, after)
            # What this process knows to be there is waited for; what else comes, may come later.
            wait = after < self._known and self._lanes.count == 1
            try:
                rows = reader.read(after, wait=wait, most_bytes=most_bytes, most_rows=most_rows)
                if not rows and self._lanes.count > 1:
                    rows = self._past_gap(reader, after, most_bytes, most_rows)
            except Busy:
                self._drop(reader)
                raise
            if not rows and reader.is_forgotten(self.last_offset, every=_LOOK_SECONDS):
                _log.warning("The broker hands out nothing at row %s; it is asked anew.", after)
                self._drop(reader)
                return []
            self._read = max(self._read, rows[-1].offset if rows else 0)
            self._known = max(self._known, self._read)
            for row in rows:
                if row.dialect == "control":
                    self._pointers.note(key_of(row.dialect, row.route), row.offset)
                self._tally.note(row.offset, row.received_time, len(row.verdicts), row.trace)
            reader.tell(after)
            return rows

    def _past_gap(
        self, reader: Reader, after: int, most_bytes: int, most_rows: int
    ) -> list[LogRow]:
        """Return the next rows where one lane is behind the others: it is filled first."""
        until = time.monotonic() + _WAIT_SECONDS
        while reader.before_gap or after < self._known:
            if reader.before_gap:
                with self._writing:
                    lacking, received_time = reader.gap()
                    self._fill(lacking, received_time)
                reader.filled(lacking)
            wait = after < self._known
            rows = reader.read(after, wait=wait, most_bytes=most_bytes, most_rows=most_rows)
            if rows:
                return rows
            if time.monotonic() > until:
                message = "The broker does not hand out what it holds."
                raise Busy(message, "Look at its output.")
        return []

    def _check_kept(self, reader: Reader, after: int) -> None:
        lows = reader.ends()[0]
        if any(low > self._lanes.start(after, lane) for lane, low in enumerate(lows)):
            last = max(self._lanes.offset(lane, low - 1) for lane, low in enumerate(lows) if low)
            message = f"The topic {self._place.topic} has let go of rows up to {last:,}."
            fix = "Set its retention.ms to -1; build the facts from a backup of the log."
            raise MachineFailed(message, fix)

    def _reader_at(self, after: int) -> Reader:
        """Return a reader that stands at an offset, or the one that was not used for longest."""
        found = next((one for one in self._readers if one.next == after), None)
        if found is None and len(self._readers) < _READERS:
            found = self._reader(str(len(self._readers)))
        elif found is None:
            found = self._readers[0]
        self._readers = [one for one in self._readers if one is not found] + [found]
        return found

    def _drop(self, reader: Reader) -> None:
        """Let a reader go that gets nothing; another with a connection of its own comes instead."""
        self._readers.remove(reader)
        reader.close()

    def row(self, offset: int) -> LogRow | None:
        """Return one row, or None."""
        return next(iter(self.rows([offset])), None)

    def rows(self, offsets: Sequence[int]) -> list[LogRow]:
        """Return those rows of some offsets that are there, in order."""
        with self._looking, _told():
            wanted = {each: self._lanes.partition(each) for each in offsets if each > 0}
            lows, ends = self._looker.ends()
            far = {each: lane for each, lane in wanted.items() if each > self._read}
            if any(self._lanes.place(each) >= ends[lane] for each, lane in far.items()):
                ends = self._looker.reached()
            kept = [
                each
                for each, lane in wanted.items()
                if lows[lane] <= self._lanes.place(each)
                and (each <= self._read or self._lanes.place(each) < ends[lane])
            ]
            try:
                found = self._looker.some(kept, sure=self._read)
            except Busy:
                self._looker.close()
                self._looker = self._reader("look")
                found = self._looker.some(kept, sure=self._read)
            return sorted(found, key=lambda row: row.offset)

    def latest(self, dialect: str, route: str) -> LogRow | None:
        """Return the last row of a dialect and route, or None; only control entries are known."""
        with _told():
            return self._pointers.row(key_of(dialect, route), self.row)

    def rewrite(self, rows: Sequence[LogRow]) -> bool:  # noqa: ARG002 - none can be
        """Return False: Kafka keeps what it was told until its retention (see `Log.rewrite`)."""
        return False

    def kept_seconds(self) -> float | None:
        """Return how long the topic keeps a row; None for good (see `Log.kept_seconds`)."""
        with _told():
            topic = ConfigResource(ConfigResource.Type.TOPIC, self._place.topic)
            (asked,) = AdminClient(self._common).describe_configs([topic]).values()
            kept = int(asked.result(_WAIT_SECONDS)["retention.ms"].value)
        return None if kept < 0 else kept / 1000

    def last_offset(self) -> int:
        """Return the offset of the last row, 0 when there is none."""
        with self._looking, _told():
            return max(self._known, self._lanes.last(self._looker.ends()[1]))

    def events(self, after: int = 0) -> int:
        """Return how many events the rows after an offset hold; each row is read once for it."""
        return self._events([self._lanes.start(after, lane) for lane in range(self._lanes.count)])

    def events_since(self, received_time: int) -> int:
        """Return how many events the newest rows hold, back to a received time."""
        with self._counting, _told():
            # The broker's own clock finds the place; which rows are meant, their time says.
            starts = self._counter.places_at(received_time // 1000)
            self._follow(starts)
            return self._tally.events_since(starts, received_time)

    def traced(self, trace: str, *, most_rows: int = 100) -> list[LogRow]:
        """Return those of the newest rows whose sender named a trace, in order."""
        with self._counting, _told():
            lows, highs = self._counter.ends()
            newest = _NEWEST_ROWS // self._lanes.count
            self._follow([max(low, high - newest) for low, high in zip(lows, highs, strict=True)])
            found = self._tally.traced(trace, most=most_rows) if trace else []
        return self.rows(found)

    def _events(self, starts: list[int]) -> int:
        with self._counting, _told():
            lows = self._counter.ends()[0]
            starts = [max(start, low) for start, low in zip(starts, lows, strict=True)]
            self._follow(starts)
            return self._tally.events(starts)

    def _follow(self, starts: list[int]) -> None:
        """Know all rows from these places on: those that came since, or from there where older."""
        if not self._tally.reaches(starts):
            self._tally.begin(starts)
        self._tally.follow(self._counter.each)

    def close(self) -> None:
        """Let go of the broker."""
        self._pointers.close()
        for reader in (*self._readers, self._looker, self._counter):
            reader.close()
        self._producer.flush(_SHORT_SECONDS)

    def _reader(self, name: str) -> Reader:
        return Reader(self._consumer(name), self._place.topic, self._lanes)

    def _consumer(self, name: str) -> Consumer:
        # Only the readers of the folds tell the group how far they are.
        group = self._group if name.isdigit() else f"{self._group}-{name}"
        fetching = _LOOKING if name == "look" else {}
        return Consumer(self._common | _CONSUMING | fetching | {"group.id": group})

    def _make_topics(self) -> int:
        """Make the topics where there are none; return how many partitions the log's has."""
        admin = AdminClient(self._common)
        found = admin.list_topics(timeout=_WAIT_SECONDS).topics
        topic, pointers = self._place.topic, f"{self._place.topic}.control"
        asked = self._place.partitions
        wanted = {topic: (asked or 1, _KEPT), pointers: (1, _COMPACTED)}
        made = [
            NewTopic(name, num_partitions=count, replication_factor=-1, config=dict(config))
            for name, (count, config) in wanted.items()
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
        if topic not in found:
            return asked or 1
        if pointers in found and len(found[pointers].partitions) > 1:
            message = f"The topic {pointers} has {len(found[pointers].partitions)} partitions."
            raise BadInput(message, "Let it have one, or name a log that is not there.")
        count = len(found[topic].partitions)
        if asked and asked != count:
            message = f"The topic {topic} has {count} partitions, and not {asked}."
            raise BadInput(message, "Leave `?partitions` out, or name a topic that is not there.")
        return count

    def _hold_partitions(self) -> None:
        """Remember how many partitions the log began with: every offset is made with it.

        Raises:
            BadInput: It has another number now.
        """
        began = self._pointers.value(_PARTITIONS)
        if not began:
            self._note(_PARTITIONS, self._lanes.count)
        elif began != self._lanes.count:
            topic, count = self._place.topic, self._lanes.count
            message = f"The topic {topic} has {count} partitions; the log began with {began}."
            raise BadInput(message, "Export the workspace, and restore it into a new topic.")


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
_LOOKING = {"fetch.message.max.bytes": 500_000, "queued.max.messages.kbytes": 8_192}
"""Single rows are looked up all over the topic: little is fetched with each."""
_KEPT = {"retention.ms": "-1", "max.message.bytes": str(LARGEST_MESSAGE)}
_COMPACTED = {"cleanup.policy": "compact"}


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

    def value(self, key: str) -> int:
        """Return what is noted under a key; 0 without."""
        with self._lock:
            return self._offsets.get(key, 0)

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
    name, _, count = parts.query.partition("=")
    given = name == "partitions" and count.isdigit() and 1 <= int(count) <= MOST_PARTITIONS
    if not parts.netloc or not topic or "/" in topic or "@" in parts.netloc:
        raise BadInput("The log's address is none.", "Write kafka://BROKER:9092/TOPIC.")
    if parts.query and not given:
        message = f"`{parts.query}` says nothing of a log."
        raise BadInput(message, f"Write ?partitions=N, of 1 to {MOST_PARTITIONS}, or nothing.")
    return _Place(parts.netloc, topic, int(count) if given else 0)


def _noted(
    offsets: list[int], failures: list[KafkaError], spot: int, offset_of: Callable[[int], int]
) -> Callable[..., None]:
    """Return what hears of one row that it stands, or why it does not."""

    def done(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failures.append(error)
        else:
            offsets[spot] = offset_of(message.offset() or 0)

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
