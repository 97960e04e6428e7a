"""The arm of a key: always the same, evenly spread, independent between experiments."""

import doctest
from collections import Counter
from hashlib import blake2b
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cards import experiment
from onefold.experiments import assign, assignment, verdict

CARD = experiment()
KEYS = [f"person-{i}" for i in range(40_000)]


def test_examples_in_docstrings_run():
    for module in (assignment, verdict):
        found = doctest.testmod(module)
        assert found.attempted > 0
        assert found.failed == 0


@given(st.text())
@pytest.mark.long
def test_it_is_what_the_documentation_says(key):
    digest = blake2b(b"larger-pins\x00" + key.encode("utf-8", "surrogatepass"), digest_size=8)
    place = int.from_bytes(digest.digest(), "big") / 2**64
    found = assign(CARD, key)
    assert found.arm == ("control" if place < 0.5 else "larger")
    assert found.bucket_share == pytest.approx(place)
    assert found == assign(CARD, key)


def test_places_are_uniform():
    places = [assign(CARD, key).bucket_share for key in KEYS]
    assert stats.kstest(places, "uniform").pvalue > 0.01


@pytest.mark.parametrize("weights", [(50, 50), (90, 10), (1, 2)])
def test_arms_fill_by_their_weights(weights):
    split = f"{{control: {weights[0]}, larger: {weights[1]}}}"
    registered = experiment(arms=("{control: 50, larger: 50}", split))
    counts = Counter(assign(registered, key).arm for key in KEYS)
    expected = [len(KEYS) * weight / sum(weights) for weight in weights]
    found = [counts["control"], counts["larger"]]
    assert stats.chisquare(found, expected).pvalue > 0.01


def test_two_experiments_split_independently():
    other = experiment(salt="another")
    pairs = Counter((assign(CARD, k).arm, assign(other, k).arm) for k in KEYS)
    table = [[pairs[a, b] for b in ("control", "larger")] for a in ("control", "larger")]
    assert stats.chi2_contingency(table).pvalue > 0.01


def test_near_keys_are_not_near():
    places = [assign(CARD, str(i)).bucket_share for i in range(20_000)]
    assert abs(stats.pearsonr(places[:-1], places[1:]).statistic) < 0.03


def test_ten_thousand_a_second():
    registered = experiment()
    begin = perf_counter()
    for key in KEYS:
        assign(registered, key)
    assert len(KEYS) / (perf_counter() - begin) > 10_000
