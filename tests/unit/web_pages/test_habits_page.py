"""Lifecycle and stickiness in the browser and on dashboards."""

import pytest

from onefold.model.records import OWNER
from onefold.model.time import DAY, day_of
from onefold.runtime import call
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("habits") / "w")
    for person in range(40):
        for week in range(1 + person % 3):
            ago = (week * 7 + 9) * 86_400
            found.send(track("article_viewed", id=f"{person}-{week}", user=f"u{person}", at=-ago))
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "analyst")


def days(world):
    now = world.workspace.clock()
    return f"from={day_of(now - 42 * DAY, 'UTC')}&to={day_of(now, 'UTC')}"


@pytest.mark.parametrize("event", ["", "&event=article_viewed"])
def test_the_life_of_people_has_a_line_a_state(world, reader, event):
    text = reader.get(f"/explore/lifecycle?{days(world)}{event}").text
    assert "Who is new, who stays, who goes" in text
    assert "came again" in text
    for state in ("New", "Returning", "Resurrected", "Dormant"):
        assert state in text
    assert "SELECT" in text


def test_how_often_people_are_there(world, reader):
    text = reader.get(f"/explore/stickiness?{days(world)}&event=article_viewed").text
    assert "On how many days are people there" in text
    assert "of 40 people came on one day alone" in text
    assert "In an average day" in text


def test_nobody_is_said_and_a_wrong_period_too(reader):
    for page in ("lifecycle", "stickiness"):
        nobody = reader.get(f"/explore/{page}?from=2020-01-06&to=2020-02-03")
        assert "Nobody was there in these days." in nobody.text
        wrong = reader.get(f"/explore/{page}?every=year")
        assert "This question could not be answered" in wrong.text


def test_both_stand_on_a_dashboard(world, reader):
    for asked in ("lifecycle", "stickiness"):
        params = {"every": "week", "event": "article_viewed"}
        given = {"name": "staying", "ask": asked, "params": params, "days": 42}
        call(world.workspace, OWNER, "dashboard pin", given)
    text = reader.get("/explore/dashboards/staying").text
    assert "Who is new, who stays, who goes" in text or "People by week" in text
    assert "On how many weeks are people there" in text
    assert "No answer" not in text


@pytest.mark.parametrize("form", ["csv", "parquet", "ipynb"])
def test_the_answers_go_along(world, reader, form):
    for asked in ("lifecycle", "stickiness"):
        taken = reader.get(f"/explore/take.{form}?ask={asked}&every=week&{days(world)}")
        assert taken.status_code == 200


def test_the_days_before_and_the_calendar_stand_beside_a_figure(world, reader):
    today = day_of(world.workspace.clock(), "UTC")
    path = world.workspace.definitions / "calendar.yaml"
    path.write_text(f"calendar:\n- {{day: {today}, text: '<b>Fair</b> begins'}}\n", "utf-8")
    asked = f"/explore?metric=daily_active_people&every=week&{days(world)}"
    marked = reader.get(asked.replace(f"to={today}", f"to={day_of_next(world)}")).text
    assert f"{today}: &lt;b&gt;Fair&lt;/b&gt; begins" in marked
    beside = reader.get(f"{asked}&compare=former").text
    assert "The days before" in beside
    assert "Against the 42 days before" in beside
    wrong = reader.get(f"{asked}&compare=year")
    assert wrong.status_code == 422
    path.write_text("calendar: 1\n", "utf-8")
    assert reader.get(asked).status_code == 200
    path.unlink()


def day_of_next(world):
    return day_of(world.workspace.clock() + DAY, "UTC")
