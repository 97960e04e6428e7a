"""The guard judges the address that is connected to, whatever the name says."""

import httpx
import pytest

from onefold.model.errors import NotAllowed
from onefold.sharing.guard import is_public, target_of

INNER = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "nonsense",
]


@pytest.mark.parametrize("address", INNER)
def test_an_inner_address_is_not_public(address):
    assert not is_public(address)
    with pytest.raises(NotAllowed):
        target_of(httpx.URL("https://partner.example/x"), by=lambda *_: [address])


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111"])
def test_an_address_of_the_internet_is_public(address):
    assert is_public(address)
    found = target_of(httpx.URL("https://partner.example:8443/x?y=1"), by=lambda *_: [address])
    assert found.address == address
    assert found.pinned.host == address
    assert found.pinned.path == "/x"
    assert found.host == "partner.example"


def test_one_inner_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(NotAllowed):
        target_of(
            httpx.URL("https://partner.example/"), by=lambda *_: ["93.184.216.34", "10.0.0.1"]
        )


def test_the_name_is_resolved_once_and_the_address_pinned():
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    found = target_of(httpx.URL("https://rebind.example/"), by=lambda *_: next(answers))
    assert found.pinned.host == "93.184.216.34"


def test_a_host_that_is_allowed_by_name_may_be_inner_and_no_other():
    url = httpx.URL("https://crm.intern/x")
    assert target_of(url, ["CRM.intern."], lambda *_: ["10.0.0.1"]).address == "10.0.0.1"
    with pytest.raises(NotAllowed):
        target_of(httpx.URL("https://crm.intern.evil.example/"), ["crm.intern"], lambda *_: ["::1"])
