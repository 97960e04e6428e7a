"""The words of a reading: short, plain, and never more than was found."""

from dataclasses import replace
from datetime import date

import pytest

from cards import experiment, market
from onefold.experiments import read_experiment, verdict
from onefold.model.records import Estimate


@pytest.fixture(scope="module")
def half():
    return read_experiment(market(1, people=100).view(), experiment()).short


@pytest.mark.parametrize(
    ("short", "long", "words"),
    [
        ("better", "better", "Give it to everyone."),
        ("better", "no_difference", "Give it to everyone."),
        ("better", "not_yet", "could not be told"),
        ("better", "worse", "helps now and costs later. Rollback: Turn the flag off."),
        ("worse", "better", "Stop it. Rollback"),
        ("no_difference", "no_difference", "Keep whichever is simpler"),
        ("not_yet", "not_yet", "Run it again with more people"),
    ],
)
def test_what_to_do_follows_from_both_halves(half, short, long, words):
    halves = [replace(half, verdict=said, word="") for said in (short, long)]
    assert words in verdict.so(*halves, experiment=experiment(), withheld="")


def test_what_is_not_yet_known_is_waited_for(half):
    ready = replace(half, verdict="better", word="Yes")
    waits = replace(half, verdict="not_yet", word="Not yet", readable_date=date(2026, 10, 13))
    told = verdict.so(ready, waits, experiment=experiment(), withheld="")
    assert told == "Keep it running as planned and read again on 13 October 2026."


@pytest.mark.parametrize(
    ("said", "ended", "short", "long"),
    [
        ("better", True, "It helps now: +4.2\u00a0% first save.", "More people come back"),
        ("worse", True, "It hurts now", "Fewer people come back"),
        ("no_difference", True, "nothing now that matters", "come back as before"),
        ("not_yet", True, "Whether it helps now cannot be told.", "come back cannot be told."),
        ("not_yet", False, "Whether it helps now is not known yet.", "is not known yet."),
    ],
)
def test_each_half_says_it_in_a_sentence(said, ended, short, long):
    effect = Estimate(0.042, 0.021, 0.063, 1000)
    registered = experiment()
    for words, outcome in ((short, registered.short), (long, registered.long)):
        told = verdict.half_headline(
            said, effect, outcome, ended=ended, is_short=outcome is registered.short
        )
        assert words in told


@pytest.mark.parametrize(
    ("naive", "words"),
    [
        (0.059, "Before against after says +5.9\u00a0%; +1.7\u00a0% of that would have happened"),
        (-0.02, "Before against after says −2.0\u00a0%, off by −6.2\u00a0%."),
        (0.01, "Before against after says +1.0\u00a0%, off by −3.2\u00a0%."),
    ],
)
def test_naive_stands_beside_adjusted(naive, words):
    effect = Estimate(0.042, 0.021, 0.063, 1000)
    told = verdict.half_sentence(
        effect,
        Estimate(naive, naive - 0.01, naive + 0.01, 900),
        experiment().short,
        ready=(1.0, date(2026, 9, 16)),
        ended=True,
    )
    assert words in told
    assert told.startswith("Low 2.1, high 6.3; within 2.0 it would be no difference.")


def test_the_words_are_of_the_house():
    texts = [verdict.PATH_NOTE, verdict.ONE_LOOK, verdict.NO_BEFORE]
    assert not any(word in text for text in texts for word in ("signific", "insight", "!"))
