"""A server in a process of its own, from its start until whoever started it ends it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from onefold.model.errors import Conflict, MachineFailed

HOST = "127.0.0.1"
_READY_SECONDS = 240.0
_END_SECONDS = 15.0
_GAP_SECONDS = 0.05
_LOOK_SECONDS = 1.0


class Serving:
    """A server that answers."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        self._process = process
        self.address = address
        """Such as `http://127.0.0.1:8000`."""

    def wait(self) -> None:
        """Return when the server ends.

        Raises:
            MachineFailed: It ended by itself, and not well.
        """
        while (code := self._ended_within(_LOOK_SECONDS)) is None:
            # Not one long wait: a signal that comes just before it would be heard after its end.
            pass
        if code:
            raise MachineFailed(f"The server ended with {code}.", "Its output stands above.")

    def _ended_within(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """Let it finish what it does, then end it."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def serving(folder: Path, port: int) -> Iterator[Serving]:
    """Open a server over a workspace, ready for questions; end it on leaving.

    Raises:
        MachineFailed: It did not become ready.
    """
    where = ["-w", str(folder), "--host", HOST, "--port", str(port)]
    process = subprocess.Popen([sys.executable, "-m", "onefold", "serve", *where])
    served = Serving(process, f"http://{HOST}:{port}")
    try:
        _wait_until_ready(served, process)
        yield served
    finally:
        served.end()


def _wait_until_ready(served: Serving, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            fix = "Its output stands above; `onefold doctor` may know more."
            raise MachineFailed(f"The server ended at once with {process.returncode}.", fix)
        try:
            if httpx.get(served.address + "/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            # Nobody listens yet.
            pass
        time.sleep(_GAP_SECONDS)
    raise MachineFailed(f"The server was not ready within {_READY_SECONDS:.0f} s.", "Try again.")


def free_port(wanted: int) -> int:
    """Return a port on which a server can listen; 0 asks for any.

    Raises:
        Conflict: Another program listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            message = f"Port {wanted} of {HOST} cannot be used: {error.strerror}."
            raise Conflict(message, "Name another with --port.") from error
        return int(probe.getsockname()[1])
