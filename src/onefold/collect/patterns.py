"""Patterns with `*` as definitions write them, made into one question."""

import re
from collections.abc import Callable, Iterable


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return whether a text fits one of the patterns whole; case does not matter.

    >>> matcher(["paid*", "cpc"])("Paid-Social"), matcher([])("anything")
    (True, False)
    """
    parts = [".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns]
    if not parts:
        return lambda _: False
    found = re.compile("|".join(parts), re.IGNORECASE | re.DOTALL)
    return lambda text: found.fullmatch(text) is not None


def host_matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return whether a host, or what it is a subdomain of, fits one of the patterns.

    >>> known = host_matcher(["google.*", "t.co"])
    >>> known("www.google.co.uk"), known("t.co"), known("not.com")
    (True, True, False)
    """
    own = list(patterns)
    return matcher([*own, *(f"*.{pattern}" for pattern in own)])
