"""The catalogue kept by commands: described, brought in, handed out, checked in CI."""

import json

import pytest

from onefold.collect import Catalogue
from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.runtime import call
from worlds import World, track

pytestmark = pytest.mark.long

SAVED = """\
event: pin_saved
owner: Boards
properties:
  item_id: {type: string, required: true}
  surface: {type: string}
  price: {type: number}
"""
METRIC = """\
metric: spent
label: Spent
description: What was spent.
owner: shop
kind: sum
numerator: {sum: price, events: [pin_saved], where: {surface: [home]}}
"""


@pytest.fixture
def world(tmp_path):
    found = World(
        tmp_path / "w", definitions={"events/saved.yaml": SAVED, "metrics/spent.yaml": METRIC}
    )
    found.send(
        *(
            track("pin_saved", id=f"s{n}", user=f"u{n}", item_id="i1", surface="home", price=n)
            for n in range(20)
        ),
        *(track("board_made", id=f"b{n}", user="u1", size=n, name="oak") for n in range(400)),
    )
    found.fold()
    yield found
    found.close()


def asked(world, name, asker=OWNER, **params):
    outcome = call(world.workspace, asker, name, params)
    return outcome.body, outcome.good


def change(world, old, new):
    path = world.folder / "definitions" / "events" / "saved.yaml"
    path.write_text(SAVED.replace(old, new))


def breaks(world, **params):
    body, good = asked(world, "check", **params)
    assert good is (not body["rows"])
    return [(row[0], row[1], row[2]) for row in body["rows"]]


def test_events_that_nobody_described_are_described_and_taken_by_apply(world):
    body, _ = asked(world, "catalogue infer")
    assert [row[:3] for row in body["rows"]] == [["board_made", "events/board_made.yaml", "new"]]
    text = (world.folder / "definitions" / "events" / "board_made.yaml").read_text()
    assert text.startswith("# Inferred from 400 of 400 recorded events.")
    assert asked(world, "apply")[0] == {"changed": True}
    assert asked(world, "catalogue infer")[0]["rows"] == []
    found = Catalogue.read(world.folder / "definitions" / "events").events["board_made"]
    assert found.properties["size"].required


def test_one_event_is_described_only_when_it_is_known(world):
    with pytest.raises(NotFound, match="Did you mean `board_made`"):
        asked(world, "catalogue infer", event="board_mad")
    body, _ = asked(world, "catalogue infer", event="pin_saved")
    assert body["rows"][0][2] == "kept"
    body, _ = asked(world, "catalogue infer", dry_run=True)
    assert "Nothing was written." in body["notes"]
    assert not (world.folder / "definitions" / "events" / "board_made.yaml").exists()


def test_a_plan_goes_out_and_comes_back(world, tmp_path):
    body, _ = asked(world, "catalogue export", kind="segment")
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(body["files"]["tracking-plan.json"]))
    body, _ = asked(world, "catalogue import", path=str(plan))
    assert [row[2] for row in body["rows"]] == ["kept"]
    body, _ = asked(world, "catalogue import", path=str(plan), overwrite=True)
    assert [row[2] for row in body["rows"]] == ["same"]
    files = asked(world, "catalogue export", kind="iglu", vendor="com.shop")[0]["files"]
    assert list(files) == ["com.shop/pin_saved/jsonschema/1-0-0"]


def test_what_is_no_plan_changes_nothing(world, tmp_path):
    for name, text in (("empty.json", ""), ("list.json", "[1]"), ("word.txt", "plan")):
        (tmp_path / name).write_text(text)
        with pytest.raises(BadInput, match="plan"):
            asked(world, "catalogue import", path=str(tmp_path / name))
    with pytest.raises(NotFound):
        asked(world, "catalogue import", path=str(tmp_path / "none.json"))
    with pytest.raises(BadInput, match="folder"):
        asked(world, "catalogue import", path=str(tmp_path), kind="segment")


def test_a_viewer_changes_no_catalogue(world):
    viewer = Asker("Ines", "viewer")
    for name in ("catalogue infer", "quarantine retry"):
        with pytest.raises(NotAllowed):
            asked(world, name, viewer)


def test_an_unchanged_catalogue_breaks_nothing(world):
    assert breaks(world) == []


