"""Who is new, returning, resurrected and dormant, beside a plain count of periods."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from onefold.metrics import questions
from onefold.model.errors import BadInput
from onefold.model.time import DAY
from onefold.stats import wilson
from small_facts import SmallFacts, spans

BERLIN = "Europe/Berlin"


def at(day, zone=BERLIN):
    return int(datetime(*day, tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


SPAN = at((2026, 9, 28)), at((2026, 11, 23))


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(23)
    small = SmallFacts(
        persons={key: key % 90 for key in range(120)}, zone=BERLIN, now=SPAN[1] + DAY
    )
    for key in range(120):
        begun = SPAN[0] - 60 * DAY + rng.randrange(100 * DAY)
        for _ in range(rng.randrange(14)):
            small.add(
                rng.choice(["pin_saved", "pin_viewed", "search_made"]),
                begun + rng.randrange(60 * DAY),
                key if rng.random() > 0.05 else None,
            )
    return small


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def period_of(moment, every):
    day = datetime.fromtimestamp(moment / 1e6, UTC).astimezone(ZoneInfo(BERLIN)).date()
    if every == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if every == "week" else day


def before(period, every):
    if every == "month":
        return (period - timedelta(days=1)).replace(day=1)
    return period - timedelta(days=7 if every == "week" else 1)


def visits(facts, event, every, since=0):
    """Return the periods of each person in which it was there, until the span ends."""
    if event:
        rows = [
            (row["identifier"], row["event_time"]) for row in facts.events if row["event"] == event
        ]
    else:
        rows = [
            (row["identifier"], row["start_time"])
            for row in spans(facts.events)
            if row["actions"] > 0
        ]
    found = {}
    for identifier, moment in rows:
        if identifier is not None and since <= moment < SPAN[1]:
            person = facts.persons[identifier]
            found.setdefault(person, set()).add(period_of(moment, every))
    return found


@pytest.mark.parametrize("every", ["day", "week", "month"])
@pytest.mark.parametrize("event", ["", "pin_saved"])
def test_the_states_are_those_of_a_plain_count(view, facts, event, every):
    answer = questions.lifecycle(view, questions.Habit(event, every, SPAN))
    periods = visits(facts, event, every)
    for (
        period,
        new,
        returning,
        resurrected,
        dormant,
        there,
        share,
        low,
        high,
        _,
        n,
        whole,
    ) in answer.rows:
        states = Counter()
        for mine in periods.values():
            former = before(period, every) in mine
            if period in mine:
                first = min(mine) == period
                states["new" if first else "returning" if former else "resurrected"] += 1
            elif former:
                states["dormant"] += 1
        assert (new, returning, resurrected, dormant) == tuple(
            states[name] for name in questions.STATES
        )
        assert there == new + returning + resurrected
        assert n == returning + dormant
        expected = wilson(returning, n)
        assert share == expected.estimate
        assert (low, high) == ((expected.low, expected.high) if n >= 30 else (None, None))
        assert whole == (every != "month" or period == date(2026, 10, 1))
    assert sum(row[1] for row in answer.rows) > 0
    assert sum(row[3] for row in answer.rows) > 0


@pytest.mark.parametrize("every", ["day", "week", "month"])
@pytest.mark.parametrize("event", ["", "pin_saved"])
def test_on_how_many_periods_somebody_was_there(view, facts, event, every):
    answer = questions.stickiness(view, questions.Habit(event, every, SPAN))
    counts = [len(mine) for mine in visits(facts, event, every, SPAN[0]).values()]
    told = Counter(counts)
    for periods, people, share, *_, n, at_least in answer.rows:
        assert people == told[periods]
        assert n == len(counts)
        assert share == pytest.approx(told[periods] / len(counts))
        assert at_least == pytest.approx(np.mean([one >= periods for one in counts]))
    ratio = np.mean(counts) / len(answer.rows)
    assert answer.notes[0].startswith(f"In an average {every} {ratio:.1%} (")


def test_nobody_is_told_as_nobody():
    empty = SmallFacts(zone=BERLIN, now=SPAN[1]).view()
    lived = questions.lifecycle(empty, questions.Habit("", "week", SPAN))
    assert {row[1:6] for row in lived.rows} == {(0, 0, 0, 0, 0)}
    stuck = questions.stickiness(empty, questions.Habit("", "day", SPAN))
    assert {row[1] for row in stuck.rows} == {0}
    assert stuck.rows[0][2] is None


def test_a_period_under_way_is_told(facts):
    view = SmallFacts(events=facts.events, persons=facts.persons, zone=BERLIN, now=SPAN[1] - DAY)
    answer = questions.lifecycle(view.view(), questions.Habit("", "week", SPAN))
    assert [row[-1] for row in answer.rows] == [True] * 7 + [False]
    assert "Not whole: 2026-11-16." in answer.notes


@pytest.mark.parametrize(
    ("habit", "words"),
    [
        (questions.Habit("", "none", SPAN), "no periods"),
        (questions.Habit("x" * 201, "day", SPAN), "no name of an event"),
        (questions.Habit("", "year", SPAN), "No period `year`"),
        (questions.Habit("", "day", (SPAN[1], SPAN[0])), "before it begins"),
    ],
)
def test_what_cannot_be_asked_is_said(view, habit, words):
    for asked in (questions.lifecycle, questions.stickiness):
        with pytest.raises(BadInput, match=words):
            asked(view, habit)
