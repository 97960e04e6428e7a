"""`onefold serve`: the door in this process, the house in another that the door keeps alive."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

import uvicorn
import uvloop

from onefold.model.errors import BadInput, Busy, MachineFailed
from onefold.model.locks import hold
from onefold.model.spans import start_spans
from onefold.model.time import now
from onefold.runtime import read_settings
from onefold.store import GroupWriter, planes
from onefold.web import logs
from onefold.web.door import Door, make_door
from onefold.web.health import FACTS
from onefold.web.passing import fetch
from onefold.web.straight import straight_to

_RESTART_SECONDS = 0.2
_GRACE_SECONDS = 10.0
_LOOK_SECONDS = 0.1
_TURN_SECONDS = 0.001
_Tell = tuple[Callable[[str], None], Callable[[str], None]]

_log = logging.getLogger("onefold.door")


def serve(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    log: str = "quiet",
    intake: bool = False,
    ready: Callable[[str], None] | None = None,
    opened: Callable[[str], None] | None = None,
) -> int:
    """Serve a workspace until SIGTERM or SIGINT; return the exit code.

    Args:
        folder: The workspace.
        host: Where to listen; loopback unless told otherwise.
        port: Where to listen; 0 takes a free one.
        log: What both processes say on standard error, one of `web.logs.FORMS`.
        intake: Take events in alone: any number of such doors may stand beside one server.
        ready: Told the address as soon as events are taken.
        opened: Told the address as soon as the pages answer too.

    Raises:
        NotFound: The folder is no workspace.
        MachineFailed: Another door serves it, or the port is taken.
    """
    settings = read_settings(folder)
    logs.set_up(log)
    os.environ[logs.VARIABLE] = log
    start_spans("door")
    # The thread that writes the log does little between its waits for the disk, and must not
    # wait long for its turn.
    sys.setswitchinterval(_TURN_SECONDS)
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    lock = nullcontext() if intake else _held(folder)
    rows = planes.open_log(settings.log, folder)
    state = planes.open_state(settings.state, folder, now)
    writer = GroupWriter(rows)
    try:
        with lock:
            app = make_door(
                folder=folder,
                writer=writer,
                log=rows,
                state=state,
                settings=settings,
                clock=now,
                alone=intake,
            )
            house = None if intake else folder.resolve()
            tell = (ready or _say_nothing, opened or _say_nothing)
            uvloop.run(_serve(app, house, host, port, tell))
    finally:
        writer.close()
        rows.close()
        state.close()
    return 0


def _held(folder: Path) -> IO[str]:
    fix = "Use the server that runs, or end it first."
    return hold(folder / "run" / "door.lock", trouble=f"{folder} is served already.", fix=fix)


class _Door(uvicorn.Server):
    """A server that leaves signals to us and says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[str], None]) -> None:
        super().__init__(config)
        self._listening = listening

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._listening(f"http://{f'[{host}]' if ':' in host else host}:{port}")


def _say_nothing(_address: str) -> None:
    """Take an address where nobody wants it."""


async def _serve(app: Door, folder: Path | None, host: str, port: int, tell: _Tell) -> None:
    if not 0 <= port < 65536:
        raise BadInput(f"No port {port}.", "Take one from 1 to 65535, or 0 for a free one.")
    config = uvicorn.Config(
        app,
        http=straight_to(app),
        host=host,
        port=port,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_graceful_shutdown=5,
    )
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    listening: asyncio.Future[str] = loop.create_future()
    server = _Door(config, listening.set_result)

    def stop() -> None:
        stopping.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    telling = asyncio.create_task(_tell(listening, folder, tell))
    house = asyncio.create_task(_keep_house(folder, stopping))
    serving = asyncio.create_task(_listen(server, host, port))
    waiting = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        # The house ends first, so that its streams do not hold the door's connections open.
        await house
        server.should_exit = True
        await serving
        waiting.cancel()
        telling.cancel()


async def _tell(listening: "asyncio.Future[str]", folder: Path | None, tell: _Tell) -> None:
    """Say where events are taken, and then, as soon as the house answers, that pages are there."""
    address = await listening
    ready, opened = tell
    ready(address)
    while folder is not None:
        with suppress(Busy):
            await fetch(folder / "run" / "house.sock", FACTS)
            opened(address)
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _listen(server: _Door, host: str, port: int) -> None:
    try:
        await server.serve()
    except SystemExit as error:
        message = f"Nothing can listen on {host}:{port}."
        raise MachineFailed(message, "Take another one with --port.") from error


async def _keep_house(folder: Path | None, stopping: asyncio.Event) -> None:
    """Start the house, and start it again whenever it dies, until the door stops."""
    if folder is None:
        await stopping.wait()
        return
    while not stopping.is_set():
        house = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "onefold.web.house",
            str(folder),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        ended = asyncio.create_task(house.wait())
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if stopping.is_set():
            await _end(house, ended)
            return
        _log.warning("The house ended with code %s and is started again.", house.returncode)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _RESTART_SECONDS)


async def _end(house: asyncio.subprocess.Process, ended: "asyncio.Task[int]") -> None:
    with suppress(ProcessLookupError):
        house.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(ended), _GRACE_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            house.kill()
        await ended
