"""Measured against truth: hits and misses are counted, and none is hidden."""

import json

import pytest

from onefold.model.errors import NotFound
from onefold.web.pages import truth

ROW = {
    "id": "a/short",
    "kind": "lift",
    "what": "It helps.",
    "where": "a",
    "unit": "share",
    "currency": "",
    "truth": 0.02,
    "estimate": 0.03,
    "low": 0.01,
    "high": 0.05,
    "level": 0.95,
    "n": 900,
    "naive": 0.2,
    "naive_low": 0.1,
    "naive_high": 0.3,
    "covered": True,
    "verdict": "better",
    "method": "compared",
    "definition": "",
    "cannot": "",
}


def words(rows):
    return "".join(str(piece) for piece in truth.answer_words(rows))


def test_a_miss_is_said_as_loudly_as_a_hit():
    told = words([ROW, ROW | {"covered": False}, ROW | {"covered": None}])
    assert "One of 2 ranges holds the truth" in told
    assert "one misses it" in told
    assert "1 truth could not be measured" in told


def test_all_hits_are_said_plainly():
    assert "Both ranges hold the truth" in words([ROW, ROW])


def test_naive_figures_are_judged_too():
    assert truth.lead_words([ROW]).endswith("Of the naive ranges, 1 of 1 miss.")
    assert truth.truth_row(ROW)[-2].endswith("misses")


def test_each_unit_is_told_as_it_is():
    assert truth.told(ROW, 0.02) == "+2.0\xa0points"
    assert truth.told(ROW | {"unit": "relative"}, 0.167) == "+16.7\xa0%"
    assert truth.told(ROW | {"unit": "micros", "currency": "USD"}, -2_800_000_000) == "−$2,800"


def test_a_refusal_stands_where_the_range_would():
    refused = ROW | {"estimate": None, "low": None, "high": None, "cannot": "Each side needs 30."}
    assert "Each side needs 30." in truth.truth_row(refused)


def test_the_bar_says_in_words_what_it_draws():
    bar = truth.bar_of(ROW)
    assert bar.tone == "better"
    assert "truth +2.0 points, held; naive +20.0 points" in bar.label
    assert truth.bar_of(ROW | {"covered": False}).tone == "worse"


def test_only_a_demo_has_a_truth(tmp_path):
    with pytest.raises(NotFound, match="no known truth"):
        truth.read(tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "truth.json").write_text(json.dumps({"effects": [{"id": "a/short"}]}))
    (tmp_path / "demo" / "measured.json").write_text(json.dumps({"rows": [ROW], "notes": ["n"]}))
    assert truth.read(tmp_path) == ([{"id": "a/short"}], [ROW], ["n"])
