"""What an intake takes at most before it asks senders to come back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a workspace's intake.

    Attributes:
        events_per_second: Of one write key, over any ten seconds; 0 is no limit.
        keep_free_bytes: Room on the disk below which nothing is taken.
        most_behind_seconds: How long the oldest row that the facts lack may wait before nothing
            more is taken; 0 is for ever. A rebuild does not count.
    """

    events_per_second: float = 0.0
    keep_free_bytes: int = 16_000_000
    most_behind_seconds: float = 3600.0
