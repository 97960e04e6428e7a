"""Quantiles, times, other units, distinct values, weights and imported rows, beside pandas."""

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy.stats import CensoredData, ecdf

from onefold.metrics import change, load_metrics, measure, series
from onefold.metrics.define import parse_metric
from onefold.model.errors import BadInput
from onefold.model.money import Money
from onefold.model.time import DAY, HOUR
from onefold.stats import Moments, intervals, mean
from small_facts import SmallFacts, spans, stamp

START = int(datetime(2026, 10, 19, tzinfo=UTC).timestamp()) * 1_000_000
END = START + 28 * DAY
AUCKLAND = "Pacific/Auckland"
WORKS = ["pin_viewed", "pin_opened", "pin_saved", "pin_shared"]


def made(text, **said):
    head = "metric: m\nlabel: A\ndescription: A.\nowner: B\nminimum_people: 2\n"
    return parse_metric(head + text.format(**said), "metrics/m.yaml")


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(17)
    small = SmallFacts(persons={key: key % 120 for key in range(150)}, now=END + DAY)
    for key in range(150):
        begun = START - 3 * DAY + rng.randrange(35 * DAY)
        if rng.random() < 0.8:
            small.add("signed_up", begun, key, surface=rng.choice(["home_feed", None]))
        for _ in range(rng.randrange(12)):
            small.add(
                rng.choice(WORKS),
                begun - DAY + rng.randrange(20 * DAY),
                key if rng.random() > 0.05 else None,
                item_id=f"i{rng.randrange(40)}",
                creator_id=rng.choice([f"c{rng.randrange(12)}", "", None]),
            )
    small.records = {
        "answers": [
            {
                "answer_id": f"a{n}",
                "survey": rng.choice(["nps", "csat"]),
                "account_id": rng.choice([f"acc{rng.randrange(40)}", None]),
                "score": rng.choice([*range(11), None]),
                "answer_time": START - DAY + rng.randrange(30 * DAY),
            }
            for n in range(400)
        ],
        "tickets": [ticket(rng, n) for n in range(200)],
        "interactions": [
            {
                "interaction_id": f"n{n}",
                "account_id": f"acc{rng.randrange(40)}",
                "who": rng.choice(["Ann", "Bob", "Cy", None]),
                "minutes": rng.choice([15, 30, None]),
                "start_time": START - DAY + rng.randrange(30 * DAY),
            }
            for n in range(300)
        ],
        "ad_costs": [
            {
                "ad_cost_id": f"d{n}",
                "campaign_id": f"k{n % 9}",
                "channel": rng.choice(["search", "social"]),
                "cost_date": date(2026, 10, 18) + timedelta(days=n % 31),
                "amount_micros": rng.randrange(5_000_000),
                "currency": "EUR",
                "clicks": rng.randrange(50),
            }
            for n in range(500)
        ],
    }
    return small


def ticket(rng, n):
    opened = START - DAY + rng.randrange(30 * DAY)
    closed = opened + rng.randrange(1, 20 * DAY)
    return {
        "ticket_id": f"t{n}",
        "account_id": f"acc{n % 40}",
        "topic": rng.choice(["billing", "ads"]),
        "opened_time": opened,
        "closed_time": closed if closed < END + DAY and rng.random() < 0.8 else None,
    }


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


@pytest.fixture(scope="module")
def events(facts):
    frame = pd.DataFrame(facts.events)
    frame["person"] = frame.identifier.map(facts.persons)
    told = pd.DataFrame(list(frame.properties.map(json.loads)))
    return pd.concat([frame.drop(columns="properties"), told], axis=1)[frame.person.notna()]


def inside(frame, column="event_time"):
    return frame[(frame[column] >= START) & (frame[column] < END)]


def asked(view, metric, **said):
    return measure(view, metric, from_time=START, to_time=END, **said)


def figures(answer):
    return answer.rows[0][-5:-2]


