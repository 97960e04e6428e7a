"""Rows as CSV files, of which no cell can become a formula of a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onefold.model.cells import guarded


def plain_cell(value: object) -> object:
    """Return a value as a cell that is read as text; numbers stay numbers.

    >>> plain_cell("=HYPERLINK(1)"), plain_cell("pin_saved"), plain_cell(-3)
    ("'=HYPERLINK(1)", 'pin_saved', -3)
    """
    return guarded(value.replace("\0", "") if isinstance(value, str) else value)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as CSV in UTF-8 with a header (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([plain_cell(row.get(name)) for name in columns])
    return text.getvalue().encode("utf-8", "replace")
