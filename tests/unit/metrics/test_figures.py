"""Compiled answers against hand-written SQL and pandas, on made-up events."""

import random
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pytest

from onefold.metrics import change, load_metrics, measure, questions, series
from onefold.metrics.define import parse_metric
from onefold.model.errors import BadInput
from onefold.model.money import Money
from onefold.model.time import DAY, HOUR
from onefold.stats import Moments, mean, several
from small_facts import SmallFacts, spans, stamp

START = int(datetime(2026, 10, 19, tzinfo=UTC).timestamp()) * 1_000_000
END = START + 28 * DAY
BERLIN = "Europe/Berlin"  # turns its clock on 25 October 2026, within these days
SURFACES = ["home_feed", "search_results", 'a"b', "'; drop table events; --", "", None]
EVENTS = ["pin_saved", "pin_viewed", "ad_viewed", "ad_clicked", "search_made"]


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(11)
    small = SmallFacts(
        promoted={"p_revenue": "int64", "p_currency": "string", "p_surface": "string"},
        persons={key: key % 150 for key in range(200)},
        zone=BERLIN,
    )
    for _ in range(6000):
        event = rng.choice(EVENTS)
        paid = event == "ad_clicked"
        small.add(
            event,
            START - DAY + rng.randrange(30 * DAY),
            rng.randrange(200) if rng.random() > 0.07 else None,
            surface=rng.choice(SURFACES),
            revenue=rng.randrange(5_000_000) if paid else None,
            currency=rng.choice(["USD", "USD", "EUR"]) if paid else None,
            campaign_id=rng.choice(["c1", "c2"]),
        )
    return small


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


@pytest.fixture(scope="module")
def metrics():
    return load_metrics()


@pytest.fixture(scope="module")
def events(facts):
    """The events as pandas sees them, days in Berlin."""
    frame = pd.DataFrame(facts.events)
    frame["person"] = frame.identifier.map(facts.persons)
    return framed(frame, "event_time")


@pytest.fixture(scope="module")
def sessions(facts):
    frame = pd.DataFrame(spans(facts.events))
    frame["person"] = frame.identifier.map(facts.persons)
    return framed(frame, "start_time")


def framed(frame, column):
    moment = pd.to_datetime(frame[column], unit="us", utc=True).dt.tz_convert(BERLIN)
    frame["day"] = moment.dt.date
    frame["week"] = (moment.dt.tz_localize(None).dt.to_period("W-SUN")).dt.start_time.dt.date
    frame["month"] = moment.dt.tz_localize(None).dt.to_period("M").dt.start_time.dt.date
    return frame[(frame[column] >= START) & (frame[column] < END) & frame.person.notna()]


def per_person(above, below):
    """Return numerator and denominator of each person that has either."""
    both = pd.concat([above, below], axis=1).fillna(0.0)
    both.columns = ["above", "below"]
    return both


def expected(both):
    return mean(Moments.of(both.above, both.below))


@pytest.mark.parametrize("every", ["day", "week", "month"])
def test_saves_per_session_by_period_is_what_pandas_says(view, metrics, events, sessions, every):
    answer = measure(view, metrics["saves_per_session"], from_time=START, to_time=END, every=every)
    saves = events[events.event == "pin_saved"].groupby([every, "person"]).size()
    visits = sessions.groupby([every, "person"]).size()
    both = per_person(saves, visits)
    assert [row[0] for row in answer.rows] == sorted({day for day, _ in both.index})
    for period, estimate, low, high, level, n in answer.rows:
        ours = expected(both.loc[period])
        assert (estimate, level, n) == pytest.approx((ours.estimate, 0.95, ours.n))
        if n >= 30:
            assert (low, high) == pytest.approx((ours.low, ours.high))
        else:
            assert (low, high) == (None, None)


def test_session_depth_is_what_pandas_says(view, metrics, sessions):
    answer = measure(view, metrics["session_depth"], from_time=START, to_time=END)
    people = sessions.groupby("person")
    ours = expected(per_person(people.actions.sum(), people.size()))
    assert answer.rows[0][0] == pytest.approx(ours.estimate)
    assert answer.rows[0][1:3] == pytest.approx((ours.low, ours.high))


def test_weekly_figures_count_each_session_and_person_once(view, metrics, sessions):
    for name, column in (("weekly_active_discovery_sessions", 0), ("weekly_active_people", 1)):
        answer = measure(view, metrics[name], from_time=START, to_time=END, every="week")
        good = sessions[(sessions.discoveries if column == 0 else sessions.actions) > 0]
        weeks = good.groupby("week")
        counts = weeks.size() if column == 0 else weeks.person.nunique()
        assert {row[0]: row[1] for row in answer.rows} == counts.to_dict()


