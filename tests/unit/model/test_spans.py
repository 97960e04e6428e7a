"""Spans: of the sender's trace where somebody asks for them, and nothing where nobody does."""

import builtins

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from onefold.model import spans
from onefold.model.errors import BadInput
from onefold.model.traces import current, trace_of

HEADER = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def kept():
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans.use_tracer(provider.get_tracer("test"))
    yield exporter
    spans.use_tracer(None)


def test_spans_are_steps_of_the_senders_trace(kept) -> None:
    token = current.set(trace_of([(b"traceparent", HEADER)]))
    with spans.span("intake", events=3), spans.span("append"):
        pass
    current.reset(token)
    inner, outer = kept.get_finished_spans()
    assert (outer.name, outer.attributes["onefold.events"]) == ("intake", 3)
    assert f"{outer.context.trace_id:032x}" == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert f"{outer.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert inner.parent.span_id == outer.context.span_id


def test_a_fold_has_a_trace_of_its_own(kept) -> None:
    with spans.span("fold"):
        pass
    (found,) = kept.get_finished_spans()
    assert found.parent is None


def test_nobody_asks_and_nothing_is_imported(monkeypatch) -> None:
    def refuse(name, *more, **most):
        assert not name.startswith("opentelemetry")
        return real(name, *more, **most)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", refuse)
    assert spans.start_spans("door", {}) is False
    with spans.span("intake"):
        assert not spans.recording()


def test_to_ask_without_the_extra_says_how_to_get_it(monkeypatch) -> None:
    def missing(name, *more, **most):
        if name.startswith("opentelemetry"):
            raise ImportError(name=name)
        return real(name, *more, **most)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(BadInput, match="not installed") as refused:
        spans.start_spans("door", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert "onefold[otel]" in refused.value.fix
