"""Answers as a terminal shows them."""

import json

from onefold.cli.options import Terms
from onefold.cli.show import cell, show

TABLE = {
    "columns": [
        {"name": "metric", "type": "text", "unit": ""},
        {"name": "value", "type": "estimate", "unit": "share"},
        {"name": "spend", "type": "money", "unit": ""},
    ],
    "rows": [
        [
            "click rate",
            {"estimate": 0.061, "low": 0.05, "high": 0.07, "level": 0.95, "n": 9},
            {"micros": -2_800_000_000, "currency": "USD"},
        ]
    ],
    "definition": "Clicks by impressions.",
    "query": "SELECT 1",
    "as_of": None,
    "excluded_by_consent": 12,
    "notes": ["One of two sources is silent."],
}


def test_json_is_one_document_on_stdout(capsys, tmp_path):
    show(TABLE, Terms(tmp_path, as_json=True))
    said = capsys.readouterr()
    assert json.loads(said.out) == TABLE
    assert said.err == ""


def test_a_table_keeps_figures_on_stdout_and_notes_on_stderr(capsys, tmp_path):
    show(TABLE, Terms(tmp_path))
    said = capsys.readouterr()
    assert "6.1 % (5.0 to 7.0)" in said.out
    assert "−$2,800.00" in said.out
    for note in ("Clicks by impressions.", "left out 12 events", "One of two sources is silent."):
        assert note in said.err
        assert note not in said.out


def test_a_body_of_facts_and_lists_is_shown_whole(capsys, tmp_path):
    body = {"name": "Ada", "open_issues": 2, "timeline": [{"what": "signed up", "n": 1}]}
    show(body, Terms(tmp_path))
    out = capsys.readouterr().out
    for word in ("Ada", "open issues", "timeline", "signed up"):
        assert word in out


def test_an_estimate_without_data_says_so():
    assert cell({"estimate": None, "low": None, "high": None, "n": 3}) == "not enough data"


def test_a_small_share_keeps_its_figures():
    assert cell(0.00042, "share") == "0.042 %"


def test_amounts_of_advice_are_money_and_not_micros(capsys, tmp_path):
    one = {
        "what": "Offer creative help",
        "value": {"estimate": 1.2e9, "low": 4e8, "high": 2e9, "level": 0.95, "n": 61},
        "value_unit": "micros",
        "currency": "EUR",
        "anyway": 3_500_000_000.5,
        "method": "x" * 90,
    }
    show({"recommendations": [one, {**one, "value": None, "value_unit": None}]}, Terms(tmp_path))
    said = capsys.readouterr().out
    assert "€1,200.00 (€400.00 to €2,000.00)" in said
    assert "€3,500.00" in said
    assert "1,200,000,000" not in said
    assert "micros" not in said
