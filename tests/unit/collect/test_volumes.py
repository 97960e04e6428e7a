"""Odd days are found, sound ones left alone: at the stated rate, whatever week, trend or spread."""

import numpy as np
import pytest

from onefold.collect.volumes import judged_days, silence_chance

WEEK = np.array([1.0, 1.1, 1.05, 1.0, 0.9, 0.5, 0.45])


def series(rng, *, level=80.0, days=56, growth=0.0, spread=0.0, week=WEEK):
    """Return sound counts: weekly, growing, more widely spread than chance alone."""
    mean = level * week[np.arange(days) % 7] * np.exp(growth * np.arange(days))
    if spread:
        mean = mean * rng.gamma(1 / spread, spread, days)
    return rng.poisson(mean).tolist()


@pytest.mark.parametrize(
    ("level", "growth", "spread"),
    [(80, 0, 0), (3, 0, 0), (0.3, 0, 0), (5000, 0, 0.01), (80, 0.01, 0.05), (200, 0.02, 0)],
)
@pytest.mark.long
def test_sound_days_are_called_odd_no_more_often_than_stated(level, growth, spread):
    rng = np.random.default_rng(11)
    worlds, tests = 300, 0
    alarms = 0
    for _ in range(worlds):
        judged = judged_days(series(rng, level=level, growth=growth, spread=spread))
        tests += len(judged)
        alarms += any(day.chance < 0.02 / 7 for day in judged)
    assert tests
    # 2 % stated; 300 worlds say no more than 5 % with near certainty.
    assert alarms <= 0.05 * worlds


@pytest.mark.parametrize(("factor", "level"), [(0, 40), (0.2, 80), (3, 40), (10, 10)])
def test_an_odd_day_is_found(factor, level):
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(40):
        counts = series(rng, level=level)
        counts[-3] = round(counts[-3] * factor) + (factor > 1) * 5
        found += judged_days(counts)[-3].chance < 0.02 / 100
    assert found >= 36


def test_a_weekend_is_expected_and_a_weekday_like_it_is_odd():
    counts = [100, 104, 98, 101, 97, 20, 18] * 8
    assert all(day.chance > 0.01 for day in judged_days(counts))
    counts[-5] = 19
    odd = judged_days(counts)[-5]
    assert odd.chance < 1e-4
    assert 90 < odd.expected < 110


def test_one_odd_day_does_not_make_the_next_ones_odd():
    counts = [50] * 56
    counts[-4] = 0
    assert [day.place for day in judged_days(counts) if day.chance < 1e-4] == [52]


@pytest.mark.parametrize("counts", [[], [0] * 56, [5] * 10, [0] * 40 + [9] * 16])
def test_too_little_history_says_nothing(counts):
    assert judged_days(counts) == ()


def test_silence_after_busy_days_is_unlikely_and_after_quiet_ones_is_not():
    assert silence_chance(28, 28, 5) < 1e-5
    assert silence_chance(3, 28, 5) > 0.3
    assert silence_chance(28, 28, 0) == 1
