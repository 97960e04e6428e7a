"""Prefixes kept: copies of the facts as they stood at an offset, to replay the log from there.

Facts are a fold of the whole log, so what stands before an offset cannot be cut out of them. A
rebuild from an offset therefore begins with the facts as they once stood at it or before it, and
only where the rules and the folds are the same; the result equals a whole rebuild.
"""

import shutil
from pathlib import Path

import msgspec

from onefold.collect import FoldRules
from onefold.model.errors import BadInput, DiskFull
from onefold.model.facts import VERSION
from onefold.runtime.generation import Generation, next_place, open_at

_FILE = "kept.json"
_MOST = 3


class _Kept(msgspec.Struct, frozen=True):
    """What a copy is of."""

    offset: int
    version: int
    rules: FoldRules


def keep(folder: Path, generation: Generation) -> int:
    """Copy a generation that nobody writes to; return the offset it stands at.

    The last three copies by the rules in force stay; others are of no use and go.

    Raises:
        BadInput: The facts stand in an engine elsewhere.
        DiskFull: There is no room for the copy.
    """
    if generation.engine:
        message = "Facts that stand in another engine are not kept as of an offset."
        raise BadInput(message, "Leave --keep out: a rebuild replays all rows.")
    generation.seen.flush()
    # Runs are merged aside; the copy has to wait for it.
    generation.seen.close()
    generation.facts.checkpoint()
    kept = _Kept(generation.offset, generation.version, generation.rules)
    place, aside = folder / f"kept-{kept.offset}", folder / "kept.next"
    _copy(generation.folder, aside)
    (aside / _FILE).write_bytes(msgspec.json.encode(kept))
    shutil.rmtree(place, ignore_errors=True)
    aside.rename(place)
    usable = sorted(_usable(folder, kept.rules), key=lambda found: found[0])
    stay = {path for _, path in usable[-_MOST:]}
    for path in folder.glob("kept-*"):
        if path not in stay:
            shutil.rmtree(path, ignore_errors=True)
    return kept.offset


def begin_from(folder: Path, before: int, rules: FoldRules) -> Generation | None:
    """Return a new generation that holds the rows up to the latest copy before an offset.

    Without a copy by these rules there is none.
    """
    found = [one for one in _usable(folder, rules) if one[0] < before]
    if not found:
        return None
    _, kept = max(found)
    place = next_place(folder)
    _copy(kept, place)
    (place / _FILE).unlink()
    return open_at(place)


def drop_kept(folder: Path) -> None:
    """Remove all copies: they hold what was erased since."""
    for path in (*folder.glob("kept-*"), folder / "kept.next"):
        shutil.rmtree(path, ignore_errors=True)


def _copy(source: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    try:
        shutil.copytree(source, place)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        message = f"The facts cannot be copied to {place.name}."
        raise DiskFull(message, "Make room on the disk, or rebuild without a copy.") from error


def _usable(folder: Path, rules: FoldRules) -> list[tuple[int, Path]]:
    """Return the copies made by these rules and folds, with their offsets."""
    found: list[tuple[int, Path]] = []
    for path in folder.glob("kept-*"):
        try:
            kept = msgspec.json.decode((path / _FILE).read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            continue
        if kept.version == VERSION and kept.rules == rules:
            found.append((kept.offset, path))
    return found
