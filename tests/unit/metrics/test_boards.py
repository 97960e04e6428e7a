"""Dashboards as text: what is read is what was written, and every complaint names its place."""

import re
from datetime import date

import pytest

from onefold.metrics import dashboards
from onefold.metrics.boards import Dashboard, Tile, parse_dashboard, text_of
from onefold.model.errors import BadInput, Conflict

DAYS = {"from": False, "to": False}
KNOWN = {
    "metric": {"name": False, "every": False, "by": False, **DAYS},
    "funnel": {"events": True, "within": False, "by": False, **DAYS},
    "retention": {"start": False, "return": False, "every": False, "kind": False, **DAYS},
    "economics": {"name": False, "margin": False, **DAYS},
    "lifecycle": {"event": False, "every": False, **DAYS},
    "stickiness": {"event": False, "every": False, **DAYS},
}
TEXT = """\
dashboard: market
label: The market
owner: Growth
version: 3
tiles:
- label: Saves
  ask: metric
  name: saves_per_session
  every: week
  days: 56
- ask: funnel
  events:
  - seen
  - saved
  from: '2026-01-05'
  to: '2026-02-02'
"""


def read(text):
    return parse_dashboard(text, "d.yaml", known=KNOWN)


def test_what_is_read_is_written_again():
    board = read(TEXT)
    assert [tile.ask for tile in board.tiles] == ["metric", "funnel"]
    assert board.tiles[1].params["events"] == ("seen", "saved")
    assert read(text_of(board)) == board


def test_days_move_on_unless_they_are_named():
    saves, way = read(TEXT).tiles
    asked = saves.asked(date(2026, 3, 1))
    assert (asked["from"], asked["to"]) == ("2026-01-04", "2026-03-01")
    assert way.asked(date(2026, 3, 1))["to"] == "2026-02-02"
    assert read("dashboard: a\ntiles:\n- ask: metric\n  name: x\n").tiles[0].days == dashboards.DAYS


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("dashboard: The Market\n", "d.yaml:1:12", "no name of a dashboard"),
        ("dashboard: ../../etc\n", "d.yaml:1:12", "no name of a dashboard"),
        ("dashboard: a\nlabel: ''\n", "d.yaml:2:8", "empty"),
        ("dashboard: a\ntiles:\n- ask: sql\n", "d.yaml:3:8", "cannot be `sql`"),
        ("dashboard: a\ntiles:\n- ask: metric\n  nmae: x\n", "d.yaml:4:3", "No field `nmae`"),
        ("dashboard: a\ntiles:\n- ask: metric\n  days: 0\n", "d.yaml:4:9", "`days` is 0"),
        ("dashboard: a\ntiles:\n- ask: metric\n  days: 9000\n", "d.yaml:4:9", "more than 800"),
        (
            "dashboard: a\ntiles:\n- ask: metric\n  days: 7\n  to: '2026-01-01'\n",
            "d.yaml:4:9",
            "say it twice",
        ),
        ("dashboard: a\ntiles: 3\n", "d.yaml:2:8", "no list"),
        ("- a\n", "d.yaml:1:1", "no fields"),
        (
            "dashboard: a\ntiles:\n" + "- ask: metric\n  name: x\n" * 25,
            "d.yaml:3:1",
            "25 questions",
        ),
    ],
)
def test_a_complaint_names_its_place(text, place, said):
    with pytest.raises(BadInput, match=re.escape(said)) as error:
        read(text)
    assert error.value.message.startswith(place)
    assert error.value.fix


def test_tiles_come_and_go():
    tile = Tile("metric", {"name": "saves"})
    one = dashboards.with_tile(Dashboard("a", "A", version=1), tile)
    assert (one.version, one.tiles) == (2, (tile,))
    with pytest.raises(Conflict, match="asks this already"):
        dashboards.with_tile(one, tile)
    assert dashboards.without_tile(one, 1).tiles == ()
    with pytest.raises(BadInput, match="no question 2"):
        dashboards.without_tile(one, 2)
    full = Dashboard("a", "A", tiles=tuple(Tile("metric", {"name": str(n)}) for n in range(24)))
    with pytest.raises(Conflict, match="24 questions already"):
        dashboards.with_tile(full, tile)


def test_two_files_of_one_name_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("dashboard: same\n")
    with pytest.raises(BadInput, match=r"a\.yaml both define `same`"):
        dashboards.all_dashboards(tmp_path, None, known=KNOWN)
