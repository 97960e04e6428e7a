"""Distributions in the browser and on dashboards: what an address asks, what the page answers."""

import pytest

from onefold.model.records import OWNER
from onefold.model.time import DAY, day_of
from onefold.runtime import call
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("distribution") / "w")
    for person in range(40):
        for time in range(1 + person % 4):
            name = f"{person}-{time}"
            found.send(track("order_paid", id=name, user=f"u{person}", at=time, price=2.5))
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "analyst")


def days(world):
    now = world.workspace.clock()
    return f"from={day_of(now - 40 * DAY, 'UTC')}&to={day_of(now + 2 * DAY, 'UTC')}"


def test_how_often_people_do_it(world, reader):
    text = reader.get(f"/explore/distribution?event=order_paid&{days(world)}").text
    assert "Of 40 people who did order_paid, half come to at most 2 times" in text
    assert "nine of ten to at most 4" in text
    assert "SELECT" in text
    assert "Wilson" in text


def test_what_it_adds_up_to(world, reader):
    asked = f"/explore/distribution?event=order_paid&of=price&{days(world)}"
    text = reader.get(asked).text
    assert "half come to at most 5 price" in text
    assert "app" in reader.get(f"{asked}&by=source").text
    edged = reader.get(f"{asked}&edges=3,9.5").text
    assert "3 to below 9.5" in edged
    assert "9.5 or more" in edged
    assert "below 3" in edged


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("event=nothing", "Nobody did nothing in these days."),
        ("event=order_paid&of=nothing", "in these days with such a number."),
        ("event=a&edges=5,1", "do not ascend"),
        ("event=a&edges=many", "could not be answered"),
        ("event=a&purpose=nothing", "purpose"),
        ("event=%3Cscript%3E", "Nobody did"),
    ],
)
def test_what_cannot_be_asked_is_said(reader, asked, said):
    text = reader.get(f"/explore/distribution?{asked}").text
    assert said in text
    assert "<script>alert" not in text


def test_it_stands_on_a_dashboard(world, reader):
    params = {"event": "order_paid", "edges": ["1", "3"]}
    given = {"name": "spread", "ask": "distribution", "params": params, "days": 42}
    call(world.workspace, OWNER, "dashboard pin", given)
    text = reader.get("/explore/dashboards/spread").text
    assert "How often order_paid is there by person" in text
    assert "No answer" not in text


@pytest.mark.parametrize("form", ["csv", "parquet", "ipynb"])
def test_the_answer_goes_along(world, reader, form):
    asked = f"ask=distribution&event=order_paid&edges=1,3&{days(world)}"
    assert reader.get(f"/explore/take.{form}?{asked}").status_code == 200
