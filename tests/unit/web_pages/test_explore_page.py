"""Explore: what an address asks, what the page answers, what a spreadsheet gets."""

import csv
import io
import random
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold import metrics
from onefold.model.cells import sheet
from onefold.model.errors import BadInput, NotFound
from onefold.model.money import Money
from onefold.model.records import Answer, Column
from onefold.model.time import HOUR, SECOND
from onefold.web.pages import explore, taking
from onefold.web.pages.explore_question import asked_of, filters_of
from small_facts import SmallFacts

pytestmark = pytest.mark.long

KNOWN = metrics.load_metrics()
TODAY = date(2026, 11, 22)


def asked(**params):
    return asked_of({name.rstrip("_"): value for name, value in params.items()}, KNOWN, today=TODAY)


def answer(rows, *, by="", every="week", kind="number"):
    head = ([Column("period", "date")] if every != "none" else []) + (
        [Column(by, "text")] if by else []
    )
    columns = (
        *head,
        *(Column(name, kind) for name in ("estimate", "low", "high")),
        Column("level", "number"),
        Column("n", "integer"),
    )
    return Answer(columns=columns, rows=tuple(rows))


def words(pieces):
    return "".join(str(piece) for piece in pieces)


def test_an_empty_address_asks_something_sensible():
    found = asked()
    assert (found.metric.name, found.every, found.purpose) == (
        "saves_per_session",
        "week",
        "analytics",
    )
    assert found.from_date.weekday() == 0
    assert found.to_date == TODAY


def test_an_address_says_all_of_the_question():
    one = asked(metric="click_rate", every="day", by="surface", from_="2026-11-01", to="2026-11-08")
    assert one.address() == (
        "/explore?metric=click_rate&every=day&by=surface&from=2026-11-01&to=2026-11-08"
        "&purpose=analytics"
    )


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        ({"metric": "saves_per_sesion"}, NotFound, "Did you mean `saves_per_session`"),
        ({"every": "hour"}, BadInput, "No period `hour`"),
        ({"purpose": "fun"}, BadInput, "No purpose `fun`"),
        ({"by": "surface"}, BadInput, "cannot be split"),
        ({"to": "2026-11-01", "from": "2026-11-01"}, BadInput, "on or before"),
        ({"from": "1999-01-01"}, BadInput, "more than"),
        ({"from": "yesterday"}, BadInput, "not a day"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_mend(params, error, said):
    with pytest.raises(error, match=said) as caught:
        asked_of(params, KNOWN, today=TODAY)
    assert caught.value.fix


def test_every_filter_keeps_the_rest_of_the_question():
    one = asked(metric="click_rate", by="surface")
    every = next(each for each in filters_of(one, KNOWN, today=TODAY) if each["label"] == "Every")
    assert all("by=surface" in option["href"] for option in every["options"])
    assert [option["current"] for option in every["options"]].count(True) == 1


WEEKS = [date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)]


def time_of(day, hour=12):
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()) * 1_000_000


def shown(small, **params):
    """Return what the page shows of a question to made-up facts."""
    one, view = asked(**params), small.view()
    return explore.shown_of(one, explore._answer(view, one), KNOWN, view=view)


def week_of_saves(small, week, saves):
    """Let each person come on the Monday of a week and save so many pins."""
    for person, many in enumerate(saves):
        small.add("pin_viewed", time_of(week), person)
        for place in range(many):
            small.add("pin_saved", time_of(week) + (place + 1) * SECOND, person)


def test_a_move_of_the_same_people_is_told_though_the_ranges_touch():
    # Who is eager saves forty times as much as who is not; all save a fifth more than before.
    habits = [1 + 40 * (person % 5) for person in range(60)]
    small = SmallFacts(now=time_of(TODAY))
    week_of_saves(small, WEEKS[0], habits)
    week_of_saves(small, WEEKS[1], [round(many * 1.2) for many in habits])
    page = shown(small)
    (before, now) = sorted((row for row in page["rows"] if row[-1] == "60"), key=lambda row: row[1])
    assert float(before[3]) > float(now[2]), "the ranges touch"
    told = words(page["answer"])
    assert "rose to" in told
    assert "in the week from 9 November" in told
    assert "+19." in told
    assert "chance" not in told


def test_a_move_that_chance_makes_is_not_told():
    rng = random.Random(3)
    small = SmallFacts(now=time_of(TODAY))
    for week in WEEKS[:2]:
        week_of_saves(small, week, [rng.randrange(9) for _ in range(60)])
    assert "chance alone can do that (" in words(shown(small)["answer"])


def test_the_period_that_is_not_over_is_left_out_and_the_page_says_so():
    small = SmallFacts(now=time_of(TODAY))
    for week, many in zip(WEEKS, (2, 4, 90), strict=True):
        week_of_saves(small, week, [many + person % 2 for person in range(60)])
    page = shown(small)
    told = words(page["answer"])
    assert "in the week from 9 November" in told
    assert "The week from 16 November is not compared: it is not over." in page["lead"]
    assert "Today is not counted: it is not over." in page["lead"]
    assert page["rows"][0][0] == "Mon 16 November, so far"
    assert parts_of(page["chart"])["2026-11-16"] == "so far"
    # The week that is left out does not come in by a later end either, nor do weeks to come.
    later = shown(small, to="2026-12-11")
    assert words(later["answer"]) == told
    assert later["rows"][0][0] == "Mon 16 November, so far"
    assert "Today is counted so far: it is not over." in later["lead"]
    assert any("so far: the period from 2026-11-16" in note for note in later["notes"])


