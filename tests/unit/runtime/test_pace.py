"""Rates over the last minute: what came, and what was folded of it."""

import pytest

from worlds import SECOND, World, track

MINUTE = 60 * SECOND


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def test_a_rate_is_of_the_last_minute(world) -> None:
    world.fold()
    world.clock.now += 2 * MINUTE
    world.workspace._pace.at(world.workspace.facts_offset)
    world.send(*(track("x", id=f"a{n}", user="u1") for n in range(60)))
    assert world.workspace.rates().taken == 1.0
    assert world.workspace.rates().folded == 0.0
    world.fold()
    assert world.workspace.rates().folded == 1.0
    world.clock.now += 30 * SECOND
    world.send(*(track("x", id=f"b{n}", user="u1") for n in range(30)))
    world.fold()
    assert world.workspace.rates().taken == 1.5
    assert world.workspace.rates().folded == 1.5
    world.clock.now += 45 * SECOND
    assert world.workspace.rates().taken == 0.5
    assert world.workspace.rates().folded == 0.5
    world.clock.now += MINUTE
    assert world.workspace.rates().folded == 0.0


def test_status_tells_rates_lag_and_room(world) -> None:
    world.send(track("x", id="1", user="u1"))
    told = {row[0]: row[1] for row in world.workspace.status().rows}
    assert told["lag"] >= 1
    assert told["events taken over the last minute"] == round(1 / 60, 1)
    assert told["room on the disk"] > 0
    assert told["folds stand still"] is False


def test_the_way_of_a_trace_is_told(world) -> None:
    from dataclasses import replace

    from onefold.model.errors import BadInput, NotFound
    from onefold.model.records import OWNER
    from onefold.runtime import call

    trace = "ab" * 16
    world.send(track("x", id="1", user="u1"))
    (row,) = [row for row in world.workspace.log.read(0) if row.dialect == "segment"]
    again = {f: getattr(row, f) for f in type(row).__mro__[1].__dataclass_fields__}
    from onefold.store import NewRow

    world.workspace.log.append([replace(NewRow(**again), trace=trace)])
    told = call(world.workspace, OWNER, "trace", {"id": trace.upper()}).body
    (found,) = told["rows"]
    names = [column["name"] for column in told["columns"]]
    assert dict(zip(names, found, strict=True))["folded"] is False
    world.fold()
    (found,) = call(world.workspace, OWNER, "trace", {"id": trace}).body["rows"]
    assert dict(zip(names, found, strict=True))["folded"] is True
    with pytest.raises(NotFound, match="kept under the trace"):
        call(world.workspace, OWNER, "trace", {"id": "cd" * 16})
    with pytest.raises(BadInput, match="trace"):
        call(world.workspace, OWNER, "trace", {"id": "ada@example.org"})
