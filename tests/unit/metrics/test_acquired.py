"""What a new customer costs, beside a plain count in Python."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from onefold.metrics import change, load_metrics, measure
from onefold.metrics.define import parse_metric
from onefold.model.errors import BadInput
from onefold.model.time import DAY
from onefold.stats import intervals
from small_facts import SmallFacts

BERLIN = "Europe/Berlin"
FROM, TO = date(2026, 10, 19), date(2026, 11, 16)
START, END = (
    int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(BERLIN)).timestamp()) * 1_000_000
    for day in (FROM, TO)
)
CHANNELS = ["paid search", "paid social", "direct"]


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(3)
    small = SmallFacts(
        promoted={"p_channel": "string"},
        persons={key: key % 300 for key in range(400)},
        zone=BERLIN,
        now=END + DAY,
    )
    for key in range(400):
        moment = START - 10 * DAY + rng.randrange(40 * DAY)
        small.add("signed_up", moment, key, channel=rng.choice([*CHANNELS, None]))
        small.add("pin_saved", moment - DAY, key, channel="direct")
    small.records = {
        "ad_costs": [
            {
                "ad_cost_id": f"d{n}",
                "campaign_id": f"k{n % 7}",
                "channel": rng.choice(["Paid search", "paid social"]),
                "cost_date": date(2026, 10, 1) + timedelta(days=n % 50),
                "amount_micros": rng.randrange(9_000_000),
                "currency": "EUR",
            }
            for n in range(400)
        ]
    }
    return small


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def asked(view, metric=None, **said):
    metric = metric or load_metrics()["acquisition_cost"]
    return measure(view, metric, from_time=START, to_time=END, **said)


def new_people(facts):
    """Return the first sign-up of each person: local day and channel."""
    firsts = {}
    for row in sorted(facts.events, key=lambda row: row["event_time"]):
        if row["event"] == "signed_up":
            firsts.setdefault(facts.persons[row["identifier"]], row)
    zone = ZoneInfo(BERLIN)
    found = [
        (datetime.fromtimestamp(row["event_time"] / 1e6, UTC).astimezone(zone).date(), row)
        for row in firsts.values()
        if START <= row["event_time"] < END
    ]
    return [(day, row["p_channel"]) for day, row in found]


def spent(facts, lag=0):
    """Return day on which it counts, channel and micros of each cost."""
    rows = facts.records["ad_costs"]
    told = [(row["cost_date"] + timedelta(days=lag), row) for row in rows]
    return [
        (day, row["channel"].lower(), row["amount_micros"]) for day, row in told if FROM <= day < TO
    ]


def test_blended_all_costs_go_by_all_new_people(view, facts):
    new, cost = len(new_people(facts)), sum(micros for *_, micros in spent(facts))
    (row,) = asked(view).rows
    came = intervals.counted(new)
    assert row[0].micros == round(cost / new)
    assert row[1].micros == round(cost / came.high)
    assert row[2].micros == round(cost / came.low)
    assert row[-1] == new


def test_by_channel_each_cost_goes_by_whom_the_channel_brought(view, facts):
    new = Counter(channel for _, channel in new_people(facts))
    answer = asked(view, by="channel")
    told = {row[0]: row for row in answer.rows}
    assert set(told) == {*CHANNELS, None}
    for channel in ("paid search", "paid social"):
        cost = sum(micros for _, one, micros in spent(facts) if one == channel)
        assert told[channel][1].micros == round(cost / new[channel])
    assert told["direct"][1].micros == 0
    assert sum(row[-1] for row in answer.rows) == len(new_people(facts))


@pytest.mark.parametrize("lag", [0, 7, 9])
def test_costs_count_so_many_days_later_also_where_clocks_turn(view, facts, lag):
    metric = replace(load_metrics()["acquisition_cost"], lag_days=lag)
    answer = asked(view, metric, every="day")
    new = Counter(day for day, _ in new_people(facts))
    for day, cost, *_, n in answer.rows:
        micros = sum(micros for one, _, micros in spent(facts, lag) if one == day)
        assert n == new[day]
        assert (None if cost is None else cost.micros) == (round(micros / n) if n else None)


def test_a_change_is_of_two_groups_of_people(view):
    half = (START + END) // 2
    found = change(
        view, load_metrics()["acquisition_cost"], period=(half, END), former=(START, half)
    )
    assert found.currency == "EUR"
    assert found.relative.low < found.relative.estimate < found.relative.high


def test_without_any_cost_told_it_costs_nothing_that_is_known(facts):
    alone = SmallFacts(events=facts.events, persons=facts.persons, promoted=facts.promoted).view()
    assert {row[0].micros if row[0] else None for row in asked(alone).rows} <= {0, None}


HEAD = "metric: m\nlabel: A\ndescription: A.\nowner: B\nkind: acquisition\n"
NEW = "new: {events: [a]}\n"
COST = "cost: {sum: amount, of: ad_costs}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (COST, "`new` is missing"),
        (NEW, "`cost` is missing"),
        (NEW + "cost: {sum: clicks, of: ad_costs}\n", "the money of ads"),
        (NEW + COST + "dimensions: [kind]\n", "only their channel"),
        (NEW + COST + "unit: account\n", "money a person"),
        (NEW + COST + "format: number\n", "money a person"),
        (NEW + COST + "lag_days: -1\n", "at least 0"),
    ],
)
def test_what_is_wrong_is_said(text, words):
    with pytest.raises(BadInput) as refused:
        parse_metric(HEAD + text, "metrics/m.yaml")
    assert words in f"{refused.value} {refused.value.fix}"
