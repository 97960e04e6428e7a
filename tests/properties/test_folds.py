"""Any order, batching and repetition of the same events gives the same checksums."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from worlds import AGREED, World, iso, track

PEOPLE = ["u1", "u2", "u3"]
DEVICES = ["a1", "a2", "a3", "a4"]

calls = st.lists(
    st.tuples(
        st.sampled_from(["pin_opened", "pin_saved", "identify", "alias", "group"]),
        st.sampled_from([None, *PEOPLE]),
        st.sampled_from([None, *DEVICES]),
        st.integers(0, 4 * 3600),
        st.sampled_from(PEOPLE),
    ).filter(lambda c: c[1] or c[2]),
    min_size=1,
    max_size=24,
)


def events_of(chosen) -> list[dict]:
    """Return one message for each drawn call, each with its own id."""
    found = []
    for place, (what, user, anonymous, at, other) in enumerate(chosen):
        base = {
            "messageId": f"m{place}",
            "userId": user,
            "anonymousId": anonymous,
            "timestamp": iso(at),
            "context": AGREED,
        }
        if place % 3 == 0 and what != "group":
            base["context"] = AGREED | {"groupId": f"acc-{other}"}
        if what == "identify":
            found.append(base | {"type": "identify", "traits": {"plan": "pro", "email": "x@y.zz"}})
        elif what == "alias":
            found.append(base | {"type": "alias", "previousId": other, "userId": user or "u9"})
        elif what == "group":
            found.append(base | {"type": "group", "groupId": f"acc-{other}", "traits": {}})
        else:
            told = track(what, id=f"m{place}", at=at, user=user, anonymous=anonymous, item_id="i1")
            found.append(told | {"context": base["context"]})
    return found


def sums(batches: list[list[dict]], *, every: int) -> dict:
    """Return the checksums after sending batches and folding after every so many of them."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "w")
        for place, batch in enumerate(batches):
            if batch:
                world.send(*batch)
            if place % every == 0:
                world.fold()
        found = world.sums()
        world.close()
        return found


def cut(events: list[dict], sizes: list[int]) -> list[list[dict]]:
    """Return events in batches of the sizes drawn."""
    batches, start = [], 0
    for size in [*sizes, len(events)]:
        batches.append(events[start : start + size])
        start += size
    return batches


ways = given(
    chosen=calls,
    random=st.randoms(use_true_random=False),
    sizes=st.lists(st.integers(1, 7), max_size=8),
    every=st.integers(1, 5),
)


@settings(max_examples=8, deadline=None)
@ways
def test_order_batching_and_repetition_change_nothing(chosen, random, sizes, every) -> None:
    assert_the_same(chosen, random, sizes, every)


@pytest.mark.soak
@pytest.mark.timeout(900)
@settings(max_examples=200, deadline=None)
@ways
def test_order_changes_nothing_however_often_it_is_tried(chosen, random, sizes, every) -> None:
    assert_the_same(chosen, random, sizes, every)


def assert_the_same(chosen, random, sizes, every) -> None:
    """Assert that events sent once in order and sent shuffled, in part twice, end the same."""
    events = events_of(chosen)
    once = sums([events], every=1)
    shuffled = events + random.sample(events, len(events) // 2)
    random.shuffle(shuffled)
    assert sums(cut(shuffled, sizes), every=every) == once


@settings(max_examples=4, deadline=None)
@given(chosen=calls, sizes=st.lists(st.integers(1, 7), max_size=8))
def test_a_rebuild_gives_the_same_checksums(chosen, sizes) -> None:
    from onefold.runtime import rebuild

    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "w")
        for batch in cut(events_of(chosen), sizes):
            if batch:
                world.send(*batch)
        before = world.sums()
        rebuild(world.workspace)
        assert world.sums() == before
        world.close()
        world.open()
        assert world.sums() == before
        world.close()
