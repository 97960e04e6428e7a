"""Ids seen: found for ever, through flush, merge and a new start."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from onefold.store import SeenIds, runs
from onefold.store.runs import Run, open_run, write_run


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


def test_runs_grow_like_a_binary_counter(tmp_path) -> None:
    high, low = pairs(3200, seed=3)
    seen = SeenIds(tmp_path, run_ids=100)
    most = 0
    for start in range(0, 3200, 100):
        part = slice(start, start + 100)
        seen.add(high[part], low[part], np.full(100, start + 1), np.arange(100))
        seen.close()
        most = max(most, len(list(tmp_path.glob("run-*"))))
    assert most <= 6
    assert seen.find(high, low).known.all()


@pytest.mark.parametrize("count", [1, 511, 512, 513, 1024, 5000])
def test_a_run_on_disk_is_searched_page_by_page_like_a_list(tmp_path, count) -> None:
    # Few different keys, so that equal ones stand across the pages.
    generator = np.random.default_rng(count)
    high = np.sort(generator.integers(-count // 3 - 1, count // 3 + 1, count, dtype=np.int64))
    zeros = np.zeros(count, dtype=np.int64)
    write_run(tmp_path / "run", Run(high, np.arange(count), zeros, zeros))
    run = open_run(tmp_path / "run")
    sought = np.arange(-count, count + 1)
    assert (run.first_at_least(sought) == np.searchsorted(high, sought)).all()
    lowest, highest = np.array([-(2**63)]), np.array([2**63 - 1])
    assert run.first_at_least(lowest)[0] == 0
    assert run.first_at_least(highest)[0] == count


def test_pages_are_given_back_and_answers_stay(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(runs, "_MOST_MAPPED", 10_000)
    high, low = pairs(4000, seed=4)
    seen = SeenIds(tmp_path, run_ids=4000)
    seen.add(high, low, np.full(4000, 1), np.arange(4000))
    for _ in range(3):
        assert (seen.find(high, low).place == np.arange(4000)).all()
    assert [run.touched for run in seen._runs] == [0]


def test_without_room_the_ids_stay_in_memory_and_are_written_later(tmp_path, monkeypatch) -> None:
    high, low = pairs(300, seed=5)
    seen = SeenIds(tmp_path, run_ids=100)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as filled:
        filled.setattr("onefold.store.seen.write_run", full)
        seen.add(high[:150], low[:150], np.full(150, 1), np.arange(150))
    assert seen.find(high, low).known.sum() == 150
    assert seen.offset == 0
    seen.add(high[150:], low[150:], np.full(150, 2), np.arange(150))
    seen.close()
    assert seen.offset == 2
    assert SeenIds(tmp_path).find(high, low).known.all()


def test_an_end_waits_for_no_merge_and_the_next_run_brings_it_on(tmp_path) -> None:
    high, low = pairs(180, seed=7)
    seen = SeenIds(tmp_path, run_ids=100)
    for start in (0, 60):
        part = slice(start, start + 60)
        seen.add(high[part], low[part], np.full(60, start + 1), np.arange(60))
        seen.flush(merging=False)
    seen.close()
    assert len(list(tmp_path.glob("run-*"))) == 2
    again = SeenIds(tmp_path, run_ids=60)
    again.add(high[120:], low[120:], np.full(60, 200), np.arange(60))
    again.close()
    assert len(list(tmp_path.glob("run-*"))) == 1
    assert again.find(high, low).known.all()


def test_a_merge_without_room_leaves_the_runs_as_they_are(tmp_path, monkeypatch) -> None:
    high, low = pairs(400, seed=6)
    seen = SeenIds(tmp_path, run_ids=100)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("onefold.store.seen.write_merged", full)
    for start in range(0, 400, 100):
        part = slice(start, start + 100)
        seen.add(high[part], low[part], np.full(100, start + 1), np.arange(100))
        seen.close()
    assert len(list(tmp_path.glob("run-*"))) == 4
    assert SeenIds(tmp_path).find(high, low).known.all()


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
