"""The log: durable on return, in order, all of a group or none."""

import asyncio
import random
from dataclasses import replace

import pytest

from onefold.model.errors import Busy, DiskFull
from onefold.store import GroupWriter, NewRow, SqliteLog

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


@pytest.fixture
def log(tmp_path):
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


def test_a_full_log_refuses_whole_groups_and_recovers(log) -> None:
    log.append([row()])
    pages = log._connection.execute("PRAGMA page_count").fetchone()[0]
    log._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(DiskFull, match="cannot grow"):
        log.append([row(), row(NOISE)])
    assert log.last_offset() == 1
    log._connection.execute("PRAGMA max_page_count = 1000000")
    assert log.append([row()]) == [2]


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


def test_a_failed_group_tells_every_sender(log) -> None:
    async def push() -> list[object]:
        return await asyncio.gather(
            *(writer.append(row()) for _ in range(3)), return_exceptions=True
        )

    log._connection.execute("PRAGMA max_page_count = 1")
    writer = GroupWriter(log)

    async def fill() -> object:
        return await asyncio.gather(writer.append(row(NOISE)), return_exceptions=True)

    (answer,) = asyncio.run(fill())
    assert isinstance(answer, DiskFull)
    assert isinstance(writer.failure, DiskFull)
    log._connection.execute("PRAGMA max_page_count = 1000000")
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
    log.append([replace(row(), received_time=moment, verdicts=b"\1\1") for moment in (1, 5, 9)])
    assert [log.events_since(moment) for moment in (10, 9, 2, 0)] == [0, 2, 4, 6]


def test_reading_does_not_wait_for_a_write_that_waits(log, tmp_path) -> None:
    import sqlite3
    import threading

    log.append([row(b"one")])
    holder = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    writing = threading.Thread(target=log.append, args=([row(b"two")],))
    writing.start()
    assert [r.body for r in log.read(0)] == [b"one"]
    assert writing.is_alive()
    holder.execute("ROLLBACK")
    holder.close()
    writing.join()
    assert log.last_offset() == 2
