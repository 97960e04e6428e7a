"""An experiment's page: the card, what is withheld, the arms, the split."""

from dataclasses import replace

import pytest

from cards import EXPOSED, START, experiment, market
from onefold.experiments import read_experiment
from onefold.model.records import Estimate
from onefold.model.time import DAY
from onefold.web import rendering
from onefold.web.pages import experiments as pages

FRAME = {"asker": None, "csrf_token": "", "csrf_field": "", "filters": []}


@pytest.fixture(scope="module")
def reading():
    return read_experiment(market(1, people=1500, saves=(0.25, 0.4)).view(), experiment())


@pytest.fixture(scope="module")
def unfair():
    small = market(5, people=300)
    for person in range(9000, 9200):
        small.add(EXPOSED, START, person, experiment_id="larger-pins", variation_id="larger")
    return read_experiment(small.view(), experiment())


def page(reading):
    shown = pages.shown_of(reading, zone="UTC", now=reading.read_time)
    return shown, rendering.render("experiments/experiment.html", FRAME | shown)


def test_the_card_says_short_and_long_with_naive_beside(reading):
    naive = Estimate(0.9, 0.7, 1.1, 500)
    shown, html = page(replace(reading, short=replace(reading.short, naive=naive)))
    assert shown["short"]["word"] == "Yes"
    assert shown["short"]["bar"].naive is not None
    assert shown["short"]["bar"].margin is not None
    assert "Short-term" in html
    assert "Long-term" in html
    assert "open circle: naive" in html


def test_an_unfair_split_withholds_the_card_and_every_effect(unfair):
    shown, html = page(unfair)
    assert shown["short"] is shown["long"] is shown["chart"] is None
    assert "Withheld:" in html
    assert "uneven" in html
    assert shown["arms"][1][3] == "withheld"
    row = pages.list_row(unfair)
    assert row[1]["tag"] == row[3]["tag"] == "Withheld"


def test_the_path_has_its_table(reading):
    shown, _ = page(reading)
    assert len(shown["path_rows"]) == len(reading.path) == len(shown["chart"]["data"]["values"])


def test_people_seen_in_several_arms_are_counted_and_shown(reading):
    twice = replace(reading, split=replace(reading.split, seen_twice=38))
    assert "38 people in several arms, left out" in page(twice)[1]


def test_the_bar_is_toned_by_the_verdict_not_by_its_place(reading):
    early = replace(reading, short=replace(reading.short, verdict="not_yet", word="Not yet"))
    assert page(early)[0]["short"]["bar"].tone == "even"


def test_too_few_people_are_shown_as_such(reading):
    none = Estimate(None, None, None, 12, note="Not enough people yet: 12 of 30 in an arm.")
    few = replace(reading, short=replace(reading.short, effect=none, verdict="not_yet"))
    shown, html = page(few)
    assert shown["short"]["too_few"]["need"] >= shown["short"]["too_few"]["have"]
    assert "Not enough data" in html


def test_the_list_says_what_helps_and_what_waits(reading):
    def words(readings):
        return "".join(str(piece) for piece in pages.list_answer(readings))

    assert words([]) == "No experiment is registered yet."
    assert f"{reading.experiment.label} helps now" in words([reading])
    waits = replace(reading, long=replace(reading.long, word="Not yet", verdict="not_yet"))
    assert "is not finished yet" in words([waits])
    assert pages.list_row(reading)[1] == {"tag": "Yes", "tone": "better"}


def test_the_list_says_what_ended_without_enough_data():
    empty = market(6, people=20)
    thin = read_experiment(empty.view(), experiment())
    told = "".join(str(piece) for piece in pages.list_answer([thin]))
    assert "ended" in told
    assert "without enough data" in told
    assert "All have been read" not in told
    assert pages.list_row(thin)[1] == {"tag": "Not enough data", "tone": "even"}
    shown, html = page(thin)
    assert shown["short"]["too_few"]["need"] == 30
    assert "Run it again for longer" in html


@pytest.mark.parametrize(
    ("axis", "told"),
    [
        ((-0.08, 0.08), ["−8", "−4", "0", "+4", "+8"]),
        ((-0.01, 0.01), ["−1.0", "−0.5", "0", "+0.5", "+1.0"]),
    ],
)
def test_ticks_are_round_and_zero_has_no_sign(axis, told):
    assert pages.ticks(axis) == told


class Standing:
    """As much of a workspace as remembering an answer takes."""

    @staticmethod
    def clock():
        return START


def test_exposures_stand_on_the_page_with_what_is_amiss(reading):
    small = market(1, people=60)
    small.add(EXPOSED, START + 20 * DAY, 0, experiment_id="larger-pins", variation_id="huge")
    shown = pages._exposures(Standing(), small.view(), experiment())
    assert {row[0] for row in shown["rows"]} == {"control", "larger"}
    html = rendering.render(
        "experiments/experiment.html",
        FRAME | pages.shown_of(reading, zone="UTC", now=reading.read_time) | {"exposures": shown},
    )
    assert "by the first variant a person saw" in html
    assert "saw more than one variant" in html
