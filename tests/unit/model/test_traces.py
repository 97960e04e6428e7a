"""Traces: what a traceparent says, judged beside OpenTelemetry's own reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace as otel
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from onefold.model.traces import is_trace_id, trace_of

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{ID}-{SPAN}-01"


def theirs(header: str) -> tuple[int, int] | None:
    context = TraceContextTextMapPropagator().extract({"traceparent": header})
    found = otel.get_current_span(context).get_span_context()
    return (found.trace_id, found.span_id) if found.is_valid else None


def ours(header: str) -> tuple[int, int] | None:
    trace = trace_of([(b"traceparent", header.encode())])
    return (int(trace.id, 16), int(trace.parent, 16)) if trace.given else None


@pytest.mark.parametrize(
    "header",
    [
        GOOD,
        f"00-{ID}-{SPAN}-00",
        f"cc-{ID}-{SPAN}-01",
        f"cc-{ID}-{SPAN}-01-what-the-future-says",
        f"ff-{ID}-{SPAN}-01",
        f"00-{ID}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID.upper()}-{SPAN}-01",
        f"00-{ID[:-1]}-{SPAN}-01",
        f"00-{ID}-{SPAN}",
        f"0-{ID}-{SPAN}-01",
        "",
        "nonsense",
        f"00_{ID}_{SPAN}_01",
    ],
)
def test_a_header_says_what_others_read_in_it(header) -> None:
    assert ours(header) == theirs(header)


@given(st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{31,33}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True))
def test_any_header_is_read_as_others_read_it(header) -> None:
    assert ours(header) == theirs(header)


def test_what_cannot_be_read_starts_a_trace_of_its_own() -> None:
    first, second = (trace_of([(b"traceparent", b"junk")]) for _ in range(2))
    assert not first.given
    assert is_trace_id(first.id)
    assert first.id != second.id
    assert theirs(first.header.decode()) == (int(first.id, 16), int(first.span, 16))


def test_two_headers_name_no_trace() -> None:
    twice = [(b"traceparent", GOOD.encode())] * 2
    assert not trace_of(twice).given


def test_each_step_has_a_name_of_its_own_in_the_same_trace() -> None:
    trace = trace_of([(b"traceparent", GOOD.encode())])
    assert (trace.id, trace.parent, trace.flags) == (ID, SPAN, "01")
    assert trace.span != SPAN
    assert trace.header.decode().startswith(f"00-{ID}-{trace.span}-")
