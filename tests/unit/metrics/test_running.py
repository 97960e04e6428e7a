"""Running totals, against the same metric over all days from the first to each period's end."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from onefold.metrics import measure
from onefold.metrics.define import parse_metric
from onefold.metrics.periods import next_period
from onefold.metrics.running import cumulative
from onefold.model.errors import BadInput
from onefold.model.money import Money
from onefold.model.time import DAY, HOUR, day_of, day_start
from small_facts import SmallFacts

pytestmark = pytest.mark.long

ZONE = "Europe/Berlin"
START = int(datetime(2026, 10, 13, 22, tzinfo=UTC).timestamp()) * 1_000_000
"""Midnight in Berlin, of a Wednesday: the first week and month are cut, and an hour comes twice."""
END = day_start(day_of(START, ZONE).replace(month=11), ZONE)
HEAD = "label: A\ndescription: A.\nowner: B\nminimum_people: 2\n"
METRICS = {
    "events": "metric: e\nkind: count\nnumerator: {count: events, events: [saved]}\n",
    "weighted": "metric: w\nkind: count\n"
    "numerator: {count: events, events: [saved, seen], weights: {seen: 0.5}}\n",
    "people": "metric: p\nkind: count\nnumerator: {count: people, events: [saved]}\n",
    "people who do much": "metric: m\nkind: count\n"
    "numerator: {count: people, events: [saved], at_least: 4}\n",
    "sessions": "metric: s\nkind: count\nnumerator: {count: sessions}\n",
    "sum": "metric: u\nkind: sum\nnumerator: {sum: size, events: [saved]}\n",
    "capped": "metric: c\nkind: sum\nnumerator: {sum: size, events: [saved], cap: 60}\n",
    "different": "metric: d\nkind: count\nnumerator: {distinct: pin, events: [saved]}\n",
    "money": "metric: y\nkind: sum\nformat: money\nnumerator: {sum: revenue, events: [paid]}\n",
}


def metric(name):
    split = "" if name == "sessions" else "dimensions: [surface]\n"
    return parse_metric(METRICS[name] + HEAD + split, f"{name}.yaml")


def facts(seed):
    rng = random.Random(seed)
    small = SmallFacts(
        persons={key: key % 50 for key in range(70)},
        promoted={"p_revenue": "int64", "p_currency": "string"},
        now=END + DAY,
        zone=ZONE,
    )
    for _ in range(900):
        moment = START - DAY + rng.randrange((END - START + 2 * DAY) // HOUR) * HOUR
        person = rng.randrange(70)
        small.add(
            rng.choice(["saved", "seen", "paid"]),
            moment,
            person,
            source=("app", "web")[person % 2],
            size=rng.randrange(1, 40),
            surface=rng.choice(["home", "search"]),
            pin=f"p{rng.randrange(20)}",
            revenue=rng.randrange(-2, 9) * 1_000_000,
            currency=rng.choice(["EUR", "USD"]),
        )
    for row in small.events:
        row["sample_rate"] = {"app": 0.5, "web": None}[row["source"]]
    return small


@pytest.fixture(scope="module", params=[1, 2])
def views(request):
    small = facts(request.param)
    view = small.view()
    return {"whole": view, "sampled": replace(view, sampled=True)}


def named(answer):
    names = [column.name for column in answer.columns]
    return [dict(zip(names, row, strict=True)) for row in answer.rows]


def near(value):
    plain = value.micros if isinstance(value, Money) else value
    return plain if plain is None else pytest.approx(plain, rel=1e-9, abs=1e-6)


def plain(value):
    return value.micros if isinstance(value, Money) else value


@pytest.mark.parametrize("by", [None, "surface"])
@pytest.mark.parametrize("every", ["day", "week", "month"])
@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("which", ["whole", "sampled"])
def test_each_total_is_the_metric_of_all_days_so_far(views, which, name, every, by):
    if by and name == "sessions":
        pytest.skip("sessions have no property to split by")
    view, asked = views[which], metric(name)
    answer = cumulative(view, asked, from_time=START, to_time=END, every=every, by=by)
    rows = named(answer)
    assert rows
    for start in {row["period"] for row in rows}:
        until = min(day_start(next_period(start, every), ZONE), END)
        expected = named(measure(view, asked, from_time=START, to_time=until, by=by))
        expected = {key(row, by): row for row in expected}
        for row in rows:
            if row["period"] != start:
                continue
            other = expected.pop(key(row, by), None)
            if other is None:  # a group, or a currency, that came later
                assert (plain(row["estimate"]), row["n"]) == (0, 0)
                continue
            assert row["n"] == other["n"]
            for end in ("estimate", "low", "high"):
                assert plain(row[end]) == near(other[end]), (start, end)
        assert not {k for k, row in expected.items() if row["n"]}


def key(row, by):
    return (row[by] if by else None, getattr(row["estimate"], "currency", None))


@pytest.mark.parametrize("name", ["events", "people", "people who do much", "different", "sum"])
def test_it_never_dips(views, name):
    rows = named(cumulative(views["whole"], metric(name), from_time=START, to_time=END))
    totals = [row["estimate"] for row in rows]
    assert totals == sorted(totals)
    assert totals[-1] > totals[0]
    assert len(totals) == (day_of(END, ZONE) - day_of(START, ZONE)).days


def test_people_are_counted_once_and_amounts_added(views):
    view = views["whole"]
    span = {"from_time": START, "to_time": END, "every": "week"}
    for name, added in (("people", False), ("events", True)):
        weeks = sum(row["estimate"] for row in named(measure(view, metric(name), **span)))
        total = named(cumulative(view, metric(name), **span))[-1]["estimate"]
        assert (total == weeks) is added
        assert total <= weeks


def test_what_has_no_total_is_refused(views):
    share = parse_metric(
        "metric: h\nkind: share\nnumerator: {count: people, events: [saved]}\n"
        "denominator: {count: people, events: [saved, seen]}\n" + HEAD,
        "h.yaml",
    )
    with pytest.raises(BadInput, match="has no running total"):
        cumulative(views["whole"], share, from_time=START, to_time=END)
    with pytest.raises(BadInput, match="of no periods"):
        cumulative(views["whole"], metric("sum"), from_time=START, to_time=END, every="none")
