"""What an event's consent object and its source's legal basis allow together."""

from collections.abc import Mapping

from onefold.consent.purposes import ALL, ANALYTICS, PURPOSES, named_purpose
from onefold.model.errors import unknown

BASES: dict[str, int] = {
    "opt-in": 0,
    "notice": ALL,
    "contract": ALL & ~PURPOSES["sharing"],
}
"""Legal basis -> mask of the purposes allowed where the event says nothing of them.

`opt-in` allows nothing unasked; `notice` allows everything until refused; a `contract` does not
carry handing data to others, so sharing needs a yes.
"""


def granted(
    basis: str,
    preferences: Mapping[str, object] | None,
    categories: Mapping[str, str] | None = None,
) -> int:
    """Return the mask of purposes allowed by a consent object under a legal basis.

    Args:
        basis: One of `BASES`.
        preferences: `context.consent.categoryPreferences` as sent: category -> true or false.
            None where the event carries no consent object. An empty object refuses everything,
            as in Segment's specification ("Consent in Segment Connections").
        categories: The workspace's own words, such as `{"C0002": "analytics"}`; matched whatever
            their case, and asked before the plain names.

    A purpose named by several categories needs a yes to each. Anything but `true` is a no.
    A purpose that the object does not name falls back to the basis.

    Raises:
        NotFound: There is no such basis.

    >>> granted("opt-in", {"analytics": True, "advertising": False})
    1
    >>> granted("notice", {"advertising": False})
    11
    """
    if basis not in BASES:
        raise unknown("legal basis", basis, BASES)
    mask = BASES[basis]
    if preferences is None:
        return mask
    if not preferences:
        return 0
    own = {code.casefold(): purpose for code, purpose in (categories or {}).items()}
    refused = 0
    for category, answer in preferences.items():
        purpose = own.get(category.casefold()) or named_purpose(category)
        bit = PURPOSES.get(purpose or "", 0)
        if answer is True:
            mask |= bit
        else:
            refused |= bit
    return mask & ~refused


def keeps_identifiers(mask: int) -> bool:
    """Return whether an event with this mask may keep its identifiers: analytics is granted."""
    return bool(mask & ANALYTICS)
