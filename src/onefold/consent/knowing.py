"""What is known of people's consent, for whoever stands above: questions, records, standing."""

from onefold.consent.queries import (
    before_consent,
    by_purpose,
    held_events,
    is_known,
    may_use,
    said_of,
)
from onefold.consent.records import GRANTED, UNKNOWN, WITHDRAWN, Said, Standing
from onefold.consent.standing import standing

__all__ = [
    "GRANTED",
    "UNKNOWN",
    "WITHDRAWN",
    "Said",
    "Standing",
    "before_consent",
    "by_purpose",
    "held_events",
    "is_known",
    "may_use",
    "said_of",
    "standing",
]
