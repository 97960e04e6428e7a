"""Cells of a CSV that no spreadsheet takes for a formula."""

_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Full width too: some spreadsheets read those alike."""


def guarded(value: object) -> object:
    """Return a cell that a spreadsheet reads as text where it might be a formula.

    Source: OWASP, CSV Injection: texts that begin with = + - @, a tab or a line's end.

    >>> guarded("=1+1"), guarded("home_feed"), guarded(-2.5), guarded(None)
    ("'=1+1", 'home_feed', -2.5, '')
    """
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" \ufeff\u3000\xa0").startswith(_RISKY):
        return "'" + value
    return value
