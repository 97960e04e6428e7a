"""Sampled events: totals, means and shares of all persons from those that were kept."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import stdtrit

from onefold.metrics import change, load_metrics, measure
from onefold.metrics.define import parse_metric
from onefold.model.time import DAY, HOUR
from onefold.stats import Moments, intervals, mean
from small_facts import SmallFacts

pytestmark = pytest.mark.long

START = 1_790_000_000_000_000
HEAD = "label: A\ndescription: A.\nowner: B\nminimum_people: 2\n"
METRICS = {
    "count": "metric: c\nkind: count\nnumerator: {count: events, events: [saved]}\n",
    "people": "metric: p\nkind: count\nnumerator: {count: people, events: [saved]}\n",
    "sum": "metric: s\nkind: sum\nnumerator: {sum: size, events: [saved]}\n",
    "share": "metric: h\nkind: share\nnumerator: {count: people, events: [saved]}\n"
    "denominator: {count: people, events: [saved, seen]}\n",
    "mean": "metric: m\nkind: mean\nnumerator: {count: events, events: [saved]}\n"
    "denominator: {count: people, events: [saved, seen]}\n",
    "ratio": "metric: r\nkind: ratio\nnumerator: {count: events, events: [saved]}\n"
    "denominator: {count: events, events: [seen]}\n",
}
RATES = {"app": 0.1, "web": 0.5, "server": None}


def metric(name):
    return parse_metric(METRICS[name] + HEAD, f"{name}.yaml")


def people_of(rng, count=400):
    """Return persons: source, how often they saved, how often they saw, the sizes."""
    found = []
    for _ in range(count):
        source = rng.choice(list(RATES))
        saved = int(rng.poisson(1.2))
        found.append((source, saved, 1 + int(rng.poisson(3.0)), rng.integers(1, 50, saved)))
    return found


def facts_of(people, *, rates):
    small = SmallFacts(now=START + 10 * DAY)
    for person, (source, saved, seen, sizes) in enumerate(people):
        times = iter(range(saved + seen))
        for size in sizes:
            small.add("saved", START + next(times) * HOUR, person, source=source, size=int(size))
        for _ in range(seen):
            small.add("seen", START + next(times) * HOUR, person, source=source)
    for row in small.events:
        row["sample_rate"] = rates[row["source"]]
    return small


@pytest.fixture(scope="module")
def people():
    return people_of(np.random.default_rng(5))


@pytest.fixture(scope="module")
def view(people):
    return replace(facts_of(people, rates=RATES).view(), sampled=True)


def asked(view, name):
    (row,) = measure(view, metric(name), from_time=START, to_time=START + 9 * DAY).rows
    return row


def columns(people):
    weights = np.array([1 / (RATES[source] or 1.0) for source, *_ in people])
    saved = np.array([saved for _, saved, *_ in people], dtype=float)
    seen = np.array([seen for _, _, seen, _ in people], dtype=float)
    sizes = np.array([float(sizes.sum()) for *_, sizes in people])
    return weights, saved, seen, sizes


@pytest.mark.parametrize(("name", "what"), [("share", "did"), ("mean", "saved")])
def test_means_and_shares_are_those_of_weighted_regression(view, people, name, what):
    weights, saved, _, _ = columns(people)
    outcome = (saved > 0).astype(float) if what == "did" else saved
    # The sandwich variance of a weighted mean is its linearisation, n / (n - 1) included.
    fit = sm.WLS(outcome, np.ones(len(outcome)), weights=weights).fit(cov_type="HC1")
    estimate, low, high, _, n = asked(view, name)
    reach = stdtrit(len(people) - 1, 0.975) * fit.bse[0]
    assert n == len(people)
    assert estimate == pytest.approx(fit.params[0])
    assert (low, high) == pytest.approx((estimate - reach, estimate + reach))


@pytest.mark.parametrize("name", ["count", "people", "sum"])
def test_totals_are_horvitz_and_thompsons(view, people, name):
    weights, saved, _, sizes = columns(people)
    amounts = {"count": saved, "people": (saved > 0).astype(float), "sum": sizes}[name]
    estimate, low, high, _, n = asked(view, name)
    reach = 1.959964 * np.sqrt(np.sum((weights * amounts) ** 2))
    assert n == np.count_nonzero(amounts)
    assert estimate == pytest.approx(np.sum(weights * amounts))
    assert (low, high) == pytest.approx((estimate - reach, estimate + reach), rel=1e-5)


def test_a_ratio_of_totals_is_linearised(view, people):
    weights, saved, seen, _ = columns(people)
    ratio = np.sum(weights * saved) / np.sum(weights * seen)
    rest = weights * (saved - ratio * seen)
    n = len(people)
    reach = stdtrit(n - 1, 0.975) * np.sqrt(n / (n - 1) * np.sum(rest**2)) / np.sum(weights * seen)
    estimate, low, high, _, _ = asked(view, "ratio")
    assert estimate == pytest.approx(ratio)
    assert (low, high) == pytest.approx((ratio - reach, ratio + reach))


@pytest.mark.parametrize("name", sorted(METRICS))
def test_rates_of_one_change_nothing(people, name):
    plain = facts_of(people, rates=dict.fromkeys(RATES)).view()
    assert asked(replace(plain, sampled=True), name) == pytest.approx(asked(plain, name))


@pytest.mark.parametrize("name", sorted(load_metrics()))
def test_every_shipped_metric_can_be_weighted(name):
    small = SmallFacts(now=START + 10 * DAY)
    for event in ("pin_saved", "pin_viewed", "ad_viewed", "ad_clicked", "search_made"):
        for person in range(40):
            small.add(event, START + person * HOUR, person, revenue=1, currency="USD")
    for row in small.events:
        row["sample_rate"] = 0.5
    plain = small.view()
    sessions = plain.sessions.mutate(sample_rate=0.5)
    view = replace(plain, sampled=True, sessions=sessions)
    span = {"from_time": START, "to_time": START + 9 * DAY}
    once = measure(plain, load_metrics()[name], **span)
    twice = measure(view, load_metrics()[name], **span)
    factor = 2.0 if load_metrics()[name].kind in {"count", "sum"} else 1.0
    assert len(once.rows) == len(twice.rows)
    for one, two in zip(once.rows, twice.rows, strict=True):
        amounts = [getattr(row[0], "micros", row[0]) for row in (one, two)]
        assert amounts[1] == (None if amounts[0] is None else pytest.approx(factor * amounts[0]))
    assert any("one over its rate" in note for note in twice.notes)


def test_a_change_of_the_same_persons_is_weighted(people, view):
    now, then = (START + 2 * HOUR, START + 9 * DAY), (START - DAY, START + 2 * HOUR)
    found = change(view, metric("count"), period=now, former=then)
    weights, *_ = columns(people)
    first = np.array([min(saved, 2) for _, saved, *_ in people])
    later = np.array([max(saved - 2, 0) for _, saved, *_ in people])
    expected = np.sum(weights * later) / np.sum(weights * first) - 1
    assert found.relative.estimate == pytest.approx(expected)
    assert found.relative.low < expected < found.relative.high


def test_who_saves_in_a_sampled_source_and_is_seen_in_another_weighs_by_both():
    small = SmallFacts(now=START + 10 * DAY)
    for person in range(40):
        small.add("seen", START, person, source="server")
        if person < 10:
            small.add("saved", START + HOUR, person, source="app")
    for row in small.events:
        row["sample_rate"] = RATES[row["source"]]
    view = replace(small.view(), sampled=True)
    # Ten savers were kept of a hundred, and all of the forty were seen elsewhere in any case.
    assert asked(view, "people")[0] == pytest.approx(100.0)
    assert asked(view, "count")[0] == pytest.approx(100.0)


def drawn(rng, *, people, rates):
    """Return weights, outcome and size of those of a population who were kept."""
    count = rng.poisson(people)
    rate = rng.choice(rates, count)
    kept = rng.random(count) < rate
    habit = rng.gamma(2.0, 0.5, count)
    did = rng.random(count) < 0.3
    amounts = rng.poisson(habit * np.where(rate < 0.5, 1.5, 1.0)) * did
    return 1 / rate[kept], did[kept].astype(float), amounts[kept].astype(float)


def coverage(simulations, *, people, rates, seed):
    """Return how often each interval holds its truth: share, mean, total."""
    rng = np.random.default_rng(seed)
    heavier = np.mean([1.5 if rate < 0.5 else 1.0 for rate in rates])
    truth = {"share": 0.3, "mean": 0.3 * heavier, "total": people * 0.3 * heavier}
    held = dict.fromkeys(truth, 0)
    for _ in range(simulations):
        weights, did, amounts = drawn(rng, people=people, rates=rates)
        found = {
            "share": mean(Moments.of(weights * did, weights)),
            "mean": mean(Moments.of(weights * amounts, weights)),
            "total": intervals.total(Moments.of(weights * amounts)),
        }
        for name, value in found.items():
            held[name] += value.low <= truth[name] <= value.high
    return {name: count / simulations for name, count in held.items()}


def test_weighted_intervals_hold_their_level():
    found = coverage(2_000, people=8_000, rates=[0.2, 1.0], seed=3)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


@pytest.mark.soak
@pytest.mark.parametrize("rates", [[0.1], [0.1, 0.5, 1.0], [0.05, 1.0]])
def test_weighted_intervals_hold_their_level_at_many_rates(rates):
    found = coverage(4_000, people=10_000, rates=rates, seed=11)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found
