"""Requests as they come: what their address says, and the key that they carry."""

from dataclasses import dataclass

import msgspec

from onefold.collect.countries import Countries, Whence
from onefold.collect.dialects import posthog, rudder, segment, shape, snowplow
from onefold.collect.packing import LARGEST_REQUEST, unpacked
from onefold.collect.records import Receipt
from onefold.model.errors import BadInput

__all__ = [
    "LARGEST_REQUEST",
    "Address",
    "Countries",
    "Receipt",
    "Whence",
    "address_of",
    "unpacked",
    "write_key_in",
]

_LARGEST_SHARED = 4096 * 1024
"""Bytes of a request to an address of Segment's before it is known whose SDK sent it."""


@dataclass(frozen=True, slots=True)
class Address:
    """What the address of a request says of it.

    Attributes:
        dialect: Who can read the body: `segment`, `rudder`, `posthog`, `snowplow`.
        route: What the dialect calls the address.
        key: The write key that stands in the address; empty where none does.
        largest: Bytes that the body may have.
        by_query: An event may stand in the address itself, with GET.
    """

    dialect: str
    route: str
    key: str = ""
    largest: int = shape.LARGEST_REQUEST
    by_query: bool = False

    @property
    def key_name(self) -> str:
        """What the key is called in the query of the address."""
        return "token" if self.dialect == "posthog" else "writeKey"

    @property
    def hears_429(self) -> bool:
        """Its SDKs come back after a 429: all but one of PostHog's, which drops the events."""
        return self.dialect != "posthog"

    @property
    def says_status(self) -> bool:
        """Its SDKs want `status` in the answer."""
        return self.dialect == "posthog"


_SEGMENT = {
    f"/v1/{name}": Address("segment", route, largest=_LARGEST_SHARED)
    for name in (
        "track",
        "identify",
        "page",
        "screen",
        "group",
        "alias",
        "batch",
        "import",
        "t",
        "i",
        "p",
        "s",
        "g",
        "a",
        "b",
    )
    if (route := segment.route_of(f"/v1/{name}")) is not None
}


def address_of(path: str) -> Address | None:
    """Return what an address says; None where no SDK sends events to it.

    >>> address_of("/v1/t").route, address_of("/i/v0/e/").dialect, address_of("/live")
    ('track', 'posthog', None)
    """
    if (known := _SEGMENT.get(path)) is not None:
        return known
    if (route := segment.route_of(path)) is not None:
        return Address("segment", route, largest=_LARGEST_SHARED)
    if (route := posthog.route_of(path)) is not None:
        return Address("posthog", route, by_query=True)
    if (route := rudder.route_of(path)) is not None:
        return Address("rudder", route, by_query=route.startswith(rudder.PIXEL))
    if (found := snowplow.route_of(path)) is not None:
        return Address("snowplow", found[0], key=found[1], by_query=found[0] == "i")
    return None


class _Keyed(msgspec.Struct, rename="camel", gc=False):
    write_key: str | None = None


_keyed = msgspec.json.Decoder(_Keyed)


def write_key_in(body: bytes, address: Address = Address("segment", "batch")) -> str:
    """Return the write key in a request's body, compressed or not; empty without one."""
    try:
        text = unpacked(body, address.largest)
        if address.dialect == "posthog":
            return posthog.key_in(text)
        if address.dialect == "snowplow":
            return address.key or snowplow.key_in(text)
        return _keyed.decode(text).write_key or ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, BadInput):
        return ""
