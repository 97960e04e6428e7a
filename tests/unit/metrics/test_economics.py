"""Cohort economics, beside a plain sum over every person in Python."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from onefold.metrics import load_metrics, questions
from onefold.model.errors import BadInput
from onefold.model.money import Money
from onefold.model.time import DAY
from onefold.stats import Moments, mean
from small_facts import SmallFacts

BERLIN = ZoneInfo("Europe/Berlin")
FROM, TO = date(2026, 7, 1), date(2026, 11, 1)
START, END = (
    int(datetime(day.year, day.month, day.day, tzinfo=BERLIN).timestamp()) * 1_000_000
    for day in (FROM, TO)
)
COST = load_metrics()["acquisition_cost"]


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(8)
    small = SmallFacts(
        promoted={"p_channel": "string"},
        persons={key: key % 300 for key in range(400)},
        zone="Europe/Berlin",
        now=END + DAY,
    )
    orders = []
    for key in range(400):
        for _ in range(rng.randrange(1, 3)):
            small.add("signed_up", START - 20 * DAY + rng.randrange(130 * DAY), key, channel="x")
        for _ in range(rng.randrange(4)):
            orders.append(
                {
                    "message_hi": len(orders),
                    "message_lo": 1,
                    "environment": "production",
                    "identifier": key,
                    "order_id": f"o{len(orders)}",
                    "amount_micros": rng.randrange(1, 90) * 1_000_000,
                    "currency": "EUR" if rng.random() < 0.9 else "SEK",
                    "order_time": START - 20 * DAY + rng.randrange(150 * DAY),
                    "purposes": 15,
                }
            )
    costs = [
        {
            "ad_cost_id": f"d{n}",
            "campaign_id": "k",
            "channel": "x",
            "cost_date": date(2026, 7 + n % 3, 1 + n % 28),
            "amount_micros": 7_000_000,
            "currency": "EUR",
        }
        for n in range(200)
    ]
    small.records = {"orders": orders, "ad_costs": costs}
    return small


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def month_of(time):
    moment = datetime.fromtimestamp(time / 1e6, UTC).astimezone(BERLIN)
    return date(moment.year, moment.month, 1)


def oracle(facts, currency, margin=1.0):
    """Return cohort -> month -> what each of its people earned by then, a number a person."""
    first = {}
    for row in facts.events:
        person = facts.persons[row["identifier"]]
        first[person] = min(first.get(person, END), row["event_time"])
    cohorts = defaultdict(list)
    for person, time in first.items():
        if START <= time < END:
            cohorts[month_of(time)].append(person)
    found = {}
    for cohort, persons in cohorts.items():
        for month in range(cohort.month, 11):
            by_then = dict.fromkeys(persons, 0.0)
            for order in facts.records["orders"]:
                person, time = facts.persons[order["identifier"]], order["order_time"]
                if person in by_then and first[person] <= time < END:
                    until = month_of(time).month <= month
                    by_then[person] += (
                        order["amount_micros"] * margin * (until and order["currency"] == currency)
                    )
            found[cohort, month - cohort.month] = list(by_then.values())
    return found


def asked(view, **said):
    answer = questions.economics(view, questions.Economics(COST, (START, END), **said))
    names = [column.name for column in answer.columns]
    return answer, [dict(zip(names, row, strict=True)) for row in answer.rows]


@pytest.mark.parametrize("margin", [1.0, 0.4])
def test_what_each_earned_is_that_of_a_plain_sum(view, facts, margin):
    answer, rows = asked(view, margin=margin)
    for currency in ("EUR", "SEK"):
        told = {
            (row["cohort"], row["month"]): row
            for row in rows
            if row["earned"] and row["earned"].currency == currency
        }
        found = oracle(facts, currency, margin)
        assert set(told) == set(found)
        assert len(found) == 4 + 3 + 2 + 1
        for place, amounts in found.items():
            exact = mean(Moments.of(amounts))
            row = told[place]
            assert (row["people"], row["n"], row["level"]) == (len(amounts), len(amounts), 0.95)
            for name, value in (
                ("earned", exact.estimate),
                ("low", exact.low),
                ("high", exact.high),
            ):
                if name != "earned" and len(amounts) < 30:
                    assert row[name] is None
                    continue
                assert row[name].micros == pytest.approx(value, abs=2)
    assert all(row["whole"] for row in rows)
    assert ("Without a margin" in " ".join(answer.notes)) == (margin == 1)
    assert "None of them bought" not in " ".join(answer.notes)
    assert "signed_up" in answer.definition
    assert "SELECT" in answer.query


def test_the_cost_and_when_it_is_paid_back(view, facts):
    answer, rows = asked(view)
    euros = [row for row in rows if row["earned"].currency == "EUR"]
    cohorts = {row["cohort"]: row["people"] for row in euros}
    for cohort, people in cohorts.items():
        spent = sum(
            one["amount_micros"]
            for one in facts.records["ad_costs"]
            if one["cost_date"].month == cohort.month
        )
        mine = [row for row in euros if row["cohort"] == cohort]
        if not spent:
            assert {row["cost"] for row in mine} == {None}
            assert {row["payback"] for row in mine} == {None}
            continue
        cost = spent / people
        assert mine[0]["cost"] == Money(round(cost), "EUR")
        for name, end in (("payback", "earned"), ("payback_low", "high"), ("payback_high", "low")):
            reached = [row["month"] for row in mine if row[end].micros >= cost]
            assert mine[0][name] == (reached[0] if reached else None)
    paid = {row["payback"] for row in euros}
    assert paid - {None}
    assert "No cost is told of 2026-10 in EUR, 2026-07 in SEK" in " ".join(answer.notes)
    # Nobody tells what it cost in the other currency.
    assert {row["cost"] for row in rows if row["earned"].currency == "SEK"} == {None}


def test_few_people_have_no_range_and_open_months_say_so(facts):
    few = SmallFacts(
        promoted={"p_channel": "string"}, persons={1: 1, 2: 1}, zone="Europe/Berlin", now=END - DAY
    )
    few.add("signed_up", START + DAY, 1)
    few.add("signed_up", START + 40 * DAY, 2)
    answer, rows = asked(few.view())
    assert [(row["people"], row["low"], row["payback"]) for row in rows] == [(1, None, None)] * 4
    # One person of two identifiers is new once; nobody bought, so that no currency is known.
    assert {row["cohort"] for row in rows} == {FROM}
    assert {row["earned"] for row in rows} == {None}
    assert [row["whole"] for row in rows] == [True, True, True, False]
    assert answer.notes[0] == "None of them bought anything in these days."
    assert "a cohort of 1" in " ".join(answer.notes)
    span = (START + DAY, END)
    cut = questions.economics(few.view(), questions.Economics(COST, span))
    assert "Cut by the days asked: 2026-07." in cut.notes
    nobody = questions.economics(
        replace(few.view()), questions.Economics(COST, (END, END + 40 * DAY))
    )
    assert nobody.rows == ()
    assert "Nobody new came in these days." in nobody.notes


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"cost": load_metrics()["purchases"]}, "is not what a new customer costs"),
        ({"margin": 0.0}, "no share"),
        ({"margin": 1.5}, "no share"),
        ({"margin": float("nan")}, "no share"),
        ({"span": (START, START + 3000 * DAY)}, "months"),
    ],
)
def test_what_cannot_be_asked_is_told(view, said, words):
    given = {"cost": COST, "span": (START, END), **said}
    with pytest.raises(BadInput, match=words):
        questions.economics(view, questions.Economics(**given))
