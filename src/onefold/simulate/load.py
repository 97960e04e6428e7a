"""History into the log: through the intake that senders meet, with a clock of its own day."""

import fcntl
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from onefold.collect import Catalogue, Source, make_catalogue, receive
from onefold.model.errors import MachineFailed
from onefold.simulate.files import definitions
from onefold.simulate.market import Market, make_market
from onefold.simulate.records import MarketPlan
from onefold.store import NewRow

GROUP = 100
"""Requests that go into the log in one transaction."""

_PIPE_BYTES = 1_048_576

Append = Callable[[Sequence[NewRow]], object]
"""Takes rows of the log that belong together; returns once they are kept."""
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of the history.

    Attributes:
        requests: Requests sent.
        events: Events in them, those sent twice counted twice.
        accepted: Events that count or are a second copy of one that does.
        waiting: Events in quarantine.
        refused: Events of which nothing was kept.
    """

    requests: int = 0
    events: int = 0
    accepted: int = 0
    waiting: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows that belong together, and what was loaded up to and with them."""

    rows: list[NewRow]
    loaded: Loaded


def load_history(
    market: Market,
    *,
    source: Source,
    append: Append,
    progress: Progress | None = None,
    aside: bool = True,
) -> Loaded:
    """Send a market's history through the intake and return what came of it.

    Args:
        market: Whose history.
        source: As whose events they come; its basis and rules apply as to anybody's.
        append: Takes the rows of the log, group by group, in order. It may fold in between.
        progress: Told how many events are in, of how many.
        aside: Decode and judge in a process beside this one, so that two cores share the work.
            A market with an `assign` of its own is always judged here.

    Raises:
        MachineFailed: The process beside this one died.
    """
    groups = (
        _beside(market.plan, source) if aside and not market.own_arms else _groups(market, source)
    )
    total = len(market.sent.place)
    loaded = Loaded()
    for group in groups:
        append(group.rows)
        loaded = group.loaded
        if progress is not None:
            progress("Loading history", loaded.events, total)
    return loaded


def market_catalogue(market: Market) -> Catalogue:
    """Return the catalogue that the market's events are judged by."""
    texts = definitions(market).items()
    return make_catalogue((name, text) for name, text in texts if name.startswith("events/"))


def _groups(market: Market, source: Source) -> Iterator[_Group]:
    catalogue = market_catalogue(market)
    rows: list[NewRow] = []
    loaded = Loaded()
    for request in market.requests():
        receipt = receive(
            source,
            dialect="segment",
            route="batch",
            body=request.body,
            received_time=request.received_time,
            catalogue=catalogue,
        )
        loaded = replace(
            loaded,
            requests=loaded.requests + 1,
            events=loaded.events + request.events,
            accepted=loaded.accepted + receipt.accepted,
            waiting=loaded.waiting + len(receipt.quarantined),
            refused=loaded.refused + len(receipt.refused),
        )
        rows.extend(receipt.rows)
        if len(rows) >= GROUP:
            yield _Group(rows, loaded)
            rows = []
    yield _Group(rows, loaded)


def _beside(plan: MarketPlan, source: Source) -> Iterator[_Group]:
    """Yield the groups as a process beside this one makes them; the pipe holds it back."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    # Each piece read is a wait for the interpreter, which folds meanwhile: so few, large pieces.
    with suppress(OSError, AttributeError):
        fcntl.fcntl(ours.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    process = context.Process(target=_work, args=(plan, source, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        while True:
            try:
                group = ours.recv()
            except EOFError as error:
                message = "The process that reads the history died."
                raise MachineFailed(message, "Try again; give it more memory.") from error
            if group is None:
                break
            yield group
    finally:
        ours.close()
        process.join(timeout=5)
        if process.is_alive():
            process.terminate()


def _work(plan: MarketPlan, source: Source, pipe: Connection) -> None:
    """Send every group through the pipe, then None."""
    try:
        for group in _groups(make_market(plan), source):
            pipe.send(group)
        pipe.send(None)
    except BrokenPipeError:
        # Nobody listens any more, so nobody wants the rest.
        return
