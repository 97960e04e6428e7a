"""A closed figure stays as it was closed; what is counted now stands beside, with the reason."""

import re

import pytest

from onefold.collect import imports
from onefold.consent import PURPOSES
from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.runtime import call, rebuild
from onefold.runtime.closing import close_due
from onefold.runtime.retention import enforce
from worlds import START, Clock, World, track

pytestmark = pytest.mark.long

DAY_SECONDS = 86_400
DAY = DAY_SECONDS * 1_000_000
FIRST = "2025-10-09"
SAVES = """\
metric: saves
version: 1
label: Saves
description: How often something was saved.
owner: Olga
kind: count
numerator:
  count: events
  events: [pin_saved]
"""
SAVERS = SAVES.replace("saves", "savers").replace("count: events", "count: people")
METRICS = {"metrics/saves.yaml": SAVES, "metrics/savers.yaml": SAVERS}
SPAN = {"from": FIRST, "to": "2025-10-11", "every": "day"}


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w", definitions=METRICS, clock=Clock(START))
    for place in range(4):
        found.send(saved(place, user=f"u{place}", anonymous=f"a{place}"))
    found.fold()
    found.clock.now = START + 6 * DAY
    yield found
    found.close()


def saved(place, at=0.0, **who):
    return track("pin_saved", id=f"e{place}-{at}", at=place + at, **who)


def ask(world, what, asker=OWNER, **params):
    return call(world.workspace, asker, what, params).body


