"""ClickHouse's HTTP interface over its own engine in this process, as far as a client needs it."""

import re
import tempfile
import threading
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import chdb

_INSERT = re.compile(r"\s*INSERT\s", re.IGNORECASE)
_FORMAT = re.compile(r"\sFORMAT\s+(\w+)\s*$", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)")
_OF_TRANSPORT = frozenset(
    {"query", "database", "session_id", "query_id", "client_protocol_version", "wait_end_of_query"}
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer(b"")

    def do_POST(self):
        self._answer(self._body())

    def log_message(self, *_):
        """Say nothing."""

    def _body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            found = b"".join(parts)
        else:
            found = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        encoding = self.headers.get("Content-Encoding", "")
        return zlib.decompress(found, 47) if encoding in ("gzip", "deflate") else found

    def _answer(self, body):
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        self.server.asked.append(given)
        query = given.get("query", "")
        if not query:
            query, body = body.decode(), b""
        try:
            with self.server.lock:
                said = self._run(query, body, given)
        except RuntimeError as error:
            code = _CODE.search(str(error))
            self._send(500, str(error).encode(), {"X-ClickHouse-Exception-Code": code and code[1]})
        else:
            self._send(200, said, {"X-ClickHouse-Summary": "{}"})

    def _run(self, query, body, given):
        connection = self.server.connection
        for name, value in given.items():
            if name not in _OF_TRANSPORT and not name.startswith("param_"):
                connection.query(f"SET {name} = '{value}'")
        if not (_INSERT.match(query) and body):
            return connection.query(query, "Native").bytes()
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            form = _FORMAT.search(query)[1]
            plain = _FORMAT.sub("", query)
            connection.query(f"{plain} FROM INFILE '{file.name}' COMPRESSION 'none' FORMAT {form}")
        return b""

    def _send(self, status, body, headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served():
    """Yield host and port of a server with a fresh engine, and the list of what it is asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.asked, server.lock = [], threading.Lock()
    server.connection = chdb.connect(":memory:")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", server.asked
    finally:
        server.shutdown()
        server.server_close()
        server.connection.close()
