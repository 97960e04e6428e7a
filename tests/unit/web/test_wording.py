"""Figures read the same everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.web import wording

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_284_310, "1,284,310"),
        (0, "0"),
        (-0.0001, "0.000"),
        (7.841, "7.84"),
        (18_206.4, "18,206"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_numbers_have_thousands_three_figures_and_a_dash_where_there_is_none(value, text):
    assert wording.number(value) == text


def test_a_signed_number_says_its_sign_first_and_minus_is_the_true_one():
    assert wording.number(3, signed=True) == "+3"
    assert wording.number(-3) == "\N{MINUS SIGN}3"
    assert wording.number(-0.04, 1, signed=True) == "+0.0"


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_no_number_has_a_hyphen_and_zero_has_no_minus(value):
    text = wording.number(value, 2)
    assert "-" not in text
    assert text != "−0.00"


@given(st.floats(min_value=0.001, max_value=1e13))
def test_a_tile_shows_at_most_five_digits(value):
    text, _ = wording.figure(value)
    assert sum(letter.isdigit() for letter in text) <= 5


def test_shares_have_a_no_break_space_before_the_sign():
    assert wording.share(0.061) == f"6.1{NBSP}%"
    assert wording.share(None) == "–"
    assert wording.points(0.012) == f"+1.2{NBSP}points"


@pytest.mark.parametrize(
    ("micros", "currency", "signed", "text"),
    [
        (-2_800_000_000, "USD", False, "−$2,800"),
        (18_400_000_000, "USD", True, "+$18,400"),
        (412_000, "USD", False, "$0.412"),
        (9_400_000, "EUR", False, "€9.40"),
        (100_000_000, "SEK", False, f"SEK{NBSP}100"),
        (0, "USD", False, "$0"),
    ],
)
def test_money_has_its_sign_first(micros, currency, signed, text):
    assert wording.money(micros, currency, signed=signed) == text


def test_a_time_has_its_day_and_zone():
    assert wording.moment(1_795_423_320_000_000, "Europe/Berlin") == "Mon 23 November, 09:42 CET"


def test_quiet_intake_says_for_how_long():
    now = 1_795_423_320_000_000
    fresh = wording.freshness(now - 4_000_000, now, label="Running")
    assert fresh == {"words": f"Running · 4{NBSP}s behind", "stale": False, "seconds": 4.0}
    quiet = wording.freshness(now - 720_000_000, now)
    assert quiet["words"] == f"Quiet for 12{NBSP}min"
    assert quiet["stale"] is True
    assert wording.freshness(None, now)["words"] == "No events yet"


def test_marked_words_escape_what_people_wrote():
    text = wording.sentence("<b>", wording.better("<i>"), wording.link("x&y", '"/a'))
    assert "<b>" not in text
    assert '<span class="better">&lt;i&gt;</span>' in text
    assert 'href="&#34;/a"' in text


def test_names_in_backticks_become_code_and_odd_ones_stay():
    assert str(wording.coded("No `a`.")) == "No <code>a</code>."
    assert str(wording.coded("It`s <x>")) == "It`s &lt;x&gt;"


def test_the_bar_is_as_old_as_the_figures_below_it():
    now = 1_795_423_320_000_000
    fresh, asked = now - 4_000_000, now - 110_000_000
    kept = wording.freshness(fresh, now, label="Today", asked_time=asked)
    assert kept["words"] == f"Today · 2{NBSP}min behind"
    assert kept["stale"] is False
    assert wording.freshness(fresh, now, asked_time=fresh)["seconds"] == 4.0


def test_little_is_not_called_nothing():
    assert wording.share(0.0003) == f"under 0.1{NBSP}%"
    assert wording.share(0.00003, 2) == f"under 0.01{NBSP}%"
    assert wording.share(0.0) == f"0.0{NBSP}%"
