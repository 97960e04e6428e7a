"""Events as files of a folder: Parquet, CSV, or batches of hashed events for Pinterest.

A file is named for the stretch of the log that it holds and is a function of the View: what must
be taken back is taken back by writing the files that hold it anew.
"""

import json
import os
import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onefold.model.errors import DiskFull, MachineFailed
from onefold.sharing.carriers import Taken
from onefold.sharing.cells import as_csv
from onefold.sharing.queries import COLUMNS, PINTEREST, USER_ID
from onefold.sharing.records import Batch

if TYPE_CHECKING:
    from onefold.sharing.queries import Outgoing

PARQUET, CSV = "parquet", "csv"
FORMATS = (PARQUET, CSV, PINTEREST)
ENDINGS = {PARQUET: "parquet", CSV: "csv", PINTEREST: "json"}
_NAME = re.compile(r"events-(\d{16})-(\d{16})(?:-\d{4})?\.(?:parquet|csv|json)")


class FileDrop:
    """A folder that receivers fetch files from (see `Carrier`)."""

    most = 50_000
    gives_up = False
    rewrites = True

    def __init__(self, out: "Outgoing", folder: Path) -> None:
        settings = out.destination.settings
        self._out = out
        self._folder = folder
        self._format = str(settings.get("format", PARQUET))
        self._columns = (*COLUMNS, USER_ID) if settings.get("names") else COLUMNS

    def begin(self, cursor: int) -> None:
        """Remove files beyond the cursor, and unfinished ones: a run left them that broke off."""
        with _writing(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in self._folder.glob("*.part"):
                path.unlink()
            for first, _, paths in self._stretches():
                if first > cursor:
                    _remove(paths)

    def carry(self, batch: Batch, _sequence: int) -> None:
        """Write a stretch of the log."""
        with _writing(self._folder):
            self._write(batch)

    def take_back(self, taken: Taken, subjects: Collection[str], _sequence: int) -> None:
        """Write every file anew that holds any of the subjects, or would hold them now."""
        with _writing(self._folder):
            wanted = set(subjects)
            coming = self._out.offsets_of(taken.keys, taken.cursor) if taken.keep else []
            for first, last, paths in self._stretches():
                place = bisect_left(coming, first)
                comes = place < len(coming) and coming[place] <= last
                if not comes and not any(wanted & self._subjects_in(path) for path in paths):
                    continue
                now = self._out.batch(first, last)
                self._write(now if taken.keep else _without(now, taken.keys), former=paths)

    def _stretches(self) -> list[tuple[int, int, list[Path]]]:
        """Return the stretches of the log that files hold, in order."""
        found: dict[tuple[int, int], list[Path]] = {}
        for path in sorted(self._folder.glob("events-*")):
            named = _NAME.fullmatch(path.name)
            if named is not None:
                found.setdefault((int(named[1]), int(named[2])), []).append(path)
        return [(first, last, paths) for (first, last), paths in sorted(found.items())]

    def _write(self, batch: Batch, former: Sequence[Path] = ()) -> None:
        name = f"events-{max(batch.first, 0):016d}-{batch.last:016d}"
        if not batch.rows:
            _remove(former)
            return
        ending = ENDINGS[self._format]
        if self._format == PINTEREST:
            from onefold.sharing.conversions import batches_of

            files = {
                f"{name}-{place:04d}.{ending}": json.dumps({"data": events}).encode()
                for place, events in enumerate(batches_of(batch.rows))
            }
        elif self._format == CSV:
            files = {f"{name}.{ending}": as_csv(self._columns, batch.rows)}
        else:
            files = {f"{name}.{ending}": _as_parquet(self._columns, batch.rows)}
        for file, content in files.items():
            _put(self._folder / file, content)
        _remove([path for path in former if path.name not in files])

    def _subjects_in(self, path: Path) -> set[str]:
        if self._format == PINTEREST:
            found = json.loads(path.read_bytes())["data"]
            return {one["partner_subject"] for one in found}
        if self._format == CSV:
            from csv import DictReader

            with path.open(encoding="utf-8", newline="") as lines:
                return {row["subject"] for row in DictReader(lines)}
        import pyarrow.parquet as pq

        return set(pq.read_table(path, columns=["subject"]).column("subject").to_pylist())


def _without(batch: Batch, keys: Collection[int]) -> Batch:
    kept = [place for place, key in enumerate(batch.keys) if key not in keys]
    return Batch(
        batch.first,
        batch.last,
        rows=tuple(batch.rows[place] for place in kept),
        keys=tuple(batch.keys[place] for place in kept),
        marks=tuple(batch.marks[place] for place in kept),
        sources=tuple(batch.sources[place] for place in kept),
    )


def _as_parquet(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in columns])
    found = pa.table({name: [row.get(name) for row in rows] for name in columns}, schema=schema)
    for name in ("event_time", "received_time"):
        place = columns.index(name)
        times = found.column(name).cast(pa.timestamp("us", tz="UTC"))
        found = found.set_column(place, name, times)
    out = pa.BufferOutputStream()
    pq.write_table(found, out, compression="zstd")
    return bytes(out.getvalue())


def _put(path: Path, content: bytes) -> None:
    """Let a file have a content, whole or not at all, also when the machine stops."""
    part = path.with_name(path.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def put_file(path: Path, content: bytes) -> None:
    """Let a file of a drop have a content, whole or not at all.

    Raises:
        DiskFull, MachineFailed: It cannot be written.
    """
    with _writing(path.parent):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _put(path, content)


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {28, 122}:
            raise DiskFull(f"{folder.name} cannot grow.", "Make room on the disk.") from error
        message = f"The folder {folder.name} cannot be written: {error.strerror or error}."
        raise MachineFailed(
            message, "Look at its rights, and whether its disk is there."
        ) from error
