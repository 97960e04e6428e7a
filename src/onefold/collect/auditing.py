"""The audit of instrumentation, as other rooms ask for it."""

from onefold.collect.audit import ALARM_RATE, DAYS, KINDS, WRONG, Audit, Evidence, Finding, audit
from onefold.collect.audit_queries import evidence
from onefold.collect.journeys import Journey, load_journeys

__all__ = [
    "ALARM_RATE",
    "DAYS",
    "KINDS",
    "WRONG",
    "Audit",
    "Evidence",
    "Finding",
    "Journey",
    "audit",
    "evidence",
    "load_journeys",
]
