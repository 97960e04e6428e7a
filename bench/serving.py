"""A workspace of its own and a real server over it, for benches and tests to drive."""

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

ONEFOLD = Path(sys.executable).with_name("onefold")
IDENTITY_KEY = "5eed" * 16
"""The same in every workspace made here, so that two of them may be compared by checksum."""


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def until(
    true: Callable[[], object],
    *,
    seconds: float = 30.0,
    every: float = 0.02,
    what: Callable[[], object] = str,
) -> None:
    """Wait until a question is answered yes.

    Raises:
        TimeoutError: It was not, in the time given; the message says what `what` then answers.
    """
    pause = threading.Event()
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            message = f"not within {seconds:.0f} s: {what()}"
            raise TimeoutError(message)
        pause.wait(every)


def children(pid: int) -> list[int]:
    """Return the processes that a process started and that still run."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(child) for child in listed.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def alive(pid: int) -> bool:
    """Whether a process still runs (one that only waits to be reaped does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def memory(pid: int) -> int:
    """Return a process's resident memory, in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Return the processor seconds a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Workspace:
    """A folder that `onefold init` made, and the keys it told once."""

    folder: Path
    write_key: str
    api_key: str
    sign_in: str

    @classmethod
    def make(cls, folder: Path, *, basis: str = "contract", planes: Sequence[str] = ()) -> Self:
        """Make one whose first source may keep identifiers on the given basis.

        Planes are the options of `onefold init` that name a log or a state elsewhere.
        """
        fixed = ("--basis", basis, "--identity-key", IDENTITY_KEY)
        told = onefold("init", str(folder), *fixed, *planes)
        lines = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
        keys = {name.strip().lower(): value.strip() for name, value in lines.items()}
        link = re.search(r"/sign-in/link/[\w-]+", told)
        assert link, told
        return cls(folder, keys["write key"], keys["api key"], link.group())

    def ask(self, *command: str) -> Any:
        """Return the JSON answer of a command about this workspace."""
        return json.loads(onefold(*command, "-w", str(self.folder), "--json"))

    def checksums(self) -> dict[str, tuple[int, str]]:
        """Return each table's rows and hash."""
        answer = self.ask("checksum")
        place = {column["name"]: i for i, column in enumerate(answer["columns"])}
        return {
            row[place["table"]]: (row[place["rows"]], row[place["hash"]]) for row in answer["rows"]
        }


def onefold(*command: str) -> str:
    """Return what a command prints.

    Raises:
        RuntimeError: It failed; the message holds what it said.
    """
    done = subprocess.run(
        [str(ONEFOLD), *command], capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        message = f"onefold {' '.join(command)} answered {done.returncode}: {said[-4000:]}"
        raise RuntimeError(message)
    return done.stdout


@dataclass
class Server:
    """`onefold serve` over one workspace, that can be killed and started again."""

    workspace: Workspace
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address it listens on."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> Path:
        """The file that holds what it wrote on its own account."""
        return self.workspace.folder.parent / f"{self.workspace.folder.name}.said"

    @property
    def door(self) -> int:
        """The process that takes events."""
        assert self.process is not None
        return self.process.pid

    @property
    def houses(self) -> list[int]:
        """The processes the door keeps: one, or none while it is being born."""
        return [pid for pid in children(self.door) if alive(pid)]

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it without waiting for it."""
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [
                    str(ONEFOLD),
                    *("serve", "-w", str(self.workspace.folder)),
                    *("--port", str(self.port)),
                    *self.options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=os.environ | self.environment,
            )

    def stop(self) -> None:
        """End it as a person would, and make sure that nothing of it stays."""
        if self.process is None:
            return
        left = [self.door, *self.houses]
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in left:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process = None

    def kill(self, *, door: bool = True, house: bool = True) -> None:
        """End the door, the house or both at once, without a word of warning."""
        houses = self.houses if house else []
        if door and self.process is not None:
            self.process.kill()
        for pid in houses:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        if door and self.process is not None:
            self.process.wait()
            self.process = None

    def readiness(self) -> dict[str, Any] | None:
        """Return what `/health/ready` says, or nothing while nobody answers.

        Raises:
            RuntimeError: The server has ended by itself.
        """
        self._must_run()
        try:
            answer = httpx.get(f"{self.url}/health/ready", timeout=5)
            told: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        return told

    def wait_live(self, seconds: float = 30.0) -> None:
        """Wait until the door takes events."""
        until(self._live, seconds=seconds, what=self._last_words)

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until it says that it is ready."""
        until(
            lambda: (self.readiness() or {}).get("ready") is True,
            seconds=seconds,
            what=lambda: f"ready, but {self.readiness()}; it said {self._last_words()}",
        )

    def wait_folded(self, seconds: float = 120.0) -> None:
        """Wait until the folds have read all that the log holds."""

        def folded() -> bool:
            told = self.readiness()
            return told is not None and told.get("log_offset") == told.get("facts_offset")

        until(folded, seconds=seconds, what=self.readiness)

    def send(
        self, events: list[dict[str, Any]], *, zipped: bool = False, timeout: float = 30.0
    ) -> httpx.Response:
        """Send events as one Segment batch."""
        sent = {"batch": events, "writeKey": self.workspace.write_key}
        body = json.dumps(sent, separators=(",", ":")).encode()
        headers = {"content-type": "application/json"}
        if zipped:
            body = gzip.compress(body)
            headers["content-encoding"] = "gzip"
        return httpx.post(f"{self.url}/v1/batch", content=body, headers=headers, timeout=timeout)

    def _must_run(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            message = f"the server ended with {self.process.returncode}: {self._last_words()}"
            raise RuntimeError(message)

    def _live(self) -> bool:
        self._must_run()
        try:
            return httpx.get(f"{self.url}/health/live", timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _last_words(self) -> str:
        return self.said.read_text(errors="replace")[-2000:] if self.said.exists() else ""
