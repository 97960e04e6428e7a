"""What of metrics is kept in the log and the facts: sessions, and figures of closed periods."""

from onefold.metrics.closing import ROUTE, ClosedPeriod, Closing, Figure, PeriodsFold
from onefold.metrics.figures import recount
from onefold.metrics.periods import next_period, period_starts
from onefold.metrics.sessions import SessionsFold

__all__ = [
    "ROUTE",
    "ClosedPeriod",
    "Closing",
    "Figure",
    "PeriodsFold",
    "SessionsFold",
    "next_period",
    "period_starts",
    "recount",
]
