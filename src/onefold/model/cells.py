"""Cells of a CSV that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

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


def sheet(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""Return rows as CSV (RFC 4180) under their names; no cell of it is a formula.

    >>> sheet(["a", "=b"], [[1, None], ["-x", 2.5]])
    "a,'=b\r\n1,\r\n'-x,2.5\r\n"
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded(name) for name in names])
    writer.writerows([guarded(each) for each in row] for row in rows)
    return out.getvalue()
