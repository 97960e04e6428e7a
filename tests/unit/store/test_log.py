"""The log: durable on return, in order, all of a group or none."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from hashlib import blake2b

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from kafka import Broker
from onefold.model.errors import BadInput, Busy, DiskFull, MachineFailed, TooLarge
from onefold.model.time import now
from onefold.store import GroupWriter, LogRow, NewRow, log_kafka, planes
from onefold.store.log_sqlite import SqliteLog
from onefold.store.records import FORMAT
from serving import until

NOISE = random.Random(1).randbytes(1_000_000)


def row(body: bytes = b'{"batch":[]}') -> NewRow:
    return NewRow(
        received_time=1,
        source="app",
        environment="production",
        dialect="segment",
        route="batch",
        body=body,
        verdicts=b"\x01",
    )


@pytest.fixture(params=["sqlite", "kafka"])
def log(request, tmp_path):
    """Return an empty log, on every backbone."""
    url = request.getfixturevalue("broker").new_url() if request.param == "kafka" else ""
    found = planes.open_log(url, tmp_path)
    yield found
    found.close()


@pytest.fixture
def file(tmp_path):
    """Return an empty log in a file."""
    found = SqliteLog(tmp_path / "log.sqlite")
    yield found
    found.close()


def test_rows_come_back_as_they_were_in_order(log) -> None:
    offsets = log.append([row(b"one"), row(b"two")])
    assert offsets == [1, 2]
    assert [r.body for r in log.read(0)] == [b"one", b"two"]
    assert [r.offset for r in log.read(1)] == [2]
    assert log.row(2).body == b"two"
    assert log.last_offset() == 2
    assert log.events() == 2


def test_rows_are_looked_up_all_over_the_log(log) -> None:
    log.append([row(str(n).encode()) for n in range(700)])
    wanted = [650, 3, 2, 699, 1, 300, 301, 650]
    found = log.rows([*wanted, 0, 701, 5_000])
    assert {each.offset for each in found} == set(wanted)
    assert [each.offset for each in found] == sorted(each.offset for each in found)
    assert all(each.body == str(each.offset - 1).encode() for each in found)
    assert log.rows([]) == []


def test_a_read_ends_at_its_limits(log) -> None:
    log.append([row(b"x" * 100) for _ in range(10)])
    assert len(log.read(0, most_bytes=250)) == 3
    assert len(log.read(0, most_rows=4)) == 4


def test_the_newest_control_entry_is_found(log) -> None:
    assert log.latest("control", "definitions") is None
    for body in (b"1", b"2"):
        entry = NewRow(
            received_time=1,
            source="",
            environment="",
            dialect="control",
            route="definitions",
            body=body,
            verdicts=b"",
        )
        log.append([entry, row()])
    assert log.latest("control", "definitions").body == b"2"


def test_a_full_log_refuses_whole_groups_and_recovers(file) -> None:
    file.append([row()])
    pages = file._connection.execute("PRAGMA page_count").fetchone()[0]
    file._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(DiskFull, match="cannot grow"):
        file.append([row(), row(NOISE)])
    assert file.last_offset() == 1
    file._connection.execute("PRAGMA max_page_count = 1000000")
    assert file.append([row()]) == [2]


def test_group_commit_answers_each_with_its_own_offset(log) -> None:
    async def many() -> list[int]:
        return await asyncio.gather(*(writer.append(row(str(n).encode())) for n in range(300)))

    writer = GroupWriter(log)
    offsets = asyncio.run(many())
    writer.close()
    assert sorted(offsets) == list(range(1, 301))
    bodies = {r.offset: r.body for r in log.read(0)}
    assert all(bodies[offset] == str(n).encode() for n, offset in enumerate(offsets))


def test_too_much_waiting_is_refused_before_memory_grows(log) -> None:
    async def push() -> None:
        first = asyncio.ensure_future(writer.append(row(b"x" * 2000)))
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="wait to be written"):
            await writer.append(row(b"y"))
        await first

    writer = GroupWriter(log, most_bytes=1000)
    asyncio.run(push())
    writer.close()
    assert log.last_offset() == 1


def test_a_failed_group_tells_every_sender(file) -> None:
    async def push() -> list[object]:
        return await asyncio.gather(
            *(writer.append(row()) for _ in range(3)), return_exceptions=True
        )

    file._connection.execute("PRAGMA max_page_count = 1")
    writer = GroupWriter(file)

    async def fill() -> object:
        return await asyncio.gather(writer.append(row(NOISE)), return_exceptions=True)

    (answer,) = asyncio.run(fill())
    assert isinstance(answer, DiskFull)
    assert isinstance(writer.failure, DiskFull)
    file._connection.execute("PRAGMA max_page_count = 1000000")
    assert all(isinstance(offset, int) for offset in asyncio.run(push()))
    assert writer.failure is None
    writer.close()


def test_a_log_of_the_version_before_gets_its_trace_column(tmp_path) -> None:
    import sqlite3

    path = tmp_path / "log.sqlite"
    log = SqliteLog(path)
    log.append([row(b"old")])
    log.close()
    with sqlite3.connect(path) as older:
        older.execute("DROP INDEX log_trace")
        older.execute("ALTER TABLE log DROP COLUMN trace")
    older.close()
    log = SqliteLog(path)
    trace = "ab" * 16
    log.append([replace(row(b"new"), trace=trace)])
    assert [(r.body, r.trace) for r in log.read(0)] == [(b"old", ""), (b"new", trace)]
    assert [r.body for r in log.traced(trace)] == [b"new"]
    assert log.traced("") == []
    log.close()


def test_the_newest_events_are_counted_back_to_a_time(log) -> None:
    start = now()
    times = [start + moment * 1_000_000 for moment in (1, 5, 9)]
    log.append([replace(row(), received_time=moment, verdicts=b"\1\1") for moment in times])
    since = [log.events_since(start + moment * 1_000_000) for moment in (10, 9, 2, -1)]
    assert since == [0, 2, 4, 6]


def test_reading_does_not_wait_for_a_write_that_waits(file, tmp_path) -> None:
    import sqlite3
    import threading

    file.append([row(b"one")])
    holder = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    writing = threading.Thread(target=file.append, args=([row(b"two")],))
    writing.start()
    assert [r.body for r in file.read(0)] == [b"one"]
    assert writing.is_alive()
    holder.execute("ROLLBACK")
    holder.close()
    writing.join()
    assert file.last_offset() == 2


def test_a_row_has_every_field_as_it_was(log) -> None:
    fields = NewRow(
        received_time=2**60,
        source="Ünïcode",
        environment="staging",
        dialect="snowplow",
        route="batch",
        body=bytes(range(256)),
        verdicts=b"\x00\xff",
        reasons=b'{"0":"why"}',
        trace="ab" * 16,
    )
    (offset,) = log.append([fields])
    (found,) = log.read(0)
    assert {name: getattr(found, name) for name in fields.__slots__} == {
        name: getattr(fields, name) for name in fields.__slots__
    }
    assert (found.offset, found.format) == (offset, FORMAT)
    assert log.row(offset) == found
    assert log.row(offset + 1) is None
    assert log.row(0) is None


def test_a_large_row_comes_back_whole(log) -> None:
    log.append([row(NOISE * 3), row(b"small")])
    large, small = log.read(0)
    assert (large.body, small.body) == (NOISE * 3, b"small")


def test_two_readers_at_two_places_do_not_disturb_each_other(log) -> None:
    log.append([row(str(n).encode()) for n in range(50)])
    first = second = 0
    seen: tuple[list[bytes], list[bytes]] = [], []
    while first < 50 or second < 50:
        for spot, after in enumerate((first, second)):
            rows = log.read(after, most_rows=7 if spot else 20)
            seen[spot].extend(r.body for r in rows)
            if rows and spot:
                second = rows[-1].offset
            elif rows:
                first = rows[-1].offset
    assert seen[0] == seen[1] == [str(n).encode() for n in range(50)]


def test_any_part_of_it_can_be_read_again(log) -> None:
    log.append([row(str(n).encode()) for n in range(40)])
    for after in (30, 0, 39, 10, 40, 5):
        bodies = [r.body for r in log.read(after)]
        assert bodies == [str(n).encode() for n in range(after, 40)]


# ---------------------------------------------------------------- a broker


def control(body: bytes, route: str = "definitions") -> NewRow:
    return replace(row(body), dialect="control", route=route, verdicts=b"")


def test_several_processes_append_and_one_order_is_read(broker, tmp_path) -> None:
    url = broker.new_url()
    logs = [planes.open_log(url, tmp_path) for _ in range(3)]

    def send(spot: int) -> list[int]:
        return [logs[spot].append([row(f"{spot}-{n}".encode())])[0] for n in range(40)]

    with ThreadPoolExecutor(3) as pool:
        offsets = [offset for each in pool.map(send, range(3)) for offset in each]
    assert sorted(offsets) == list(range(1, 121))
    read = [[r.body for r in log.read(0)] for log in logs]
    assert read[0] == read[1] == read[2]
    assert sorted(read[0]) == sorted(f"{spot}-{n}".encode() for spot in range(3) for n in range(40))
    for log in logs:
        log.close()


def test_a_control_entry_of_one_process_is_known_to_all_and_after_a_start(broker, tmp_path) -> None:
    url = broker.new_url()
    writer, reader = (planes.open_log(url, tmp_path) for _ in range(2))
    writer.append([control(b"1"), row(), control(b"other", "undo"), control(b"2"), row()])
    until(lambda: (reader.latest("control", "definitions") or row()).body == b"2")
    later = planes.open_log(url, tmp_path)
    assert later.latest("control", "definitions").body == b"2"
    assert later.latest("control", "undo").body == b"other"
    assert later.latest("control", "nothing") is None
    for log in (writer, reader, later):
        log.close()


def test_who_has_read_a_control_entry_knows_it_as_the_latest(broker, tmp_path) -> None:
    url = broker.new_url()
    writer, reader = (planes.open_log(url, tmp_path) for _ in range(2))
    for number in range(5):
        writer.append([control(str(number).encode())])
        # What another has appended may be a moment on its way.
        rows: list[LogRow] = []
        until(lambda rows=rows, after=number: rows.extend(reader.read(after)) or rows)
        assert rows[-1].body == str(number).encode()
        assert reader.latest("control", "definitions").body == str(number).encode()
    writer.close()
    reader.close()


def test_the_group_hears_how_far_the_folds_are(broker, tmp_path) -> None:
    url = broker.new_url()
    topic = url.rpartition("/")[2]
    log = planes.open_log(url, tmp_path)
    log.append([row() for _ in range(30)])
    log.read(0, most_rows=10)
    log.read(10, most_rows=10)
    settings = {"bootstrap.servers": broker.address, "group.id": f"onefold-{topic}"}
    asker = Consumer(settings)
    place = TopicPartition(topic, 0)
    until(lambda: asker.committed([place], timeout=5)[0].offset > 0)
    assert asker.committed([place], timeout=5)[0].offset == 10
    asker.close()
    log.close()


def test_a_reader_that_the_broker_has_lost_sight_of_is_replaced(
    broker, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(log_kafka, "_LOOK_SECONDS", 0.0)
    url = broker.new_url()
    with (
        closing(planes.open_log(url, tmp_path)) as mine,
        closing(planes.open_log(url, tmp_path)) as others,
    ):
        mine.append([row(b"one")])
        assert [r.body for r in mine.read(0)] == [b"one"]
        assert mine.read(1) == []
        (reader,) = mine._readers
        monkeypatch.setattr(reader, "_fill", lambda seconds: None)
        others.append([row(b"two")])
        assert [mine.read(1) for _ in range(2)] == [[], []]
        assert reader not in mine._readers
        until(lambda: mine.read(1), seconds=20)
        assert [r.body for r in mine.read(1)] == [b"two"]


# ---------------------------------------------------------------- lanes


def of(who: str, number: int) -> NewRow:
    return replace(row(f"{who} {number}".encode()), who=blake2b(who.encode()).digest()[:8])


def everything(log, after: int = 0, *, most_rows: int = 7) -> list[LogRow]:
    """Return all rows, read in small parts; the end is that of the last offset."""
    rows: list[LogRow] = []
    until(lambda: grown(log, rows, after, most_rows) >= log.last_offset())
    return rows


def grown(log, rows: list[LogRow], after: int, most_rows: int) -> int:
    rows += log.read(rows[-1].offset if rows else after, most_rows=most_rows)
    return rows[-1].offset if rows else after


def told(rows: list[LogRow]) -> list[bytes]:
    return [each.body for each in rows if each.body]


@pytest.fixture
def lanes(broker, tmp_path):
    """Return the address of a log of three partitions, and what opens it."""
    url, opened = f"{broker.new_url()}?partitions=3", []

    def opener():
        opened.append(planes.open_log(url, tmp_path))
        return opened[-1]

    yield opener
    for each in opened:
        each.close()


def test_lanes_make_one_order_without_gaps_for_whoever_reads_it(lanes) -> None:
    log, other = lanes(), lanes()
    sent = [of(f"p{n % 5}", n) for n in range(60)]
    offsets = [log.append([each])[0] for each in sent]
    assert len(set(offsets)) == 60
    rows = everything(log)
    assert [each.offset for each in rows] == list(range(1, rows[-1].offset + 1))
    assert {each.offset: each.body for each in rows if each.body} == {
        offset: each.body for offset, each in zip(offsets, sent, strict=True)
    }
    assert everything(other, most_rows=1000) == rows
    assert everything(lanes(), 17) == rows[17:]
    assert [other.row(offset) for offset in range(1, 8)] == rows[:7]
    assert other.row(0) is other.row(rows[-1].offset + 1) is None
    assert log.last_offset() == rows[-1].offset


def test_what_one_person_sends_stays_in_order(lanes) -> None:
    logs = [lanes() for _ in range(3)]

    def send(spot: int) -> None:
        for n in range(30):
            logs[spot].append([of(f"{spot}-{who}", n) for who in "ab"])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(send, range(3)))
    bodies = [body.decode().split() for body in told(everything(logs[0]))]
    for who in {name for name, _ in bodies}:
        assert [int(n) for name, n in bodies if name == who] == list(range(30))


def test_a_control_entry_follows_all_that_was_acknowledged_before(lanes) -> None:
    log = lanes()
    before = log.append([of("somebody", n) for n in range(40)])
    (entry,) = log.append([control(b"now")])
    assert entry > max(before)
    assert told(everything(log))[-1] == b"now"
    assert lanes().latest("control", "definitions").offset == entry
    records = [replace(row(str(n).encode()), dialect="records") for n in range(9)]
    after = log.append([*records, control(b"done", "run")])
    assert after == sorted(after)


def test_a_reader_meets_rows_while_others_write(lanes) -> None:
    writer, reader = lanes(), lanes()
    rows: list[LogRow] = []
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(
            lambda: [writer.append([of(f"p{n % 4}", n)]) for n in range(120)],
        )
        until(lambda: grown(reader, rows, 0, 50) and len(told(rows)) == 120)
        sending.result()
    assert [each.offset for each in rows] == list(range(1, len(rows) + 1))
    # Blank rows make up for lanes that are behind, and for no more than that.
    assert len(rows) <= 120 * 3


def test_events_and_traces_are_counted_in_every_lane(lanes) -> None:
    log, other = lanes(), lanes()
    log.append([of(f"p{n}", n) for n in range(30)])
    traced = replace(of("p1", 99), trace="ab" * 16, verdicts=b"\x01\x01")
    (offset,) = log.append([traced])
    assert log.events() == other.events() == 32
    rows = everything(log)
    for after in (0, 5, offset - 1, offset, rows[-1].offset):
        expected = sum(len(each.verdicts) for each in rows if each.offset > after)
        assert log.events(after) == other.events(after) == expected
    assert [each.offset for each in other.traced("ab" * 16)] == [offset]
    assert other.traced("cd" * 16) == other.traced("") == []
    log.append([of("p2", 100), replace(traced, body=b"again")])
    assert other.events() == 35
    assert len(other.traced("ab" * 16)) == 2


def test_a_count_reads_each_row_once(broker, tmp_path, monkeypatch) -> None:
    from onefold.store import kafka_reader

    log = planes.open_log(broker.new_url(), tmp_path)
    looked: list[bytes] = []
    glanced = kafka_reader.glanced
    monkeypatch.setattr(
        kafka_reader, "glanced", lambda value: looked.append(value) or glanced(value)
    )
    log.append([row() for _ in range(50)])
    assert [log.events(40), log.events(45), log.events(48)] == [10, 5, 2]
    assert len(looked) == 10
    log.read(0)
    log.append([row() for _ in range(5)])
    log.read(50)
    assert log.events(45) == 10
    assert len(looked) == 10
    assert log.events() == 55
    log.close()


def test_the_partitions_of_a_log_are_its_for_ever(broker, tmp_path) -> None:
    url = broker.new_url()
    made = planes.open_log(f"{url}?partitions=2", tmp_path)
    made.append([of("a", 1)])
    made.close()
    again = planes.open_log(url, tmp_path)
    assert [each.body for each in everything(again) if each.body] == [b"a 1"]
    again.close()
    with pytest.raises(BadInput, match="2 partitions, and not 5"):
        planes.open_log(f"{url}?partitions=5", tmp_path)


def test_a_topic_that_is_there_is_taken_as_it_is(broker, tmp_path) -> None:
    url = broker.new_url()
    admin = AdminClient({"bootstrap.servers": broker.address})
    made = admin.create_topics([NewTopic(url.rpartition("/")[2], num_partitions=3)])
    for future in made.values():
        future.result(10)
    log = planes.open_log(url, tmp_path)
    log.append([of(f"p{n}", n) for n in range(9)])
    assert len(told(everything(log))) == 9
    log._note("partitions", 4)
    log.close()
    with pytest.raises(BadInput, match="began with 4"):
        planes.open_log(url, tmp_path)


def test_a_message_of_somebody_else_is_told_and_not_guessed_at(broker, tmp_path) -> None:
    url = broker.new_url()
    log = planes.open_log(url, tmp_path)
    producer = Producer({"bootstrap.servers": broker.address})
    producer.produce(url.rpartition("/")[2], b"hello", partition=0)
    producer.flush(10)
    with pytest.raises(MachineFailed, match="none of Onefold's"):
        log.read(0)
    log.close()


@pytest.mark.long
def test_a_broker_that_is_gone_refuses_and_keeps_nothing_waiting(tmp_path, monkeypatch) -> None:
    from onefold.store import log_kafka

    monkeypatch.setattr(log_kafka, "_WAIT_SECONDS", 2.0)
    monkeypatch.setattr(log_kafka, "_SHORT_SECONDS", 1.0)
    broker = Broker.start(tmp_path / "said")
    log = planes.open_log(broker.new_url(), tmp_path)
    assert log.append([row()]) == [1]
    broker.stop()
    with pytest.raises(Busy, match="broker") as refused:
        log.append([row(), row()])
    assert refused.value.retry_seconds >= 1
    with pytest.raises(Busy):
        log.last_offset()
    log.close()
    with pytest.raises(Busy):
        planes.open_log(broker.new_url(), tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "kafka://",
        "kafka://b:9092",
        "kafka://b/a/b",
        "amqp://b/t",
        "kafka://b/t?partitions=0",
        "kafka://b/t?partitions=65",
        "kafka://b/t?partitions=x",
        "kafka://b/t?lanes=2",
    ],
)
def test_an_address_of_no_log_is_refused(url, tmp_path) -> None:
    with pytest.raises(BadInput):
        planes.open_log(url, tmp_path)


class Narrow:
    """A log that takes no row over a few bytes."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def append(self, rows) -> list[int]:
        if any(len(r.body) > 10 for r in rows):
            raise TooLarge("The row is larger than the topic takes.")
        self.kept += [r.body for r in rows]
        return list(range(len(self.kept) - len(rows) + 1, len(self.kept) + 1))


def test_one_row_that_is_too_large_costs_the_others_nothing() -> None:
    log = Narrow()
    writer = GroupWriter(log)

    async def push() -> list[object]:
        rows = [row(b"a"), row(b"x" * 50), row(b"b")]
        return await asyncio.gather(*map(writer.append, rows), return_exceptions=True)

    answers = asyncio.run(push())
    writer.close()
    assert [isinstance(answer, int) for answer in answers] == [True, False, True]
    assert isinstance(answers[1], TooLarge)
    assert sorted(log.kept) == [b"a", b"b"]
    assert writer.failure is None
