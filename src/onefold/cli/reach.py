"""How a command reaches the workspace: the running house by its socket, else by itself."""

import errno
import json
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote

from onefold.cli.options import Terms, terms
from onefold.cli.show import Progress, show, show_progress
from onefold.model.errors import MachineFailed, NotAllowed, OnefoldError, error_of
from onefold.model.locks import is_held
from onefold.model.sockets import short_path

SOCKET = Path("run") / "owner.sock"
_GREET_SECONDS = 5.0
_PATIENCE_SECONDS = 30.0
_GAP_SECONDS = 0.1


def answer(name: str, params: Mapping[str, object] | None = None) -> int:
    """Ask one call under the terms of the command, show its answer, return the exit code."""
    given = terms()
    body, good = ask(given, name, params)
    show(body, given)
    return 0 if good else 1


def ask(
    given: Terms, name: str, params: Mapping[str, object] | None = None
) -> tuple[dict[str, Any], bool]:
    """Return what a call answers, and whether the answer is a good one.

    Raises:
        OnefoldError: What the call refused, wherever it ran.
    """
    wanted = {key: value for key, value in (params or {}).items() if value is not None}
    with show_progress() as progress:
        line = _reach(given.folder)
        if line is not None:
            return _ask_house(line, given, name, wanted, progress)
        return _ask_here(given, name, wanted, progress)


def is_served(folder: Path) -> bool:
    """Return whether a house answers on the socket of this workspace."""
    line = _connect(folder)
    if line is None:
        return False
    line.close()
    return True


def _reach(folder: Path) -> "_Line | None":
    """Return the line to the house; None where nobody holds the workspace.

    A door without a house starts one, and another command ends soon: both are waited for.

    Raises:
        MachineFailed: Somebody holds it and does not answer.
    """
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        line = _connect(folder)
        if line is not None:
            return line
        served = is_held(folder / "run" / "door.lock")
        if not served and not is_held(folder / "run" / "house.lock"):
            return None
        if time.monotonic() > until:
            who = "server" if served else "other command"
            message = f"The {who} that holds {folder} did not answer in {_PATIENCE_SECONDS:.0f} s."
            raise MachineFailed(message, "Wait until it is ready, or end it.")
        time.sleep(_GAP_SECONDS)


class _Line(HTTPConnection):
    """HTTP over a socket that stands already."""

    def __init__(self, ready: socket.socket) -> None:
        super().__init__("house")
        self.sock = ready


def _connect(folder: Path) -> _Line | None:
    found = folder / SOCKET
    if not found.exists():
        return None
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    ready.settimeout(_GREET_SECONDS)
    try:
        with short_path(found) as address:
            ready.connect(address)
    except OSError as error:
        ready.close()
        if error.errno in {errno.ECONNREFUSED, errno.ENOENT, errno.ENOTSOCK}:
            # A server that was killed leaves its socket behind.
            return None
        if error.errno in {errno.EACCES, errno.EPERM}:
            message = f"The socket {found} of the running server is not yours."
            raise NotAllowed(message, "Run it as the user who serves the workspace.") from error
        message = f"The running server does not answer on {found}: {error.strerror or error}."
        raise MachineFailed(message, "Look at its output, or start it again.") from error
    ready.settimeout(None)
    return _Line(ready)


def _ask_house(
    line: _Line, given: Terms, name: str, params: dict[str, object], progress: Progress
) -> tuple[dict[str, Any], bool]:
    headers = {"Content-Type": "application/json", "Accept": "application/x-ndjson"}
    if given.user:
        headers["Onefold-As"] = quote(given.user)
    address = "/api/v1/" + name.replace(" ", "/")
    try:
        line.request("POST", address, json.dumps(params).encode(), headers)
        return _read(line.getresponse(), progress)
    except OnefoldError:
        # Some of ours are errors of the machine's kind too; they are the answer.
        raise
    except (OSError, HTTPException) as error:
        message = f"The running server broke off: {error!r}."
        raise MachineFailed(message, "Look at its output, then ask again.") from error
    finally:
        with suppress(OSError):
            line.close()


def _read(response: HTTPResponse, progress: Progress) -> tuple[dict[str, Any], bool]:
    if response.status != 200:
        raise _error_of(response.read(), response.status)
    for raw in response:
        line = json.loads(raw)
        if "progress" in line:
            progress(*line["progress"])
        elif "problem" in line:
            raise error_of(line["problem"])
        elif "answer" in line:
            return line["answer"], line.get("good", True)
    message = "The running server ended its answer early."
    raise MachineFailed(message, "Look at its output, then ask again.")


def _error_of(raw: bytes, status: int) -> OnefoldError:
    try:
        found = json.loads(raw)
    except ValueError:
        found = {"status": status, "detail": f"The running server answered {status}."}
    return error_of(found)


def _ask_here(
    given: Terms, name: str, params: dict[str, object], progress: Progress
) -> tuple[dict[str, Any], bool]:
    from onefold.runtime import asker_named, call, open_workspace

    workspace = open_workspace(given.folder)
    try:
        asker = asker_named(workspace, given.user)
        outcome = call(workspace, asker, name, params, progress)
        return outcome.body, outcome.good
    finally:
        workspace.close()
