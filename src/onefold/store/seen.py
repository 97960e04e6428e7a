"""Ids seen, for ever: sorted runs of 64-bit hashes, memory-mapped, searched by bisection.

A run is a folder of four files in the order of `hi`: the high and the low half of the 128-bit
hash and the place in the log (offset, place). A lookup bisects `hi` only and confirms a hit on
the low half. Ids younger than the last run stand in memory; after a crash they are read again
from the facts, which hold the offset that the runs reach.
"""

import json
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_FIELDS = ("hi", "lo", "offset", "place")
_MERGE_AT = 6
_CHUNKS = 64


@dataclass(frozen=True, slots=True)
class _Run:
    """Sorted by `hi`; the arrays are of one length."""

    hi: Ints
    lo: Ints
    offset: Ints
    place: Ints

    def __len__(self) -> int:
        return len(self.hi)


@dataclass(frozen=True, slots=True)
class Seen:
    """Where the ids of a batch were seen first.

    Attributes:
        known: One flag an id.
        offset: Log offset of the first sight where known, else 0.
        place: Place in that row where known, else 0.
    """

    known: npt.NDArray[np.bool_]
    offset: Ints
    place: Ints


class SeenIds:
    """All message ids that count already."""

    def __init__(self, folder: Path, *, run_ids: int = 1_000_000) -> None:
        """Open the runs of a folder, making it when there is none."""
        self._folder = folder
        self._run_ids = run_ids
        self._lock = threading.Lock()
        self._merging: threading.Thread | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.offset, self._names, self._next = _read_manifest(folder)
        """All ids of log offsets up to this one are in runs on disk."""
        self._runs = [_open_run(folder / name) for name in self._names]
        self._drop_strays()
        self._fresh: list[_Run] = []
        self._fresh_offset = self.offset

    def __len__(self) -> int:
        with self._lock:
            return sum(map(len, self._runs)) + sum(map(len, self._fresh))

    def find(self, hi: Ints, lo: Ints) -> Seen:
        """Return which ids were seen before and where; shapes (n,) in, (n,) out."""
        known = np.zeros(len(hi), dtype=np.bool_)
        offset = np.zeros(len(hi), dtype=np.int64)
        place = np.zeros(len(hi), dtype=np.int64)
        with self._lock:
            runs = [*self._runs, *self._fresh]
        for run in runs:
            _search(run, hi, lo, known, offset, place)
        return Seen(known, offset, place)

    def add(self, hi: Ints, lo: Ints, offset: Ints, place: Ints) -> None:
        """Remember ids whose facts are committed; offsets grow from call to call."""
        if not len(hi):
            return
        order = np.argsort(hi, kind="stable")
        run = _Run(hi[order], lo[order], offset[order], place[order])
        with self._lock:
            self._fresh_offset = max(self._fresh_offset, int(offset.max()))
            self._fresh.append(run)
            # Equal-sized neighbours are merged, so that few runs stand in memory.
            while len(self._fresh) > 1 and len(self._fresh[-1]) * 2 > len(self._fresh[-2]):
                last, former = self._fresh.pop(), self._fresh.pop()
                self._fresh.append(_merged([former, last]))
            full = sum(map(len, self._fresh)) >= self._run_ids
        if full:
            self.flush()

    def flush(self) -> None:
        """Write the ids in memory as a run on disk."""
        with self._lock:
            if not self._fresh:
                return
            run = _merged(self._fresh)
            name = self._new_name()
            _write_run(self._folder / name, run)
            self._names.append(name)
            self._runs.append(_open_run(self._folder / name))
            self._fresh = []
            self.offset = self._fresh_offset
            self._write_manifest()
        self._merge_aside()

    def close(self) -> None:
        """Wait for a merge that is under way."""
        if self._merging is not None:
            self._merging.join()

    def _new_name(self) -> str:
        self._next += 1
        return f"run-{self._next:06d}"

    def _write_manifest(self) -> None:
        content = {"offset": self.offset, "runs": self._names, "next": self._next}
        path = self._folder / "manifest.json"
        aside = path.with_suffix(".next")
        aside.write_text(json.dumps(content))
        aside.replace(path)

    def _drop_strays(self) -> None:
        for path in self._folder.glob("run-*"):
            if path.name not in self._names:
                shutil.rmtree(path, ignore_errors=True)

    def _merge_aside(self) -> None:
        busy = self._merging is not None and self._merging.is_alive()
        if busy or len(self._runs) < _MERGE_AT:
            return
        self._merging = threading.Thread(target=self._merge, name="ids-merge", daemon=True)
        self._merging.start()

    def _merge(self) -> None:
        with self._lock:
            names, runs = list(self._names), list(self._runs)
            name = self._new_name()
        _write_merged(self._folder / name, runs)
        with self._lock:
            self._runs = [_open_run(self._folder / name), *self._runs[len(runs) :]]
            self._names = [name, *self._names[len(runs) :]]
            self._write_manifest()
        for former in names:
            shutil.rmtree(self._folder / former, ignore_errors=True)


