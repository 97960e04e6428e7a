"""A metric beside the same of the days before."""

import random

import pytest

from onefold.metrics import change, load_metrics, measure, questions
from onefold.model.time import DAY, HOUR
from small_facts import SmallFacts

START = 1_790_000_000_000_000 // DAY * DAY
END = START + 14 * DAY


@pytest.fixture(scope="module")
def view():
    rng = random.Random(4)
    small = SmallFacts(
        promoted={"p_surface": "string", "p_revenue": "int64", "p_currency": "string"},
        now=END + DAY,
    )
    for person in range(80):
        for _ in range(rng.randrange(30)):
            moment = START - 14 * DAY + rng.randrange(28 * DAY)
            surface = rng.choice(["home_feed", "search_results"])
            event = rng.choice(["ad_viewed", "ad_clicked"])
            small.add(event, moment, person, surface=surface, revenue=5, currency="EUR")
    small.add("signed_up", START + HOUR, 1)
    return small.view()


def asked(view, name, **said):
    metric = load_metrics()[name]
    return questions.against_former(view, metric, from_time=START, to_time=END, **said)


def plain(view, name, start, end, **said):
    return measure(view, load_metrics()[name], from_time=start, to_time=end, **said).rows


@pytest.mark.parametrize("said", [{}, {"every": "day"}, {"every": "day", "by": "surface"}])
def test_each_row_stands_beside_its_forerunner(view, said):
    answer = asked(view, "click_rate", **said)
    now = plain(view, "click_rate", START, END, **said)
    then = plain(view, "click_rate", START - 14 * DAY, START, **said)
    assert [row[:-1] for row in answer.rows] == list(now)
    place = [column.name for column in answer.columns].index("estimate")
    assert [row[-1] for row in answer.rows] == [row[place] for row in then]
    assert answer.columns[-1].name == "former"


def test_the_whole_change_has_its_interval(view):
    answer = asked(view, "click_rate")
    found = change(
        view, load_metrics()["click_rate"], period=(START, END), former=(START - 14 * DAY, START)
    )
    assert "Against the 14 days before, from" in answer.notes[0]
    assert f"{found.relative.estimate:+.1%} ({found.relative.low:+.1%}" in answer.notes[0]


def test_money_stands_beside_money_of_its_currency(view):
    answer = asked(view, "ad_revenue_per_engaged_user")
    assert answer.rows[0][-1].currency == answer.rows[0][0].currency == "EUR"


def test_a_time_without_forerunner_says_so(view):
    answer = asked(view, "time_to_first_pin")
    assert answer.rows[0][-1] is None
    assert "nothing to compare with" in answer.notes[0]
