"""A server in between that fails on purpose, the way networks do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

HOP_BY_HOP = {"connection", "content-length", "content-encoding", "transfer-encoding", "host"}


class Flaky(ThreadingHTTPServer):
    """Passes requests on and answers 500 to the first few all the same.

    Attributes:
        target: Where requests go.
        failures: How many answers are still to be lost.
        passed_on: Whether a request whose answer is lost has been passed on before.
        retries: The retry counts that senders told, in order.
    """

    daemon_threads = True

    def __init__(self, target: str, *, failures: int, passed_on: bool) -> None:
        super().__init__(("127.0.0.1", 0), Between)
        self.target = target
        self.failures = failures
        self.passed_on = passed_on
        self.retries: list[str] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fails(self) -> bool:
        with self.lock:
            failing = self.failures > 0
            self.failures -= 1
        return failing


class Between(BaseHTTPRequestHandler):
    server: Flaky
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.retries.append(self.headers.get("x-retry-count", ""))
        fails = self.server.fails()
        status, answer = 500, b'{"success": false}'
        if not fails or self.server.passed_on:
            passed = self._pass_on(body)
            if not fails:
                status, answer = passed.status_code, passed.content
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _pass_on(self, body: bytes) -> httpx.Response:
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in HOP_BY_HOP - {"content-encoding"}
        }
        return httpx.post(f"{self.server.target}{self.path}", content=body, headers=headers)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def flaky(target: str, *, failures: int, passed_on: bool) -> Iterator[Flaky]:
    """Run one for a while."""
    server = Flaky(target, failures=failures, passed_on=passed_on)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
