"""Retention against ClickHouse's `retention`, and by hand in a zone that turns its clock."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onefold.metrics.returning import Returning, retention
from onefold.model.errors import BadInput
from onefold.model.time import DAY, HOUR
from onefold.stats import wilson
from small_facts import SmallFacts

pytestmark = pytest.mark.long

BERLIN = ZoneInfo("Europe/Berlin")
START = int(datetime(2026, 10, 5, tzinfo=BERLIN).timestamp()) * 1_000_000
END = int(datetime(2026, 11, 20, tzinfo=BERLIN).timestamp()) * 1_000_000
"""Six whole weeks and a cut one; the clock turns on 25 October."""


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(8)
    small = SmallFacts(persons={key: key % 300 for key in range(350)}, zone="Europe/Berlin")
    small.now = END + DAY
    for _ in range(4000):
        key = rng.randrange(350)
        # Some come later than others, so that every cohort has people.
        since = key % 7 * 6 * DAY
        small.add(
            rng.choice(["pin_opened", "pin_saved", "search_made"]),
            START - DAY + since + rng.randrange(max(48 * DAY - since, DAY)),
            key if rng.random() > 0.05 else None,
        )
    return small


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def told(answer, *names):
    columns = [column.name for column in answer.columns]
    places = [columns.index(name) for name in names]
    return [tuple(row[place] for place in places) for row in answer.rows]


def day(micros):
    return datetime.fromtimestamp(micros / 1e6, UTC).astimezone(BERLIN).date()


def begin_of(one: date, every):
    if every == "month":
        return one.replace(day=1)
    return one - timedelta(days=one.weekday()) if every == "week" else one


def by_hand(facts, asked):
    """Return (cohort, period start) -> people, and cohort -> people."""
    first, back = {}, {}
    for row in facts.events:
        if row["identifier"] is None or not START <= row["event_time"] < END:
            continue
        who = facts.persons[row["identifier"]]
        if row["event"] == asked.start:
            first[who] = min(first.get(who, END), row["event_time"])
        if row["event"] == asked.back:
            back.setdefault(who, set()).add(begin_of(day(row["event_time"]), asked.every))
    cohorts: dict = {}
    found: dict = {}
    for who, moment in first.items():
        cohort = begin_of(day(moment), asked.every)
        cohorts[cohort] = cohorts.get(cohort, 0) + 1
        came = {one for one in back.get(who, ()) if one > cohort}
        if asked.kind == "rolling" and came:
            last, came, one = max(came), set(), cohort
            while one < last:
                one = begin_of(
                    one + timedelta(days={"day": 1, "week": 7, "month": 31}[asked.every]),
                    asked.every,
                )
                came.add(one)
        for one in came:
            found[cohort, one] = found.get((cohort, one), 0) + 1
    return cohorts, found


@pytest.mark.parametrize("kind", ["bounded", "rolling"])
@pytest.mark.parametrize("every", ["day", "week", "month"])
@pytest.mark.parametrize("back", ["pin_saved", "pin_opened"])
def test_every_cohort_is_as_counted_by_hand(facts, view, every, kind, back) -> None:
    asked = Returning("pin_opened", back, every, (START, END), kind)
    cohorts, found = by_hand(facts, asked)
    rows = told(retention(view, asked), "cohort", "people", "period", "returned")
    starts = [cohort for cohort, _, period, _ in rows if period == 0]
    assert len(rows) == len(starts) * (len(starts) + 1) // 2
    for cohort, people, period, returned in rows:
        assert people == cohorts.get(cohort, 0)
        later = starts[starts.index(cohort) + period]
        assert returned == (found.get((cohort, later), 0) if period else people)
    assert sum(people for _, people, period, _ in rows if not period) > 250


def test_it_is_clickhouses_retention(facts, view, tmp_path) -> None:
    asked = Returning("pin_opened", "pin_saved", "week", (START, END))
    rows = [
        (facts.persons[row["identifier"]], row["event_time"] // 1_000_000, row["event"])
        for row in facts.events
        if row["identifier"] is not None and START <= row["event_time"] < END
    ]
    place = tmp_path / "events.parquet"
    who, moments, events = zip(*rows, strict=True)
    pq.write_table(pa.table({"who": who, "moment": moments, "event": events}), place)
    answer = told(retention(view, asked), "cohort", "period", "returned")
    cohorts = [cohort for cohort, period, _ in answer if not period]
    for cohort in cohorts[:-1]:
        weeks = [cohort + timedelta(weeks=n) for n in range(len(cohorts) - cohorts.index(cohort))]
        later = ",".join(f"event = 'pin_saved' AND week = '{one}'" for one in weeks[1:])
        sums = ",".join(f"sum(r[{place + 1}])" for place in range(len(weeks)))
        said = chdb.query(
            "WITH events AS (SELECT who, event, toMonday(toDateTime(moment), 'Europe/Berlin') "
            f"AS week FROM file('{place}')), firsts AS (SELECT who, min(week) AS first FROM events "
            f"WHERE event = 'pin_opened' GROUP BY who) SELECT {sums} FROM (SELECT who, retention("
            f"event = 'pin_opened' AND week = first AND first = '{cohort}', {later}) AS r "
            "FROM events JOIN firsts USING who GROUP BY who)",
            "CSV",
        )
        expected = [int(part) for part in str(said).strip().split(",")]
        assert [n for one, _, n in answer if one == cohort] == expected


def test_what_is_not_over_is_told(facts) -> None:
    now = int(datetime(2026, 11, 12, 12, tzinfo=BERLIN).timestamp()) * 1_000_000
    asked = Returning("pin_opened", "pin_saved", "week", (START, END))
    answer = retention(replace(facts.view(), now=now), asked)
    whole = {
        begin_of(cohort + timedelta(weeks=period), "week"): told_whole
        for cohort, period, told_whole in told(answer, "cohort", "period", "whole")
    }
    assert [str(one) for one, yes in sorted(whole.items()) if not yes] == [
        "2026-11-09",
        "2026-11-16",
    ]
    assert any(note == "Not whole: 2026-11-09, 2026-11-16." for note in answer.notes)


def test_shares_have_intervals_and_small_cohorts_none(view) -> None:
    asked = Returning("pin_opened", "pin_saved", "week", (START, END))
    answer = retention(view, asked)
    rows = told(answer, "people", "period", "returned", "share", "low", "high", "n")
    assert any(people >= 30 and period for people, period, *_ in rows)
    for people, period, returned, *ends in rows:
        value = wilson(returned, people)
        if not people or not period or people < 30:
            assert ends[1:3] == [None, None]
        else:
            assert ends == [value.estimate, value.low, value.high, people]
    empty = retention(SmallFacts().view(), replace(asked, span=(START, START + 8 * DAY)))
    assert {row[0] for row in told(empty, "people")} == {0}
    assert any("Not enough data" in note for note in empty.notes)


def test_who_is_sampled_stands_for_more() -> None:
    small = SmallFacts()
    for key in range(80):
        for event, moment in (("pin_opened", START), ("pin_saved", START + 7 * DAY)):
            if event == "pin_opened" or key % 4 == 0:
                small.add(event, moment + HOUR, key)
                small.events[-1]["sample_rate"] = 0.5 if key < 40 else 1.0
    asked = Returning("pin_opened", "pin_saved", "week", (START, START + 14 * DAY))
    answer = retention(replace(small.view(), sampled=True), asked)
    found = {period: row for period, *row in told(answer, "period", "people", "returned", "n")[:2]}
    assert found == {0: [120, 120, 80], 1: [120, 30, 80]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"start": ""}, "no name"),
        ({"back": "x" * 300}, "no name"),
        ({"kind": "bonded"}, "Did you mean"),
        ({"every": "none"}, "no periods"),
        ({"every": "fortnight"}, "fortnight"),
        ({"span": (END, START)}, "before it begins"),
        ({"every": "day", "span": (START, START + 200 * DAY)}, "periods of a day"),
    ],
)
def test_what_is_no_retention_is_told(view, change, said) -> None:
    asked = replace(Returning("pin_opened", "pin_saved", "week", (START, END)), **change)
    with pytest.raises(BadInput, match=said) as told_of:
        retention(view, asked)
    assert told_of.value.fix
