"""When an event was true: the device's clock corrected once, at intake."""

from datetime import UTC, datetime

from onefold.model.time import DAY, MINUTE

SENT, CORRECTED, RECEIVED, FUTURE = "sent", "corrected", "received", "future"
"""What an event time rests on."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone of a naive time is UTC by rule
_DAY_MICROS = DAY
_SECOND_MICROS = 1_000_000


def micros_of(moment: datetime) -> int:
    """Return the microseconds UTC of a datetime; a naive one is taken as UTC."""
    since = moment - (_NAIVE_EPOCH if moment.tzinfo is None else _EPOCH)
    return since.days * _DAY_MICROS + since.seconds * _SECOND_MICROS + since.microseconds


def micros_of_text(text: object) -> int | None:
    """Return the microseconds UTC of an ISO 8601 text, or None if it is not one.

    >>> micros_of_text("1970-01-02")
    86400000000
    """
    if not isinstance(text, str):
        return None
    try:
        return micros_of(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def correct(
    sent_as: int | None, sent_time: int | None, received_time: int, *, already: bool = False
) -> tuple[int, str]:
    """Return the event time in microseconds and what it rests on.

    `received - (sentAt - timestamp)`, as Segment's specification has it, save that a skew under
    a minute is the network and not the clock, and is left alone. More than a day ahead of us is
    no time at all: the received time stands, and the original stays in the log.

    Args:
        sent_as: The event's own timestamp, or None.
        sent_time: When the device says that it sent the request, or None.
        received_time: When we had it.
        already: The timestamp was corrected before it reached us.

    >>> correct(1_000_000, 1_000_000, 7_200_000_000)
    (7200000000, 'corrected')
    """
    if sent_as is None:
        return received_time, RECEIVED
    event_time, basis = sent_as, SENT
    if sent_time is not None and not already:
        skew = received_time - sent_time
        if (skew >= MINUTE or skew <= -MINUTE) and sent_as + skew >= 0:
            event_time, basis = sent_as + skew, CORRECTED
    if event_time > received_time + DAY:
        return received_time, FUTURE
    return event_time, basis
