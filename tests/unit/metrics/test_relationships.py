"""Metrics of relationships that come with Onefold, beside pandas."""

import random

import numpy as np
import pandas as pd
import pytest

from onefold.metrics import load_metrics, measure
from onefold.model.time import DAY
from onefold.stats import Moments, intervals, mean, wilson
from small_facts import SmallFacts

START = 1_790_000_000_000_000 // DAY * DAY
END = START + 56 * DAY


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(12)
    small = SmallFacts(persons={key: key % 150 for key in range(200)}, now=END + DAY)
    for key in range(200):
        begun = START + rng.randrange(50 * DAY)
        small.add("signed_up", begun, key)
        closed = begun + rng.randrange(1, 40 * DAY)
        if closed < END + DAY:
            small.add("account_closed", closed, key)
    small.records = {
        "answers": [
            {
                "answer_id": f"a{n}",
                "survey": rng.choice(["share_of_wallet", "nps"]),
                "account_id": f"acc{rng.randrange(60)}",
                "score": rng.randrange(101),
                "answer_time": START - DAY + rng.randrange(60 * DAY),
            }
            for n in range(400)
        ],
        "interactions": [
            {
                "interaction_id": f"n{n}",
                "account_id": f"acc{rng.randrange(60)}",
                "who": "Ann",
                "start_time": START - DAY + rng.randrange(60 * DAY),
            }
            for n in range(300)
        ],
        "items": [
            {
                "item_id": f"i{n}",
                "creator_id": f"c{rng.randrange(90)}",
                "created_time": START - DAY + rng.randrange(60 * DAY),
            }
            for n in range(150)
        ],
    }
    return small


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def told(view, name):
    metric = load_metrics()[name]
    answer = measure(view, metric, from_time=START, to_time=END)
    names = [column.name for column in answer.columns]
    return dict(zip(names, answer.rows[0], strict=True))


def inside(facts, table, column):
    rows = pd.DataFrame(facts.records[table])
    return rows[(rows[column] >= START) & (rows[column] < END)]


def same(row, exact):
    for name in ("estimate", "low", "high"):
        assert row[name] == pytest.approx(getattr(exact, name))


def test_who_is_still_here_stays_on_in_the_tenure(view, facts):
    frame = pd.DataFrame(facts.events)
    frame["person"] = frame.identifier.map(facts.persons)
    begun = frame[frame.event == "signed_up"].groupby("person").event_time.min()
    times, ended = [], []
    for person, begin in begun.items():
        mine = frame[(frame.person == person) & (frame.event == "account_closed")].event_time
        after = mine[mine >= begin]
        ended.append(len(after) > 0)
        until = after.min() if len(after) else END + DAY
        times.append((until - begin) // 1_000_000)
    row = told(view, "tenure")
    same(row, intervals.time_quantile(np.array(times), np.array(ended)))
    assert row["n"] == len(begun)
    assert row["estimate"] > np.median(np.array(times)[ended])


def test_the_share_of_wallet_is_of_that_survey_alone(view, facts):
    rows = inside(facts, "answers", "answer_time")
    rows = rows[rows.survey == "share_of_wallet"]
    accounts = rows.groupby("account_id").score
    row = told(view, "share_of_wallet")
    same(row, mean(Moments.of(accounts.sum(), accounts.size())))
    assert row["n"] == len(accounts)


def test_engagement_is_how_often_an_account_was_seen(view, facts):
    often = inside(facts, "interactions", "start_time").groupby("account_id").size()
    row = told(view, "account_engagement")
    same(row, mean(Moments.of(often, np.ones(len(often)))))
    assert row["n"] == len(often)


def test_creators_who_brought_more_of_those_who_brought_anything(view, facts):
    brought = inside(facts, "items", "created_time").groupby("creator_id").size()
    row = told(view, "creator_retention")
    same(row, wilson(int((brought > 1).sum()), len(brought)))
    assert 0 < row["estimate"] < 1
