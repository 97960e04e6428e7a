"""What persons did one after the other: funnels, and who came back."""

from onefold.metrics.funnels import Steps, funnel
from onefold.metrics.returning import KINDS, Returning, retention

__all__ = ["KINDS", "Returning", "Steps", "funnel", "retention"]
