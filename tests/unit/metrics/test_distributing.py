"""Distributions, against SQL by hand over the same rows and Wilson's interval of statsmodels."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from math import ceil

import duckdb
import pyarrow as pa
import pytest
from statsmodels.stats.proportion import proportion_confint

from onefold.metrics.distributing import Distribution, distribution
from onefold.model.errors import BadInput
from onefold.model.time import DAY, MINUTE
from small_facts import SmallFacts

pytestmark = pytest.mark.long

START = int(datetime(2026, 10, 5, tzinfo=UTC).timestamp()) * 1_000_000
SPAN = (START, START + 7 * DAY)
PRICES = ["0.1", "0.2", "12.5", "7", "free", "", "1e300", "nan", "-3", "250"]


def world(seed):
    rng = random.Random(seed)
    small = SmallFacts(persons={key: key % 90 for key in range(120)})
    for _ in range(1500):
        person = min(int(rng.expovariate(1 / 30)), 119) if rng.random() > 0.03 else None
        small.add(
            rng.choice(["bought", "bought", "seen"]),
            START - DAY + rng.randrange(9 * DAY // MINUTE) * MINUTE,
            person,
            kind="track" if rng.random() > 0.1 else "screen",
            source=("app", "web")[(person or 0) % 2],
            price=rng.choice(PRICES),
            surface=rng.choice(["home", "search"]),
        )
    return small


@pytest.fixture(scope="module", params=[7, 8, 9])
def facts(request):
    return world(request.param)


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def by_hand(facts, *, of, by=None):
    """Return by group the quantity of each person, ascending, as SQL by hand has them."""
    names = ("event", "kind", "event_time", "identifier", "properties")
    rows = pa.table({name: [row[name] for row in facts.events] for name in names})
    people = pa.table(
        {"identifier": list(facts.persons), "person": list(facts.persons.values())},
    )
    number = f"try_cast(properties ->> '$.{of}' AS DOUBLE)" if of else "1"
    group = f"properties ->> '$.{by}'" if by else "NULL"
    connection = duckdb.connect()
    connection.register("events_here", rows)
    connection.register("people", people)
    found = connection.execute(
        f"SELECT g, list(value ORDER BY value) FROM (SELECT {group} AS g, person, "
        f"sum({number}) AS value FROM events_here JOIN people USING (identifier) "
        f"WHERE event = 'bought' AND kind = 'track' AND event_time >= {SPAN[0]} "
        f"AND event_time < {SPAN[1]} AND isfinite({number}::DOUBLE) AND abs({number}) < 1e10 "
        "GROUP BY ALL) GROUP BY g"
    ).fetchall()
    return dict(found)


def named(answer):
    names = [column.name for column in answer.columns]
    return [dict(zip(names, row, strict=True)) for row in answer.rows]


def check(rows, values):
    """Hold the rows of one group against the quantities of its people."""
    n = len(values)
    assert n >= 20
    for figure, share in (("median", 0.5), ("p90", 0.9)):
        (one,) = (row for row in rows if row["figure"] == figure)
        assert one["value"] == pytest.approx(values[ceil(share * n - 1e-9) - 1], abs=1e-6)
        assert (one["n"], one["people"]) == (n, n)
        if n >= 30:
            assert one["low"] <= one["value"] <= one["high"]
    shares = [row for row in rows if row["figure"] == "share"]
    assert sum(row["people"] for row in shares) == n
    assert sum(row["value"] for row in shares) == pytest.approx(1)
    for former, later in pairwise(shares):
        assert former["below"] == later["at_least"]
    for row in shares:
        low = float("-inf") if row["at_least"] is None else row["at_least"] - 1e-7
        high = float("inf") if row["below"] is None else row["below"] - 1e-7
        here = sum(low <= value < high for value in values)
        assert (row["people"], row["n"]) == (here, n)
        if n >= 30:
            ends = proportion_confint(here, n, method="wilson")
            assert (row["low"], row["high"]) == pytest.approx(ends, abs=1e-9)
        else:
            assert (row["low"], row["high"]) == (None, None)


@pytest.mark.parametrize("edges", [(), (2, 5), (-1, 0, 0.25, 1000)])
@pytest.mark.parametrize("of", ["", "price"])
@pytest.mark.parametrize("by", [None, "surface"])
def test_it_is_what_sql_by_hand_says(facts, view, of, by, edges):
    rows = named(distribution(view, Distribution("bought", SPAN, of, edges, by)))
    expected = by_hand(facts, of=of, by=by)
    assert {row[by] if by else None for row in rows} == set(expected)
    for group, values in expected.items():
        check([row for row in rows if not by or row[by] == group], values)
    if edges:
        given = {row["at_least"] for row in rows if row["at_least"] is not None}
        assert given == set(edges)


def test_how_often_has_a_bucket_a_time_at_first(view):
    rows = named(distribution(view, Distribution("bought", SPAN)))
    starts = [(row["at_least"], row["below"]) for row in rows if row["figure"] == "share"]
    assert starts[:5] == [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6)]
    assert rows[-1]["people"] > 0


def test_what_was_sampled_weighs(facts):
    for row in facts.events:
        row["sample_rate"] = {"app": 0.5, "web": None}[row["source"]]
    asked = Distribution("bought", SPAN)
    one = named(distribution(replace(facts.view(), sampled=True), asked))
    plain = named(distribution(facts.view(), asked))
    assert [row["n"] for row in one] == [row["n"] for row in plain]
    assert one[0]["people"] > plain[0]["people"]
    assert sum(row["value"] for row in one[2:]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([-5], [(None, 0)]),
        ([0, 0], [(0, 1)]),
        ([3], [(0, 2), (2, 5)]),
        ([-1, 3], None),
        ([1e9], None),
        ([0.000001], None),
    ],
)
def test_round_edges_hold_everybody(values, edges):
    small = SmallFacts()
    for person, value in enumerate(values):
        small.add("bought", START, person, price=str(value))
    rows = named(distribution(small.view(), Distribution("bought", SPAN, "price")))
    shares = [row for row in rows if row["figure"] == "share"]
    assert sum(row["people"] for row in shares) == len(values)
    assert len(shares) <= 14
    if edges:
        assert [(row["at_least"], row["below"]) for row in shares] == edges


def test_nobody_and_no_number_are_said():
    small = SmallFacts()
    small.add("bought", START, 1, price="free")
    view = small.view()
    nothing = distribution(view, Distribution("bought", SPAN, "price"))
    assert nothing.rows == ()
    assert any("has a number `price`" in note for note in nothing.notes)
    nobody = distribution(view, Distribution("sold", SPAN))
    assert any("`sold`" in note for note in nobody.notes)
    few = distribution(view, Distribution("bought", SPAN))
    assert any("1 of 30 people" in note for note in few.notes)
    assert named(few)[0]["low"] is None


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Distribution("", SPAN), "no name of an event"),
        (Distribution("a", SPAN, "x" * 300), "no name of a property"),
        (Distribution("a", SPAN, edges=(2, 1)), "do not ascend"),
        (Distribution("a", SPAN, edges=(1, 1)), "do not ascend"),
        (Distribution("a", SPAN, edges=(float("nan"),)), "no number"),
        (Distribution("a", SPAN, edges=(float("inf"),)), "no number"),
        (Distribution("a", SPAN, edges=tuple(range(60))), "60 edges"),
    ],
)
def test_what_no_distribution_is_is_refused(asked, words):
    with pytest.raises(BadInput, match=words):
        distribution(SmallFacts().view(), asked)
