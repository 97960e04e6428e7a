"""Questions beside a metric: funnels, who came back, two groups set against each other."""

from onefold.metrics import calendar, segments
from onefold.metrics.against import against_former
from onefold.metrics.converting import funnel_times
from onefold.metrics.economics import Economics, economics, months_before
from onefold.metrics.figures import contrast
from onefold.metrics.funnels import Steps, funnel
from onefold.metrics.habits import STATES, Habit, lifecycle, stickiness
from onefold.metrics.paths import Paths, paths
from onefold.metrics.records import Point
from onefold.metrics.returning import KINDS, Returning, retention

__all__ = [
    "KINDS",
    "STATES",
    "Economics",
    "Habit",
    "Paths",
    "Point",
    "Returning",
    "Steps",
    "against_former",
    "calendar",
    "contrast",
    "economics",
    "funnel",
    "funnel_times",
    "lifecycle",
    "months_before",
    "paths",
    "retention",
    "segments",
    "stickiness",
]
