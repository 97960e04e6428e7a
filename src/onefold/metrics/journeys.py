"""Questions beside a metric: funnels, who came back, two groups set against each other."""

from onefold.metrics.figures import contrast
from onefold.metrics.funnels import Steps, funnel
from onefold.metrics.returning import KINDS, Returning, retention

__all__ = ["KINDS", "Returning", "Steps", "contrast", "funnel", "retention"]
