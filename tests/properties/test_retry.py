"""However events come, a mended schema and a retry end as a run that was right from the start."""

import tempfile
from contextlib import suppress
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from onefold.collect import Catalogue, catalogues
from onefold.collect.dialects.stored import read_stored
from onefold.collect.reentry import judged_anew
from onefold.model.errors import NotFound
from onefold.model.records import OWNER
from onefold.runtime import call, rebuild
from onefold.runtime.retrying import let_in
from worlds import World, track

WAITING, ERASED = 16, 11 << 4
"""Verdicts from here on are of events that do not count, and of such that are erased."""

STRICT = "event: saved\nproperties: {n: {type: integer, required: true, maximum: 5}}\n"
MENDED = "event: saved\nversion: 2\nproperties: {n: {type: integer, required: true}}\n"

sent = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["saved", "opened"]),
        st.sampled_from(["u1", "u2"]),
        st.sampled_from([None, "d1", "d2"]),
        st.sampled_from([None, 1, 9, "x"]),
        st.integers(0, 7200),
    ),
    min_size=1,
    max_size=20,
)
ways = given(
    calls=sent, sizes=st.lists(st.integers(1, 6), max_size=6), mended_after=st.integers(0, 20)
)


def batches(calls, sizes):
    events = [
        track(event, id=f"m{name}", at=at, user=user, anonymous=device, n=n)
        for name, event, user, device, n, at in calls
    ]
    start = 0
    for size in [*sizes, len(events)]:
        if events[start : start + size]:
            yield events[start : start + size]
        start += size


def sums(text, calls, sizes, *, mended_after=None):
    """Return the checksums of a run; its schema is mended after some batches, if it is."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "w", definitions={"events/saved.yaml": text})
        for place, batch in enumerate(batches(calls, sizes)):
            if place == mended_after:
                mend(world)
            world.send(*batch)
        if mended_after is not None:
            mend(world)
            let_in(world.workspace, OWNER)
        found = world.sums()
        world.close()
        return found


def mend(world):
    events = world.folder / "definitions" / "events"
    (events / "saved.yaml").write_text(MENDED)
    world.workspace.apply_definitions()
    world.catalogue = Catalogue.read(events)


def assert_as_clean(calls, sizes, mended_after):
    assert sums(STRICT, calls, sizes, mended_after=mended_after) == sums(MENDED, calls, sizes)


def waits_by_the_log(workspace):
    """Return the offsets of rows of which an event waits, found by reading all of the log."""
    retries = catalogues.retries_of(workspace.log)
    found, after = set(), 0
    while rows := workspace.log.read(after):
        after = rows[-1].offset
        for row in rows:
            if row.dialect in {"records", "control"} or not row.reasons:
                continue
            events = read_stored(row.route, row.body, row.received_time, row.source.encode())
            left = judged_anew(retries, row, events, {})
            if any(WAITING <= verdict < ERASED for verdict in left):
                found.add(row.offset)
    return sorted(found)


def waits_by_the_index(workspace):
    """Return the same as the folds have noted it, and let each of those rows be read."""
    rows = list(workspace.folds.waiting_rows(most=1_000))
    if rows:
        assert workspace.folds.waiting_rows(most=len(rows) - 1) is None
    return [row.offset for row in rows]


def erase(world, user):
    with suppress(NotFound):
        call(world.workspace, OWNER, "person erase", {"id": f"user_id:{user}"})


def assert_index_is_the_scan(workspace):
    assert waits_by_the_index(workspace) == waits_by_the_log(workspace)


@settings(max_examples=6, deadline=None)
@given(
    calls=sent,
    sizes=st.lists(st.integers(1, 6), max_size=6),
    mended_after=st.integers(0, 20),
    erased=st.sampled_from(["u1", "u2", "nobody"]),
)
def test_what_waits_is_known_without_reading_the_log(calls, sizes, mended_after, erased) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "w", definitions={"events/saved.yaml": STRICT})
        for place, batch in enumerate(batches(calls, sizes)):
            if place == mended_after:
                mend(world)
                world.fold()
                let_in(world.workspace, OWNER)
                assert_index_is_the_scan(world.workspace)
            world.send(*batch)
        world.fold()
        assert_index_is_the_scan(world.workspace)
        erase(world, erased)
        assert_index_is_the_scan(world.workspace)
        mend(world)
        world.fold()
        let_in(world.workspace, OWNER)
        assert_index_is_the_scan(world.workspace)
        rebuild(world.workspace)
        assert_index_is_the_scan(world.workspace)
        world.close()


@settings(max_examples=4, deadline=None)
@ways
def test_a_retry_ends_as_a_clean_run(calls, sizes, mended_after) -> None:
    assert_as_clean(calls, sizes, mended_after)


@pytest.mark.soak
@pytest.mark.timeout(900)
@settings(max_examples=100, deadline=None)
@ways
def test_a_retry_ends_as_a_clean_run_however_often_it_is_tried(calls, sizes, mended_after) -> None:
    assert_as_clean(calls, sizes, mended_after)
