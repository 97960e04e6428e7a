"""Sorted runs of ids on disk: five plain files of 64-bit integers, mapped and searched in place.

`hi` holds the high halves of the hashes in order; `lo`, `offset` and `place` stand beside them,
and `index` repeats every 512th of `hi`: one entry a page of memory. A search bisects the index,
which stays in memory, and then one page, so that a lookup touches one page of a run on disk.
"""

import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

FIELDS = ("hi", "lo", "offset", "place")
_INDEX = "index"
_PAGE = 512
_STEPS = 10
_CHUNKS = 64
_WORD = np.dtype("<i8")
_MOST_MAPPED = 64_000_000
"""Bytes of a run that its lookups may have brought into memory before they are let go again."""


@dataclass(slots=True)
class Run:
    """Ids sorted by the high half of their hash; the arrays are of one length.

    Attributes:
        hi: High halves, in order.
        lo: Low halves.
        offset: Log offsets of the first sight.
        place: Places in that row.
        index: Every 512th of `hi`; None for a run in memory.
        maps: What the arrays of a run on disk lie in.
        touched: Bytes of it that lookups may have brought into memory.
    """

    hi: Ints
    lo: Ints
    offset: Ints
    place: Ints
    index: Ints | None = None
    maps: tuple[mmap.mmap, ...] = ()
    touched: int = field(default=0, compare=False)

    def __len__(self) -> int:
        return len(self.hi)

    def first_at_least(self, hi: Ints) -> Ints:
        """Return for each key where the first stands that is as great; the length where none is."""
        if self.index is None:
            return np.searchsorted(self.hi, hi)
        low = np.maximum(np.searchsorted(self.index, hi) - 1, 0) * _PAGE
        high = np.minimum(low + _PAGE, len(self))
        for _ in range(_STEPS):
            middle = (low + high) >> 1
            less = self.hi[np.minimum(middle, len(self) - 1)] < hi
            low, high = np.where(less & (low < high), middle + 1, low), np.where(less, high, middle)
        self._let_go(len(hi))
        return low

    def _let_go(self, lookups: int) -> None:
        """Give pages back now and then: they are the file's, and the system may keep them."""
        self.touched += lookups * mmap.PAGESIZE
        if self.touched >= _MOST_MAPPED:
            self.touched = 0
            for mapped in self.maps:
                mapped.madvise(mmap.MADV_DONTNEED)


def merged(runs: Sequence[Run]) -> Run:
    """Return the ids of some runs as one run in memory."""
    hi = np.concatenate([run.hi for run in runs])
    order = np.argsort(hi, kind="stable")
    return Run(
        hi[order],
        np.concatenate([run.lo for run in runs])[order],
        np.concatenate([run.offset for run in runs])[order],
        np.concatenate([run.place for run in runs])[order],
    )


def open_run(folder: Path) -> Run:
    """Return a run on disk, mapped."""
    maps = tuple(_mapped(folder / name) for name in FIELDS)
    hi, lo, offset, place = (np.frombuffer(mapped, dtype=_WORD) for mapped in maps)
    index = np.fromfile(folder / _INDEX, dtype=_WORD)
    return Run(hi, lo, offset, place, index, maps)


def write_run(folder: Path, run: Run) -> None:
    """Write a run so that it stands after a power cut.

    Raises:
        OSError: There is no room.
    """
    write_merged(folder, [run], chunks=1)


def write_merged(folder: Path, runs: Sequence[Run], *, chunks: int = _CHUNKS) -> None:
    """Write some runs as one, range by range of the key, so that memory stays small.

    Raises:
        OSError: There is no room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bounds = np.linspace(-(2**63), 2**63 - 1024, chunks + 1).astype(np.int64)[1:-1]
    cuts = [[0, *run.first_at_least(bounds).tolist(), len(run)] for run in runs]
    files = [(folder / name).open("wb") for name in FIELDS]
    firsts, written = [], 0
    try:
        for chunk in range(chunks):
            part = merged(
                [_part(run, *cut[chunk : chunk + 2]) for run, cut in zip(runs, cuts, strict=True)]
            )
            for name, file in zip(FIELDS, files, strict=True):
                getattr(part, name).astype(_WORD, copy=False).tofile(file)
            firsts.append(part.hi[-written % _PAGE :: _PAGE])
            written += len(part)
    finally:
        for file in files:
            file.flush()
            os.fsync(file.fileno())
            file.close()
    with (folder / _INDEX).open("wb") as file:
        np.concatenate(firsts).astype(_WORD, copy=False).tofile(file)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _part(run: Run, start: int, end: int) -> Run:
    here = slice(start, end)
    return Run(run.hi[here], run.lo[here], run.offset[here], run.place[here])


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    mapped.madvise(mmap.MADV_RANDOM)
    return mapped
