"""SQL in the browser: an address holds the question, the page its answer, a button its end."""

import csv
import io
from urllib.parse import urlencode

import pytest

from onefold.model.records import Asker
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long

ASKED = "select event, count(*) as n from events group by event order by n desc"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("sql-page") / "w")
    for place in range(3):
        found.send(track("seen", id=f"s{place}", user="u1"))
    found.send(track("=cmd()<b>", id="f", user="u2"))
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "analyst")


def address(path="/explore/sql", **params):
    return f"{path}?{urlencode(params)}"


def test_the_editor_stands_with_a_first_question_and_the_tables(reader):
    text = reader.get("/explore/sql").text
    assert "from person_events" in text
    assert "event_time" in text
    assert "30 seconds" in text
    assert "The answer" not in text


def test_an_address_is_a_question_and_the_page_its_answer(reader):
    found = reader.get(address(q=ASKED, ask=1))
    assert found.status_code == 200
    assert "2 rows." in found.text
    assert "=cmd()&lt;b&gt;" in found.text
    assert "<b>" not in found.text.partition("The answer")[2].partition("How it was asked")[0]
    assert "Left out" in found.text
    assert "The answer</h2>" not in reader.get(address(q=ASKED)).text


def test_the_file_holds_no_formula(reader):
    found = reader.get(address("/explore/sql.csv", q=ASKED))
    rows = list(csv.reader(io.StringIO(found.text)))
    assert rows == [["event", "n"], ["seen", "3"], ["'=cmd()<b>", "1"]]
    assert "attachment" in found.headers["content-disposition"]


@pytest.mark.parametrize(
    ("params", "status", "said"),
    [
        ({"q": "select * from read_csv('x')"}, 422, "is no table"),
        ({"q": "select * from nothing"}, 404, "No table"),
        ({"q": "drop table events"}, 422, "only SELECT"),
        ({"q": "select 1", "purpose": "nothing"}, 404, "purpose"),
        ({"q": "select 1", "as_of": "soon"}, 422, "is not a day"),
        ({"q": "select 1", "rows": "many"}, 422, "rows"),
        ({"q": "select 1", "run": "<>"}, 422, "name"),
        ({"q": "<script>"}, 422, "cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_told_and_the_text_stays(reader, params, status, said):
    found = reader.get(address(ask=1, **params))
    assert found.status_code == status
    assert said in found.text
    assert "<script>" not in found.text.partition("<main")[2]
    assert 'name="q"' in found.text


def test_cancelling_leads_back_to_the_text(world, reader):
    said = reader.post(
        "/explore/sql/cancel", {"run": "page_x", "q": ASKED}, from_page="/explore/sql"
    )
    assert said.status_code == 303
    assert said.headers["location"] == address(q=ASKED)
    asker = Asker("Analyst", "analyst")
    with world.workspace.sql_under_way.running("page_y", asker, ASKED, now=0) as running:
        reader.post("/explore/sql/cancel", {"run": "page_y", "q": ASKED}, from_page="/explore/sql")
        assert running.stop.is_set()


def test_a_viewer_is_told_who_may(world):
    found = Reader(world, "viewer").get("/explore/sql")
    assert found.status_code == 403
    assert "see persons" in found.text
