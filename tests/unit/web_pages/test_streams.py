"""Streams: one figure is worked out once for all, and a slow reader gets the newest."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from onefold.model.errors import Busy, NotAllowed
from onefold.web.live import AT_ONCE, Listener, Streams, Told, event

CLOCK = 1_770_000_010_000_000


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def streams(threads, **named):
    named = {"least_seconds": 0.001, "beat_seconds": 5.0} | named
    return Streams(threads, lambda: CLOCK, lambda: CLOCK - 1, **named)


def content(message):
    name, _, data = message.decode().partition("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: ").strip())


class Counter:
    def __init__(self):
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return {"asked": self.asked}


async def opened(house, answer, key="clicks", **named):
    stream = house.listen(key, answer, **named)
    assert (await anext(stream)).startswith(b"retry:")
    # On a busy machine a heartbeat may come before there is a reading.
    while (first := content(await anext(stream)))[0] == "beat":
        pass
    return stream, first


def test_all_who_look_at_one_figure_share_its_work(threads):
    async def look():
        house, answer = streams(threads), Counter()
        one, first = await opened(house, answer)
        two, same = await opened(house, answer)
        assert first == same == ("reading", {"asked": 1})
        house.moved(7)
        told = [content(await anext(one)), content(await anext(two))]
        assert told == [("reading", {"asked": 2})] * 2
        assert answer.asked == 2
        await one.aclose()
        await two.aclose()

    asyncio.run(look())


def test_figures_of_another_policy_are_worked_out_apart(threads):
    async def look():
        house, mine, theirs = streams(threads), Counter(), Counter()
        one, _ = await opened(house, mine, key=("clicks", "owner"))
        two, _ = await opened(house, theirs, key=("clicks", "viewer"))
        assert (mine.asked, theirs.asked) == (1, 1)
        await one.aclose()
        await two.aclose()

    asyncio.run(look())


def test_many_commits_while_it_works_are_told_as_one_and_the_newest(threads):
    async def look():
        house, answer = streams(threads), Counter()
        stream, _ = await opened(house, answer)
        other, _ = await opened(house, answer)
        for offset in range(50):
            house.moved(offset)
            await anext(other)
            if answer.asked >= 4:
                break
        # The slow reader has not read since: only the newest waits for it.
        assert content(await anext(stream)) == ("reading", {"asked": answer.asked})
        await stream.aclose()
        await other.aclose()

    asyncio.run(look())


def test_a_heartbeat_says_what_time_it_is_and_how_fresh_the_facts_are(threads):
    async def look():
        house = streams(threads, beat_seconds=0.01)
        stream, _ = await opened(house, Counter())
        assert content(await anext(stream)) == ("beat", {"now": CLOCK, "fresh_time": CLOCK - 1})
        await stream.aclose()

    asyncio.run(look())


def test_a_stream_ends_when_its_viewer_is_signed_out(threads):
    async def look():
        here = True

        async def signed_in():
            return here

        house, told = streams(threads, beat_seconds=0.01), []
        async for message in house.listen("clicks", Counter(), allowed=signed_in):
            told.append(message)
            here = here and not message.startswith(b"event: reading")
        assert not here
        assert told[-1].startswith(b"event: reading")

    asyncio.run(look())


def test_closing_the_house_ends_all_streams(threads):
    async def look():
        house = streams(threads)
        stream, _ = await opened(house, Counter())
        house.close()
        assert [message async for message in stream] == []

    asyncio.run(look())


def test_nothing_is_worked_out_once_nobody_looks(threads):
    async def look():
        house, answer = streams(threads), Counter()
        stream, _ = await opened(house, answer)
        feed = house._feeds["clicks"]
        await stream.aclose()
        house.moved(1)
        await feed.task
        assert answer.asked == 1
        stream, told = await opened(house, answer)
        assert told == ("reading", {"asked": 2})
        await stream.aclose()

    asyncio.run(look())


def test_a_refusal_is_told_in_words(threads):
    def refused():
        raise NotAllowed("A viewer may not.", "Ask the owner.")

    async def look():
        house = streams(threads)
        stream, told = await opened(house, refused)
        assert told == (
            "trouble",
            {"title": "Not allowed", "words": "A viewer may not.", "fix": "Ask the owner."},
        )
        await stream.aclose()

    asyncio.run(look())


def test_a_full_house_refuses_before_it_answers(threads):
    async def look():
        house = streams(threads, most=1)
        house.check_room()
        stream, _ = await opened(house, Counter())
        with pytest.raises(Busy):
            house.check_room()
        await stream.aclose()
        house.check_room()

    asyncio.run(look())


def test_one_stream_tells_of_several_figures_each_by_its_name(threads):
    async def look():
        house, clicks, tail = streams(threads, least_seconds=0.01), Counter(), Counter()
        both = {"/live?a=1": Told("clicks", clicks), "/tail": Told("tail", tail)}
        stream = house.listen_to(both)
        assert (await anext(stream)).startswith(b"retry:")
        told = {}
        for _ in both:
            name, _, message = (await anext(stream)).decode().partition("\n")
            told[name] = content(message.encode())
        assert set(told) == {"id: /live?a=1", "id: /tail"}
        assert set(dict(told.values())) == {"reading"}
        # Another browser's stream of one of them is fed by the same work.
        alone, first = await opened(house, clicks, key="clicks")
        assert first == ("reading", {"asked": clicks.asked})
        assert len(house._feeds) == 2
        await stream.aclose()
        await alone.aclose()

    asyncio.run(look())


def test_a_crowd_is_told_in_turns_and_all_of_it(threads):
    async def look():
        house, answer = streams(threads), Counter()
        crowd = [await opened(house, answer) for _ in range(2 * AT_ONCE + 1)]
        listeners = {one for one, _ in house._feeds["clicks"].listeners}
        for one in listeners:
            one.waiting.clear()
        house.moved(1)
        told = set()
        while len(listeners) not in told:
            await asyncio.sleep(0)
            told.add(sum(bool(one.waiting) for one in listeners))
        assert told == {0, AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 1}
        for stream, _ in crowd:
            await stream.aclose()

    asyncio.run(look())


def test_a_slow_reader_of_several_figures_gets_the_newest_of_each():
    async def look():
        listener = Listener()
        for number in range(5):
            for name in ("a", "b"):
                listener.put(name, event("reading", {"asked": number}))
        assert len(listener.waiting) == 2
        told = [(await listener.next()).decode() for _ in range(2)]
        assert [one.startswith(f"id: {name}\n") for one, name in zip(told, "ab", strict=True)]
        assert all('{"asked":4}' in one for one in told)
        listener.put("a", None)
        assert await listener.next() is None

    asyncio.run(look())


def test_a_browser_counts_as_one_however_many_figures_it_looks_at(threads):
    async def look():
        house = streams(threads, most=2)
        stream = house.listen_to({"a": Told("a", Counter()), "b": Told("b", Counter())})
        assert (await anext(stream)).startswith(b"retry:")
        house.check_room()
        await stream.aclose()

    asyncio.run(look())


def test_a_message_is_one_line_of_data():
    assert event("reading", {"words": "a\nb"}).count(b"\n") == 3