def test_click_rate_by_surface_keeps_hostile_values_apart(view, metrics, events):
    answer = measure(
        view, metrics["click_rate"], from_time=START, to_time=END, every="week", by="surface"
    )
    surface = [row["surface"] for row in map(pd.io.json.ujson_loads, events.properties)]
    split = events.assign(surface=pd.Series(surface, index=events.index).fillna("(null)"))
    groups = {
        key: per_person(
            part[part.event == "ad_clicked"].groupby("person").size(),
            part[part.event == "ad_viewed"].groupby("person").size(),
        )
        for key, part in split.groupby(["week", "surface"])
    }
    assert len(answer.rows) == 5 * len(SURFACES)
    for week, value, estimate, low, high, _, n in answer.rows:
        both = groups.pop((week, "(null)" if value is None else value), None)
        if both is None:
            assert (estimate, n) == (None, 0)
            continue
        ours = expected(both)
        assert (estimate, n) == pytest.approx((ours.estimate, ours.n))
        assert low is None if n < 30 else (low, high) == pytest.approx((ours.low, ours.high))
    assert all(both.empty for both in groups.values())


def test_revenue_stands_apart_by_currency_and_equals_plain_sql(facts, view, metrics):
    answer = measure(view, metrics["ad_revenue_per_engaged_user"], from_time=START, to_time=END)
    plain = duckdb.connect()
    frame = pd.DataFrame(facts.events)
    frame["person"] = frame.identifier.map(facts.persons)
    rows = plain.execute(
        """
        with engaged as (
            select count(distinct person) as people from frame
            where person is not null and event_time >= $1 and event_time < $2
              and event in ('search_made', 'pin_saved', 'ad_clicked')
        )
        select p_currency, sum(p_revenue) / any_value(people) as average
        from frame, engaged
        where person is not null and event_time >= $1 and event_time < $2
          and event = 'ad_clicked'
        group by 1 order by count(*) desc
        """,
        [START, END],
    ).fetchall()
    assert [row[0].currency for row in answer.rows] == ["USD", "EUR"]
    for row, (currency, average) in zip(answer.rows, rows, strict=True):
        assert row[0] == Money(round(average), currency)
        assert row[1].micros < row[0].micros < row[2].micros
    assert any("A row a currency: USD, EUR" in note for note in answer.notes)


def test_events_without_a_person_are_left_out_and_counted(facts, view, metrics):
    answer = measure(view, metrics["save_rate"], from_time=START, to_time=END)
    nobodys = sum(
        row["identifier"] is None
        and row["event"] in {"pin_saved", "pin_viewed"}
        and START <= row["event_time"] < END
        for row in facts.events
    )
    assert nobodys > 0
    assert answer.notes[0].startswith(f"{nobodys} events have no person")


def test_a_figure_explains_itself(view, metrics):
    answer = measure(view, metrics["saves_per_session"], from_time=START, to_time=END)
    assert "pin_saved by sessions" in answer.definition
    assert "delta method" in answer.definition
    assert answer.query.startswith("SELECT")
    assert answer.as_of_time == view.fresh_time
    assert [column.name for column in answer.columns] == ["estimate", "low", "high", "level", "n"]


def test_an_unpromoted_property_is_read_from_the_json(view, metrics, facts):
    answer = measure(view, metrics["click_rate"], from_time=START, to_time=END, by="campaign_id")
    assert [row[0] for row in answer.rows] == ["c1", "c2"]
    assert sum(row[-1] for row in answer.rows) > 100


def test_an_account_is_the_one_that_the_event_names(metrics):
    small = SmallFacts()
    for person in range(40):
        small.add("ad_viewed", START, person, account_id="advertiser")
        small.events[-1]["account_id"] = "company of the viewer"
    answer = measure(
        small.view(), metrics["click_rate"], from_time=START, to_time=END, by="account_id"
    )
    assert [row[0] for row in answer.rows] == ["advertiser"]


def test_money_that_the_catalogue_does_not_know_is_read_as_decimals(metrics):
    small = SmallFacts()
    for person in range(40):
        small.add("ad_clicked", START, person, revenue=1.25, currency="EUR")
    answer = measure(
        small.view(), metrics["ad_revenue_per_engaged_user"], from_time=START, to_time=END
    )
    assert answer.rows[0][:3] == (Money(1_250_000, "EUR"),) * 3


