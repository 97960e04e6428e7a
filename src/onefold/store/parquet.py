"""The facts as Parquet files for engines beside ours: whole versions, one of them current.

A version is a folder `v-N` with a folder a table, and in it a file a day (tables that grow by the
day) or one file. `current.json` beside the versions names the current one and is replaced by one
rename, after every file it names is on the disk: a version half-written is never read.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlglot import exp, select

from onefold.model.errors import DiskFull, MachineFailed
from onefold.model.facts import TABLES

if TYPE_CHECKING:
    from onefold.store.facts import Facts

MANIFEST = "current.json"
FORMAT = 1
"""Grows when an older reader could not read what is written."""
BY_DAY = {"events": "received_time", "sessions": "start_time"}
"""Table -> the time whose day (UTC) says in which of its files a row stands.

Events come to the days of their arrival, so that what comes late changes no old file.
"""
_ALL = "all"
_UNDATED = "undated"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a table.

    Attributes:
        path: Of the file, from the folder of the export.
        rows: How many are in it.
        mark: Tells equal content: rows, and two sums over a hash of each row.
    """

    path: str
    rows: int
    mark: str


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """One table of an export: column -> type (as in `model.facts`), rows, files."""

    columns: dict[str, str]
    rows: int
    files: tuple[Part, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an export holds.

    Attributes:
        format: Of the export.
        version: The folder of the current version, `v-N`.
        former: The version before, still there for who reads it; empty where there is none.
        facts_version: Of the folds that made the facts.
        generation: Which build of the facts it was taken from.
        offset: The last log offset in it.
        fresh_time: Received time of the last row folded, microseconds UTC; None before any.
        made_time: When the snapshot was taken, microseconds UTC.
        tables: By name.
    """

    format: int
    version: str
    former: str
    facts_version: int
    generation: str
    offset: int
    fresh_time: int | None
    made_time: int
    tables: dict[str, Exported]


def read_manifest(folder: Path) -> Manifest | None:
    """Return what the current version of an export holds, or None where there is none.

    Raises:
        MachineFailed: It cannot be read, or another Onefold wrote it.
    """
    try:
        found = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        message = f"The export of the facts in {folder} cannot be read."
        raise MachineFailed(message, "Run `onefold facts export`.") from error
    if found.format != FORMAT:
        message = f"The export of the facts in {folder} is of format {found.format}, not {FORMAT}."
        raise MachineFailed(message, "Run `onefold facts export` with this Onefold.")
    return found


def take_down(folder: Path) -> None:
    """Remove an export with all its versions, the manifest first.

    Raises:
        MachineFailed: A file cannot be removed.
    """
    try:
        (folder / MANIFEST).unlink(missing_ok=True)
        for path in _versions(folder):
            shutil.rmtree(path)
    except OSError as error:
        message = f"The export of the facts in {folder} cannot be removed: {error.strerror}."
        raise MachineFailed(message, "Let this user write there, then try again.") from error


def write_export(
    facts: "Facts", folder: Path, *, facts_version: int, generation: str, now: int
) -> Manifest:
    """Write the facts as they stand at one offset, and let that version be the current one.

    Files whose rows are those of the current version are linked, not written again. The former
    version stays for who reads it, older ones go; what another generation made goes at once.

    Args:
        facts: What to write; folds go on meanwhile.
        folder: Of the export; made where it is not there.
        facts_version: Of the folds that made them.
        generation: Names the build of the facts.
        now: Microseconds UTC.

    Raises:
        DiskFull: There is no room; the current version stays as it was.
        MachineFailed: The folder cannot be written.
    """
    former = _former(folder, generation)
    version = _next(folder)
    place = folder / version
    try:
        place.mkdir(mode=0o700, parents=True)
        with facts.snapshot() as cursor:
            tables = {
                name: _written(cursor, name, columns, folder, version, former)
                for name, columns in _schemas(facts).items()
            }
            offset, fresh = _reached(cursor)
        _sync(place)
        made = Manifest(
            format=FORMAT,
            version=version,
            former=former.version if former else "",
            facts_version=facts_version,
            generation=generation,
            offset=offset,
            fresh_time=fresh,
            made_time=now,
            tables=tables,
        )
        _put_in_force(folder, made)
    except OSError as error:
        message = f"The export of the facts cannot be written: {error.strerror or error}."
        raise DiskFull(message, "Make room on the disk, or let this user write there.") from error
    finally:
        _tidy(folder)
    return made


def _former(folder: Path, generation: str) -> Manifest | None:
    """Return the current version where its files may be used again; it is of these facts."""
    try:
        found = read_manifest(folder)
    except MachineFailed:
        return None
    return found if found and found.generation == generation else None


def _versions(folder: Path) -> list[Path]:
    return sorted(folder.glob("v-*"), key=lambda path: int(path.name.removeprefix("v-")))


def _next(folder: Path) -> str:
    there = _versions(folder)
    number = int(there[-1].name.removeprefix("v-")) + 1 if there else 1
    return f"v-{number}"


def _tidy(folder: Path) -> None:
    """Remove versions that the manifest does not name."""
    try:
        current = read_manifest(folder)
    except MachineFailed:
        current = None
    keep = {current.version, current.former} if current else set()
    for path in _versions(folder):
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)


def _schemas(facts: "Facts") -> dict[str, dict[str, str]]:
    return {
        name: {column: str(kind) for column, kind in table.schema().items()}
        for name, table in facts.tables().items()
        if name in TABLES
    }


def _written(
    cursor: Any,
    name: str,
    columns: Mapping[str, str],
    folder: Path,
    version: str,
    former: Manifest | None,
) -> Exported:
    """Write one table, or link those of its files that are as they were."""
    (folder / version / name).mkdir(mode=0o700)
    known = former.tables.get(name) if former else None
    same = known.files if known and known.columns == columns else ()
    standing = {(Path(part.path).stem, part.mark): part for part in same}
    parts = []
    for day, rows, mark in _marks(cursor, name, columns):
        path = f"{version}/{name}/{day}.parquet"
        part = standing.get((day, mark))
        if part is None or not _linked(folder / part.path, folder / path):
            _write(cursor, name, day, folder / path)
        parts.append(Part(path=path, rows=rows, mark=mark))
    return Exported(
        columns=dict(columns), rows=sum(part.rows for part in parts), files=tuple(parts)
    )


def _marks(cursor: Any, name: str, columns: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    """Yield each file that a table shall have: its name, its rows and what tells its content."""
    hashed = exp.func("hash", *(exp.column(column, quoted=True) for column in columns))
    day: exp.Expression = _day(name) if name in BY_DAY else exp.Literal.string(_ALL)
    rows = select(exp.alias_(day, "day"), exp.alias_(hashed, "digest")).from_(exp.to_table(name))
    digest = exp.column("digest")
    asked = (
        select(
            "day",
            exp.Count(this=exp.Star()),
            exp.func("bit_xor", digest.copy()),
            exp.Sum(this=exp.cast(digest.copy(), "HUGEINT")),
        )
        .from_(rows.subquery("digests"))
        .group_by("day")
        .order_by("day")
    )
    found = cursor.execute(asked.sql(dialect="duckdb")).fetchall()
    for label, count, low, high in found:
        yield label, count, f"{count}-{low:x}-{high:x}"
    if not found:
        # A table without rows has a file all the same: it tells the columns.
        yield _ALL, 0, "0"


def _day(name: str) -> exp.Expression:
    time = exp.cast(exp.cast(exp.column(BY_DAY[name], quoted=True), "DATE"), "VARCHAR")
    return exp.func("coalesce", time, exp.Literal.string(_UNDATED))


def _write(cursor: Any, name: str, day: str, path: Path) -> None:
    rows = select("*").from_(exp.to_table(name))
    if name in BY_DAY and day == _UNDATED:
        rows = rows.where(exp.column(BY_DAY[name], quoted=True).is_(exp.null()))
    elif name in BY_DAY and day != _ALL:
        rows = rows.where(_within(BY_DAY[name], day))
    cursor.sql(rows.sql(dialect="duckdb")).write_parquet(str(path), compression="zstd")
    path.chmod(0o600)
    _sync(path)


def _within(column: str, day: str) -> exp.Expression:
    """Return that a time is of a day, so that the engine reads the stretch of that day alone."""
    after = date.fromisoformat(day) + timedelta(days=1)
    start, end = (exp.cast(exp.Literal.string(str(one)), "TIMESTAMP") for one in (day, after))
    time = exp.column(column, quoted=True)
    return exp.and_(exp.GTE(this=time, expression=start), exp.LT(this=time.copy(), expression=end))


def _linked(source: Path, place: Path) -> bool:
    """Return whether a file could be given a second name; not every file system has that."""
    try:
        os.link(source, place)
    except OSError:
        return False
    return True


def _reached(cursor: Any) -> tuple[int, int | None]:
    received = exp.func("epoch_us", exp.column("received_time"))
    asked = select("log_offset", received).from_("progress")
    row = cursor.execute(asked.sql(dialect="duckdb")).fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def _put_in_force(folder: Path, made: Manifest) -> None:
    aside = folder / f"{MANIFEST}.next"
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(made)))
    aside.chmod(0o600)
    _sync(aside)
    aside.replace(folder / MANIFEST)
    _sync(folder)


def _sync(path: Path) -> None:
    """Bring a file, or what a folder and those in it name, to the disk."""
    inner = [one for one in path.iterdir() if one.is_dir()] if path.is_dir() else []
    for each in (*inner, path):
        with _opened(each) as handle:
            os.fsync(handle)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
