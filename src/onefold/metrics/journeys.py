"""Questions beside a metric: funnels, who came back, two groups set against each other."""

from onefold.metrics import calendar, segments
from onefold.metrics.against import against_former
from onefold.metrics.converting import funnel_times
from onefold.metrics.distributing import Distribution, distribution
from onefold.metrics.economics import Economics, economics, months_before
from onefold.metrics.figures import contrast
from onefold.metrics.funnels import Steps, funnel
from onefold.metrics.habits import STATES, Habit, lifecycle, stickiness
from onefold.metrics.paths import Paths, paths
from onefold.metrics.records import Point
from onefold.metrics.returning import KINDS, Returning, retention
from onefold.metrics.running import KINDS as ADDED_KINDS
from onefold.metrics.running import check as check_running
from onefold.metrics.running import cumulative

__all__ = [
    "ADDED_KINDS",
    "KINDS",
    "STATES",
    "Distribution",
    "Economics",
    "Habit",
    "Paths",
    "Point",
    "Returning",
    "Steps",
    "against_former",
    "calendar",
    "check_running",
    "contrast",
    "cumulative",
    "distribution",
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
