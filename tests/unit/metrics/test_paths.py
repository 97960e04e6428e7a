"""Paths, against a walk of each person in plain Python."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from onefold.metrics.paths import END, OTHER, Paths, paths
from onefold.model.errors import BadInput
from onefold.model.time import DAY, HOUR, MINUTE
from onefold.stats import wilson
from small_facts import SmallFacts

pytestmark = pytest.mark.long

START = int(datetime(2026, 10, 5, tzinfo=UTC).timestamp()) * 1_000_000
END_OF_DAYS = START + 3 * DAY
SPAN = (START, END_OF_DAYS)
EVENTS = ["search_made", "pin_opened", "pin_saved", "board_made", "item_shared", "cart_filled"]
TICK = 10 * MINUTE
"""Times are of so coarse a clock that many stand at the same moment, and gaps are of 30 minutes."""


def world(seed):
    rng = random.Random(seed)
    small = SmallFacts(persons={key: key % 60 for key in range(80)})
    weights = [4, 3, 2, 2, 1, 1]
    for _ in range(3000):
        small.add(
            rng.choices(EVENTS, weights)[0],
            START - HOUR + rng.randrange((3 * DAY + 2 * HOUR) // TICK) * TICK,
            rng.randrange(80) if rng.random() > 0.05 else None,
            kind="track" if rng.random() > 0.1 else "screen",
            surface=rng.choice(["home", "search"]),
        )
    return small


@pytest.fixture(scope="module", params=[3, 4, 5])
def facts(request):
    return world(request.param)


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def named(answer):
    names = [column.name for column in answer.columns]
    return [dict(zip(names, row, strict=True)) for row in answer.rows]


def ways(facts, asked):
    """Return (surface, events from the beginning on) of each person, by walking the events."""
    people = {}
    for row in facts.events:
        if row["identifier"] is not None and START <= row["event_time"] < END_OF_DAYS:
            people.setdefault(facts.persons.get(row["identifier"], row["identifier"]), []).append(
                row
            )
    found = []
    for rows in people.values():
        rows.sort(key=lambda row: (row["event_time"], row["log_offset"]))
        meant = [
            place
            for place, row in enumerate(rows)
            if (row["kind"], row["event"]) == ("track", asked.event)
        ]
        if not meant:
            continue
        way = rows[meant[0] :] if asked.direction == "after" else rows[meant[0] :: -1]
        kept = []
        for place, row in enumerate(way):
            if asked.limit is None:
                if place and abs(row["event_time"] - way[place - 1]["event_time"]) > 30 * MINUTE:
                    break
            elif abs(row["event_time"] - way[0]["event_time"]) > asked.limit:
                break
            if row["kind"] == "track" and row["event"] not in asked.skipped:
                kept.append(row["event"])
        if asked.collapsed:
            kept = [one for place, one in enumerate(kept) if not place or one != kept[place - 1]]
        if asked.until and asked.until in kept[1:]:
            kept = [*kept[: kept.index(asked.until, 1)], asked.until]
        surface = json.loads(way[0]["properties"])["surface"]
        found.append((surface, kept))
    return found


def walked(every, asked, own):
    """Return Counters of all who came to a step with an event, and of those from another."""
    counts = Counter()
    for _, way in every:
        told = [*way[: asked.steps + 1]]
        if len(told) <= asked.steps and not (asked.until and told[1:] and told[-1] == asked.until):
            told.append(END)
        rows = [
            one if one == END or not step or one in own[step] else OTHER
            for step, one in enumerate(told)
        ]
        for step, event in enumerate(rows):
            counts[step, None, event] += 1
            if step:
                counts[step, rows[step - 1], event] += 1
    return counts


def check(rows, every, asked):
    own = {}
    for row in rows:
        own.setdefault(row["step"], set()).add(row["event"])
    expected = walked(every, asked, own)
    assert {(row["step"], row["former"], row["event"]): row["persons"] for row in rows} == expected
    assert len(rows) == len(expected)
    for row in rows:
        step, former = row["step"], row["former"]
        value = wilson(row["persons"], len(every))
        assert (row["share"], row["n"]) == (value.estimate, len(every))
        assert (row["low"], row["high"]) == (
            (value.low, value.high) if len(every) >= 30 else (None, None)
        )
        if step:
            before = (
                sum(
                    n
                    for (at, of, e), n in expected.items()
                    if (at, of) == (step - 1, None) and e != END
                )
                if former is None
                else expected[step - 1, None, former]
            )
            assert row["of_former"] == pytest.approx(row["persons"] / before)


ASKED = {
    "visit": Paths("search_made", SPAN),
    "before": Paths("pin_saved", SPAN, direction="before"),
    "within": Paths("search_made", SPAN, limit=2 * HOUR, steps=6, named=3),
    "within before": Paths("search_made", SPAN, direction="before", limit=HOUR, named=2),
    "collapsed": Paths("search_made", SPAN, collapsed=True, limit=5 * HOUR),
    "skipped": Paths("pin_opened", SPAN, skipped=("search_made", "pin_saved"), collapsed=True),
    "until": Paths("search_made", SPAN, until="pin_saved", limit=3 * HOUR, named=2),
    "to itself": Paths("search_made", SPAN, until="search_made", limit=3 * HOUR),
    "before, until": Paths("pin_saved", SPAN, direction="before", until="search_made", named=1),
    "one step": Paths("item_shared", SPAN, steps=1),
}


@pytest.mark.parametrize("name", ASKED)
def test_it_is_the_walk_of_each_person(facts, view, name) -> None:
    asked = ASKED[name]
    every = ways(facts, asked)
    assert len(every) >= 20
    rows = named(paths(view, asked))
    check(rows, every, asked)
    for step in range(1, asked.steps + 1):
        events = [row["event"] for row in rows if row["step"] == step and row["former"] is None]
        own = [one for one in events if one not in {OTHER, END}]
        assert len(own) <= asked.named
        assert events == [*own, *(one for one in (OTHER, END) if one in events)]


def test_each_group_is_of_its_own_beginnings(facts, view) -> None:
    asked = Paths("search_made", SPAN, limit=2 * HOUR, named=3, by="surface")
    rows = named(paths(view, asked))
    every = ways(facts, asked)
    assert {row["surface"] for row in rows} == {"home", "search"}
    for group in ("home", "search"):
        own = {}
        for row in rows:
            own.setdefault(row["step"], set()).add(row["event"])
        mine = {
            (row["step"], row["former"], row["event"]): row["persons"]
            for row in rows
            if row["surface"] == group
        }
        assert mine == walked([one for one in every if one[0] == group], asked, own)


def test_the_rows_of_a_step_are_those_who_were_still_on_their_way(view) -> None:
    rows = named(paths(view, Paths("search_made", SPAN, limit=2 * HOUR, named=2)))
    for step in range(1, 5):
        before = sum(
            row["persons"]
            for row in rows
            if row["step"] == step - 1 and row["former"] is None and row["event"] != END
        )
        for whole in (True, False):
            here = [
                row["persons"]
                for row in rows
                if row["step"] == step and (row["former"] is None) is whole
            ]
            assert sum(here) == before


def test_what_was_sampled_weighs(facts) -> None:
    for row in facts.events:
        row["sample_rate"] = 0.25
    view = facts.view()
    asked = Paths("search_made", SPAN, limit=2 * HOUR)
    one, plain = named(paths(replace(view, sampled=True), asked)), named(paths(view, asked))
    assert [row["persons"] for row in one] == [4 * row["persons"] for row in plain]
    for part in ("event", "former", "n", "share", "of_former"):
        assert [row[part] for row in one] == [pytest.approx(row[part]) for row in plain]


def test_it_says_how_many_came_to_the_last() -> None:
    small = SmallFacts()
    for person in range(40):
        small.add("a", START, person)
        small.add("b" if person % 4 else "c", START + MINUTE, person)
        small.add("c" if person % 2 else "b", START + 2 * MINUTE, person)
    answer = paths(small.view(), Paths("a", SPAN, until="c"))
    # 10 at once (each fourth), 20 more at the second step.
    assert any(note.startswith("30 of 40 came to c in these steps: 75.0%") for note in answer.notes)


def test_nobody_and_too_few_are_said() -> None:
    small = SmallFacts()
    small.add("a", START, 1)
    answer = paths(small.view(), Paths("a", SPAN))
    assert [row["event"] for row in named(answer)] == ["a", END, END]
    assert any("1 of 30 people" in note for note in answer.notes)
    nobody = paths(small.view(), Paths("b", SPAN))
    assert nobody.rows == ()
    assert any("`b`" in note for note in nobody.notes)


def test_an_event_of_a_reserved_name_is_among_the_others() -> None:
    small = SmallFacts()
    for person in range(3):
        small.add("a", START, person)
        small.add((END, OTHER, "b")[person], START + MINUTE, person)
    rows = named(paths(small.view(), Paths("a", SPAN, steps=1)))
    told = {row["event"]: row["persons"] for row in rows if row["former"] is None and row["step"]}
    assert told == {"b": 1, OTHER: 2}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Paths(" ", SPAN), "no name of an event"),
        (Paths("a", SPAN, steps=0), "0 steps"),
        (Paths("a", SPAN, steps=11), "11 steps"),
        (Paths("a", SPAN, named=0), "0 events a step"),
        (Paths("a", SPAN, limit=0), "within no time"),
        (Paths("a", SPAN, skipped=("a",)), "left out at once"),
        (Paths("a", SPAN, until="b", skipped=("b",)), "left out at once"),
    ],
)
def test_what_no_path_is_is_refused(asked, words) -> None:
    with pytest.raises(BadInput, match=words):
        paths(SmallFacts().view(), asked)
