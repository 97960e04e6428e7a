"""What cohorts bring: the call, the page, the template, an answer taken along."""

import pytest

from onefold.model.errors import BadInput, NotFound
from onefold.model.records import OWNER
from onefold.model.time import DAY
from onefold.runtime import call
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long

MONTH = 31 * 86_400


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Forty people who signed up a month ago, of whom every other one bought for ten since."""
    found = World(tmp_path_factory.mktemp("economics") / "w")
    for person in range(40):
        user = f"u{person}"
        found.send(track("signed_up", id=f"s{person}", user=user, at=-MONTH))
        if person % 2:
            told = {"order_id": f"o{person}", "revenue": 10, "currency": "EUR"}
            found.send(track("order_completed", id=f"o{person}", user=user, at=-60, **told))
    found.fold()
    found.clock.now += DAY
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "marketer")


def ask(world, **params):
    return call(world.workspace, OWNER, "economics", params).body


def named(body):
    names = [column["name"] for column in body["columns"]]
    return [dict(zip(names, row, strict=True)) for row in body["rows"]]


def test_the_last_six_months_unless_said(world):
    rows = named(ask(world))
    assert [(row["people"], row["month"]) for row in rows] == [(40, 0), (40, 1)]
    assert rows[0]["earned"]["micros"] == 0
    assert rows[1]["earned"] == {"micros": 5_000_000, "currency": "EUR"}
    assert rows[1]["low"]["micros"] < 5_000_000 < rows[1]["high"]["micros"]
    assert named(ask(world, margin=0.4))[1]["earned"]["micros"] == 2_000_000
    with pytest.raises(NotFound, match="acquisition_cost"):
        ask(world, name="acquisition_cosy")
    with pytest.raises(BadInput, match="not what a new customer costs"):
        ask(world, name="purchases")


def test_the_page_tells_cohorts_ranges_and_its_definition(world, reader):
    page = reader.get("/explore/economics").text.replace("\xa0", " ")
    assert "What they cost is not told" in page
    assert "€5.00" in page
    assert "By month 1" in page
    assert "Student" in page
    assert "SELECT" in page
    assert "€2.00" in reader.get("/explore/economics?margin=0.4").text.replace("\xa0", " ")
    assert (
        "Nobody new came in these days."
        in reader.get("/explore/economics?from=2020-01-01&to=2020-03-01").text
    )
    assert "no share of what people pay" in reader.get("/explore/economics?margin=4").text
    assert "could not be answered" in reader.get("/explore/economics?margin=odd").text


def test_it_is_a_template_and_goes_along(world, reader):
    board = reader.get("/explore/dashboards/economics").text.replace("\xa0", " ")
    assert "All that people pay, by month since" in board
    assert "€5.00" in board
    assert "€2.00" in board
    listed = reader.get("/explore/dashboards").text
    for name in ("economics", "customers", "campaigns", "creators", "loyalty", "discovery"):
        assert f'href="/explore/dashboards/{name}"' in listed
    assert "New, returning, resurrected" in reader.get("/explore/dashboards/customers").text
    sheet = reader.get("/explore/take.csv?ask=economics&metric=acquisition_cost&margin=0.4").text
    assert sheet.splitlines()[0].startswith("cohort,people,month,earned,low,high")
    assert ",2.0," in sheet
