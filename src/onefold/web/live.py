"""Server-sent events: a figure is worked out once, whoever looks, and told to all who do."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse

from onefold.model.errors import Busy, OnefoldError
from onefold.model.time import MINUTE, SECOND
from onefold.web.desk import ask, visit_of

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Hashable,
        Mapping,
    )
    from concurrent.futures import Executor

    from starlette.applications import Starlette
    from starlette.requests import Request

    from onefold.model.time import Clock

    Answer = Callable[[], dict[str, Any]]
    """Works out the figure now, in a thread."""

LEAST_SECONDS = 0.5
BEAT_SECONDS = 10.0
AT_ONCE, PAUSE_SECONDS = 25, 0.005
"""So many are told at once, then there is a pause: the door has events to take, too."""
MOST_LISTENERS = 1_024
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}

_log = logging.getLogger("onefold.web")


@dataclass(frozen=True, slots=True)
class Told:
    """What a page is told.

    Attributes:
        key: What is asked, of what, under which policy: equal keys share one feed.
        answer: Works it out; that of the first listener serves all.
    """

    key: Hashable
    answer: Answer


@dataclass(eq=False)
class Listener:
    """One who reads a stream: of each figure the newest message alone waits for it."""

    waiting: dict[str, bytes | None] = field(default_factory=dict)
    come: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, name: str, message: bytes | None) -> None:
        """Let a message wait in the place of a former one; None is the end."""
        self.waiting[name] = message
        self.come.set()

    async def next(self) -> bytes | None:
        """Return the message that has waited longest, with the name of its figure."""
        while not self.waiting:
            self.come.clear()
            await self.come.wait()
        name = next(iter(self.waiting))
        message = self.waiting.pop(name)
        return message if message is None else named(name, message)


@dataclass(eq=False)
class Feed:
    """One figure and all who look at it, each by the name it has for it."""

    answer: Answer
    listeners: set[tuple[Listener, str]] = field(default_factory=set)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    last: bytes = b""
    task: asyncio.Task[None] | None = None


class Streams:
    """The feeds of a house; all methods but `moved` belong to its event loop."""

    def __init__(
        self,
        threads: Executor,
        clock: Clock,
        fresh_time: Callable[[], int | None],
        *,
        least_seconds: float = LEAST_SECONDS,
        beat_seconds: float = BEAT_SECONDS,
        most: int = MOST_LISTENERS,
    ) -> None:
        """Work figures out in `threads`, each at most once in `least_seconds`."""
        self._most = most
        self._threads, self._clock, self._fresh_time = threads, clock, fresh_time
        self._least, self._beat = least_seconds, beat_seconds
        self._feeds: dict[Hashable, Feed] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def moved(self, _offset: int = 0) -> None:
        """Hear of a commit, from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._mark)

    def close(self) -> None:
        """End every stream, from any thread; new ones end at once."""
        self._closed = True
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._end)

    def check_room(self) -> None:
        """Pass when one more may listen.

        Raises:
            Busy: There are too many listeners.
        """
        if len({one for feed in self._feeds.values() for one, _ in feed.listeners}) >= self._most:
            raise Busy("Too many pages look on.", "Close some of them.", retry_seconds=10)

    def listen(
        self,
        key: Hashable,
        answer: Answer,
        *,
        allowed: Callable[[], Awaitable[bool]] | None = None,
    ) -> AsyncGenerator[bytes]:
        """Return the messages of one figure until it ends (see `listen_to`)."""
        return self.listen_to({"": Told(key, answer)}, allowed=allowed)

    async def listen_to(
        self, told: Mapping[str, Told], *, allowed: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncGenerator[bytes]:
        """Yield messages of figures until one ends; who reads too slowly gets only the newest.

        Args:
            told: The name that messages of a figure bear, as their id -> the figure.
            allowed: Asked about every heartbeat; the stream ends when it says no.

        """
        self._loop = loop = asyncio.get_running_loop()
        listener = Listener()
        feeds = [(self._fed(one), (listener, name)) for name, one in told.items()]
        for feed, place in feeds:
            feed.listeners.add(place)
        try:
            yield b"retry: 2000\n\n"
            for feed, (_, name) in feeds:
                if feed.last and name not in listener.waiting:
                    yield named(name, feed.last)
            due = loop.time() + self._beat / 2
            while not self._closed:
                message = await self._next(listener)
                if message is None:
                    break
                # Also where so much comes that there is never a pause for a heartbeat.
                if allowed is not None and loop.time() >= due:
                    if not await allowed():
                        break
                    due = loop.time() + self._beat / 2
                yield message
        finally:
            for feed, place in feeds:
                feed.listeners.discard(place)
                feed.moved.set()

    def _fed(self, told: Told) -> Feed:
        """Return the feed of a figure, which begins where nobody looked at it."""
        feed = self._feeds.get(told.key)
        if feed is None:
            feed = self._feeds[told.key] = Feed(told.answer)
            feed.moved.set()
            feed.task = asyncio.create_task(self._run(told.key, feed))
        return feed

    async def _next(self, listener: Listener) -> bytes | None:
        try:
            return await asyncio.wait_for(listener.next(), self._beat)
        except TimeoutError:
            return self.beat()

    def beat(self) -> bytes:
        """Return the heartbeat: what time it is here, and how fresh the facts are."""
        return event("beat", {"now": self._clock(), "fresh_time": self._fresh_time()})

    def _mark(self) -> None:
        for feed in self._feeds.values():
            feed.moved.set()

    def _end(self) -> None:
        for feed in self._feeds.values():
            _put(feed, None)
            feed.moved.set()

    async def _run(self, key: Hashable, feed: Feed) -> None:
        """Work the figure out after each commit and each minute's turn, while somebody looks."""
        loop = asyncio.get_running_loop()
        try:
            while not self._closed:
                await self._wait(feed)
                if not feed.listeners:
                    break
                message = await loop.run_in_executor(self._threads, _worked_out, feed.answer)
                feed.last = message
                for place, (listener, name) in enumerate(tuple(feed.listeners), start=1):
                    listener.put(name, message)
                    if place % AT_ONCE == 0:
                        await asyncio.sleep(PAUSE_SECONDS)
                await asyncio.sleep(self._least)
        except RuntimeError:
            # The threads are gone: the house shuts down.
            _log.debug("a feed ended with its threads")
        finally:
            if self._feeds.get(key) is feed:
                del self._feeds[key]
            _put(feed, None)

    async def _wait(self, feed: Feed) -> None:
        rest = MINUTE - self._clock() % MINUTE
        try:
            await asyncio.wait_for(feed.moved.wait(), rest / SECOND + 0.01)
        except TimeoutError:
            return
        feed.moved.clear()


def event(name: str, data: dict[str, Any]) -> bytes:
    r"""Return one message as the wire has it (HTML Living Standard, 9.2.6).

    >>> event("beat", {"now": 1})
    b'event: beat\ndata: {"now":1}\n\n'
    """
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def named(name: str, message: bytes) -> bytes:
    r"""Return a message with the name of its figure as its id.

    >>> named("/live", b"event: beat")
    b'id: /live\nevent: beat'
    """
    return f"id: {name}\n".encode() + message if name else message


def streamed(messages: AsyncIterator[bytes]) -> StreamingResponse:
    """Return messages as a stream that no proxy should hold back."""
    return StreamingResponse(messages, media_type="text/event-stream", headers=HEADERS)


def streams_of(app: Starlette) -> Streams:
    """Return the streams of a house, made at the first request and woken by each commit."""
    found: Streams | None = getattr(app.state, "streams", None)
    if found is None:
        workspace = app.state.workspace
        found = Streams(app.state.readings, workspace.clock, lambda: workspace.fresh_time)
        app.state.streams = found
        workspace.on_commit(found.moved)
    return found


def still_allowed(request: Request, sight: Hashable) -> Callable[[], Awaitable[bool]]:
    """Return what asks whether a stream may go on: same visit, same role, same sight."""
    workspace, asker = request.app.state.workspace, request.state.asker

    def same() -> bool:
        visit = visit_of(request)
        return visit is not None and (visit.asker, workspace.sight(asker)) == (asker, sight)

    return partial(ask, request, same)


def close_streams(app: Starlette) -> None:
    """End all streams of a house, so that it need not wait for those who look on."""
    found: Streams | None = getattr(app.state, "streams", None)
    if found is not None:
        found.close()


def _worked_out(answer: Answer) -> bytes:
    try:
        return event("reading", answer())
    except OnefoldError as error:
        return event("trouble", {"title": error.title, "words": error.message, "fix": error.fix})


def _put(feed: Feed, message: bytes | None) -> None:
    for listener, name in feed.listeners:
        listener.put(name, message)