def parts_of(chart):
    """Return day -> why its period is drawn as not whole."""
    return {row["day"]: row["part"] for row in chart["data"]["values"] if "part" in row}


def test_every_way_to_a_week_that_is_not_whole_is_drawn_dashed():
    small = SmallFacts(now=time_of(TODAY))
    for week in WEEKS:
        week_of_saves(small, week, [2 + person % 3 for person in range(60)])
    chart = shown(small, from_="2026-11-04", to="2026-11-22")["chart"]
    assert parts_of(chart) == {"2026-11-02": "in part", "2026-11-16": "so far"}
    dashed = [layer for layer in chart["layer"] if layer["mark"].get("strokeDash")]
    ways = [(row["stretch"], row["day"]) for layer in dashed for row in layer["data"]["values"]]
    assert ways == [(0, "2026-11-02"), (0, "2026-11-09"), (1, "2026-11-09"), (1, "2026-11-16")]
    words = [layer["encoding"].get("text", {}).get("field") for layer in chart["layer"]]
    assert "part" in words
    # A week that is cut at its beginning is no "so far", though it is not over either.
    only = shown(small, from_="2026-11-18", to="2026-11-22")
    assert only["rows"][0][0] == "Mon 16 November, in part"


def test_a_week_that_only_began_before_the_first_day_is_not_compared():
    small = SmallFacts(now=time_of(TODAY))
    for week, many in zip(WEEKS[:2], (2, 9), strict=True):
        week_of_saves(small, week, [many] * 60)
    page = shown(small, from_="2026-11-04", to="2026-11-16")
    assert "rose" not in words(page["answer"])
    assert page["rows"][-1][0] == "Mon 2 November, in part"


def test_two_periods_of_few_people_are_not_told_apart():
    small = SmallFacts(now=time_of(TODAY))
    for week, many in zip(WEEKS[:2], (2, 9), strict=True):
        week_of_saves(small, week, [many] * 7)
    assert "7 of 30 people" in words(shown(small)["answer"])


def clicks(groups):
    """Return facts of two hundred people who see an ad in every group, and click by its rate."""
    rng, small = random.Random(5), SmallFacts(now=time_of(TODAY))
    for person in range(200):
        for place, (name, rate) in enumerate(groups.items()):
            moment = time_of(WEEKS[0]) + place * HOUR
            small.add("ad_viewed", moment, person, surface=name)
            if rng.random() < rate:
                small.add("ad_clicked", moment + SECOND, person, surface=name)
    return small


def test_the_most_and_the_least_of_many_equal_groups_are_not_told_apart():
    equal = {f"place {n}": 0.2 for n in range(8)}
    told = words(shown(clicks(equal), metric="click_rate", by="surface", every="none")["answer"])
    assert "no further apart than chance alone" in told


def test_groups_of_a_period_say_of_which():
    page = shown(clicks({"feed": 0.2, "search": 0.2}), metric="click_rate", by="surface")
    assert words(page["answer"]).startswith("In the week from 2 November, ")


def test_groups_that_differ_are_told_apart():
    page = shown(
        clicks({"feed": 0.5, "search": 0.1, None: 0.3}),
        metric="click_rate",
        by="surface",
        every="none",
    )
    told = words(page["answer"])
    assert told.startswith("Feed has most")
    assert told.endswith("%.")


def test_too_few_people_get_no_bar():
    rows = [(date(2026, 11, 2), 1.0, None, None, 0.95, 7)]
    (row,) = explore.table_rows(asked(), explore.cells_of(answer(rows)), today=TODAY)
    assert row[-2] == "Not enough data: 7 of 30"


def test_money_is_shown_in_its_currency_and_given_as_a_number():
    one = asked(metric="ad_revenue_per_engaged_user", every="none")
    money = [Money(micros, "EUR") for micros in (2_500_000, 2_000_000, 3_000_000)]
    told = answer([(*money, 0.95, 40)], every="none", kind="money")
    assert explore.table_rows(one, explore.cells_of(told), today=TODAY)[0][1] == "€2.50"
    rows = list(csv.DictReader(io.StringIO(sheet(*taking.flat(told.to_json())))))
    assert rows == [
        {
            "estimate": "2.5",
            "low": "2.0",
            "high": "3.0",
            "level": "0.95",
            "n": "40",
            "currency": "EUR",
        }
    ]


@given(st.text(min_size=1, max_size=20))
def test_no_cell_of_a_csv_is_a_formula(name):
    told = answer([(name, 0.1, 0.0, 0.2, 0.95, 40)], by="surface", every="none")
    text = sheet(*taking.flat(told.to_json()))
    first = next(csv.reader(io.StringIO(text.split("\r\n", 1)[1], newline="")))[0]
    assert not first.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert first.removeprefix("'") == name.removeprefix("'")