def test_an_empty_window_says_so(view, metrics):
    for name, value in (("saves_per_session", None), ("weekly_active_people", 0.0)):
        answer = measure(
            view,
            metrics[name],
            from_time=END + 90 * DAY,
            to_time=END + 92 * DAY,
            every="day",  # three days, as Berlin cuts them
        )
        assert [row[1] for row in answer.rows] == [value] * 3
        assert [row[-1] for row in answer.rows] == [0] * 3
    assert not measure(view, metrics["click_rate"], from_time=END, to_time=END, every="day").rows


def test_below_the_minimum_there_is_a_figure_but_no_interval(metrics):
    small = SmallFacts()
    for person in range(12):
        small.add("pin_saved", START, person)
    answer = measure(small.view(), metrics["saves_per_session"], from_time=START, to_time=END)
    assert answer.rows[0] == (1.0, None, None, 0.95, 12)
    assert answer.notes == ("Not enough data for an interval: 12 of 30 people.",)


def test_a_window_holds_its_start_and_not_its_end(metrics):
    small = SmallFacts()
    for moment in (START - 1, START, END - 1, END):
        small.add("pin_saved", moment, 1)
    metric = parse_metric(
        "{metric: m, label: m, description: m, owner: m, kind: count,"
        " numerator: {count: events, events: [pin_saved]}}",
        "m.yaml",
    )
    answer = measure(small.view(), metric, from_time=START, to_time=END)
    assert answer.rows[0][0] == 2


def test_only_tracked_events_count_by_their_name(metrics):
    small = SmallFacts()
    small.add("pin_saved", START, 1)
    small.add("pin_saved", START, 1, kind="page")
    answer = measure(small.view(), metrics["saves_per_session"], from_time=START, to_time=END)
    assert answer.rows[0][0] == 1.0


def test_share_mean_where_and_sums():
    small = SmallFacts()
    for person in range(50):
        small.add("pin_viewed", START, person, surface="home_feed")
        for _ in range(person % 3):
            small.add("pin_saved", START + HOUR, person, surface="home_feed", size=2.5)
        small.add("pin_saved", START + HOUR, person, surface="elsewhere", size=100)
    small.add("pin_saved", START, 99, surface="home_feed", size=7)
    head = "metric: m\nlabel: m\ndescription: m\nowner: m\n"
    saved = "{count: people, events: [pin_saved], where: {surface: home_feed}, at_least: 2}"
    seen = "{count: people, events: [pin_viewed]}"
    size = "{sum: size, events: [pin_saved], where: {surface: home_feed}}"
    for text, value in (
        (f"kind: share\nnumerator: {saved}\ndenominator: {seen}", 16 / 50),
        (f"kind: mean\nnumerator: {size}\ndenominator: {seen}", 49 * 2.5 / 50),
        (f"kind: sum\nnumerator: {size}", 49 * 2.5 + 7),
    ):
        answer = measure(
            small.view(), parse_metric(head + text, "m.yaml"), from_time=START, to_time=END
        )
        assert answer.rows[0][0] == pytest.approx(value)
        assert answer.rows[0][1] < value < answer.rows[0][2]


@pytest.mark.parametrize("by", ["surfce", "properties", 'x"; --'])
def test_a_dimension_that_is_not_there_is_refused(view, metrics, by):
    with pytest.raises(BadInput, match="cannot be split"):
        measure(view, metrics["click_rate"], from_time=START, to_time=END, by=by)
    with pytest.raises(BadInput, match="cannot be split"):
        measure(view, metrics["session_depth"], from_time=START, to_time=END, by="surface")


def test_a_change_pairs_the_same_people(view, metrics, events, sessions):
    middle = START + 14 * DAY
    found = change(view, metrics["saves_per_session"], period=(middle, END), former=(START, middle))
    columns = []
    people = pd.Index(sorted(set(sessions.person) | set(events.person)))
    for begin, end in ((middle, END), (START, middle)):
        saves = events[(events.event == "pin_saved") & events.event_time.between(begin, end - 1)]
        visits = sessions[sessions.start_time.between(begin, end - 1)]
        columns.append(saves.groupby("person").size().reindex(people, fill_value=0))
        columns.append(visits.groupby("person").size().reindex(people, fill_value=0))
    now, then = columns[0].sum() / columns[1].sum(), columns[2].sum() / columns[3].sum()
    assert found.now.estimate == pytest.approx(now)
    assert found.former.estimate == pytest.approx(then)
    assert found.relative.estimate == pytest.approx(now / then - 1)
    assert found.now.n == np.count_nonzero(columns[0] + columns[1])
    rng = np.random.default_rng(1)
    matrix = np.column_stack(columns).astype(float)
    draws = [matrix[rng.integers(0, len(matrix), len(matrix))].sum(axis=0) for _ in range(2000)]
    drawn = [a / b / (c / d) - 1 for a, b, c, d in draws]
    low, high = np.quantile(drawn, [0.025, 0.975])
    width = found.relative.high - found.relative.low
    assert width == pytest.approx(high - low, rel=0.12)
    assert found.verdict == "not_yet"


