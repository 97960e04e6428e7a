"""Where a webhook may go: to public addresses, or to hosts that somebody allowed by name."""

import re
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx

from onefold.model.errors import BadInput, NotAllowed

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port -> addresses."""

_LONGEST_URL = 2000
_HOST = re.compile(r"[\w.:\-]+")
_EMBEDS = ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48")
"""Networks that carry an IPv4 address in their last half (RFC 6052, RFC 8215)."""
_FIX = "Use a public https address, or allow the host by name: --allow HOST."


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes: to an address that was judged, not to a name resolved again.

    Attributes:
        url: As given.
        address: The address to connect to.
        host: For the Host header and the certificate.
    """

    url: httpx.URL
    address: str
    host: str

    @property
    def pinned(self) -> httpx.URL:
        """The URL with the address in place of the name."""
        return self.url.copy_with(host=self.address)


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the system resolves it.

    Raises:
        OSError: It has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))


def check_url(text: str, allowed: Collection[str] = ()) -> httpx.URL:
    """Return an address that a webhook may have, before anything is resolved.

    Raises:
        BadInput: It is none, holds a password, or is not https.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError) as error:
        raise BadInput("The address of the webhook cannot be read.", _FIX) from error
    if len(text) > _LONGEST_URL or not url.host or not _HOST.fullmatch(url.host):
        raise BadInput("The address of the webhook cannot be read.", _FIX)
    if url.userinfo:
        message = "The address of the webhook holds a name or a password."
        raise BadInput(message, "Leave it out; requests are signed.")
    if url.scheme != "https" and not (url.scheme == "http" and _named(url.host, allowed)):
        raise BadInput(f"`{url.scheme}://{url.host}` is not https.", _FIX)
    return url


def target_of(url: httpx.URL, allowed: Collection[str] = (), by: Resolve = resolve) -> Target:
    """Return where a request to a URL goes, once its addresses were judged.

    Every address that the name has must be public: with one that is not, whoever answers for the
    name could send us there the next time.

    Raises:
        NotAllowed: An address is private, loopback, link-local or otherwise not public.
        OSError: The name cannot be resolved.
    """
    check_url(str(url), allowed)
    port = url.port or (443 if url.scheme == "https" else 80)
    addresses = by(url.host, port)
    if not addresses:
        raise OSError(f"{url.host} has no address")
    if not _named(url.host, allowed):
        for address in addresses:
            if not is_public(address):
                message = f"`{url.host}` is at {address}, which is not a public address."
                raise NotAllowed(message, _FIX)
    return Target(url, addresses[0], url.host)


def is_public(address: str) -> bool:
    """Return whether an address is one of the open internet.

    >>> [is_public(a) for a in ("93.184.216.34", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1")]
    [True, False, False, False]
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return all(_open(one) for one in (found, *_embedded(found)))


def _open(address: IPv4Address | IPv6Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
    )


def _embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _EMBEDS):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


def _named(host: str, allowed: Collection[str]) -> bool:
    return host.lower().rstrip(".") in {name.lower().rstrip(".") for name in allowed}
