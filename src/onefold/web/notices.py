"""One sentence that a form leaves for the next page: a short-lived cookie, shown once."""

from __future__ import annotations

import base64
import binascii
import json

COOKIE = "onefold_notice"
KINDS = frozenset({"done", "stale", "refused"})


def write(title: str, words: str, kind: str) -> str:
    """Return a notice as a cookie keeps it.

    >>> read(write("Done", "Ines is an owner.", "done"))
    {'title': 'Done', 'words': 'Ines is an owner.', 'kind': 'done'}
    """
    text = json.dumps([title, words[:500], kind])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cookie: str) -> dict[str, str] | None:
    """Return the notice of a cookie, or None for anything else.

    >>> read("not a notice") is None
    True
    """
    try:
        padded = cookie + "=" * (-len(cookie) % 4)
        title, words, kind = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError, binascii.Error):
        return None
    if kind not in KINDS or not cookie:
        return None
    return {"title": str(title), "words": str(words), "kind": str(kind)}
