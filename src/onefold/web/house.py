"""The house: folds, facts, API and pages, in a process of its own.

Started by the door as `python -m onefold.web.house FOLDER`; it ends when the door does, which
it learns by the end of its standard input.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import uvicorn
import uvloop

from onefold.model.errors import MachineFailed, OnefoldError
from onefold.model.spans import start_spans
from onefold.runtime import Workspace, loops
from onefold.web import logs
from onefold.web.api import owner_door
from onefold.web.app import make_app
from onefold.web.sockets import listen

HOUSE_SOCKET = "house.sock"
OWNER_SOCKET = "owner.sock"
_PATIENCE_SECONDS = 20.0
_GRACE_SECONDS = 3

_log = logging.getLogger("onefold.house")


def main(folder: Path) -> int:
    """Open the workspace, serve until told to stop, and return the exit code."""
    logs.set_up(os.environ.get(logs.VARIABLE, "quiet"))
    start_spans("house")
    try:
        workspace = _open(folder)
    except OnefoldError as error:
        _log.error("%s %s", error.message, error.fix)
        return error.exit_code
    # What was imported stays; young objects die by count alone, so the collector may be lazy.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    idle = loops.idle(workspace)
    loop = loops.FoldLoop(workspace.step, on_commit=workspace.tell, on_idle=idle)
    schedules = loops.schedule_loop(workspace)
    sends = loops.SendLoop(workspace)
    holds = loops.HoldLoop(workspace)
    closes = loops.CloseLoop(workspace)
    publishes = loops.PublishLoop(workspace)
    started = (loop, schedules, sends, holds, closes, publishes)
    for each in started:
        each.start()
    try:
        uvloop.run(_serve(workspace))
    finally:
        for each in reversed(started):
            each.stop()
        for name in (HOUSE_SOCKET, OWNER_SOCKET):
            (folder / "run" / name).unlink(missing_ok=True)
        workspace.close()
    return 0


def _open(folder: Path) -> Workspace:
    """Open the workspace as soon as a former house has let go of it."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            workspace = Workspace(folder)
        except MachineFailed:
            if time.monotonic() > until:
                raise
            threading.Event().wait(0.1)
        else:
            break
    try:
        workspace.apply_first_definitions()
    except OnefoldError as error:
        # Intake goes on without them; `onefold doctor` says what is wrong.
        _log.warning("%s %s", error.message, error.fix)
    return workspace


class _Server(uvicorn.Server):
    """A server that leaves signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: Any, lifespan: Literal["on", "off"]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        # The door says it, once.
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


async def _serve(workspace: Workspace) -> None:
    app = make_app(workspace)
    run = workspace.folder / "run"
    sockets = [listen(run / HOUSE_SOCKET), listen(run / OWNER_SOCKET)]
    # Both are one application; it starts and ends with the first.
    servers = [_Server(_config(app, "on")), _Server(_config(owner_door(app), "off"))]

    def stop() -> None:
        from onefold.web.live import close_streams

        close_streams(app)
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    _watch_door(lambda: loop.call_soon_threadsafe(stop))
    await asyncio.gather(
        *(server.serve(sockets=[ready]) for server, ready in zip(servers, sockets, strict=True))
    )


def _watch_door(gone: Callable[[], object]) -> None:
    """Call back when standard input ends: the door is dead, whatever it died of."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(0, 1):
                pass
        with suppress(RuntimeError):
            gone()

    threading.Thread(target=wait, name="door-watch", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
