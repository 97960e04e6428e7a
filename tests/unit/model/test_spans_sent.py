"""Spans as an OpenTelemetry collector gets them: over HTTP, in the protocol's own messages."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry import trace as otel
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from onefold.model import spans
from onefold.model.traces import current, trace_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADER = f"00-{TRACE}-00f067aa0ba902b7-01".encode()


class Collector:
    """A receiver of OTLP over HTTP on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, ExportTraceServiceRequest]] = []
        kept = self.requests

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                sent = ExportTraceServiceRequest.FromString(body)
                kept.append((self.path, self.headers["content-type"], sent))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_said) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[tuple[str, object]]:
        """Return (service, span) of all that came."""
        found = []
        for _, _, sent in self.requests:
            for of in sent.resource_spans:
                names = {a.key: a.value.string_value for a in of.resource.attributes}
                for scope in of.scope_spans:
                    found += [(names["service.name"], each) for each in scope.spans]
        return found


@pytest.fixture
def collector(monkeypatch):
    made = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.address)
    yield made
    spans.use_tracer(None)
    made.server.shutdown()
    made.server.server_close()


def told(collector, process: str) -> None:
    """Record some spans of a process as it does, and wait until they are sent."""
    assert spans.start_spans(process) is True
    token = current.set(trace_of([(b"traceparent", HEADER)]))
    with spans.span("intake"), spans.span("append", rows=3):
        pass
    current.reset(token)
    with pytest.raises(ValueError, match="broken"), spans.span("fold", offset=17):
        raise ValueError("broken")
    assert spans.flush() is True


def test_a_collector_gets_spans_of_the_senders_trace(collector) -> None:
    told(collector, "door")
    assert {(path, kind) for path, kind, _ in collector.requests} == {
        ("/v1/traces", "application/x-protobuf")
    }
    found = {each.name: each for _, each in collector.spans()}
    assert {service for service, _ in collector.spans()} == {"onefold-door"}
    assert set(found) == {"intake", "append", "fold"}
    assert found["intake"].trace_id.hex() == found["append"].trace_id.hex() == TRACE
    assert found["intake"].parent_span_id.hex() == "00f067aa0ba902b7"
    assert found["append"].parent_span_id == found["intake"].span_id
    attributes = {each.key: each.value.int_value for each in found["append"].attributes}
    assert attributes == {"onefold.rows": 3}
    assert found["fold"].trace_id.hex() != TRACE
    assert found["intake"].start_time_unix_nano <= found["append"].start_time_unix_nano
    assert found["append"].end_time_unix_nano <= found["intake"].end_time_unix_nano


def test_a_failure_is_told_by_its_kind_and_not_by_what_it_says(collector) -> None:
    told(collector, "house")
    (fold,) = [each for _, each in collector.spans() if each.name == "fold"]
    assert fold.status.code == otel.StatusCode.ERROR.value
    assert b"broken" not in fold.SerializeToString()
    assert "ValueError" in fold.status.message
