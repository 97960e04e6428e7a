"""What pages show is what the facts, the command line and the planted truth say."""

import csv
import io
import json
import re

import httpx
import pytest

from onefold.web.pages.explore import group_name
from onefold.web.wording import NO_BREAK, number, share


def cells(page, table):
    """Return the rows of a table as text."""
    return [
        [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in page.locator(f"#{table} tbody tr").all()
    ]


@pytest.fixture
def client(served):
    cookies = {each["name"]: each["value"] for each in served.visit["cookies"]}
    with httpx.Client(base_url=served.address, cookies=cookies, timeout=60) as found:
        yield found


def test_a_metric_on_the_page_is_that_of_the_command_line(served, visiting):
    days = ("--from", "2026-01-05", "--to", "2027-01-04")
    told = served.ask("metric", "saves_per_session", *days, "--every", "month")
    names = [column["name"] for column in told["columns"]]
    expected = [
        [number(row[names.index(name)]) for name in ("estimate", "low", "high", "n")]
        for row in told["rows"]
        if row[names.index("n")]
    ]
    assert expected
    with visiting() as visitor:
        visitor.open("/explore?metric=saves_per_session&every=month&from=2026-01-05&to=2027-01-04")
        # What is closed has two columns more, behind the people.
        shown = [row for row in cells(visitor.page, "answer-table") if row[5] != "0"]
    assert [[*row[1:4], row[5]] for row in reversed(shown)] == expected


def test_the_csv_holds_what_the_table_shows(client, visiting):
    query = "metric=click_rate&every=none&by=surface"
    with visiting() as visitor:
        visitor.open(f"/explore?{query}")
        way = visitor.page.get_by_role("link", name="CSV").get_attribute("href")
    answer = client.get(way)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    with visiting() as visitor:
        visitor.open(f"/explore?{query}")
        shown = cells(visitor.page, "answer-table")
    assert [
        [group_name("surface", row["surface"]), share(float(row["estimate"]), 2)] for row in rows
    ] == [row[:2] for row in shown]


def test_a_notebook_asks_the_same_again(client, served, monkeypatch):
    asked = {"ask": "funnel", "events": "pin_viewed, pin_saved", "within": "1d", "by": "surface"}
    told = client.get("/explore/take.ipynb", params=asked)
    cells_told = json.loads(told.text)["cells"]
    code = next(cell["source"] for cell in cells_told if cell["cell_type"] == "code")
    monkeypatch.setenv("ONEFOLD_API_KEY", served.api_key)
    found: dict[str, object] = {}
    exec(compile(code, "cell", "exec"), found)
    named = ("pin_viewed", "pin_saved", "--within", "1d", "--by", "surface")
    expected = served.ask("funnel", *named)
    assert found["body"]["rows"] == expected["rows"]
    assert expected["rows"]


def test_a_chart_is_saved_as_a_picture(visiting):
    with visiting() as visitor:
        visitor.open("/explore?metric=click_rate&by=surface")
        visitor.drawn()
        with visitor.page.expect_download() as saved:
            visitor.page.get_by_role("button", name="Save as PNG").click()
        assert saved.value.path().read_bytes().startswith(b"\x89PNG")
        assert visitor.wrongs == []


def test_an_experiment_on_the_page_is_that_of_the_command_line(served, visiting):
    told = json.dumps(served.ask("experiment", "show", "larger-first-pins"))
    with visiting() as visitor:
        visitor.open("/experiments/larger-first-pins")
        arms = cells(visitor.page, "arms")
        split = visitor.page.get_by_role("img", name=re.compile("control")).get_attribute(
            "aria-label"
        )
    shown = [int(row[1].replace(",", "")) for row in arms]
    first = [int(count.replace(",", "")) for count in re.findall(r"[\d,]+\d|\d", split)]
    assert sum(first) >= sum(shown) > 0
    for count in shown + first:
        assert re.search(rf"\b{count}\b", told)


def test_truth_on_the_page_is_what_was_planted(served, visiting):
    planted = json.loads((served.folder / "demo" / "truth.json").read_text("utf-8"))["effects"]
    measured = json.loads((served.folder / "demo" / "measured.json").read_text("utf-8"))["rows"]
    assert {row["id"] for row in measured} == {effect["id"] for effect in planted}
    with visiting() as visitor:
        visitor.open("/truth")
        shown = cells(visitor.page, "truths")
        answer = visitor.page.locator("h1").inner_text()
    words = {True: "hit", False: "miss", None: "no range"}
    assert [(row[0], row[-1]) for row in shown] == [
        (row["what"], words[row["covered"]]) for row in measured
    ]
    for row, effect in zip(shown, measured, strict=True):
        if effect["unit"] == "relative":
            assert row[1] == share(effect["truth"], signed=True)
        if effect["unit"] == "share":
            assert row[1] == number(effect["truth"] * 100, 1, signed=True) + f"{NO_BREAK}points"
    misses = sum(row["covered"] is False for row in measured)
    assert ("miss" in answer) == bool(misses)


def test_events_on_the_data_page_are_those_of_the_checksum(served, visiting):
    sums = served.ask("checksum")
    names = [column["name"] for column in sums["columns"]]
    rows = {row[names.index("table")]: row[names.index("rows")] for row in sums["rows"]}
    assert rows["events"] >= served.counts["events"]
    with visiting() as visitor:
        visitor.open("/data?days=90")
        accepted = (
            visitor.page.locator(".tile", has_text="Accepted").locator(".figure").inner_text()
        )
        waiting = (
            visitor.page.locator(".tile", has_text="quarantine").locator(".figure").inner_text()
        )
    # What was brought in is accepted too, and counted in a line of its own.
    figures = {row[0]: row[1] for row in served.ask("status")["rows"]}
    sent = rows["events"] - figures["records imported"]
    assert accepted.replace(",", "").strip() == str(sent)
    assert waiting.strip() == str(rows["quarantine"])


def test_an_experiment_read_as_of_its_first_days_is_not_known_yet(served, visiting):
    market = json.loads((served.folder / "demo" / "truth.json").read_text("utf-8"))["market"]
    with visiting() as visitor:
        visitor.open(f"/experiments/larger-first-pins?as_of={market['started_date']}")
        words = visitor.page.locator(".half .word").all_inner_texts()
        assert words == ["Not yet", "Not yet"]
        assert "day 1" in visitor.page.locator("details.filter", has_text="Read as of").inner_text()
