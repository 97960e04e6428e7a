"""Time, money, ids, errors, answers."""

import pytest

from onefold.model.errors import BadInput, unknown
from onefold.model.ids import identifier_key, message_hash
from onefold.model.money import Money, currency_of, to_micros
from onefold.model.records import Answer, Column, Estimate
from onefold.model.time import DAY, day_of, day_start, format_time, parse_date, parse_time, week_of


def test_times_go_both_ways_and_zones_count() -> None:
    assert parse_time("2026-11-22T08:30:00+02:00") == parse_time("2026-11-22T06:30:00Z")
    assert parse_time(format_time(1_234_567_890_123_456)) == 1_234_567_890_123_456
    assert parse_time("2026-11-22T06:30:00") == parse_time("2026-11-22T06:30:00Z")
    for bad in ("yesterday", "", "2026-13-01", "99999-01-01T00:00:00Z"):
        with pytest.raises(BadInput):
            parse_time(bad)


def test_days_are_of_the_zone_also_where_the_clock_is_set_back() -> None:
    day = parse_date("2026-10-25")
    start = day_start(day, "Europe/Berlin")
    following = day_start(parse_date("2026-10-26"), "Europe/Berlin")
    assert following - start == DAY + 3_600_000_000
    assert day_of(following - 1, "Europe/Berlin") == day
    assert week_of(day) == parse_date("2026-10-19")


@pytest.mark.parametrize("text", ["0001-01-01", "1899-12-31", "9999-12-31", "2026-02-30", "x"])
def test_a_day_without_whole_periods_around_it_is_refused(text) -> None:
    with pytest.raises(BadInput):
        parse_date(text)


def test_money_is_exact() -> None:
    assert to_micros("0.1") + to_micros("0.2") == to_micros("0.3")
    assert currency_of(" eur ") == "EUR"
    for bad in ("1,50", "nan", "1e40", ""):
        with pytest.raises(BadInput):
            to_micros(bad)


def test_keys_differ_by_kind_value_and_workspace() -> None:
    key = bytes(range(32))
    found = {
        identifier_key(key, "user_id", "1"),
        identifier_key(key, "anonymous_id", "1"),
        identifier_key(bytes(32), "user_id", "1"),
        identifier_key(key, "user_id", "\ud800"),
    }
    assert len(found) == 4
    assert all(-(2**63) <= value < 2**63 for value in (*found, *message_hash("m", key)))


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    error = unknown("metric", "saves_per_sesion", ["saves_per_session", "click_rate"])
    assert str(error) == "No metric `saves_per_sesion`. Did you mean `saves_per_session`?"
    assert error.exit_code == 4


def test_an_answer_is_written_as_the_interface_says() -> None:
    answer = Answer(
        columns=(Column("day", "time"), Column("spend", "money"), Column("x", "estimate")),
        rows=((0, Money(5, "EUR"), Estimate(1.0, 0.5, 1.5, 10)),),
        as_of_time=0,
    )
    row = answer.to_json()["rows"][0]
    assert row == [
        "1970-01-01T00:00:00Z",
        {"micros": 5, "currency": "EUR"},
        {"estimate": 1.0, "low": 0.5, "high": 1.5, "level": 0.95, "n": 10},
    ]
