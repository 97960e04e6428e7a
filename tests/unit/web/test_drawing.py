"""Marks stand where their numbers are."""

from hypothesis import given
from hypothesis import strategies as st

from onefold.web import drawing

numbers = st.integers(-(10**9), 10**9).map(lambda whole: whole / 1000)


@given(st.tuples(numbers, numbers, numbers).map(sorted), numbers)
def test_the_tone_is_better_or_worse_only_when_the_whole_range_is(bounds, reference):
    low, estimate, high = bounds
    axis = drawing.shared_axis([(low, high)], reference)
    up = drawing.interval(estimate, low, high, axis=axis, reference=reference)
    down = drawing.interval(estimate, low, high, axis=axis, reference=reference, better="down")
    if low <= reference <= high:
        assert up.tone == down.tone == "even"
    else:
        assert {up.tone, down.tone} == {"better", "worse"}
        assert up.tone == ("better" if low > reference else "worse")


@given(st.tuples(numbers, numbers, numbers).map(sorted))
def test_every_mark_lies_on_the_bar_in_order(bounds):
    low, estimate, high = bounds
    axis = drawing.shared_axis([(low, high)])
    bar = drawing.interval(estimate, low, high, axis=axis)
    assert 0 <= bar.low <= bar.estimate <= bar.high <= 100
    assert 49.9 <= bar.reference <= 50.1


def test_an_interval_speaks_its_numbers():
    bar = drawing.interval(4.2, 2.1, 6.3, axis=(-8, 8), naive=5.9, margin=-1, unit="%")
    assert bar.label == "+4.2 %, low +2.1, high +6.3, better; naive +5.9; margin −1.0"


@given(st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_a_value_bar_never_leaves_its_scale(anyway, caused):
    bar = drawing.value_bar(
        anyway, caused, caused - 1, caused + 1, longest=anyway + abs(caused) + 1, label=""
    )
    assert bar.anyway >= 0
    assert bar.caused >= 0
    assert bar.anyway + bar.caused <= 100.1
    assert bar.lost == (caused < 0)


@given(st.floats(1e-9, 1e9))
def test_an_axis_ends_on_a_round_number_not_far_above(value):
    end = drawing.round_up(value)
    assert value * (1 - 1e-6) <= end <= value * 2.0001


def test_a_sparkline_leaves_gaps_out_and_shares_one_scale():
    line = drawing.sparkline([0, None, 10], [5, 5, 5])
    assert line["now"] == "1.0,28.0 97.0,4.0"
    assert line["former"].endswith("97.0,16.0")
    assert drawing.sparkline([])["now"] == ""
    assert drawing.sparkline([3, 3])["now"] == "1.0,16.0 97.0,16.0"


@given(st.lists(st.floats(0, 1), min_size=2))
def test_shades_run_from_one_to_seven_and_blank_is_none(shares):
    steps = {drawing.shade(value, min(shares), max(shares)) for value in shares}
    assert steps <= set(range(1, 8))
    assert drawing.shade(None, 0, 1) == 0
