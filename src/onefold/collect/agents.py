"""User agents: browser, system, device and whether a program stands behind it.

The names are those of ua-parser's list (uap-core). It is imported by the first user agent that
comes, so that a process without any does not hold it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

LONGEST = 1024
"""Characters of a user agent that are looked at."""

_TV = re.compile(
    r"\bTV\b|SMART-?TV|AppleTV|GoogleTV|BRAVIA|Roku|\bAFT[A-Z]|CrKey|Web0S", re.IGNORECASE
)
_TABLETS = re.compile(r"iPad|Tablet|Kindle|PlayBook|Silk/(?!.*Mobile)", re.IGNORECASE)
_MOBILE_SYSTEMS = frozenset({"iOS", "Android", "Windows Phone", "KaiOS", "BlackBerry OS"})
_DESKTOP_SYSTEMS = frozenset(
    {"Windows", "Mac OS X", "Linux", "Chrome OS", "Ubuntu", "Fedora", "Debian", "FreeBSD"}
)


@dataclass(frozen=True, slots=True)
class Agent:
    """What a user agent says of itself; None where it does not say.

    Attributes:
        browser: Such as `Chrome` or `Mobile Safari`.
        version: The browser's major version.
        system: Such as `Windows` or `iOS`.
        device: `desktop`, `mobile`, `tablet`, `tv` or `other`.
        spider: It is known as a crawler.
    """

    browser: str | None = None
    version: str | None = None
    system: str | None = None
    device: str | None = None
    spider: bool = False


NOBODY = Agent()


@lru_cache(maxsize=8192)
def agent_of(text: str) -> Agent:
    """Return what a user agent says.

    >>> agent_of("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/130.0")
    Agent(browser='Firefox', version='130', system='Windows', device='desktop', spider=False)
    """
    import ua_parser

    text = text[:LONGEST]
    if not text.strip():
        return NOBODY
    found: Any = ua_parser.parse(text)
    browser, system = found.user_agent, found.os
    name = system.family if system else None
    return Agent(
        browser=browser.family if browser else None,
        version=browser.major if browser else None,
        system=name,
        device=_device(text, name),
        spider=found.device is not None and found.device.family == "Spider",
    )


def device_of_system(system: str | None) -> str | None:
    """Return the device that a system is of where no user agent says more.

    >>> device_of_system("iOS"), device_of_system("Windows"), device_of_system(None)
    ('mobile', 'desktop', None)
    """
    if system is None:
        return None
    if system in _MOBILE_SYSTEMS:
        return "mobile"
    return "desktop" if system in _DESKTOP_SYSTEMS else "other"


def _device(text: str, system: str | None) -> str:
    if _TV.search(text):
        return "tv"
    if _TABLETS.search(text) or (system == "Android" and "Mobile" not in text):
        return "tablet"
    return device_of_system(system) or "other"
