"""Ids seen: found for ever, through flush, merge and a new start."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from onefold.store import SeenIds


def pairs(count: int, seed: int = 1):
    generator = np.random.default_rng(seed)
    return (
        generator.integers(-(2**63), 2**63 - 1, count, dtype=np.int64),
        generator.integers(-(2**63), 2**63 - 1, count, dtype=np.int64),
    )


def test_each_id_is_found_where_it_was_first(tmp_path) -> None:
    seen = SeenIds(tmp_path, run_ids=500)
    high, low = pairs(5000)
    for start in range(0, 5000, 100):
        part = slice(start, start + 100)
        offset = np.full(100, start // 100 + 1)
        seen.add(high[part], low[part], offset, np.arange(100))
    seen.close()
    found = seen.find(high, low)
    assert found.known.all()
    assert (found.offset == np.arange(5000) // 100 + 1).all()
    assert (found.place == np.arange(5000) % 100).all()
    assert len(seen) == 5000


def test_a_hit_on_half_of_the_hash_is_none(tmp_path) -> None:
    seen = SeenIds(tmp_path)
    high = np.array([7, 7], dtype=np.int64)
    seen.add(high, np.array([1, 2]), np.array([1, 1]), np.array([0, 1]))
    found = seen.find(np.array([7, 7, 8]), np.array([2, 3, 1]))
    assert found.known.tolist() == [True, False, False]
    assert found.place[0] == 1


def test_runs_are_merged_aside_and_survive_a_new_start(tmp_path) -> None:
    high, low = pairs(4000, seed=2)
    seen = SeenIds(tmp_path, run_ids=200)
    for start in range(0, 4000, 200):
        part = slice(start, start + 200)
        seen.add(high[part], low[part], np.full(200, start + 1), np.arange(200))
        seen.close()
    again = SeenIds(tmp_path, run_ids=200)
    assert len(list(tmp_path.glob("run-*"))) < 12
    assert again.find(high, low).known.all()
    assert again.offset == 3801


def test_ids_in_memory_alone_are_not_claimed_to_be_on_disk(tmp_path) -> None:
    seen = SeenIds(tmp_path, run_ids=1000)
    seen.add(np.array([1]), np.array([1]), np.array([9]), np.array([0]))
    assert seen.offset == 0
    seen.flush()
    assert SeenIds(tmp_path).offset == 9


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12), max_size=8
    )
)
def test_it_answers_like_a_set(tmp_path_factory, batches) -> None:
    seen = SeenIds(tmp_path_factory.mktemp("ids"), run_ids=6)
    known: set[tuple[int, int]] = set()
    for offset, batch in enumerate(batches, start=1):
        fresh = sorted(set(batch) - known)
        if batch:
            high, low = np.array(batch, dtype=np.int64).T
            found = seen.find(high, low)
            assert found.known.tolist() == [pair in known for pair in batch]
        if fresh:
            high, low = np.array(fresh, dtype=np.int64).T.copy()
            seen.add(high, low, np.full(len(fresh), offset), np.arange(len(fresh)))
        known |= set(batch)
    seen.close()
