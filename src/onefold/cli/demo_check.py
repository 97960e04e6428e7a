"""Every page of a demo asked as its owner would: does it answer, and with what it should?"""

import re
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from onefold.web import page_paths

if TYPE_CHECKING:
    from onefold.cli.demo_world import World

_PARAMETER = re.compile(r"\{\w+(?::\w+)?\}")
_KINDS = {
    "people": "person",
    "accounts": "account",
    "live": "campaign",
    "experiments": "experiment",
    "metrics": "metric",
}
"""What a page's last word before a parameter says about the parameter."""
_ERROR_STATE = re.compile(r'class="[^"]*\bstate\b[^"]*\berror\b')
_SHOWS_ALL_STATES = {"/style"}
_OTHERS = ("/health/live", "/health/ready", "/api/v1/openapi.json", "/api/v1/status")


@dataclass(frozen=True, slots=True)
class Page:
    """One page asked.

    Attributes:
        address: Path asked.
        status: What it answered.
        seconds: How long that took.
        why: What is wrong with it; empty when nothing is.
    """

    address: str
    status: int
    seconds: float
    why: str = ""

    @property
    def good(self) -> bool:
        """Whether it answered as it should."""
        return self.status == httpx.codes.OK and not self.why

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def ask_pages(address: str, world: "World") -> list[Page]:
    """Return how every page answers to somebody who has signed in by the one-time link."""
    with httpx.Client(base_url=address, timeout=60, follow_redirects=True) as browser:
        pages = [_asked(browser, world.sign_in_path, shown="/sign-in/link/...")]
        for path in (*page_paths(), *_OTHERS):
            filled = _filled(path, world.samples)
            if filled is None:
                pages.append(Page(path, 0, 0.0, "The demo holds nothing to show there."))
            else:
                pages.append(_asked(browser, filled))
    return pages


def _asked(browser: httpx.Client, path: str, shown: str = "") -> Page:
    began = time.monotonic()
    try:
        answer = browser.get(path)
    except httpx.HTTPError as error:
        return Page(shown or path, 0, time.monotonic() - began, f"{type(error).__name__}: {error}")
    seconds = round(time.monotonic() - began, 3)
    return Page(shown or path, answer.status_code, seconds, _fault(answer, path))


def _fault(answer: httpx.Response, path: str) -> str:
    if answer.status_code != httpx.codes.OK:
        return ""
    if answer.url.path == "/sign-in" and not path.startswith("/sign-in"):
        return "It leads to the sign-in."
    if path not in _SHOWS_ALL_STATES and _ERROR_STATE.search(answer.text):
        return "It shows an error."
    return ""


def _filled(path: str, samples: dict[str, str]) -> str | None:
    """Return a path with its parameters filled from the samples, None where one lacks.

    >>> _filled("/customers/people/{name}", {"person": "5"})
    '/customers/people/5'
    """
    filled = path
    for whole in _PARAMETER.finditer(path):
        page = path[: whole.start()].rstrip("/").rpartition("/")[2]
        value = samples.get(_KINDS.get(page, page))
        if value is None:
            return None
        filled = filled.replace(whole.group(0), quote(value, safe=""))
    return filled
