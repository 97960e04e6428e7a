"""How long a funnel takes, against a walk of each person in plain Python."""

import json
import random
from datetime import UTC, datetime
from math import ceil

import pytest

from onefold.metrics.converting import funnel_times
from onefold.metrics.funnels import Steps, funnel
from onefold.model.errors import BadInput
from onefold.model.time import DAY, HOUR, MINUTE
from onefold.stats import wilson
from small_facts import SmallFacts

pytestmark = pytest.mark.long

START = int(datetime(2026, 10, 5, tzinfo=UTC).timestamp()) * 1_000_000
END = START + 14 * DAY
EVENTS = ["search_made", "pin_opened", "pin_saved"]
TICK = 10 * MINUTE
"""Times are of so coarse a clock that many stand at the same moment."""


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(11)
    small = SmallFacts(persons={key: key % 160 for key in range(200)})
    for _ in range(4000):
        small.add(
            rng.choice(EVENTS),
            START - DAY + rng.randrange(16 * DAY // TICK) * TICK,
            rng.randrange(200) if rng.random() > 0.05 else None,
            surface=rng.choice(["home", "search"]),
        )
    return small


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def named(answer):
    names = [column.name for column in answer.columns]
    return [dict(zip(names, row, strict=True)) for row in answer.rows]


def walked(facts, events, within, *, begun=None):
    """Return by step (from 2) how many seconds each person took to it, walking every beginning."""
    people = {}
    for row in facts.events:
        if row["identifier"] is None or not START <= row["event_time"] < END:
            continue
        surface = json.loads(row["properties"]).get("surface") if begun else None
        mine = people.setdefault(facts.persons[row["identifier"]], [])
        mine.append((row["event_time"], row["event"], surface))
    found = {step: [] for step in range(2, len(events) + 1)}
    for rows in people.values():
        for step, took in found.items():
            ways = [
                (moment, -begin)
                for begin, event, surface in rows
                if event == events[0] and surface == begun
                for moment in arrivals(rows, events[:step], begin)
                if moment - begin <= within
            ]
            if ways:
                took.append(sum(min(ways)) / 1_000_000)
    return {step: sorted(times) for step, times in found.items()}


def arrivals(rows, events, begin):
    """Return when the last of some events came after the others, begun at a moment."""
    at = begin
    for place, event in enumerate(events[1:], start=1):
        again = event == events[place - 1]
        later = [m for m, name, _ in rows if name == event and (m > at if again else m >= at)]
        if place == len(events) - 1:
            return later
        if not later:
            return []
        at = min(later)
    return []


def check(rows, expected, within):
    """Hold rows of one group against the times of each step."""
    for step, times in expected.items():
        here = [row for row in rows if row["step"] == step]
        assert {row["n"] for row in here} == {len(times)}
        for name, share in (("median", 0.5), ("p90", 0.9)):
            (one,) = (row for row in here if row["figure"] == name)
            assert one["value"] == times[ceil(share * len(times) - 1e-9) - 1]
            assert one["low"] <= one["value"] <= one["high"]
        stretches = [row for row in here if row["figure"] == "share"]
        assert stretches[-1]["until"] == within / 1_000_000
        assert sum(row["value"] for row in stretches) == pytest.approx(1)
        for row in stretches:
            some = sum(
                (row["over"] < one or not row["over"]) and one <= row["until"] for one in times
            )
            value = wilson(some, len(times))
            assert (row["value"], row["low"], row["high"]) == (
                value.estimate,
                value.low,
                value.high,
            )


@pytest.mark.parametrize("within", [DAY, 3 * DAY, 20 * DAY])
@pytest.mark.parametrize(
    "events",
    [EVENTS, EVENTS[:2], ["pin_saved", "pin_saved", "search_made"]],
    ids=["three", "two", "again"],
)
def test_it_is_the_walk_of_each_person(facts, view, events, within) -> None:
    steps = Steps(tuple(events), within, (START, END))
    expected = walked(facts, events, within)
    assert len(expected[len(events)]) >= 30
    rows = named(funnel_times(view, steps))
    check(rows, expected, within)
    went = {row["step"]: row["persons"] for row in named(funnel(view, steps))}
    assert {row["step"]: row["n"] for row in rows} == {step: went[step] for step in expected}


def test_each_group_has_the_times_of_its_own_beginnings(facts, view) -> None:
    rows = named(funnel_times(view, Steps(tuple(EVENTS), 2 * DAY, (START, END), by="surface")))
    assert {row["surface"] for row in rows} == {"home", "search"}
    for name in ("home", "search"):
        mine = [row for row in rows if row["surface"] == name]
        check(mine, walked(facts, EVENTS, 2 * DAY, begun=name), 2 * DAY)


def test_the_first_arrival_counts_from_the_latest_beginning() -> None:
    small = SmallFacts()
    for moment, event in (
        (0, "search_made"),
        (2 * HOUR, "search_made"),
        (5 * HOUR, "pin_saved"),
        (9 * HOUR, "search_made"),
        (9 * HOUR + MINUTE, "pin_saved"),
    ):
        small.add(event, START + moment, 1)
    answer = funnel_times(small.view(), Steps(("search_made", "pin_saved"), DAY, (START, END)))
    rows = named(answer)
    assert [row["value"] for row in rows if row["figure"] != "share"] == [10_800.0, 10_800.0]
    assert {(row["low"], row["high"]) for row in rows} == {(None, None)}
    assert any("1 of 30 people" in note for note in answer.notes)


def test_nobody_took_any_time() -> None:
    small = SmallFacts()
    small.add("search_made", START, 1)
    answer = funnel_times(small.view(), Steps(("search_made", "pin_saved"), DAY, (START, END)))
    assert answer.rows == ()
    assert any("pin_saved" in note for note in answer.notes)


def test_what_no_funnel_is_has_no_times(view) -> None:
    with pytest.raises(BadInput, match="within no time"):
        funnel_times(view, Steps(("a", "b"), 0, (START, END)))
