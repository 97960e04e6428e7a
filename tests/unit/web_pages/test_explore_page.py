"""Explore: what an address asks, what the page answers, what a spreadsheet gets."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold import metrics
from onefold.model.errors import BadInput, NotFound
from onefold.model.money import Money
from onefold.model.records import Answer, Column
from onefold.web.pages import explore
from onefold.web.pages.explore_question import Asked, asked_of, filters_of

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


def test_two_ranges_apart_are_told_as_a_move():
    rows = [
        (date(2026, 11, 2), 1.0, 0.9, 1.1, 0.95, 500),
        (date(2026, 11, 9), 2.0, 1.9, 2.1, 0.95, 500),
        (date(2026, 11, 16), 9.0, 8.9, 9.1, 0.95, 20),
    ]
    one = asked()
    told = words(explore.answer_words(one, explore.cells_of(answer(rows))))
    # The week of the 16th is not over, so it is not compared.
    assert "rose to 2" in told
    assert "in the week from 9 November" in told


def test_two_ranges_that_touch_are_not_told_as_a_move():
    rows = [
        (date(2026, 11, 2), 1.0, 0.5, 1.5, 0.95, 500),
        (date(2026, 11, 9), 1.2, 0.8, 1.6, 0.95, 500),
    ]
    told = words(explore.answer_words(asked(), explore.cells_of(answer(rows))))
    assert "chance alone can do that" in told


def test_too_few_people_get_no_bar():
    rows = [(date(2026, 11, 2), 1.0, None, None, 0.95, 7)]
    (row,) = explore.table_rows(asked(), explore.cells_of(answer(rows)))
    assert row[-2] == "Not enough data: 7 of 30"


def test_money_is_shown_in_its_currency_and_given_as_a_number():
    one = asked(metric="ad_revenue_per_engaged_user", every="none")
    money = [Money(micros, "EUR") for micros in (2_500_000, 2_000_000, 3_000_000)]
    told = answer([(*money, 0.95, 40)], every="none", kind="money")
    assert explore.table_rows(one, explore.cells_of(told))[0][1] == "€2.50"
    rows = list(csv.DictReader(io.StringIO(explore.csv_of(one, told))))
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
    one = Asked(KNOWN["click_rate"], "none", "surface", date(2026, 11, 1), TODAY, "analytics")
    text = explore.csv_of(
        one, answer([(name, 0.1, 0.0, 0.2, 0.95, 40)], by="surface", every="none")
    )
    first = next(csv.reader(io.StringIO(text.split("\r\n", 1)[1], newline="")))[0]
    assert not first.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert first.removeprefix("'") == name.removeprefix("'")