def _search(
    run: _Run,
    hi: Ints,
    lo: Ints,
    known: npt.NDArray[np.bool_],
    offset: Ints,
    place: Ints,
) -> None:
    if not len(run):
        return
    at = np.searchsorted(run.hi, hi)
    inside = np.minimum(at, len(run) - 1)
    for spot in np.flatnonzero((run.hi[inside] == hi) & ~known):
        position = int(at[spot])
        while position < len(run) and run.hi[position] == hi[spot]:
            if run.lo[position] == lo[spot]:
                known[spot] = True
                offset[spot] = run.offset[position]
                place[spot] = run.place[position]
                break
            position += 1


def _merged(runs: list[_Run]) -> _Run:
    hi = np.concatenate([run.hi for run in runs])
    order = np.argsort(hi, kind="stable")
    return _Run(
        hi[order],
        np.concatenate([run.lo for run in runs])[order],
        np.concatenate([run.offset for run in runs])[order],
        np.concatenate([run.place for run in runs])[order],
    )


def _read_manifest(folder: Path) -> tuple[int, list[str], int]:
    path = folder / "manifest.json"
    if not path.exists():
        return 0, [], 0
    content = json.loads(path.read_text())
    return int(content["offset"]), [str(name) for name in content["runs"]], int(content["next"])


def _open_run(folder: Path) -> _Run:
    hi, lo, offset, place = (
        np.load(folder / f"{field}.npy", mmap_mode="r", allow_pickle=False) for field in _FIELDS
    )
    return _Run(hi, lo, offset, place)


def _write_run(folder: Path, run: _Run) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for field in _FIELDS:
        np.save(folder / f"{field}.npy", getattr(run, field), allow_pickle=False)


def _write_merged(folder: Path, runs: list[_Run]) -> None:
    """Merge runs range by range of the key, so that memory stays at a part of their size."""
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(map(len, runs))
    out = {
        field: np.lib.format.open_memmap(
            folder / f"{field}.npy", mode="w+", dtype=np.int64, shape=(total,)
        )
        for field in _FIELDS
    }
    bounds = np.linspace(-(2**63), 2**63 - 1024, _CHUNKS + 1).astype(np.int64)[1:-1]
    cuts = [[0, *np.searchsorted(run.hi, bounds).tolist(), len(run)] for run in runs]
    start = 0
    for chunk in range(_CHUNKS):
        parts = [
            _Run(*(getattr(run, field)[cut[chunk] : cut[chunk + 1]] for field in _FIELDS))
            for run, cut in zip(runs, cuts, strict=True)
        ]
        part = _merged(parts)
        for field in _FIELDS:
            out[field][start : start + len(part)] = getattr(part, field)
        start += len(part)
    for array in out.values():
        array.flush()
