"""Whatever comes after a period was closed, its figures stay, and a rebuild makes the same."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import Phase, given, settings

from onefold.model.errors import OnefoldError
from onefold.model.records import OWNER
from onefold.runtime import call, rebuild
from onefold.runtime.closing import close_due
from worlds import START, Clock, World, track

DAY = 86_400
people = st.sampled_from(["u0", "u1", "u2"])
arrivals = st.tuples(st.just("send"), people, st.integers(-2, 5))
decisions = st.one_of(
    st.tuples(st.just("person merge"), people, people),
    st.tuples(st.just("person unmerge"), people, people),
    st.tuples(st.just("consent withdraw"), people, people),
    st.tuples(st.just("person erase"), people, people),
    st.tuples(st.just("period close"), people, people),
)
events = st.lists(arrivals, min_size=1, max_size=4)
later = st.lists(st.one_of(arrivals, decisions), max_size=5)


def happen(world, place, one) -> None:
    """Let one thing happen; what is refused has not happened."""
    what, who, other = one
    if what == "send":
        event = track("pin_saved", id=f"e{place}", user=who, at=other * DAY + place)
        world.send(event)
        world.fold()
        return
    params = {"id": who} if what in {"consent withdraw", "person erase"} else {}
    params |= {"purpose": "analytics"} if what == "consent withdraw" else {}
    params |= {"one": who, "other": other} if "merge" in what else {}
    try:
        call(world.workspace, OWNER, what, params)
    except OnefoldError:
        return


def told(world) -> tuple:
    """Return each closed figure, and what a question by day tells of the same days."""
    rows = sorted(repr(sorted(row.items())) for row in world.raw("closed"))
    days = {"from": "2025-10-07", "to": "2025-10-14", "every": "day"}
    body = call(world.workspace, OWNER, "metric", {"name": "saves_per_person", **days}).body
    names = [column["name"] for column in body["columns"]]
    figures = [dict(zip(names, row, strict=True)) for row in body["rows"]]
    return rows, figures


@settings(max_examples=6, deadline=None, phases=[Phase.generate])
@given(first=events, after=later)
def test_a_closed_figure_never_moves_whatever_comes(first, after) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "w", clock=Clock(START))
        try:
            for place, one in enumerate(first):
                happen(world, place, one)
            world.clock.now = START + 6 * DAY * 1_000_000
            close_due(world.workspace)
            rows, figures = told(world)
            days = {str(row["start_date"]) for row in world.raw("closed") if row["every"] == "day"}
            world.clock.now += 2 * DAY * 1_000_000
            for place, one in enumerate(after, start=len(first)):
                happen(world, place, one)
            now, beside = told(world)
            assert set(rows) <= set(now)
            for before, here in zip(figures, beside, strict=True):
                if before["period"] in days:
                    stood = [before[name] for name in ("estimate", "low", "high", "n")]
                    assert [here[name] for name in ("estimate", "low", "high", "n")] == stood
                    assert here["recomputed"] is None or here["reason"]
            sums = world.sums()["closed"]
            rebuild(world.workspace)
            assert world.sums()["closed"] == sums
            assert told(world) == (now, beside)
        finally:
            world.close()
