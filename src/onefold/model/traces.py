"""Traces: the name under which one act is followed from a sender to a page.

Source: W3C Trace Context, level 1 (traceparent) and the draft of level 2 (traceresponse).
"""

import random
import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = b"traceparent"
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Trace:
    """Where one request stands in a trace.

    Attributes:
        id: 32 hex digits, the same over all that belongs together.
        parent: 16 hex digits, the step of the sender; empty where it named none.
        span: 16 hex digits, this step.
        flags: 2 hex digits; `01` says that the sender records it.
    """

    id: str
    parent: str
    span: str
    flags: str = "00"

    @property
    def given(self) -> bool:
        """Whether the sender named it."""
        return bool(self.parent)

    @property
    def header(self) -> bytes:
        """Return it as the header that names this step to the next."""
        return f"00-{self.id}-{self.span}-{self.flags}".encode()


# A trace names a request and guards nothing, so each does not ask the system anew.
_names = random.Random(secrets.token_bytes(32))  # noqa: S311

current: ContextVar[Trace | None] = ContextVar("trace", default=None)
"""The trace of the request that is at work in this task."""


def trace_of(headers: Iterable[tuple[bytes, bytes]]) -> Trace:
    """Return the trace that a request's headers carry on, or a new one.

    >>> header = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    >>> trace_of([(b"traceparent", header)]).id
    '4bf92f3577b34da6a3ce929d0e0e4736'
    >>> trace_of([(b"traceparent", b"00-nonsense")]).given
    False
    """
    found = [value for name, value in headers if name == HEADER]
    if not found:
        names = _new_hex(24)
        return Trace(names[:32], "", names[32:])
    span = _new_hex(8)
    if len(found) == 1:
        match = _FORM.fullmatch(found[0].decode("latin-1").strip())
        if match and _holds(*match.groups()):
            return Trace(match[2], match[3], span, match[4])
    return Trace(_new_hex(16), "", span)


def _new_hex(size: int) -> str:
    """Return so many random bytes as hex digits."""
    return f"{_names.getrandbits(8 * size):0{2 * size}x}"


def is_trace_id(text: str) -> bool:
    """Return whether a text is the id of a trace."""
    return _ID.fullmatch(text) is not None


def _holds(version: str, trace: str, parent: str, _flags: str, more: str | None) -> bool:
    # Later versions may add fields; the first has four, and zeros name nothing.
    known = version != "ff" and not (version == "00" and more is not None)
    return known and trace.strip("0") != "" and parent.strip("0") != ""
