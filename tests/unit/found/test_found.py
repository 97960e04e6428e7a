"""What an answer is in Python: its types in Arrow, its frames, its looks in a notebook."""

import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.found import Found
from onefold.model.errors import BadInput
from onefold.model.money import Money
from onefold.model.records import Answer, Column, Estimate

SHAPES = {"svg", "text", "line", "rect", "circle", "polyline", "polygon"}
TABLE = {"table", "caption", "thead", "tbody", "tr", "th", "td"}
TAGS = {"div", "p", "b", "span", "details", "summary", "pre", *SHAPES, *TABLE}


def found(columns, *rows, **more):
    """Return what a question found, by way of the JSON that the API gives."""
    told = Answer(columns=tuple(Column(*c.split(":")) for c in columns), rows=rows, **more)
    return Found("try()", json.loads(json.dumps(told.to_json())))


def kinds(one):
    return {field.name: field.type for field in one.arrow.schema}


class Read(HTMLParser):
    """The tags, attributes and texts of a piece of HTML."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.names, self.texts = [], set(), []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.texts.append(data)

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def test_every_kind_of_column_has_its_type():
    one = found(
        ("t:time", "d:date", "n:integer:people", "x:number:share", "b:boolean", "w:text"),
        (1_762_768_400_123_456, "2026-11-22", 2**63 - 1, 0.1, True, "é"),
        (None, None, None, None, None, None),
    )
    assert kinds(one) == {
        "t": pa.timestamp("us", tz="UTC"),
        "d": pa.date32(),
        "n": pa.int64(),
        "x": pa.float64(),
        "b": pa.bool_(),
        "w": pa.string(),
    }
    assert tuple(one.rows[0].values()) == (
        datetime(2025, 11, 10, 9, 53, 20, 123456, tzinfo=UTC),
        date(2026, 11, 22),
        2**63 - 1,
        0.1,
        True,
        "é",
    )
    assert set(one.rows[1].values()) == {None}
    assert one.arrow.schema.field("n").metadata == {b"type": b"integer", b"unit": b"people"}
    assert [column.unit for column in one.columns] == ["", "", "people", "share", "", ""]


def test_money_is_exact_with_its_currency_beside():
    most = Money(9_007_199_254_740_993_000_001, "EUR")
    one = found(("a:money", "b:money"), (most, None), (None, Money(-1, "USD")), (None, None))
    assert kinds(one)["a"] == kinds(one)["b"] == pa.decimal128(38, 6)
    assert one.arrow.to_pydict() == {
        "a": [Decimal("9007199254740993.000001"), None, None],
        "b": [None, Decimal("-0.000001"), None],
        "currency": ["EUR", "USD", None],
    }


def test_a_row_of_several_currencies_has_one_beside_each_amount():
    one = found(("a:money", "b:money"), (Money(1_000_000, "EUR"), Money(2_000_000, "USD")))
    assert one.rows == [
        {"a": Decimal(1), "a_currency": "EUR", "b": Decimal(2), "b_currency": "USD"}
    ]


def test_an_estimate_within_a_cell_keeps_its_interval():
    one = found(
        ("what:text", "share:estimate:share", "spend:estimate:micros EUR"),
        ("x", Estimate(0.5, 0.4, 0.6, 90), Estimate(2_500_000.4, None, None, 3)),
        ("y", None, None),
    )
    first, second = one.rows
    assert (first["share"], first["share_low"], first["share_high"]) == (0.5, 0.4, 0.6)
    assert (first["share_level"], first["share_n"]) == (0.95, 90)
    assert first["spend"] == Decimal("2.5")
    assert kinds(one)["spend_low"] == pa.decimal128(38, 6)
    assert {column.name: column.unit for column in one.columns}["spend"] == "EUR"
    assert {value for name, value in second.items() if name != "what"} == {None}


def test_whole_numbers_stay_whole_however_long():
    one = found(("n:integer", "m:integer"), ("9" * 38, "9" * 39), (1, 1))
    assert kinds(one) == {"n": pa.decimal128(38, 0), "m": pa.string()}
    assert [row["n"] for row in one.rows] == [Decimal("9" * 38), Decimal(1)]
    assert [row["m"] for row in one.rows] == ["9" * 39, "1"]


def test_what_does_not_fit_its_type_is_text():
    one = found(("t:time", "n:number", "w:text"), ("never", "many", [1, "é"]), (0, 1.5, True))
    assert one.arrow.to_pydict() == {
        "t": ["never", "0"],
        "n": ["many", "1.5"],
        "w": ['[1, "é"]', "true"],
    }
    assert "never" in one._repr_html_()


def test_columns_of_one_name_are_told_apart():
    one = found(("a:text", "a:text", "a_2:text", "currency:text", "m:money"))
    assert one.arrow.column_names == ["a", "a_3", "a_2", "currency", "m", "currency_2"]


def test_it_explains_itself_in_arrow_too():
    one = found(
        ("n:integer",),
        (1,),
        definition="How many.",
        query="SELECT 1",
        as_of_time=1_762_768_400_000_001,
        excluded_by_consent=7,
        notes=("Mind.",),
    )
    assert (one.definition, one.query, one.excluded_by_consent) == ("How many.", "SELECT 1", 7)
    assert one.notes == ("Mind.",)
    assert one.as_of == datetime(2025, 11, 10, 9, 53, 20, 1, tzinfo=UTC)
    told = json.loads(one.arrow.schema.metadata[b"onefold"])
    assert told["asked"] == "try()"
    assert told["excluded_by_consent"] == 7
    html = Read(one._repr_html_())
    for said in ("How many.", "SELECT 1", "Consent leaves out 7 events.", "Mind."):
        assert any(said in text for text in html.texts), said
    assert found(("n:integer",)).as_of is None


def test_frames_and_engines_read_it():
    one = found(("n:integer", "m:money"), (2**53 + 1, Money(1, "EUR")), (None, None))
    frame = one.to_pandas()
    assert int(frame["n"][0]) == 2**53 + 1
    assert frame["n"].isna()[1]
    rows = duckdb.sql("select sum(n), sum(m) from one").fetchone()
    assert rows == (2**53 + 1, Decimal("0.000001"))
    assert list(one) == one.rows
    assert len(one) == 2
    assert repr(one) == "<Found: try(); 2 rows of n, m, currency>"


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_frame_that_is_not_installed_says_what_to_install(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BadInput) as refused:
        getattr(found(("n:integer",), (1,)), f"to_{name}")()
    assert f"pip install {name}" in refused.value.fix


# ---------------------------------------------------------------- in a notebook

METRIC = ("period:date", "estimate:number", "low:number", "high:number", "n:integer")


def days(*values, name=()):
    return [
        (f"2026-11-{day:02}", *name, value, *((value - 1, value + 1) if value else (None, None)), 9)
        for day, value in enumerate(values, 1)
    ]


def points(attrs):
    return [tuple(map(float, point.split(","))) for point in attrs["points"].split()]


def test_a_metric_by_day_is_a_line_in_its_range_broken_where_nothing_is_known():
    html = Read(found(METRIC, *days(2, 4, None, 8, 6))._repr_html_())
    first, second = map(points, html.of("polyline"))
    assert len(first) == len(second) == 2
    assert first[0][0] < first[1][0] < second[0][0]
    # Higher figures stand higher, from zero at the bottom.
    assert first[0][1] > first[1][1] > second[1][1] > second[0][1]
    assert len(html.of("polygon")) == 2
    assert html.of("svg")[0]["aria-label"] == "estimate by period: 1 line of 5 times"


def test_a_metric_by_dimension_has_a_line_each_and_their_names():
    columns = (METRIC[0], "by:text", *METRIC[1:])
    rows = [*days(1, 2, name=("<b>",)), *days(3, 4, name=("b",))]
    html = Read(found(columns, *rows)._repr_html_())
    assert len(html.of("polyline")) == 2
    assert not html.of("polygon")
    assert {" <b>", " b"} <= {text.rstrip() for text in html.texts}


def test_a_funnel_is_bars_with_their_ranges():
    columns = ("step:integer", "event:text", "share:number:share", "low:number", "high:number")
    rows = ((1, "seen", 1.0, 0.9, 1.0), (2, "paid", 0.25, 0.2, 0.3))
    html = Read(found(columns, *rows)._repr_html_())
    longer, shorter = (float(bar["width"]) for bar in html.of("rect"))
    assert shorter == pytest.approx(longer / 4, abs=0.1)
    assert len([one for one in html.of("line") if one["stroke-width"]]) == 2
    assert {"seen", "paid", "25.0 %"} <= set(html.texts)


def test_retention_is_a_heat_table_where_what_is_not_over_is_marked():
    columns = ("cohort:date", "period:integer", "share:number:share", "whole:boolean")
    rows = (
        ("2026-11-01", 0, 1.0, True),
        ("2026-11-01", 1, 0.5, False),
        ("2026-11-02", 0, None, True),
    )
    html = Read(found(columns, *rows)._repr_html_())
    shades = [one["style"] for one in html.of("td") if "rgba" in one.get("style", "")]
    assert len(shades) == 2
    assert {"100 %", "50 %*"} <= set(html.texts)


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (("period:date", "estimate:money"), [("2026-11-01", Money(1, "EUR"))] * 2),
        (
            ("period:date", "estimate:money"),
            [("2026-11-01", Money(1, "EUR")), ("2026-11-02", Money(1, "USD"))],
        ),
        (("event:text", "n:integer"), [("a", -1), ("b", 1)]),
        (("event:text", "n:integer"), [("a", 1)]),
        (("event:text", "n:integer"), []),
        (("word:text",), [("a",)]),
        (("n:integer", "word:text"), [("9" * 39, "a"), (1, "b")]),
    ],
    ids=["twice", "currencies", "below zero", "one", "none", "texts", "too long"],
)
def test_what_no_picture_fits_is_a_table_alone(columns, rows):
    assert "<svg" not in found(columns, *rows)._repr_html_()


def test_many_rows_are_told_as_so_many():
    html = found(("n:integer",), *((each,) for each in range(21)))._repr_html_()
    assert "1 more row: see" in html
    assert html.count("<tr>") == 21


HOSTILE = st.text(max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'--><svg/onload=a>", "&lt;"]
)


@given(HOSTILE, HOSTILE, HOSTILE, st.lists(st.floats() | st.integers() | st.none(), max_size=4))
def test_no_name_or_value_means_anything_to_the_notebook(name, word, note, numbers):
    shapes = (
        ([name, "text"], ["estimate", "number"]),
        (["d", "date"], [name, "text"], ["n", "integer"]),
        (["cohort", "text"], ["period", "text"], ["share", "number"], [name, "text"]),
        (["cohort", "date"], ["period", "integer"], ["share", "number"], [name, "text"]),
    )
    plain = {"text": word, "date": "2026-11-01", "number": 0.5, "integer": 3}
    for shape in shapes:
        rows = [
            [number if kind == "number" else plain[kind] for _, kind in shape] for number in numbers
        ]
        columns = [{"name": column, "type": kind, "unit": word} for column, kind in shape]
        body = {"columns": columns, "rows": rows, "notes": [note], "query": word}
        html = Read(Found(name, {**body, "definition": note})._repr_html_())
        assert {tag for tag, _ in html.tags} <= TAGS
        assert not {attr for attr in html.names if attr.startswith("on") or attr in {"src", "href"}}
