"""Rows of the log."""

from dataclasses import dataclass

FORMAT = 1
"""Version of what a row's body and verdicts mean; older ones are read through upcasters."""


@dataclass(frozen=True, slots=True)
class NewRow:
    """One request as it came, less what consent forbids to keep.

    Attributes:
        received_time: When it came, microseconds UTC.
        source: Name of the source.
        environment: The source's environment at that time.
        dialect: Who can read the body: `segment`, `records`, `control`.
        route: What kind of request of that dialect, such as `batch`.
        body: JSON bytes, uncompressed.
        verdicts: One byte an event, in order.
        reasons: JSON object, place -> why that event waits; empty when none does.
        trace: The W3C trace its sender named, 32 hex digits; empty when it named none.
        who: A hash of whose its first event is: rows of one go one way where a log has several.
            Not kept.
    """

    received_time: int
    source: str
    environment: str
    dialect: str
    route: str
    body: bytes
    verdicts: bytes
    reasons: bytes = b""
    trace: str = ""
    who: bytes = b""


@dataclass(frozen=True, slots=True)
class LogRow(NewRow):
    """A row with its place in the log.

    Attributes:
        offset: Its place, growing, never used twice.
        format: The format version it was written in.
    """

    offset: int = 0
    format: int = FORMAT
