"""TC strings of IAB Europe's Transparency & Consent Framework, version 2.2.

Source: "Transparency and Consent String with Global Vendor & CMP List Formats", version 2
(IAB Tech Lab), the core segment: fields and their widths in order.
"""

from dataclasses import dataclass

from onefold.consent.bits import Bits
from onefold.model.errors import BadInput

_VERSION = 2
_TENTH = 100_000
"""Microseconds of a tenth of a second, in which the string tells times."""


@dataclass(frozen=True, slots=True)
class TcString:
    """What a TC string says, as far as consent is judged by it.

    Attributes:
        created_time: Microseconds UTC; since version 2.2 whole days.
        updated_time: Likewise, of the last change.
        cmp_id: Who asked.
        policy_version: Of the framework's policies; 4 and later is version 2.2.
        purposes: Purposes consented to, 1 to 24.
        interests: Purposes whose legitimate interest was told and not objected to.
        vendors: Vendors consented to.
        country: Of the publisher, two letters.
    """

    created_time: int
    updated_time: int
    cmp_id: int
    policy_version: int
    purposes: frozenset[int]
    interests: frozenset[int]
    vendors: frozenset[int]
    country: str


def read_tc(text: str) -> TcString:
    """Return what a TC string says.

    Raises:
        BadInput: It is of another version, or cannot be read.
    """
    bits = Bits(text.strip().partition(".")[0], "TC string")
    version = bits.integer(6)
    if version != _VERSION:
        raise BadInput(f"The TC string is of version {version}.", "Send one of version 2.")
    created, updated = bits.integer(36), bits.integer(36)
    cmp_id = bits.integer(12)
    bits.integer(12)  # the platform's version
    bits.integer(6)  # its screen
    bits.letters(2)  # language
    bits.integer(12)  # version of the vendor list
    policy = bits.integer(6)
    bits.flag()  # service specific
    bits.flag()  # non-standard texts
    bits.integer(12)  # special features
    purposes, interests = bits.numbers(24), bits.numbers(24)
    bits.flag()  # purpose 1 not told
    country = bits.letters(2)
    last = bits.integer(16)
    vendors = bits.ranges() if bits.flag() else bits.numbers(last)
    return TcString(
        created_time=created * _TENTH,
        updated_time=updated * _TENTH,
        cmp_id=cmp_id,
        policy_version=policy,
        purposes=purposes,
        interests=interests,
        vendors=vendors,
        country=country,
    )
