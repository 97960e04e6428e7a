"""Paths in the browser and on dashboards: what an address asks, and what the page answers."""

import pytest

from onefold.model.records import OWNER
from onefold.model.time import DAY, day_of
from onefold.runtime import call
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("paths") / "w")
    for person in range(40):
        steps = ["article_viewed", "cart_filled", "order_paid", "<b>odd</b>"][: 1 + person % 4]
        for minute, step in enumerate(steps):
            found.send(track(step, id=f"{person}-{minute}", user=f"u{person}", at=60 * minute))
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "analyst")


def days(world):
    now = world.workspace.clock()
    return f"from={day_of(now - 40 * DAY, 'UTC')}&to={day_of(now + 2 * DAY, 'UTC')}"


def test_what_people_did_next(world, reader):
    text = reader.get(f"/explore/paths?event=article_viewed&{days(world)}").text
    assert "Of 40 people, 75" in text
    assert "did cart_filled next" in text
    assert "did nothing further" in text
    assert "Step 3" in text
    assert "SELECT" in text
    assert "&lt;b&gt;odd&lt;/b&gt;" in text
    assert "<b>odd" not in text
    assert "the first time in these days" in text


def test_what_led_there(world, reader):
    asked = f"/explore/paths?event=order_paid&direction=before&{days(world)}"
    text = reader.get(asked).text
    assert "did cart_filled just before" in text
    assert "app" in reader.get(f"{asked}&by=source").text
    skipped = reader.get(f"{asked}&skip=cart_filled,other").text
    assert "did article_viewed just before" in skipped
    until = reader.get(f"{asked}&until=article_viewed&collapse=repeats&within=2h&top=3").text
    assert "20 of 20 came to article_viewed in these steps" in until


def test_without_an_event_the_most_frequent_begins(world, reader):
    assert (
        "What did people do after article_viewed"
        in reader.get(f"/explore/paths?{days(world)}").text
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("event=nothing", "Nobody did nothing in these days."),
        ("event=a&steps=99", "Ask for 1 to 10"),
        ("event=a&steps=many", "could not be answered"),
        ("event=a&within=soon", "7d"),
        ("event=a&direction=up", "could not be answered"),
        ("event=a&until=b&skip=b", "left out at once"),
        ("event=a&purpose=nothing", "purpose"),
        ("event=%3Cscript%3E", "Nobody did"),
    ],
)
def test_what_cannot_be_asked_is_said(reader, asked, said):
    text = reader.get(f"/explore/paths?{asked}").text
    assert said in text
    assert "<script>alert" not in text


def test_it_stands_on_a_dashboard(world, reader):
    params = {"event": "article_viewed", "steps": "2", "skip": ["order_paid"]}
    given = {"name": "ways", "ask": "paths", "params": params, "days": 42}
    call(world.workspace, OWNER, "dashboard pin", given)
    text = reader.get("/explore/dashboards/ways").text
    assert "What did people do after article_viewed" in text
    assert "No answer" not in text


@pytest.mark.parametrize("form", ["csv", "parquet", "ipynb"])
def test_the_answer_goes_along(world, reader, form):
    asked = f"ask=paths&event=article_viewed&skip=a,b&steps=3&{days(world)}"
    taken = reader.get(f"/explore/take.{form}?{asked}")
    assert taken.status_code == 200
    if form == "csv":
        assert "cart_filled" in taken.text
