"""Snowplow's network id: a cookie that joins a browser's visits, where consent allows one."""

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from uuid import uuid4

from onefold.consent import keeps_identifiers
from onefold.web.answers import header

if TYPE_CHECKING:
    from onefold.collect import wire
    from onefold.web.passing import Headers, Scope

COOKIE = "sp"
_YEAR_SECONDS = 31_536_000
_SNOWPLOW = "snowplow"


def said_beside(scope: "Scope", address: "wire.Address") -> dict[str, str] | None:
    """Return what headers say of Snowplow's events: network id and browser; None for others."""
    if address.dialect != _SNOWPLOW:
        return None
    agent = header(scope, b"user-agent").decode("latin-1")
    network = "" if header(scope, b"sp-anonymous") else _sent(scope)
    return {name: said for name, said in (("ua", agent), ("nuid", network)) if said}


def network_cookie(scope: "Scope", address: "wire.Address", receipt: "wire.Receipt") -> "Headers":
    """Return the header that gives a browser its network id.

    None is given to one that has it, that asks not to be known (`SP-Anonymous`), or of whose
    events any came without consent to know the person.
    """
    if address.dialect != _SNOWPLOW or header(scope, b"sp-anonymous") or _sent(scope):
        return []
    if receipt.row is None or not all(map(keeps_identifiers, receipt.row.verdicts)):
        return []
    forwarded = header(scope, b"x-forwarded-proto").split(b",")[0].strip()
    safe = b"https" in {scope["scheme"].encode(), forwarded}
    where = "SameSite=None; Secure" if safe else "SameSite=Lax"
    cookie = f"{COOKIE}={uuid4()}; Path=/; Max-Age={_YEAR_SECONDS}; HttpOnly; {where}"
    return [(b"set-cookie", cookie.encode())]


def _sent(scope: "Scope") -> str:
    try:
        found = SimpleCookie(header(scope, b"cookie").decode("latin-1")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value[:100]
