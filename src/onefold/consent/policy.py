"""What a source's legal basis allows where an event says nothing of consent."""

from onefold.consent.purposes import ALL, ANALYTICS, PURPOSES

BASES: dict[str, int] = {
    "opt-in": 0,
    "notice": ALL,
    "contract": ALL & ~PURPOSES["sharing"],
}
"""Legal basis -> mask of the purposes allowed where the event says nothing of them.

`opt-in` allows nothing unasked; `notice` allows everything until refused; a `contract` does not
carry handing data to others, so sharing needs a yes.
"""


def keeps_identifiers(mask: int) -> bool:
    """Return whether an event with this mask may keep its identifiers: analytics is granted."""
    return bool(mask & ANALYTICS)