BREAKING = [
    ("item_id: {type: string", "item_id: {type: integer", "pin_saved", "a whole number", 20),
    (
        "surface: {type: string}",
        "surface: {type: string, enum: [away]}",
        "pin_saved",
        "away",
        20,
    ),
    (
        "price: {type: number}",
        "price: {type: number, maximum: 17}",
        "pin_saved",
        "more than",
        2,
    ),
    ("price: {type: number}", "price: {type: string}", "pin_saved", "should be text", 20),
    ("  price: {type: number}\n", "", "pin_saved", "metric spent uses `price`", None),
    (
        "surface: {type: string}",
        "surface: {type: string, pii: place}",
        "pin_saved",
        "personal",
        None,
    ),
    (
        "price: {type: number}",
        "price: {type: number, column: false}",
        "pin_saved",
        "column",
        None,
    ),
    ("event: pin_saved", "event: pin_kept", "pin_saved", "described no more", None),
]


def test_a_change_that_breaks_is_told(world):
    for old, new, event, what, count in BREAKING:
        change(world, old, new)
        found = breaks(world)
        assert any(row[0] == event and what in row[1] and row[2] == count for row in found), new


def test_a_change_that_breaks_nothing_passes_and_a_forgotten_version_is_told(world):
    change(world, "price: {type: number}", "price: {type: number, maximum: 99}")
    assert breaks(world) == []
    notes = asked(world, "check")[0]["notes"]
    assert "The schema of pin_saved changes, but its version stays 1." in notes


def test_a_new_description_is_tried_on_what_is_recorded(world):
    path = world.folder / "definitions" / "events" / "board.yaml"
    path.write_text("event: board_made\nproperties: {size: {type: integer, minimum: 1}}\n")
    assert breaks(world) == [("board_made", "`size` is less than 1.", 1)]


def test_personal_fields_are_not_judged_as_the_facts_lack_them(world):
    change(world, "price: {type: number}", "email: {type: string, required: true, pii: email}")
    assert not [row for row in breaks(world) if "email" in row[1]]


def test_other_definitions_are_checked_where_ci_has_them(world, tmp_path):
    folder = tmp_path / "checkout" / "events"
    folder.mkdir(parents=True)
    (folder / "saved.yaml").write_text(SAVED.replace("string, required", "boolean, required"))
    found = breaks(world, definitions=str(folder.parent))
    assert ("pin_saved", "`item_id` should be true or false.", 20) in found
    assert breaks(world) == []
    (folder / "saved.yaml").write_text("event: [\n")
    with pytest.raises(BadInput, match=r"saved\.yaml"):
        breaks(world, definitions=str(folder.parent))


def test_an_event_that_would_wait_from_now_on_is_told(world):
    from onefold.collect import sources

    sources.set_source(world.workspace.state, OWNER, "app", unplanned="quarantine")
    change(world, "event: pin_saved", "event: pin_kept")
    assert any("what app sends of it waits" in row[1] for row in breaks(world))


def test_apply_tells_what_waits_and_would_count_now(world):
    world.send(track("pin_saved", id="bad", user="u1"))
    world.fold()
    change(world, ", required: true", "")
    answer, _ = asked(world, "apply")
    assert answer["waiting_events_that_fit_now"] == 1
    assert asked(world, "quarantine retry")[0]["rows"] == [["pin_saved", "counts now", "", 1]]
    change(world, ", required: true", "")
    assert asked(world, "apply")[0] == {"changed": False}


def test_definitions_that_are_applied_while_the_facts_are_built_anew_hold(world, monkeypatch):
    from onefold.runtime import rebuild
    from onefold.runtime.definitions import applied

    make = world.workspace.new_generation

    def made(*arguments):
        folds = make(*arguments)
        change(world, "price: {type: number}", "size: {type: number}")
        world.workspace.apply_definitions(wait=False)
        return folds

    monkeypatch.setattr(world.workspace, "new_generation", made)
    rebuild(world.workspace)
    monkeypatch.undo()
    world.fold()
    world.workspace.step()
    _, rules = applied(world.workspace.log)
    assert "p_size" in rules.promoted
    assert world.workspace.folds.generation.fits(rules)
