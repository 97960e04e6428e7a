"""A server in between that fails on purpose, the ways networks and machines do."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from onefold.collect import wire

FAULTS: dict[str, tuple[str, ...]] = {
    "none": (),
    "500": ("500", "500"),
    "429": ("429",),
    "lost": ("lost",),
    "restart": ("restart",),
}
"""Name -> what happens to the first requests with events, one after the other."""

_OF_ONE_HOP = frozenset({"connection", "content-length", "transfer-encoding", "host"})
_RETRY_SECONDS = "1"


class Between(ThreadingHTTPServer):
    """Passes requests on, but for the faults it was told.

    Attributes:
        target: Where requests go.
        left: Faults that have not happened yet.
        seen: The status of each answer to a request with events; 0 where none was given.
    """

    daemon_threads = True

    def __init__(self, target: str, faults: tuple[str, ...], restart: Callable[[], None]) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target = target
        self.left = deque(faults)
        self.restart = restart
        self.seen: list[int] = []
        self.one_by_one = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that left."""


class _Passing(BaseHTTPRequestHandler):
    server: Between
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with_events = self.command == "POST" and "/flags" not in self.path
        with_events = with_events or self.path.startswith("/i?")
        if not with_events:
            self._say(self._pass_on(body))
            return
        with self.server.one_by_one:
            fault = self.server.left.popleft() if self.server.left else ""
            if fault in {"lost", "restart"}:
                assert self._pass_on(body).status_code == 200
                if fault == "restart":
                    self.server.restart()
                self.server.seen.append(0)
                self.close_connection = True
                return
            answer = httpx.Response(self._status(fault)) if fault else self._pass_on(body)
            self.server.seen.append(answer.status_code)
        self._say(answer)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_OPTIONS(self) -> None:
        self._answer()

    def _status(self, fault: str) -> int:
        """Return the status of a refusal, 429 only where the door itself would say it."""
        address = wire.address_of(self.path.partition("?")[0])
        assert address is not None
        return 503 if fault == "429" and not address.hears_429 else int(fault)

    def _say(self, answer: httpx.Response) -> None:
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() not in {*_OF_ONE_HOP, "content-encoding"}
        }
        if origin := self.headers.get("origin"):
            headers["access-control-allow-origin"] = origin
            headers["access-control-allow-credentials"] = "true"
        if answer.status_code in {429, 503}:
            headers["retry-after"] = _RETRY_SECONDS
        self.send_response(answer.status_code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def _pass_on(self, body: bytes) -> httpx.Response:
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_HOP
        }
        to = f"{self.server.target}{self.path}"
        return httpx.request(self.command, to, content=body, headers=headers, timeout=60)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def between(target: str, fault: str, restart: Callable[[], None]) -> Iterator[Between]:
    """Run one for a while.

    Args:
        target: Where requests go.
        fault: A name in `FAULTS`.
        restart: Kills what takes requests and returns once it takes them again.
    """
    server = Between(target, FAULTS[fault], restart)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
