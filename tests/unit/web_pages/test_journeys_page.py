"""Funnel and retention in the browser: what an address asks, and what the page answers."""

import pytest

from onefold.model.time import DAY, day_of
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long

STEPS = ("article_viewed", "cart_filled", "order_paid")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("journeys") / "w")
    for person in range(40):
        for hour, step in enumerate(STEPS[: 1 + person % 3]):
            found.send(track(step, id=f"{person}-{hour}", user=f"u{person}"))
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "analyst")


def days(world):
    now = world.workspace.clock()
    first, last = now - 40 * DAY, now + 2 * DAY
    return f"from={day_of(first, 'UTC')}&to={day_of(last, 'UTC')}"


def test_a_funnel_says_who_went_all_the_way(world, reader):
    asked = f"/explore/funnel?events={','.join(STEPS)}&within=1d&{days(world)}"
    text = reader.get(asked).text
    assert "13 of 40 people went all the way within 1 day" in text
    assert "Shares are of the people of the first step" in text
    assert "SELECT" in text
    by = reader.get(f"{asked}&by=source").text
    assert "app" in by


def test_a_funnel_says_how_long_it_took(world, reader):
    asked = f"/explore/funnel?events={','.join(STEPS)}&within=1d&{days(world)}"
    text = reader.get(asked).text
    assert "Half of those who went all the way took at most" in text
    assert "Not enough data: 13 of 30" in text
    assert "How long people took to each step" in text
    assert "took at most" in reader.get(f"{asked}&by=source").text
    nobody = reader.get(f"/explore/funnel?events=order_paid,nothing&{days(world)}").text
    assert "Nobody went all the way, so there is no time to tell." in nobody


def test_without_steps_the_most_frequent_events_are_asked(world, reader):
    text = reader.get(f"/explore/funnel?{days(world)}").text
    assert "article_viewed → cart_filled → order_paid" in text


def test_retention_has_a_cohort_a_week(world, reader):
    text = reader.get(f"/explore/retention?{days(world)}").text
    assert "Who came back after their first article_viewed" in text
    assert "No week after a first one is over yet." in text or "people came back" in text
    nobody = reader.get("/explore/retention?start=nothing&from=2020-01-06&to=2020-02-03").text
    assert "Nobody was counted" in nobody


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/explore/funnel?events=alone", 422, "2 to 12 events"),
        ("/explore/funnel?events=a,b&within=soon", 422, "7d"),
        ("/explore/funnel?events=a,b&by=%00", 200, ""),
        ("/explore/funnel?events=a,b&from=2026-13-01", 422, "2026"),
        ("/explore/funnel?events=a,b&purpose=nothing", 404, "purpose"),
        ("/explore/retention?every=year", 422, "year"),
        ("/explore/retention?kind=odd", 422, "odd"),
        ("/explore/retention?start=%3Cscript%3E", 200, ""),
    ],
)
def test_what_cannot_be_asked_is_told_on_the_page(reader, address, status, said):
    answer = reader.get(address)
    assert answer.status_code == status
    assert said in answer.text
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text or "script" not in address
