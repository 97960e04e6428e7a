"""The four purposes as bits of a mask, and the words in which the wire names them."""

from onefold.model.errors import unknown

PURPOSES: dict[str, int] = {
    "analytics": 1,
    "personalization": 2,
    "advertising": 4,
    "sharing": 8,
}
"""Purpose -> its bit."""

ANALYTICS = 1
ALL = 15

_WORDS = {
    "analytics": "analytics",
    "statistics": "analytics",
    "performance": "analytics",
    "measurement": "analytics",
    "personalization": "personalization",
    "personalisation": "personalization",
    "functional": "personalization",
    "preferences": "personalization",
    "advertising": "advertising",
    "marketing": "advertising",
    "targeting": "advertising",
    "ads": "advertising",
    "sharing": "sharing",
    "datasharing": "sharing",
    "sale": "sharing",
    "saleofinfo": "sharing",
}


def purpose_bit(purpose: str) -> int:
    """Return the bit of a purpose.

    Raises:
        NotFound: There is no such purpose.

    >>> purpose_bit("advertising")
    4
    """
    if purpose not in PURPOSES:
        raise unknown("purpose", purpose, PURPOSES)
    return PURPOSES[purpose]


def purposes_in(mask: int) -> tuple[str, ...]:
    """Return the names of the purposes in a mask, in the order of their bits.

    >>> purposes_in(5)
    ('analytics', 'advertising')
    """
    return tuple(name for name, bit in PURPOSES.items() if mask & bit)


def named_purpose(category: str) -> str | None:
    """Return the purpose that a consent category means by its plain name, or None.

    Case, spaces, `_` and `-` do not matter.

    >>> named_purpose("Data Sharing")
    'sharing'
    """
    return _WORDS.get("".join(letter for letter in category.lower() if letter.isalnum()))
