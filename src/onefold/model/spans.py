"""OpenTelemetry spans where the extra `otel` is installed and asked for; else nothing at all."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from onefold.model.errors import BadInput
from onefold.model.traces import Trace, current

_ASKED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_tracer: Any = None
_provider: Any = None


def start_spans(process: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send spans from now on where the environment says where to; return whether it does.

    Args:
        process: `door` or `house`.
        environment: OTEL_EXPORTER_OTLP_ENDPOINT asks for spans; the exporter reads the rest.

    Raises:
        BadInput: Spans are asked for and the extra is not installed.
    """
    if not any(environment.get(name) for name in _ASKED):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        message = f"Spans are asked for, but {error.name or 'opentelemetry'} is not installed."
        raise BadInput(message, "Install it with `pip install 'onefold[otel]'`.") from error
    provider = TracerProvider(resource=Resource.create({"service.name": f"onefold-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    global _provider  # noqa: PLW0603 - one a process, as OpenTelemetry has it
    _provider = provider
    use_tracer(provider.get_tracer("onefold"))
    return True


def flush(seconds: float = 5.0) -> bool:
    """Send what is recorded now; return whether it went out in time, or there was nothing to do."""
    return _provider is None or bool(_provider.force_flush(round(seconds * 1000)))


def use_tracer(tracer: Any) -> None:
    """Make spans with a tracer from now on; with None, make none."""
    global _tracer  # noqa: PLW0603 - one a process, as OpenTelemetry has it
    _tracer = tracer


def recording() -> bool:
    """Return whether anybody asked for spans."""
    return _tracer is not None


@contextmanager
def span(name: str, **attributes: str | float) -> Iterator[None]:
    """Record what runs inside as a span of the current trace; free of cost when nobody asked.

    Attributes are counts and names of ours, never what a sender wrote; of a failure only its kind
    is told, as its text may quote somebody.
    """
    if _tracer is None:
        yield
        return
    told = {f"onefold.{key}": value for key, value in attributes.items()}
    with _tracer.start_as_current_span(
        name,
        context=_context(current.get()),
        attributes=told,
        record_exception=False,
        set_status_on_exception=False,
    ) as recorded:
        try:
            yield
        except Exception as error:
            _fail(recorded, error)
            raise


def _fail(recorded: Any, error: Exception) -> None:
    from opentelemetry.trace import Status, StatusCode

    recorded.set_status(Status(StatusCode.ERROR, type(error).__name__))


def _context(trace: Trace | None) -> Any:
    """Return the context of the sender's step, unless a span of ours is open already."""
    from opentelemetry import trace as otel

    if trace is None or otel.get_current_span().get_span_context().is_valid:
        return None
    parent = otel.SpanContext(
        trace_id=int(trace.id, 16),
        span_id=int(trace.parent or trace.span, 16),
        is_remote=True,
        trace_flags=otel.TraceFlags(int(trace.flags, 16) if trace.given else 1),
    )
    return otel.set_span_in_context(otel.NonRecordingSpan(parent))