def told(world, name="saves", asker=OWNER, **more):
    """Return day -> estimate, recomputed, reason."""
    body = ask(world, "metric", asker, name=name, **(SPAN | more))
    names = [column["name"] for column in body["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in body["rows"]]
    return {
        row["period"]: (row["estimate"], row.get("recomputed"), row.get("reason")) for row in rows
    }


def test_before_closing_an_answer_has_no_more_columns(world) -> None:
    assert told(world)[FIRST] == (4, None, None)


def test_a_time_ripens_and_is_not_closed(world) -> None:
    ask(world, "period close")
    assert told(world, "time_to_first_pin")[FIRST] == (None, None, None)
    assert told(world, "actions_per_person")[FIRST][2] == ""


def test_closing_is_of_days_weeks_and_months_that_ended_long_enough_ago(world) -> None:
    assert ask(world, "period close")["days"] == 3
    assert told(world)[FIRST] == (4, None, "")
    assert ask(world, "period close") == {"days": 0, "weeks": 0, "months": 0, "figures": 0}
    world.clock.now = START + 30 * DAY
    done = ask(world, "period close")
    assert (done["weeks"], done["months"]) == (4, 1)
    with pytest.raises(BadInput, match="has not begun"):
        ask(world, "period close", to="2026-01-01")
    rows = ask(world, "period list")["rows"]
    assert rows[-1][0] == FIRST
    shown = {row[0]: row[3] for row in ask(world, "period show", start=FIRST)["rows"]}
    assert (shown["saves"], shown["savers"]) == (4, 4)
    with pytest.raises(NotFound):
        ask(world, "period show", start="2025-11-09")


def closed(world):
    """Close what is due; return what stands closed, each figure as a text."""
    close_due(world.workspace)
    return rows_of(world)


def rows_of(world):
    return sorted(repr(sorted(row.items())) for row in world.raw("closed"))


def late(world):
    world.send(saved(7, at=60, user="u0"))


def merge(world):
    ask(world, "person merge", one="u0", other="u1")


def unmerge(world):
    ask(world, "person unmerge", one="u0", other="anonymous_id:b0")


def withdrawal(world):
    ask(world, "consent withdraw", id="u1", purpose="analytics")


def erasure(world):
    ask(world, "person erase", id="u1")


def definition(world):
    text = SAVERS.replace("version: 1", "version: 2").replace("pin_saved", "pin_saved, seen")
    (world.folder / "definitions/metrics/savers.yaml").write_text(text)
    world.send(track("seen", id="s", at=5, user="u9"))
    world.fold()


CAUSES = {
    "late": (late, "saves", 5),
    "merge": (merge, "savers", 3),
    "unmerge": (unmerge, "savers", 5),
    "withdrawal": (withdrawal, "saves", 3),
    "erasure": (erasure, "saves", 3),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_stands_beside_a_figure_that_does_not_move(world, cause) -> None:
    happens, metric, now = CAUSES[cause]
    if cause == "unmerge":
        world.send(saved(0, at=30, anonymous="b0"), saved(0, at=31, user="u0", anonymous="b0"))
    before = closed(world)
    stood = told(world, metric)[FIRST]
    assert stood[1:] == (None, "")
    happens(world)
    world.fold()
    assert told(world, metric)[FIRST] == (stood[0], now, cause)
    assert told(world, metric)["2025-10-10"][1:] == (None, "")
    assert rows_of(world) == before
    rebuild(world.workspace)
    assert rows_of(world) == before
    assert told(world, metric)[FIRST] == (stood[0], now, cause)


BOUGHT = """\
import: till
table: purchases
file: till.csv
columns:
  purchase_id: id
  user_id: user
  purchase_time: at
  amount_micros: {from: amount, currency: {value: EUR}}
"""


def test_an_import_that_is_undone_is_the_reason(world) -> None:
    folder = world.folder.parent
    (folder / "till.csv").write_text(f"id,user,at,amount\n1,u1,{FIRST}T12:00:00Z,5\n")
    (folder / "till.yaml").write_text(BOUGHT)
    ask(world, "import", mapping=str(folder / "till.yaml"))
    closed(world)
    assert told(world, "purchases")[FIRST] == (1, None, "")
    ask(world, "undo", run=imports.latest(world.workspace.log).run)
    assert told(world, "purchases")[FIRST] == (1, 0, "undo")
    assert told(world)[FIRST] == (4, None, "")


def test_somebody_who_says_yes_again_is_the_reason(world) -> None:
    withdrawal(world)
    world.fold()
    closed(world)
    assert told(world)[FIRST] == (3, None, "")
    world.clock.now += 60_000_000
    ask(world, "consent grant", id="u1", purpose="analytics")
    world.fold()
    assert told(world)[FIRST] == (3, 4, "consent")


DAYS_KEPT = "".join(f"{purpose} = 30\n" for purpose in PURPOSES)


@pytest.mark.parametrize("erased", [False, True])
def test_days_that_are_over_are_the_reason_before_what_is_too_old_is_erased(world, erased) -> None:
    closed(world)
    settings = world.folder / "onefold.toml"
    said = re.sub(
        r"\[retention\]\n(?:\w+ = \d+\n)*", f"[retention]\n{DAYS_KEPT}", settings.read_text()
    )
    settings.write_text(said)
    world.close()
    world.open()
    world.clock.now += 40 * DAY
    if erased:
        enforce(world.workspace)
        assert world.raw("events") == []
    assert told(world)[FIRST] == (4, 0, "retention")


def test_another_definition_is_told_with_the_figure_by_the_former_one(world) -> None:
    closed(world)
    definition(world)
    figure, now, reason = told(world, "savers")[FIRST]
    assert (figure, now) == (4, 5)
    assert set(reason.split(", ")) == {"late", "definition"}
    assert told(world)[FIRST] == (4, None, "")


def test_more_than_one_reason_is_told(world) -> None:
    closed(world)
    late(world)
    erasure(world)
    world.send(saved(8, at=60, user="u0"))
    world.fold()
    assert told(world)[FIRST] == (4, 5, "late, erasure")


def test_an_erasure_leaves_no_identifier_in_what_is_closed(world) -> None:
    closed(world)
    keys = {str(row["identifier"]) for row in world.raw("events")}
    erasure(world)
    text = repr(world.raw("closed")) + repr(world.raw("moved"))
    assert not any(key in text for key in keys)
    assert "u1" not in text


def test_who_may_not_see_all_rows_is_shown_no_closed_figure(world) -> None:
    closed(world)
    late(world)
    world.fold()
    ask(world, "policy set", name="own", who=["role:viewer"], campaigns=["c1"])
    viewer = Asker("Vi", "viewer")
    assert told(world, asker=viewer)[FIRST][1:] == (None, None)
    for what in ("period list", "period show"):
        with pytest.raises(NotAllowed):
            ask(world, what, viewer, **({"start": FIRST} if "show" in what else {}))
    assert told(world, purpose="advertising")[FIRST][1:] == (None, None)
    assert told(world, include="all")[FIRST][1:] == (None, None)
    assert told(world, environment="staging")[FIRST][1:] == (None, None)


def test_a_window_that_cuts_a_week_counts_it_anew(world) -> None:
    world.clock.now = START + 30 * DAY
    closed(world)
    whole = told(world, every="week", **{"from": "2025-10-06", "to": "2025-10-13"})
    assert whole["2025-10-06"] == (4, None, "")
    cut = told(world, every="week", **{"from": "2025-10-08", "to": "2025-10-13"})
    assert cut["2025-10-06"] == (4, None, None)


def test_a_second_closing_of_a_period_moves_nothing(world) -> None:
    before = closed(world)
    late(world)
    world.fold()
    ask(world, "period close", to="2025-10-15")
    now = rows_of(world)
    assert set(before) < set(now)
    assert told(world)[FIRST] == (4, 5, "late")


def test_a_viewer_may_look_at_closed_periods_and_not_close(world) -> None:
    viewer = Asker("Vi", "viewer")
    closed(world)
    assert ask(world, "period list", viewer)["rows"]
    with pytest.raises(NotAllowed):
        ask(world, "period close", viewer)


def test_a_running_total_adds_closed_days_as_they_were_closed(world) -> None:
    world.send(saved(6, at=DAY_SECONDS, user="u6"))
    world.fold()
    ask(world, "period close")
    late(world)
    world.fold()
    total = told(world, cumulative=True)
    assert total[FIRST] == (4, 5, "late")
    assert total["2025-10-10"] == (5, 6, "late")
    rows = ask(world, "metric", name="saves", cumulative=True, **SPAN)["rows"]
    now = ask(world, "metric", name="saves", **(SPAN | {"every": "month"}))["rows"]
    # The interval is that of what is counted now, around the figure that stands.
    assert rows[-1][1] - rows[-1][2] == pytest.approx(now[0][1] - now[0][2])
    # Different people cannot be added up from the figures of days, and it is said so.
    people = ask(world, "metric", name="savers", cumulative=True, **SPAN)
    assert [row[1] for row in people["rows"]] == [4, 5]
    assert "recomputed" not in {column["name"] for column in people["columns"]}
    assert any("cannot be added up" in note for note in people["notes"])