def same(ours, theirs):
    told = [theirs.estimate, theirs.low, theirs.high]
    for one, other in zip(ours, told, strict=True):
        assert one == other or one == pytest.approx(other)


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("every", ["none", "week"])
def test_the_time_to_a_first_pin_is_that_of_the_curve(view, events, share, every):
    text = "kind: time_to\nfrom: {{events: [signed_up]}}\nto: {{events: [pin_saved]}}\n"
    metric = made(text + "quantile: {share}\n", share=share)
    first = events[events.event == "signed_up"].groupby("person").event_time.min()
    first = first[(first >= START) & (first < END)]
    saves = events[(events.event == "pin_saved") & (events.event_time <= END + DAY)]
    rows = []
    for person, begun in first.items():
        later = saves[(saves.person == person) & (saves.event_time >= begun)].event_time
        end = later.min() if len(later) else None
        seen = END + DAY if end is None else end
        week = date.fromordinal((stamp(begun).toordinal() - 1) // 7 * 7 + 1)
        rows.append((week, seen // 1_000_000 - begun // 1_000_000, end is not None))
    answer = asked(view, metric, every=every)
    assert any(not ended for *_, ended in rows)
    groups = {row[0]: row[1:] for row in answer.rows} if every == "week" else {None: answer.rows[0]}
    for week, told in groups.items():
        mine = [row for row in rows if week is None or row[0] == week]
        times, ended = np.array([row[1] for row in mine]), np.array([row[2] for row in mine])
        curve = ecdf(CensoredData(uncensored=times[ended], right=times[~ended])).sf
        below = curve.quantiles[curve.probabilities <= 1 - share + 1e-12]
        assert told[0] == (below[0] if len(below) else None)
        assert told[-1] == len(mine)
        same(told[:3], intervals.time_quantile(times, ended, share))
    assert "still" not in answer.definition
    assert "counted as taking longer" in answer.definition


def test_a_time_that_began_with_something_else_is_split_by_it(view, events):
    text = "kind: time_to\nfrom: {{events: [signed_up]}}\nto: {{events: [pin_saved]}}\n"
    metric = made(text + "dimensions: [surface]\n")
    answer = asked(view, metric, by="surface")
    first = events[events.event == "signed_up"].sort_values("event_time").groupby("person")
    heads = inside(first.first(skipna=False))
    counts = heads.surface.fillna("none").value_counts().to_dict()
    assert {row[0] or "none": row[-1] for row in answer.rows} == counts


def test_the_person_in_the_middle_is_numpys(view, facts):
    metric = load_metrics()["actions_per_person"]
    sessions = inside(pd.DataFrame(spans(facts.events)), "start_time")
    people = sessions.identifier.map(facts.persons)
    done = sessions.assign(person=people)[people.notna()].groupby("person").actions.sum()
    done = done[done > 0]
    answer = asked(view, metric)
    assert answer.rows[0][0] == np.quantile(done, 0.5, method="inverted_cdf")
    same(figures(answer), intervals.quantile(done, 0.5))
    assert answer.rows[0][-1] == len(done)


def test_a_creators_score_weighs_what_people_did(view, events):
    metric = load_metrics()["creator_engagement_score"]
    meant = inside(events[events.creator_id.fillna("") != ""])
    worth = {"pin_opened": 1, "pin_saved": 3, "pin_shared": 4}
    both = pd.DataFrame(
        {
            "above": meant.event.map(worth).fillna(0).groupby(meant.creator_id).sum(),
            "below": (meant.event == "pin_viewed").groupby(meant.creator_id).sum(),
        }
    )
    answer = asked(view, metric)
    theirs = mean(Moments.of(both.above, both.below))
    assert answer.rows[0][0] == pytest.approx(theirs.estimate)
    assert answer.columns[-1].unit == "creators"
    assert "3 x pin_saved" in answer.definition
    assert answer.rows[0][-1] == 12


def test_different_pins_count_once_each(view, events):
    metric = load_metrics()["pins_kept_per_creator"]
    meant = inside(events[events.creator_id.fillna("") != ""])
    seen = meant[meant.event == "pin_viewed"].creator_id.unique()
    kept = meant[meant.event == "pin_saved"].groupby("creator_id").item_id.nunique()
    answer = asked(view, metric)
    assert answer.rows[0][0] == pytest.approx(kept.reindex(seen, fill_value=0).mean())
    weeks = pd.to_datetime(meant.event_time, unit="us").dt.to_period("W-SUN").dt.start_time.dt.date
    for week, estimate, *_ in asked(view, metric, every="week").rows:
        mine = meant[weeks == week]
        seen = mine[mine.event == "pin_viewed"].creator_id.unique()
        kept = mine[mine.event == "pin_saved"].groupby("creator_id").item_id.nunique()
        expected = kept.reindex(seen, fill_value=0).mean() if len(seen) else None
        assert estimate == pytest.approx(expected)


def test_the_promoters_less_the_detractors(view, facts):
    metric = load_metrics()["net_promoter_score"]
    rows = inside(pd.DataFrame(facts.records["answers"]), "answer_time")
    rows = rows[rows.account_id.notna()]
    points = rows.score.map(lambda s: 0 if pd.isna(s) or 7 <= s <= 8 else 1 if s >= 9 else -1)
    both = points.groupby(rows.account_id).sum(), rows.groupby("account_id").size()
    same(figures(asked(view, metric)), mean(Moments.of(*both)))
    split = asked(view, metric, by="survey")
    for survey, estimate, *_ in split.rows:
        mine = rows[rows.survey == survey]
        assert estimate == pytest.approx(points[mine.index].sum() / len(mine))


def test_open_tickets_are_not_left_out_of_the_time_to_resolution(view, facts):
    metric = load_metrics()["time_to_resolution"]
    rows = inside(pd.DataFrame(facts.records["tickets"]), "opened_time")
    ended = rows.closed_time.notna().to_numpy()
    until = rows.closed_time.fillna(END + DAY)
    times = (until // 1_000_000 - rows.opened_time // 1_000_000).to_numpy()
    answer = asked(view, metric)
    same(figures(answer), intervals.time_quantile(times, ended))
    assert (answer.rows[0][-1], answer.columns[-1].unit) == (len(rows), "tickets")
    naive = np.median(times[ended])
    assert answer.rows[0][0] > naive
    topics = {row[0]: row[-1] for row in asked(view, metric, by="topic").rows}
    assert topics == rows.topic.value_counts().to_dict()


def test_as_of_before_a_ticket_was_closed_it_is_open(facts):
    early = SmallFacts(records={"tickets": facts.records["tickets"]}, now=START + 5 * DAY).view()
    answer = asked(early, load_metrics()["time_to_resolution"])
    rows = pd.DataFrame(facts.records["tickets"])
    rows = rows[(rows.opened_time >= START) & (rows.opened_time <= START + 5 * DAY)]
    assert answer.rows[0][-1] == len(rows)


def test_whom_an_account_knows_and_for_how_long(view, facts):
    rows = inside(pd.DataFrame(facts.records["interactions"]), "start_time")
    accounts = rows.groupby("account_id")
    breadth = asked(view, load_metrics()["breadth_of_contacts"])
    assert breadth.rows[0][0] == pytest.approx(accounts.who.nunique().mean())
    minutes = asked(view, load_metrics()["time_with_accounts"])
    same(
        figures(minutes),
        mean(Moments.of(accounts.minutes.sum(), np.ones(len(accounts)))),
    )


@pytest.mark.parametrize("zone", ["UTC", AUCKLAND, "America/Los_Angeles"])
def test_days_of_imported_rows_are_days_of_the_zone(facts, zone):
    view = SmallFacts(records={"ad_costs": facts.records["ad_costs"]}, zone=zone).view()
    begin = datetime(2026, 10, 19, tzinfo=ZoneInfo(zone))
    end = datetime(2026, 11, 16, tzinfo=ZoneInfo(zone))
    from_time, to_time = (int(one.timestamp()) * 1_000_000 for one in (begin, end))
    answer = measure(
        view, load_metrics()["ad_cost"], from_time=from_time, to_time=to_time, every="day"
    )
    rows = pd.DataFrame(facts.records["ad_costs"])
    days = rows.groupby("cost_date").amount_micros.sum()
    for day, cost, *_ in answer.rows:
        assert cost == Money(int(days[day]), "EUR")
    assert len(answer.rows) == 28


def test_the_cost_of_a_click_by_channel(view, facts):
    rows = pd.DataFrame(facts.records["ad_costs"])
    rows = rows[(rows.cost_date >= date(2026, 10, 19)) & (rows.cost_date < date(2026, 11, 16))]
    answer = asked(view, load_metrics()["cost_per_click"], by="channel")
    for channel, cost, *_ in answer.rows:
        mine = rows[rows.channel == channel]
        assert cost.micros == round(mine.amount_micros.sum() / mine.clicks.sum())


def test_nobody_counts_for_more_than_the_cap(view, events):
    text = "kind: sum\nnumerator: {{sum: weight, events: [pin_saved], cap: 2}}\n"
    count = text.replace("kind: sum", "kind: count").replace("sum: weight", "count: events")
    saves = inside(events[events.event == "pin_saved"]).groupby("person").size()
    assert asked(view, made(count)).rows[0][0] == saves.clip(upper=2).sum()
    assert saves.max() > 2
    assert "at most 2" in asked(view, made(count)).definition


def test_a_quantile_changes_by_the_ends_of_both(view):
    metric = replace(load_metrics()["time_to_resolution"], quantile=0.2)
    found = change(view, metric, period=(START + 14 * DAY, END), former=(START, START + 14 * DAY))
    assert found.relative.estimate == pytest.approx(found.now.estimate / found.former.estimate - 1)
    assert found.relative.low < found.relative.estimate < found.relative.high
    points = series(view, metric, from_time=START, to_time=END, every="week")
    assert [point.start_date.isoweekday() for point in points] == [1, 1, 1, 1]


def test_nobody_at_all_is_said(facts):
    empty = SmallFacts(now=END).view()
    for metric in load_metrics().values():
        answer = asked(empty, metric, every="week")
        assert {row[-1] for row in answer.rows} == {0}, metric.name


def test_a_time_within_an_hour_is_told_in_seconds():
    small = SmallFacts(now=END)
    for person in range(3):
        small.add("signed_up", START + person * HOUR, person)
        small.add("pin_saved", START + person * HOUR + 90_000_000, person)
        small.add("pin_saved", START + person * HOUR - 90_000_000, person)
    answer = asked(small.view(), load_metrics()["time_to_first_pin"])
    assert answer.rows[0][0] == 90
    assert answer.columns[0].unit == "seconds"


POINTS = "kind: sum\nunit: account\nnumerator: {{sum: score, of: answers, points: "
BELOW = "denominator: {{count: people, events: [a]}}\n"
TIME = "kind: time_to\nfrom: {{events: [a]}}\nto: {{events: [b]}}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: time_to\nfrom: {{events: [a]}}\n", "`to` is missing"),
        (TIME + "of: tickets\n", "begin and end by themselves"),
        (TIME + "quantile: 1\n", "`quantile` is 1"),
        (TIME + "numerator: {{count: events, events: [a]}}\n", "No field `numerator`"),
        (TIME + "format: number\n", "A duration is"),
        ("kind: count\nformat: duration\nnumerator: {{count: events, events: [a]}}\n", "duration"),
        ("kind: count\nquantile: 0.5\nnumerator: {{count: events, events: [a]}}\n", "no quantile"),
        ("kind: count\nunit: item\nnumerator: {{count: sessions}}\n", "of persons, not of items"),
        ("kind: count\nunit: item\nnumerator: {{count: tickets}}\n", "do not name the item"),
        ("kind: count\nnumerator: {{count: interactions}}\n", "do not name the person"),
        ("kind: sum\nunit: account\nnumerator: {{sum: minuts, of: interactions}}\n", "`minutes`"),
        ("kind: sum\nunit: account\nnumerator: {{sum: text, of: answers}}\n", "have no `text`"),
        (
            "kind: count\nunit: account\nnumerator: {{count: tickets, where: {{who: [a]}}}}\n",
            "have no `who`",
        ),
        (
            POINTS + "{{a: 1}}}}\n",
            "is no range",
        ),
        (
            POINTS + "{{0-6: 1, 6-9: 2}}}}\n",
            "overlaps",
        ),
        (
            "kind: count\nnumerator: {{count: events, events: [a], weights: {{b: 2}}}}\n",
            "none of its events",
        ),
        ("kind: count\nnumerator: {{count: people, events: [a], cap: 2}}\n", "nothing to cap"),
        (
            "kind: count\nunit: account\nnumerator: {{count: tickets, events: [a]}}\n",
            "are imported rows",
        ),
        (
            "kind: count\nunit: account\ndimensions: [colour]\nnumerator: {{count: tickets}}\n",
            "can be split so",
        ),
        (
            "kind: quantile\nnumerator: {{count: people, events: [a]}}\n" + BELOW,
            "A quantile is of amounts",
        ),
    ],
)
def test_what_is_wrong_is_said(text, words):
    with pytest.raises(BadInput, match=words):
        made(text)
