"""Audiences for ad platforms: who agreed to advertising, as hashes, in a file to upload."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from onefold.model.time import DAY, SECOND
from onefold.sharing.cells import as_csv, plain_cell
from onefold.sharing.drops import put_file
from onefold.sharing.hashing import fields_of, hashed, name_at

MEMBERS = "members.csv"
"""Everybody who is in, whole, each time anew."""
_REMOVED = "removed-{}.csv"
KEPT = 2 * DAY
"""How long a file of removed members stands."""
_NEEDED = ("email", "phone", "device_id")
_MOST_A_PERSON = 5


def rows_of(platform: str, values: Mapping[str, Iterable[str]]) -> list[dict[str, str]]:
    """Return a person's rows as a platform takes them: one for each e-mail address and phone.

    Args:
        platform: One of `PLATFORMS`.
        values: Field -> values known of the person.

    Nobody's row is without something to be known by.
    """
    first = {field: min(found) for field, found in values.items() if found}
    rows = []
    most = max((len(set(values.get(field, ()))) for field in _NEEDED), default=0)
    for place in range(min(most, _MOST_A_PERSON)):
        one = dict(first)
        for field in _NEEDED:
            ordered = sorted(set(values.get(field, ())))
            if ordered:
                one[field] = ordered[min(place, len(ordered) - 1)]
        row = hashed(platform, one)
        known_by = {name_at(platform, f) for f in _NEEDED if f in fields_of(platform)}
        if known_by & set(row) and row not in rows:
            rows.append(row)
    return rows


def write_audience(
    folder: Path,
    platform: str,
    people: Mapping[int, Mapping[str, Iterable[str]]],
    now: int,
) -> tuple[int, int]:
    """Write the members of an audience; return how many rows are in, and how many went.

    Who went since the last time stands in a file of its own for two days, so that the platform
    can be told to remove them.
    """
    columns = [name_at(platform, field) for field in fields_of(platform)]
    rows = [row for person in sorted(people) for row in rows_of(platform, people[person])]
    # In no order that tells who is who, or who came when.
    rows.sort(key=lambda row: tuple(row.get(name, "") for name in columns))
    former = _read(folder / MEMBERS)
    standing = {tuple(plain_cell(row.get(name, "")) for name in columns) for row in rows}
    gone = [row for row in former if tuple(row.get(n) or "" for n in columns) not in standing]
    if gone:
        put_file(folder / _REMOVED.format(now // SECOND), as_csv(columns, gone))
    put_file(folder / MEMBERS, as_csv(columns, rows))
    _drop_old(folder, now)
    return len(rows), len(gone)


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))


def _drop_old(folder: Path, now: int) -> None:
    for path in folder.glob("removed-*.csv"):
        told = path.stem.removeprefix("removed-")
        if told.isdigit() and int(told) * SECOND < now - KEPT:
            path.unlink(missing_ok=True)
