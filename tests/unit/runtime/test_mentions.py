"""A typo in a metric or an experiment is told by plan, apply and the doctor."""

import pytest

from onefold.model.records import OWNER
from onefold.runtime.calls import call
from onefold.runtime.doctor import diagnose
from worlds import World, track

pytestmark = pytest.mark.long

METRIC = """\
metric: my_saves
label: Saves
description: Saves on a surface.
owner: Growth
kind: count
numerator: {count: events, events: [EVENT], where: {FIELD: [feed]}}
format: number
"""


def metric(event="pin_saved", field="surface"):
    return METRIC.replace("EVENT", event).replace("FIELD", field)


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    found.send(track("pin_saved", id="1", user="u1", surface="feed"))
    found.fold()
    yield found
    found.close()


def written(world, text):
    (world.folder / "definitions" / "metrics" / "mine.yaml").write_text(text)


def notes(world):
    return call(world.workspace, OWNER, "plan", {}).body["notes"]


def found(world):
    return [one.what for one in diagnose(world.folder, world.workspace)]


def test_a_name_as_it_is_sent_is_no_doubt(world):
    written(world, metric())
    assert notes(world) == []
    assert not any("my_saves" in what for what in found(world))


def test_a_typo_in_an_events_name_is_told_with_what_was_meant(world):
    written(world, metric(event="pin_savd"))
    words = "metric my_saves names `pin_savd`, which nobody described or sent. Did you mean"
    assert any(note.startswith(f"{words} `pin_saved`?") for note in notes(world))
    assert any(what.startswith(words) for what in found(world))
    applied = call(world.workspace, OWNER, "apply", {}).body
    assert applied["doubts"][0].startswith(words)


def test_a_typo_in_a_property_is_told_with_what_was_meant(world):
    written(world, metric(field="surfce"))
    words = "metric my_saves reads `surfce`, which no pin_saved has. Did you mean `surface`?"
    assert words in notes(world)


def test_what_is_only_described_is_known_too(world):
    (world.folder / "definitions" / "events" / "bought.yaml").write_text(
        "event: bought\nowner: Shop\ndescription: A sale.\nproperties:\n  shop: {type: string}\n"
    )
    written(world, metric(event="bought", field="shop"))
    assert [note for note in notes(world) if "my_saves" in note] == []


def test_what_surrounds_every_event_is_no_doubt(world):
    written(world, metric(field="country"))
    assert [note for note in notes(world) if "my_saves" in note] == []


def test_before_anything_is_known_nothing_is_doubted(tmp_path):
    empty = World(tmp_path / "w")
    for path in (empty.folder / "definitions" / "events").glob("*.yaml"):
        path.unlink()
    written(empty, metric(event="pin_savd"))
    assert [note for note in notes(empty) if "my_saves" in note] == []
    empty.close()


def test_a_figure_up_to_today_says_that_today_is_not_in_it(world):
    words = "Today is not counted: it is not over."
    asked = {"name": "saves_per_person"}
    assert words in call(world.workspace, OWNER, "metric", asked).body["notes"]
    early = call(
        world.workspace, OWNER, "metric", asked | {"from": "2025-09-01", "to": "2025-10-01"}
    )
    assert words not in early.body["notes"]
