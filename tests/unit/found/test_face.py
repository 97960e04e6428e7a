"""The door in Python: the same calls, the same permissions, found as Arrow."""

import json

import pytest

import onefold
from guarded_worlds import HIDDEN, SHOWN, guarded, named
from onefold import Found, Onefold
from onefold.cli import main
from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import OWNER
from onefold.runtime import call

pytestmark = pytest.mark.long

DAYS = {"from_": "2025-10-08", "to": "2025-10-12"}
SPAN = {"from": "2025-10-08", "to": "2025-10-12"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    world = guarded(tmp_path_factory.mktemp("face") / "w")
    yield Onefold(world.workspace)
    world.close()


def test_each_question_is_the_call_of_its_name(shop):
    steps, query = ("ad_viewed", "ad_clicked"), "select count(*) as n from events"
    spans = {**SPAN, "every": "day"}
    asked = [
        (
            shop.metric("saves_per_person", **DAYS, every="day"),
            "metric",
            {"name": "saves_per_person", **spans},
        ),
        # It tells the last use of each, so that one that is asked now comes before.
        (shop.metrics(), "metrics", {}),
        (shop.funnel(*steps, **DAYS), "funnel", {"events": steps, **SPAN}),
        (
            shop.retention(*steps, **DAYS, every="day"),
            "retention",
            {"start": steps[0], "return": steps[1], **spans},
        ),
        (shop.sql(query, rows=1), "sql", {"query": query, "rows": 1}),
        (shop.tables(), "sql tables", {}),
        (shop.find("purchases"), "purchases", {}),
    ]
    for found, name, params in asked:
        assert isinstance(found, Found)
        body = call(shop.workspace, OWNER, name, params).body
        assert found.body == body, name
        assert found.arrow.num_rows == len(body["rows"]), name
        assert len(found._repr_html_()) > 100
    assert asked[2][0].asked == f"funnel(events={steps!r}, from='2025-10-08', to='2025-10-12')"


def test_a_user_sees_what_their_policy_shows(shop):
    query = "select distinct account_id as a from events where account_id <> ''"
    assert {row["a"] for row in shop.sql(query)} == {f"{SHOWN}acc", f"{HIDDEN}acc"}
    seen = shop.sql(query, as_user=named("analyst"))
    assert [row["a"] for row in seen] == [f"{SHOWN}acc"]
    assert any("Policies" in note for note in seen.notes)
    funnel = {"within": "1h", **DAYS}
    everybody = shop.funnel("ad_viewed", "ad_clicked", **funnel)
    own = shop.funnel("ad_viewed", "ad_clicked", as_user=named("analyst"), **funnel)
    assert (everybody.rows[0]["persons"], own.rows[0]["persons"]) == (2, 1)


def test_who_may_not_is_told_so(shop):
    with pytest.raises(NotAllowed):
        shop.sql("select 1", as_user=named("viewer"))
    with pytest.raises(NotAllowed):
        shop.tables(as_user=named("viewer"))
    with pytest.raises(NotAllowed):
        shop.find("status", as_user=named("viewer"))
    with pytest.raises(NotFound):
        shop.metrics(as_user="Nobody")
    assert len(shop.metrics(as_user=named("viewer"))) == len(shop.metrics())


def test_a_question_that_cannot_be_is_told_with_its_mend(shop):
    with pytest.raises(NotFound, match="saves_per_person"):
        shop.metric("saves_per_persn")
    with pytest.raises(BadInput, match="no table"):
        shop.find("personalization show")
    with pytest.raises(NotFound):
        shop.find("metrcs")


def test_the_metrics_are_listed_on_the_command_line_too(shop, tmp_path, capsys):
    onefold.create(tmp_path / "w").close()
    with pytest.raises(SystemExit) as left:
        main(["metrics", "--json", "-w", str(tmp_path / "w")])
    told = json.loads(capsys.readouterr().out)
    assert left.value.code == 0
    names = [column["name"] for column in told["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in told["rows"]]
    first = next(row for row in rows if row["metric"] == "ad_revenue_per_engaged_user")
    assert (first["kind"], first["unit"], first["version"]) == ("ratio", "money", 1)
    assert "utm_source" in first["splits"]
