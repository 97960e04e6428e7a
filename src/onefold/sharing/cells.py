"""Cells of CSV files: nothing that a spreadsheet would run as a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What begins a formula in some spreadsheet (OWASP, "CSV Injection"), full width too."""


def plain_cell(value: object) -> object:
    """Return a value as a cell that is read as text; numbers stay numbers.

    >>> plain_cell("=HYPERLINK(1)"), plain_cell("pin_saved"), plain_cell(-3)
    ("'=HYPERLINK(1)", 'pin_saved', -3)
    """
    if value is None:
        return ""
    if isinstance(value, str):
        text = value.replace("\0", "")
        return f"'{text}" if text.lstrip(" \ufeff").startswith(_STARTS) else text
    return value


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as CSV in UTF-8 with a header (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([plain_cell(row.get(name)) for name in columns])
    return text.getvalue().encode("utf-8", "replace")
