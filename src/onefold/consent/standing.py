"""Where somebody stands: the latest word holds, and of a yes and a no of one moment the no."""

from collections.abc import Iterable, Sequence

from onefold.consent.records import GRANTED, UNKNOWN, WITHDRAWN, Said, Standing
from onefold.model.facts import SAID_BY_EVENT


def standing(said: Iterable[Said], purposes: Iterable[str], *, now: int) -> tuple[Standing, ...]:
    """Return where somebody stands with each purpose, in the order of the purposes.

    A yes in an event undoes a no in an event, never one that was stated; what is said for later
    than now does not count yet. The View leaves out by the same rule (runtime/view_consent.py).

    Args:
        said: All that was said of one person.
        purposes: Which to tell of.
        now: Microseconds.
    """
    heard = [one for one in said if one.from_time <= now]
    return tuple(_of(name, [one for one in heard if one.purpose == name]) for name in purposes)


def _of(purpose: str, said: Sequence[Said]) -> Standing:
    stated = max(
        (one for one in said if one.means != SAID_BY_EVENT),
        key=lambda one: (one.from_time, not one.granted),
        default=None,
    )
    if stated is not None and not stated.granted:
        return Standing(purpose, WITHDRAWN, stated)
    by_event = max(
        (one for one in said if one.means == SAID_BY_EVENT),
        key=lambda one: (one.last_time, not one.granted),
        default=None,
    )
    if by_event is not None and not by_event.granted:
        later = stated is not None and stated.from_time > by_event.last_time
        if not later:
            return Standing(purpose, WITHDRAWN, by_event)
    if stated is not None:
        return Standing(purpose, GRANTED, stated)
    return Standing(purpose, UNKNOWN, by_event)
