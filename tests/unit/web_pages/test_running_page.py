"""Running totals on the page of a metric, at the command line's call and on dashboards."""

import pytest

from onefold.model.errors import BadInput
from onefold.model.records import OWNER
from onefold.model.time import DAY, day_of
from onefold.runtime import call
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("running") / "w")
    for person in range(40):
        for day in range(3):
            ago = (day * 7 + 3) * 86_400
            found.send(track("pin_saved", id=f"{person}-{day}", user=f"u{person}", at=-ago))
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "analyst")


def days(world):
    now = world.workspace.clock()
    return {"from": str(day_of(now - 28 * DAY, "UTC")), "to": str(day_of(now, "UTC"))}


def address(world, **parts):
    given = {"metric": "daily_active_people", "every": "day"} | days(world) | parts
    return "/explore?" + "&".join(f"{name}={value}" for name, value in given.items())


def test_the_page_has_a_switch_and_tells_the_total(world, reader):
    plain = reader.get(address(world)).text
    assert "all so far" in plain
    assert "cumulative=true" in plain
    text = reader.get(address(world, cumulative="true")).text
    assert "each of the people once" in text
    assert "in all since" in text
    assert "is not compared" not in text
    beside = reader.get(address(world, cumulative="true", compare="former")).text
    assert "The days before" in beside


def test_different_people_are_counted_once(world):
    given = {"name": "daily_active_people", "cumulative": True, **days(world)}
    body = call(world.workspace, OWNER, "metric", given).body
    totals = [row[1] for row in body["rows"]]
    assert totals == sorted(totals)
    assert set(totals) == {0, 40}
    assert len(totals) == 28
    weeks = call(world.workspace, OWNER, "metric", {**given, "every": "week"}).body
    assert weeks["rows"][-1][1] == 40


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"metric": "save_rate", "cumulative": "true"}, "has no running total"),
        ({"every": "none", "cumulative": "true"}, "of no periods"),
        ({"cumulative": "maybe"}, "maybe"),
    ],
)
def test_what_has_no_total_says_so(world, reader, parts, said):
    found = reader.get(address(world, **parts))
    assert found.status_code == 422
    assert said in found.text


def test_a_metric_without_a_total_offers_none(world, reader):
    assert "all so far" not in reader.get(address(world, metric="save_rate")).text
    assert "all so far" not in reader.get(address(world, every="none")).text
    # Choosing such a metric, or no periods, leaves the total behind.
    text = reader.get(address(world, cumulative="true")).text
    for href in text.split('href="')[1:]:
        link = href.partition('"')[0]
        if "metric=save_rate&" in link or "every=none" in link:
            assert "cumulative=true" not in link


def test_it_stands_on_a_dashboard(world, reader):
    params = {"name": "daily_active_people", "every": "day", "cumulative": "true"}
    given = {"name": "totals", "ask": "metric", "params": params, "days": 28}
    call(world.workspace, OWNER, "dashboard pin", given)
    text = reader.get("/explore/dashboards/totals").text
    assert "all so far" in text
    assert "No answer" not in text
    wrong = {"name": "save_rate", "cumulative": True, **days(world)}
    with pytest.raises(BadInput, match="running total"):
        call(world.workspace, OWNER, "metric", wrong)


@pytest.mark.parametrize("form", ["csv", "parquet", "ipynb"])
def test_it_goes_along(world, reader, form):
    asked = address(world, cumulative="true").replace(
        "/explore?", f"/explore/take.{form}?ask=metric&"
    )
    assert reader.get(asked).status_code == 200
