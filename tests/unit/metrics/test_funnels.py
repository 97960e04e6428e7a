"""Funnels against ClickHouse's `windowFunnel`, and by trying every beginning."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import chdb
import pytest

from onefold.metrics.funnels import Steps, funnel
from onefold.model.errors import BadInput
from onefold.model.time import DAY, HOUR, MINUTE
from onefold.stats import wilson
from small_facts import SmallFacts

pytestmark = pytest.mark.long

START = int(datetime(2026, 10, 5, tzinfo=UTC).timestamp()) * 1_000_000
END = START + 14 * DAY
EVENTS = ["search_made", "pin_opened", "pin_saved", "ad_clicked"]
TICK = 10 * MINUTE
"""Times are of so coarse a clock that many stand at the same moment."""


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(5)
    small = SmallFacts(persons={key: key % 160 for key in range(200)})
    for _ in range(5000):
        small.add(
            rng.choice(EVENTS),
            START - DAY + rng.randrange(16 * DAY // TICK) * TICK,
            rng.randrange(200) if rng.random() > 0.05 else None,
            kind="page" if rng.random() < 0.03 else "track",
            surface=rng.choice(["home", "search", "", None]),
        )
    return small


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def told(answer, *names):
    columns = [column.name for column in answer.columns]
    places = [columns.index(name) for name in names]
    return [tuple(row[place] for place in places) for row in answer.rows]


def counted(facts):
    """Return person, time and event of what a funnel of these days may count, in order."""
    found = [
        (facts.persons[row["identifier"]], row["event_time"], row["event"])
        for row in facts.events
        if row["identifier"] is not None and row["kind"] == "track"
    ]
    return sorted(row for row in found if START <= row[1] < END)


def by_clickhouse(facts, events, within):
    """Return how many people ClickHouse sees at each step or further."""
    rows = ",".join(f"({who},{moment},'{event}')" for who, moment, event in counted(facts))
    steps = ",".join(f"event = '{event}'" for event in events)
    said = chdb.query(
        f"SELECT level, count() FROM (SELECT who, windowFunnel({within})(moment, {steps}) AS level "
        f"FROM values('who Int64, moment UInt64, event String', {rows}) GROUP BY who) "
        "GROUP BY level",
        "CSV",
    )
    levels = [tuple(map(int, line.split(","))) for line in str(said).split()]
    return [sum(n for level, n in levels if level > step) for step in range(len(events))]


def by_hand(facts, events, within):
    """Return how many people came to each step, trying every beginning of each."""
    people: dict[int, list[tuple[int, str]]] = {}
    for who, moment, event in counted(facts):
        people.setdefault(who, []).append((moment, event))

    def furthest(rows, begin):
        at, level = begin, 1
        for former, event in pairwise(events):
            later = [
                moment
                for moment, name in rows
                if name == event and (moment > at if event == former else moment >= at)
            ]
            if not later or min(later) - begin > within:
                return level
            at, level = min(later), level + 1
        return level

    levels = [
        max((furthest(rows, at) for at, name in rows if name == events[0]), default=0)
        for rows in people.values()
    ]
    return [sum(level > step for level in levels) for step in range(len(events))]


@pytest.mark.parametrize("within", [30 * MINUTE, 5 * HOUR, 2 * DAY, 20 * DAY])
@pytest.mark.parametrize(
    "events", [EVENTS, EVENTS[:2], ["ad_clicked", "search_made", "pin_opened"]], ids=len
)
def test_it_is_clickhouses_window_funnel(facts, view, events, within) -> None:
    answer = funnel(view, Steps(tuple(events), within, (START, END)))
    persons = [row[0] for row in told(answer, "persons")]
    assert persons == by_clickhouse(facts, events, within)
    assert persons[0] > persons[1] > 0
    assert told(answer, "step", "event") == list(enumerate(events, start=1))


@pytest.mark.parametrize(
    "events",
    [
        ["pin_saved", "pin_saved", "pin_saved"],
        ["search_made", "pin_saved", "pin_saved", "search_made"],
        ["search_made", "pin_saved", "search_made"],
    ],
    ids=["thrice", "twice", "there and back"],
)
def test_one_event_is_never_two_steps(facts, view, events) -> None:
    steps = Steps(tuple(events), 9 * HOUR, (START, END))
    persons = [row[0] for row in told(funnel(view, steps), "persons")]
    assert persons == by_hand(facts, events, 9 * HOUR)
    assert 0 < persons[-1] < persons[0]


def test_any_beginning_counts_not_the_first_alone() -> None:
    small = SmallFacts()
    for moment, event in ((0, "search_made"), (5 * DAY, "search_made"), (5 * DAY + 1, "pin_saved")):
        small.add(event, START + moment, 1)
    steps = Steps(("search_made", "pin_saved"), DAY, (START, END))
    assert told(funnel(small.view(), steps), "persons") == [(1,), (1,)]


def test_the_length_is_of_the_whole_way_and_its_end_counts() -> None:
    small = SmallFacts()
    for place, event in enumerate(EVENTS[:3]):
        small.add(event, START + place * HOUR, 1)
    steps = tuple(EVENTS[:3])
    for within, came in ((2 * HOUR, 1), (2 * HOUR - 1, 0)):
        answer = funnel(small.view(), Steps(steps, within, (START, END)))
        assert told(answer, "persons")[-1] == (came,)


def test_shares_have_wilsons_interval_and_few_people_none(view) -> None:
    answer = funnel(view, Steps(tuple(EVENTS), 5 * HOUR, (START, END)))
    rows = told(answer, "persons", "share", "low", "high", "n", "of_former")
    first = rows[0][0]
    for place, row in enumerate(rows):
        value = wilson(row[0], first)
        assert row[1:5] == (value.estimate, value.low, value.high, first)
        assert row[5] == row[0] / rows[max(place - 1, 0)][0]
    few = SmallFacts()
    few.add("pin_opened", START, 1)
    answer = funnel(few.view(), Steps(("pin_opened", "pin_saved"), DAY, (START, END)))
    assert told(answer, "share", "low", "high") == [(1.0, None, None), (0.0, None, None)]
    assert any("1 of 30 people" in note for note in answer.notes)
    assert any("`pin_saved`" in note for note in answer.notes)


def test_a_split_is_by_the_first_step_and_each_group_a_funnel_of_its_own(facts, view) -> None:
    events = ["search_made", "pin_opened", "pin_saved"]
    answer = funnel(view, Steps(tuple(events), 5 * HOUR, (START, END), by="surface"))
    found: dict = {}
    for group, persons in told(answer, "surface", "persons"):
        found.setdefault(group, []).append(persons)
    assert set(found) == {"home", "search", "", None}
    for group, persons in found.items():
        own = SmallFacts(persons=facts.persons)
        own.events = [
            row for row in facts.events if row["event"] != "search_made" or surface_of(row) == group
        ]
        assert persons == by_hand(own, events, 5 * HOUR)


def surface_of(row):
    said = row["properties"]
    for name in ("home", "search"):
        if f'"{name}"' in said:
            return name
    return None if "null" in said else ""


def test_who_is_sampled_stands_for_more() -> None:
    small = SmallFacts()
    for key in range(90):
        rate = 0.25 if key < 40 else 1.0
        for event in ("pin_opened", "pin_saved")[: 2 if key % 2 else 1]:
            small.add(event, START + key, key)
            small.events[-1]["sample_rate"] = rate
    steps = Steps(("pin_opened", "pin_saved"), DAY, (START, END))
    answer = funnel(replace(small.view(), sampled=True), steps)
    (first, second) = told(answer, "persons", "share", "n")
    assert first == (40 * 4 + 50, 1.0, 90)
    assert second == (20 * 4 + 25, 0.5, 90)
    assert any("sampled" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (Steps(("pin_saved",), DAY, (START, END)), "1 events"),
        (Steps(("pin_saved",) * 13, DAY, (START, END)), "13 events"),
        (Steps(("pin_saved", " "), DAY, (START, END)), "no name"),
        (Steps(("pin_saved", "x" * 300), DAY, (START, END)), "no name"),
        (Steps(("pin_saved", "pin_opened"), 0, (START, END)), "no time"),
        (Steps(("pin_saved", "pin_opened"), DAY, (END, START)), "before it begins"),
    ],
)
def test_what_is_no_funnel_is_told(view, steps, said) -> None:
    with pytest.raises(BadInput, match=said) as told_of:
        funnel(view, steps)
    assert told_of.value.fix


def test_a_hostile_name_is_only_a_name(view) -> None:
    names = ("'; drop table events; --", 'a"b', "nul\0here")
    answer = funnel(view, Steps(names, DAY, (START, END)))
    assert answer.rows == ()
    assert sum("is it sent?" in note for note in answer.notes) == 3
