"""The files of a demo: what they hold is what the market is."""

import csv
import json
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
import yaml

from onefold.collect import make_catalogue
from onefold.model.time import parse_time
from onefold.simulate import MarketPlan, make_market, pinboard, write_demo_files
from onefold.simulate.advertisers import history_days
from onefold.simulate.files import IMPORTS, definitions

END = parse_time("2026-11-22T09:13:20Z")


@pytest.fixture(scope="module")
def market():
    return make_market(
        MarketPlan(end_time=END, people=300, days=45, seed=3), assign=lambda *_: "control"
    )


@pytest.fixture(scope="module")
def folder(market, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    write_demo_files(market, folder)
    return folder


def rows_of(folder, table):
    with (folder / "demo" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_spend_adds_up_to_the_market_to_the_cent(market, folder):
    rows = rows_of(folder, "spend")
    cents = sum(round(float(row["amount"]) * 100) for row in rows)
    assert cents * 10_000 == int(market.accounts.spend.sum())
    last = max(row["day"] for row in rows)
    assert last == (date(2026, 11, 22) - timedelta(days=1)).isoformat()
    first = market.plan.start_date - timedelta(days=history_days(market.plan))
    assert min(row["day"] for row in rows) == first.isoformat()


def test_keys_are_unique_and_refer_to_accounts(folder):
    accounts = {row["id"] for row in rows_of(folder, "accounts")}
    assert len(accounts) == 80
    for table in IMPORTS[1:]:
        rows = rows_of(folder, table)
        assert len({row["id"] for row in rows}) == len(rows) > 0
        assert {row["account"] for row in rows} <= accounts


def test_mappings_name_only_columns_that_are_there(folder):
    for table in IMPORTS:
        mapping = yaml.safe_load((folder / "demo" / f"{table}.yaml").read_text())
        columns = set(rows_of(folder, mapping["table"])[0])
        for target, source in mapping["columns"].items():
            named = source if isinstance(source, str) else source.get("from")
            assert named is None or named in columns, target


def test_tickets_that_are_open_have_no_end(folder):
    rows = rows_of(folder, "tickets")
    assert {row["status"] for row in rows} == {"open", "closed"}
    for row in rows:
        assert (row["closed"] == "") == (row["status"] == "open")
        assert (row["waits_on"] == "none") == (row["status"] == "closed")
        assert row["opened"] < (row["closed"] or "9")
        assert parse_time(row["opened"]) < END


def test_definitions_are_read_by_the_rooms_that_use_them(market):
    texts = definitions(market)
    catalogue = make_catalogue(
        (name, text) for name, text in texts.items() if name.startswith("events/")
    )
    assert len(catalogue.events) == 10
    experiments = [yaml.safe_load(t) for n, t in texts.items() if n.startswith("experiments/")]
    assert {one["started_date"] for one in experiments} == {market.plan.started_date}


def test_the_long_window_of_everyone_ends_within_the_market():
    for days in (38, 40, 45, 60, 90, 120):
        plan = MarketPlan(end_time=END, days=days)
        assert plan.started_day + plan.planned_days + 28 <= days


def test_truth_is_written_as_it_is(market, folder):
    truth = json.loads((folder / "demo" / "truth.json").read_text())
    assert truth == json.loads(json.dumps(market.truth))
    ids = [one["id"] for one in truth["effects"]]
    assert len(set(ids)) == len(ids) == 7
    assert all(one["estimand"] and one["window"] for one in truth["effects"])


def test_the_pinboard_shows_what_the_history_knows(market, folder):
    board = json.loads((folder / "demo" / "pinboard.json").read_text())
    assert board == pinboard(3, people=300, days=45)
    titles = {f"i{n}": title for n, title in enumerate(market.items.titles)}
    for item in board["items"]:
        assert titles[item["item_id"]] == item["title"]
        creator = int(item["creator_id"][1:])
        assert market.items.creators[creator] == item["creator"]
    for ad in board["ads"]:
        campaign = int(ad["campaign_id"].removeprefix("cmp-"))
        assert f"acc-{market.campaign_account[campaign]}" == ad["account_id"]
        assert ad["revenue"] > 0


def test_pictures_are_drawn_here_and_need_no_style():
    for item in pinboard(7)["items"]:
        root = ET.fromstring(item["svg"])
        assert root.tag.endswith("svg")
        assert root.get("aria-label") == item["title"]
        assert "style" not in item["svg"]
        assert item["svg"].count("http") == 1
        assert "<script" not in item["svg"]
