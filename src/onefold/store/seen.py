"""Ids seen, for ever: sorted runs of hashes on disk, the youngest in memory.

Runs grow like a binary counter: a run is merged with all younger ones once together they are as
many as it holds, so that n runs' worth of ids stand in at most log2(n) runs and each id is written
again log2(n) times (O'Neil et al. 1996, The log-structured merge-tree). Ids younger than the last
run stand in memory; after a crash they are read again from the facts, which hold the offset that
the runs reach.
"""

import json
import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from onefold.store.runs import Ints, Run, merged, open_run, sync_folder, write_merged, write_run


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
        self._runs = [open_run(folder / name) for name in self._names]
        self._drop_strays()
        self._fresh: list[Run] = []
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
        # In order of the key, neighbours share their pages.
        order = np.argsort(hi)
        sought = hi[order]
        for run in runs:
            _search(run, sought, lo, order, Seen(known, offset, place))
        return Seen(known, offset, place)

    def add(self, hi: Ints, lo: Ints, offset: Ints, place: Ints) -> None:
        """Remember ids whose facts are committed; offsets grow from call to call."""
        if not len(hi):
            return
        order = np.argsort(hi, kind="stable")
        run = Run(hi[order], lo[order], offset[order], place[order])
        with self._lock:
            self._fresh_offset = max(self._fresh_offset, int(offset.max()))
            self._fresh.append(run)
            # Equal-sized neighbours are merged, so that few runs stand in memory.
            while len(self._fresh) > 1 and len(self._fresh[-1]) * 2 > len(self._fresh[-2]):
                last, former = self._fresh.pop(), self._fresh.pop()
                self._fresh.append(merged([former, last]))
            full = sum(map(len, self._fresh)) >= self._run_ids
        if full:
            self.flush()

    def flush(self, *, merging: bool = True) -> bool:
        """Write the ids in memory as a run on disk; where there is no room they stay in memory.

        Runs that are due are merged aside, unless told not to. Returns whether all are on disk.
        """
        with self._lock:
            if not self._fresh:
                return True
            run = merged(self._fresh)
            name = self._new_name()
            try:
                write_run(self._folder / name, run)
                names = [*self._names, name]
                self._write_manifest(names, self._fresh_offset)
            except OSError:
                shutil.rmtree(self._folder / name, ignore_errors=True)
                self._fresh = [run]
                return False
            self._names = names
            self._runs.append(open_run(self._folder / name))
            self._fresh = []
            self.offset = self._fresh_offset
        if merging:
            self._merge_aside()
        return True

    def close(self) -> None:
        """Wait for a merge that is under way."""
        if self._merging is not None:
            self._merging.join()

    def _new_name(self) -> str:
        self._next += 1
        return f"run-{self._next:06d}"

    def _write_manifest(self, names: list[str], offset: int) -> None:
        content = {"offset": offset, "runs": names, "next": self._next}
        path = self._folder / "manifest.json"
        aside = path.with_suffix(".next")
        with aside.open("w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        sync_folder(self._folder)

    def _drop_strays(self) -> None:
        for path in self._folder.glob("run-*"):
            if path.name not in self._names:
                shutil.rmtree(path, ignore_errors=True)

    def _merge_aside(self) -> None:
        if self._merging is not None and self._merging.is_alive():
            return
        with self._lock:
            start = _first_to_merge([len(run) for run in self._runs])
            if len(self._runs) - start < 2:
                return
            names, runs = self._names[start:], self._runs[start:]
            name = self._new_name()
        self._merging = threading.Thread(
            target=self._merge, args=(name, names, runs), name="ids-merge", daemon=True
        )
        self._merging.start()

    def _merge(self, name: str, names: list[str], runs: list[Run]) -> None:
        """Put one run in the place of some; where there is no room they stay as they are."""
        folder = self._folder / name
        try:
            write_merged(folder, runs)
            with self._lock:
                at = self._names.index(names[0])
                after = [*self._names[:at], name, *self._names[at + len(names) :]]
                self._write_manifest(after, self.offset)
                self._names = after
                self._runs[at : at + len(names)] = [open_run(folder)]
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            return
        for former in names:
            shutil.rmtree(self._folder / former, ignore_errors=True)


def _first_to_merge(sizes: list[int]) -> int:
    """Return from which run on all are to become one.

    >>> _first_to_merge([8, 4, 1, 1]), _first_to_merge([8, 4, 2])
    (2, 2)
    """
    start = len(sizes) - 1
    younger = sizes[start] if sizes else 0
    while start > 0 and sizes[start - 1] <= younger:
        start -= 1
        younger += sizes[start]
    return max(start, 0)


def _search(run: Run, sought: Ints, lo: Ints, order: Ints, seen: Seen) -> None:
    """Write into `seen` what a run knows of the ids; `sought` are their keys in `order`."""
    if not len(run):
        return
    at = run.first_at_least(sought)
    inside = np.minimum(at, len(run) - 1)
    hits = np.flatnonzero((run.hi[inside] == sought) & ~seen.known[order])
    positions, spots = at[hits], order[hits]
    same = run.lo[positions] == lo[spots]
    _told(run, positions[same], spots[same], seen)
    # Two ids may share one half of their hashes and stand one after the other.
    for position, spot in zip(positions[~same], spots[~same], strict=True):
        end = position + int(np.searchsorted(run.hi[position:], run.hi[position], side="right"))
        found = np.flatnonzero(run.lo[position:end] == lo[spot])[:1]
        _told(run, position + found, np.repeat(spot, len(found)), seen)


def _told(run: Run, positions: Ints, spots: Ints, seen: Seen) -> None:
    seen.known[spots] = True
    seen.offset[spots] = run.offset[positions]
    seen.place[spots] = run.place[positions]


def _read_manifest(folder: Path) -> tuple[int, list[str], int]:
    path = folder / "manifest.json"
    if not path.exists():
        return 0, [], 0
    content = json.loads(path.read_text())
    return int(content["offset"]), [str(name) for name in content["runs"]], int(content["next"])
