"""What of metrics is kept in log and facts: sessions, rollups, figures of closed periods."""

from onefold.metrics import rollups
from onefold.metrics.closing import ROUTE, ClosedPeriod, Closing, Figure, PeriodsFold
from onefold.metrics.figures import recount
from onefold.metrics.periods import next_period, period_starts
from onefold.metrics.rollups import RollupsFold
from onefold.metrics.sessions import SessionsFold

__all__ = [
    "ROUTE",
    "ClosedPeriod",
    "Closing",
    "Figure",
    "PeriodsFold",
    "RollupsFold",
    "SessionsFold",
    "next_period",
    "period_starts",
    "recount",
    "rollups",
]
