"""Experiments whose exposures or deeds come from sources that sample."""

import json
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from cards import EXPOSED, experiment, market
from onefold.experiments import read_experiment

pytestmark = pytest.mark.long

PEOPLE = 3_000
RATES = (None, 0.25, 0.5)


def rate_of(person):
    """Return by which rate a person's source was kept: three sources of a third each."""
    return RATES[person % 3]


def weighted(small, rates):
    for row in small.events:
        row["sample_rate"] = rates(row)
    plain = small.view()
    return replace(
        plain,
        sampled=True,
        sessions=plain.sessions.mutate(
            sample_rate=plain.sessions.end_time.epoch_seconds() * 0 + 1.0
        ),
    )


@pytest.fixture(scope="module")
def small():
    return market(4, people=PEOPLE, saves=(0.25, 0.35), earlier=0.5)


def test_rates_of_one_change_nothing(small):
    once = read_experiment(weighted(small, lambda _: 1.0), experiment())
    plain = read_experiment(small.view(), experiment())
    assert once.short.effect == plain.short.effect
    assert once.long.effect == plain.long.effect
    assert once.arms == plain.arms


def test_the_difference_is_that_of_a_weighted_regression(small):
    view = weighted(small, lambda row: rate_of(row["identifier"]))
    absolute = experiment()
    absolute = replace(absolute, short=replace(absolute.short, scale="absolute"))
    reading = read_experiment(view, absolute)
    arm, first, saved = {}, {}, {}
    for row in sorted(small.events, key=lambda row: row["event_time"]):
        person = row["identifier"]
        if row["event"] == EXPOSED and person not in first:
            first[person] = row["event_time"]
            arm[person] = json.loads(row["properties"])["variation_id"] == "larger"
        if row["event"] == "pin_saved":
            saved.setdefault(person, row["event_time"])
    people = sorted(first)
    outcome = absolute.short
    did = np.array(
        [outcome.begins <= saved.get(one, -1) - first[one] < outcome.ends for one in people],
        dtype=float,
    )
    weights = np.array([1 / (rate_of(one) or 1.0) for one in people])
    treated = np.array([arm[one] for one in people], dtype=float)
    fit = sm.WLS(did, sm.add_constant(treated), weights=weights).fit(cov_type="HC0")
    effect = reading.short.effect
    assert effect.estimate == pytest.approx(fit.params[1])
    assert (effect.high - effect.low) / 2 == pytest.approx(1.96 * fit.bse[1], rel=0.01)
    assert reading.split.counts == (int(np.sum(treated == 0)), int(np.sum(treated)))


def test_a_deed_of_a_sampled_source_weighs_by_its_own_rate(small):
    view = weighted(small, lambda row: 0.5 if row["event"] == "pin_saved" else None)
    plain = read_experiment(small.view(), experiment())
    halved = read_experiment(view, experiment())
    for one, two in zip(plain.arms, halved.arms, strict=True):
        assert two.short_share.estimate == pytest.approx(2 * one.short_share.estimate)