def test_a_change_of_money_names_its_currency(view, metrics):
    middle = START + 14 * DAY
    found = change(
        view, metrics["ad_revenue_per_engaged_user"], period=(middle, END), former=(START, middle)
    )
    assert found.currency == "USD"
    assert found.notes == ("Also in EUR, apart.",)


def test_a_change_to_no_money_at_all_mixes_no_currencies(metrics):
    small = SmallFacts()
    for person in range(40):
        for currency, revenue in (("EUR", 2), ("EUR", 2), ("USD", 3)):
            small.add("ad_clicked", START, person, revenue=revenue, currency=currency)
        small.add("search_made", START + 9 * DAY, person)
    week = 7 * DAY
    found = change(
        small.view(),
        metrics["ad_revenue_per_engaged_user"],
        period=(START + week, START + 2 * week),
        former=(START, START + week),
    )
    assert (found.currency, found.former.estimate) == ("EUR", 4_000_000)
    assert (found.now.estimate, found.relative.estimate) == (0.0, -1.0)


def test_a_change_from_nothing_says_so(view, metrics):
    found = change(
        view,
        metrics["saves_per_session"],
        period=(START, END),
        former=(START - 90 * DAY, START - 60 * DAY),
    )
    assert found.relative.estimate is None
    assert found.verdict == "not_yet"


def test_a_line_has_a_point_a_day(view, metrics):
    points = series(view, metrics["saves_per_session"], from_time=START, to_time=START + 7 * DAY)
    begin = stamp(START).replace(tzinfo=UTC).astimezone(ZoneInfo(BERLIN)).date()
    assert [point.start_date.toordinal() for point in points] == [
        begin.toordinal() + i for i in range(8)
    ]
    assert begin == date(2026, 10, 19)
    assert all(point.value.estimate is not None for point in points)


def test_a_metric_of_sessions_says_what_a_session_is(view, metrics):
    for name, told in (("session_depth", True), ("click_rate", False)):
        answer = measure(view, metrics[name], from_time=START, to_time=END)
        assert ("A session is the activity of one identifier as sent" in answer.definition) is told


def test_without_any_discovery_the_answer_says_how_to_mark_one(view, metrics):
    metric = metrics["weekly_active_discovery_sessions"]
    small = SmallFacts()
    small.add("opened", START, 1)
    bare = measure(small.view(), metric, from_time=START, to_time=END)
    assert bare.rows[0][0] == 0
    assert any("`discovery: true`" in note for note in bare.notes)
    moved = change(small.view(), metric, period=(START, END), former=(START - 28 * DAY, START))
    assert any("`discovery: true`" in note for note in moved.notes)
    known = measure(view, metric, from_time=START, to_time=END)
    assert not any("`discovery: true`" in note for note in known.notes)


def test_the_difference_of_two_groups_is_what_pandas_says(view, metrics, events):
    metric = metrics["click_rate"]
    groups = ("home_feed", "search_results")
    found = questions.contrast(view, metric, period=(START, END), groups=("surface", groups))
    columns = []
    people = sorted(set(events.person))
    for group in groups:
        here = events[events.properties.str.contains(f'"surface": "{group}"')]
        for name in ("ad_clicked", "ad_viewed"):
            counts = here[here.event == name].groupby("person").size()
            columns.append(counts.reindex(people).fillna(0.0))
    if metric.kind in {"share", "mean"}:
        for above, below in ((0, 1), (2, 3)):
            columns[above] = columns[above].where(columns[below] > 0, 0.0)
    ours = several.contrast(Moments.of(*columns))
    assert found.estimate == pytest.approx(ours.estimate)
    assert found.high - found.low == pytest.approx(ours.high - ours.low, rel=1e-2)


def test_groups_of_few_people_have_no_range(metrics):
    small = SmallFacts()
    for person in range(12):
        for surface in ("feed", None):
            small.add("ad_viewed", START, person, surface=surface)
            small.add("ad_clicked", START, person, surface=surface)
    found = questions.contrast(
        small.view(), metrics["click_rate"], period=(START, END), groups=("surface", ("feed", ""))
    )
    assert (found.estimate, found.low) == (0.0, None)
    assert "12 of 30 people" in found.note
