"""What it costs to know every message id for ever: a batch against 100 million ids seen.

`--ids N` changes how many. The peer is the plain way: an anti-join against a table of the ids in
DuckDB, at a tenth of them (it grows with their number).
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from figures import Figure, quantile, report
from onefold.store import SeenIds

BATCH = 5000
ROUNDS = 200
AT_ONCE = 500_000


def ids(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return halves of random 128-bit ids, the same for the same seed."""
    generator = np.random.default_rng(seed)
    low, high = -(2**63), 2**63 - 1
    return generator.integers(low, high, count), generator.integers(low, high, count)


def fill(folder: Path, count: int) -> float:
    """Make the ids seen and return the seconds that took, merges included."""
    seen = SeenIds(folder)
    spent = 0.0
    for step in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - step)
        high, low = ids(size, seed=step)
        places = np.arange(size)
        began = time.perf_counter()
        seen.add(high, low, step // 100 + places // 100 + 1, places % 100)
        spent += time.perf_counter() - began
    began = time.perf_counter()
    seen.flush()
    seen.close()
    return spent + time.perf_counter() - began


def mixed(count: int, turn: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return a batch of which half was seen, and how many that is."""
    generator = np.random.default_rng(10_000 + turn)
    step = int(generator.integers(0, count // AT_ONCE)) * AT_ONCE
    high, low = ids(min(AT_ONCE, count - step), seed=step)
    known = generator.choice(len(high), BATCH // 2, replace=False)
    new_high, new_low = ids(BATCH - len(known), seed=1_000_000_000 + turn)
    order = generator.permutation(BATCH)
    both = np.concatenate([high[known], new_high]), np.concatenate([low[known], new_low])
    return both[0][order], both[1][order], len(known)


def look_up(folder: Path, count: int) -> tuple[float, list[float], float]:
    """Return seconds to be ready, milliseconds a batch, and resident megabytes gained."""
    batches = [mixed(count, turn) for turn in range(ROUNDS)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    seen = SeenIds(folder)
    seen.find(*batches[0][:2])
    ready = time.perf_counter() - began
    taken = []
    for high, low, known in batches:
        began = time.perf_counter()
        found = seen.find(high, low)
        taken.append((time.perf_counter() - began) * 1000)
        assert int(found.known.sum()) == known
    gained = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return ready, taken, gained


def anti_join(folder: Path, count: int) -> float:
    """Return the milliseconds of a batch by an anti-join against so many ids in a table."""
    connection = duckdb.connect(str(folder / "peer.duckdb"))
    connection.execute("SET threads = 1")
    connection.execute("CREATE TABLE seen (hi BIGINT, lo BIGINT)")
    for step in range(0, count, AT_ONCE):
        high, low = ids(min(AT_ONCE, count - step), seed=step)
        connection.register("staged", pa.table({"hi": high, "lo": low}))
        connection.execute("INSERT INTO seen SELECT * FROM staged")
    taken = []
    for turn in range(10):
        high, low, known = mixed(count, turn)
        connection.register("batch", pa.table({"hi": high, "lo": low}))
        began = time.perf_counter()
        rows = connection.execute("SELECT count(*) FROM batch ANTI JOIN seen USING (hi, lo)")
        found = rows.fetchall()[0][0]
        taken.append((time.perf_counter() - began) * 1000)
        assert found == BATCH - known
    return statistics.median(taken)


def main() -> None:
    """Fill, look up in a process of its own, compare, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ids", type=int, default=100_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--look-up", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.look_up:
        ready, taken, gained = look_up(given.look_up, given.ids)
        print(ready, quantile(taken, 0.5), quantile(taken, 0.99), gained)
        return
    folder = Path(tempfile.mkdtemp(prefix="onefold-bench-"))
    try:
        seconds = fill(folder / "ids", given.ids)
        size = sum(path.stat().st_size for path in (folder / "ids").rglob("*") if path.is_file())
        # A new process: nothing of the filling is in its memory.
        command = [sys.executable, __file__, "--ids", str(given.ids), "--look-up"]
        told = subprocess.run([*command, folder / "ids"], check=True, capture_output=True)
        ready, p50, p99, gained = map(float, told.stdout.split())
        tenth = max(given.ids // 10, AT_ONCE)
        peer = anti_join(folder, tenth)
    finally:
        shutil.rmtree(folder)
    name = f"an anti-join at {tenth / 1e6:g} M"
    millions = given.ids / 1e6
    report(
        "dedupe",
        [
            Figure(f"batch of {BATCH:,} at {millions:g} M, p50", p50, "ms", 20, False, peer, name),
            Figure(f"batch of {BATCH:,} at {millions:g} M, p99", p99, "ms"),
            Figure("ready after a start", ready, "s", 2),
            Figure("resident memory gained by 200 batches", gained, "MB"),
            Figure("disk a million ids", size / 1e6 / millions, "MB"),
            Figure("cost of remembering a million ids", seconds / millions, "s"),
        ],
    )


if __name__ == "__main__":
    main()
