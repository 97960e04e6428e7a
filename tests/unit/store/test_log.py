"""The log: durable on return, in order, all of a group or none."""

import asyncio
import random

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
