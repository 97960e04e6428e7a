"""Answers to take along: a file holds what the call answered."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from onefold.model.records import OWNER
from onefold.runtime import call
from onefold.web.pages import taking
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long

ASKED = "events=seen,=cmd()&within=1d&from=2025-10-01&to=2025-11-01"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("taken") / "w")
    for person in range(40):
        for hour, step in enumerate(("seen", "=cmd()")[: 1 + person % 2]):
            found.send(track(step, id=f"{person}-{hour}", user=f"u{person}"))
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "viewer")


def expected(world):
    given = {"within": "1d", "from": "2025-10-01", "to": "2025-11-01"}
    return call(world.workspace, OWNER, "funnel", {"events": ["seen", "=cmd()"], **given}).body


def test_a_csv_holds_the_answer_and_no_formula(reader):
    told = reader.get(f"/explore/take.csv?ask=funnel&{ASKED}")
    assert told.headers["content-disposition"] == 'attachment; filename="funnel.csv"'
    rows = list(csv.DictReader(io.StringIO(told.text)))
    assert [row["persons"] for row in rows] == ["40", "20"]
    assert rows[1]["event"] == "'=cmd()"


def test_parquet_reads_back_as_the_answer_and_tells_its_definition(world, reader):
    body = expected(world)
    told = reader.get(f"/explore/take.parquet?ask=funnel&{ASKED}")
    file = pq.read_table(io.BytesIO(told.content))
    assert file.column_names == [column["name"] for column in body["columns"]]
    assert [list(row.values()) for row in file.to_pylist()] == body["rows"]
    said = json.loads(file.schema.metadata[b"onefold"])
    assert said["definition"] == body["definition"]
    assert said["params"]["events"] == ["seen", "=cmd()"]


def test_an_answer_without_rows_has_its_columns(reader):
    none = "ask=metric&metric=click_rate&by=surface&from=2020-01-01&to=2020-01-08"
    table = pq.read_table(io.BytesIO(reader.get(f"/explore/take.parquet?{none}").content))
    assert "estimate" in table.column_names
    assert table.num_rows == 0
    assert reader.get(f"/explore/take.csv?{none}").text.startswith("surface,estimate,")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/explore/take.csv", 422),
        ("/explore/take.csv?ask=sql", 422),
        ("/explore/take.xls?ask=funnel", 404),
        ("/explore/take.csv?ask=metric&metric=nothing", 404),
        ("/explore/take.parquet?ask=funnel&events=seen,saved&within=soon", 422),
    ],
)
def test_what_cannot_be_taken_is_told(reader, path, status):
    assert reader.get(path).status_code == status


def test_a_page_offers_its_own_answer(reader):
    text = reader.get(f"/explore/funnel?{ASKED}").text
    for form in taking.FORMS:
        assert f"/explore/take.{form}?ask=funnel&amp;" in text


def test_a_hostile_question_is_a_value_in_the_notebook():
    name = 'x"; raise SystemExit; \\u0022 """ ' + "'''"
    told = taking.notebook("funnel", {"events": [name]}, base="http://here")
    source = json.loads(told)["cells"][1]["source"]
    found: dict[str, object] = {}
    exec(source.partition("headers")[0], found)
    assert found["QUESTION"] == {"events": [name]}
    assert found["ADDRESS"] == "http://here/api/v1/funnel"


def test_estimates_and_money_are_spread_over_columns():
    columns = [{"name": "who"}, {"name": "share"}, {"name": "paid"}]
    share = {"estimate": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    rows = [["a", share, {"micros": 5, "currency": "EUR"}], ["b", None, None]]
    names, found = taking.flat({"columns": columns, "rows": rows})
    assert names == ["who", "share", "share_low", "share_high", "paid", "currency"]
    assert found == [["a", 0.5, 0.4, 0.6, 5e-06, "EUR"], ["b", None, None, None, None, None]]
