"""Days, weeks and months of a zone, against Python's own calendar."""

from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.metrics.periods import check_window, cut_periods, period_starts
from onefold.model.errors import BadInput
from onefold.model.time import DAY, day_of, day_start, to_datetime
from onefold.model.zones import zone_offsets

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
SPRING = day_start(date(2026, 3, 1), "UTC")


@given(
    st.sampled_from(ZONES),
    st.integers(0, 400 * DAY),
    st.integers(1, 400 * DAY),
    st.floats(0, 1, exclude_max=True),
)
def test_an_offset_is_that_of_the_zone_at_every_moment(zone, start, length, where):
    begin, end = SPRING + start, SPRING + start + length
    moment = begin + int(where * length)
    since, seconds = [part for part in zone_offsets(begin, end, zone) if part[0] <= moment][-1]
    assert since <= moment
    assert seconds == to_datetime(moment).astimezone(ZoneInfo(zone)).utcoffset().total_seconds()


def test_the_clock_turns_at_its_minute():
    # Berlin: 2026-03-29, 02:00 becomes 03:00, which is 01:00 UTC.
    parts = zone_offsets(SPRING, SPRING + 60 * DAY, "Europe/Berlin")
    assert [seconds for _, seconds in parts] == [3600, 7200]
    assert to_datetime(parts[1][0]) == datetime(2026, 3, 29, 1, tzinfo=ZoneInfo("UTC"))


@given(st.sampled_from(ZONES), st.integers(0, 300 * DAY), st.integers(1, 100 * DAY))
def test_periods_hold_every_day_of_the_window(zone, start, length):
    begin, end = SPRING + start, SPRING + start + length
    days = period_starts(begin, end, every="day", zone=zone)
    assert days[0] == day_of(begin, zone)
    assert days[-1] == day_of(end - 1, zone)
    assert all((b - a).days == 1 for a, b in pairwise(days))
    weeks = period_starts(begin, end, every="week", zone=zone)
    assert all(day.weekday() == 0 for day in weeks)
    months = period_starts(begin, end, every="month", zone=zone)
    assert {(d.year, d.month) for d in days} == {(d.year, d.month) for d in months}


def test_a_period_cut_by_the_window_is_named():
    begin = day_start(date(2026, 3, 4), "UTC")
    end = day_start(date(2026, 3, 16), "UTC")
    assert cut_periods(begin, end, every="week", zone="UTC") == (date(2026, 3, 2),)


def test_an_empty_window_has_no_period():
    assert period_starts(SPRING, SPRING, every="day", zone="UTC") == ()


@pytest.mark.parametrize(
    ("window", "every", "words"),
    [
        ((5, 4), "day", "ends"),
        ((0, 1), "weak", "Did you mean `week`"),
        ((0, 4_002 * DAY), "day", "more than 4,000 periods of a day"),
        ((0, 130_000 * DAY), "month", "more than 4,000 periods of a month"),
    ],
)
def test_what_is_no_window_is_refused(window, every, words):
    with pytest.raises(BadInput, match=words):
        check_window(*window, every)
