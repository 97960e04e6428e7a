"""Facts published as Parquet, for engines that only read: whole versions, one of them in force.

A version is a folder that is written aside and then named by `manifest.json`, which is replaced by
one rename: who reads finds a whole version or the one before it. The former one stays until the
next, for questions that still read it.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import msgspec

from onefold.model.errors import DiskFull, MachineFailed
from onefold.model.facts import VERSION
from onefold.store.facts import Facts

_MANIFEST = "manifest.json"
_VERSIONS = "version-*"


class Published(msgspec.Struct, frozen=True):
    """One version.

    Attributes:
        folder: Its folder, beside the manifest.
        offset: The last log offset that it holds.
        fresh_time: Received time of the last event in it, microseconds, or None.
        made_time: When it was written, microseconds.
        rows: Table -> how many rows it has.
        promoted: Further columns of `events`: name -> type.
        fold: The version of the folds that made it.
    """

    folder: str
    offset: int
    fresh_time: int | None
    made_time: int
    rows: dict[str, int]
    promoted: dict[str, str]
    fold: int = VERSION


def published_in(place: Path) -> Published | None:
    """Return the version in force, or None where nothing was published.

    Raises:
        MachineFailed: The manifest cannot be read.
    """
    try:
        return msgspec.json.decode((place / _MANIFEST).read_bytes(), type=Published)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        message = f"{place / _MANIFEST} cannot be read."
        raise MachineFailed(message, "Remove it; the next version is written anew.") from error


def publish(
    facts: Facts, place: Path, *, offset: int, fresh_time: int | None, now: int, erased: bool
) -> Published:
    """Write all tables as a new version and let it be the one in force.

    Args:
        facts: Nobody may write to them meanwhile.
        place: Where versions stand; made where it is not there.
        offset: The last log offset that they hold.
        fresh_time: Received time of the last event they hold.
        now: The time, microseconds.
        erased: Former versions hold what must be nowhere any more; they go at once.

    Raises:
        DiskFull: There is no room; the version in force stays.
    """
    former = published_in(place) if place.exists() else None
    folder = f"version-{now}-{offset}"
    aside = place / "next"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        rows = facts.write_tables(aside)
        aside.rename(place / folder)
        made = Published(folder, offset, fresh_time, now, rows, facts.promoted())
        told = place / f"{_MANIFEST}.next"
        told.write_bytes(msgspec.json.encode(made))
        with told.open("rb") as file:
            os.fsync(file.fileno())
        told.replace(place / _MANIFEST)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        message = f"The facts cannot be published to {place}: {error.strerror or error}."
        raise DiskFull(message, "Make room on the disk.") from error
    stay = {folder} if erased or former is None else {folder, former.folder}
    for path in place.glob(_VERSIONS):
        if path.name not in stay:
            shutil.rmtree(path, ignore_errors=True)
    return made


def withdraw(place: Path) -> None:
    """Remove every version."""
    with suppress(OSError):
        (place / _MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)
