"""A workspace taken out in open formats and brought in again: the same sums, the same figures."""

import json

import pytest
from pyarrow import parquet

from onefold.model.errors import BadInput, Conflict, NotAllowed
from onefold.model.records import OWNER, Asker
from onefold.runtime import Workspace, call, create_workspace, restore
from worlds import START, World, track

pytestmark = pytest.mark.long

METRIC = """
metric: savers
version: 1
label: Savers
description: People who saved a pin.
owner: Boards
kind: count
numerator: {count: people, events: [pin_saved]}
format: number
"""


def silent(*_said) -> None:
    return None


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    found.send(
        *(track("pin_saved", id=f"m{n}", at=n, user=f"u{n % 3}", item_id="i1") for n in range(9)),
        {"type": "track", "userId": "u1"},
    )
    (tmp_path / "a.csv").write_text("id,name\na1,Acme\n")
    mapping = tmp_path / "a.yaml"
    mapping.write_text("table: accounts\nfile: a.csv\ncolumns: {account_id: id, name: name}\n")
    run = call(found.workspace, OWNER, "import", {"mapping": str(mapping)}).body["run"]
    call(found.workspace, OWNER, "undo", {"run": run})
    call(found.workspace, OWNER, "import", {"mapping": str(mapping)})
    yield found
    found.close()


def take_out(world, folder, **params):
    call(world.workspace, OWNER, "export", {"folder": str(folder), **params})
    return json.loads((folder / "manifest.json").read_text())


def bring_in(folder, target):
    return restore(folder, target, progress=silent, clock=lambda: START)


def test_restored_facts_and_definitions_are_equal(world, tmp_path) -> None:
    (world.folder / "definitions" / "metrics" / "savers.yaml").write_text(METRIC)
    before = world.sums()
    manifest = take_out(world, tmp_path / "out")
    made = bring_in(tmp_path / "out", tmp_path / "again")
    assert made.equal
    assert all(row[3] for row in made.answer.rows)
    again = Workspace(tmp_path / "again", world.clock)
    days = {"name": "savers", "from": "2025-10-01", "to": "2025-11-01"}
    figures = [call(one, OWNER, "metric", days).body for one in (world.workspace, again)]
    assert figures[0]["rows"] == figures[1]["rows"] != []
    sums = call(again, OWNER, "checksum", {}).body["rows"]
    assert {row[0]: (row[1], row[2]) for row in sums} == before
    assert (again.definitions / "metrics" / "savers.yaml").read_text() == METRIC
    assert again.identity_key == world.workspace.identity_key
    # All that comes after what was taken out is where the new trail stands.
    assert {row.route for row in again.log.read(manifest["offset"])} <= {"audit"}
    trail = call(again, OWNER, "audit verify", {})
    assert trail.good
    again.close()


def test_everything_stands_in_open_formats(world, tmp_path) -> None:
    manifest = take_out(world, tmp_path / "out")
    events = parquet.read_table(tmp_path / "out" / "facts" / "events.parquet")
    assert events.num_rows == 10
    log = parquet.read_table(tmp_path / "out" / "log" / "000001.parquet")
    assert log.num_rows == manifest["offset"]
    for line in (tmp_path / "out" / "state" / "audit.jsonl").read_text().splitlines():
        assert json.loads(line)["hash"]


def test_settings_go_along_without_the_address_of_an_engine(world, tmp_path) -> None:
    path = world.folder / "onefold.toml"
    text = path.read_text()
    path.write_text('state = "postgresql://me:secret@there/db"\n' + text)
    take_out(world, tmp_path / "out")
    assert (tmp_path / "out" / "onefold.toml").read_text() == text


def test_keys_and_sign_ins_go_along_only_when_asked(world, tmp_path) -> None:
    write_key = world.made.write_key
    take_out(world, tmp_path / "without")
    text = "".join(p.read_text() for p in (tmp_path / "without" / "state").glob("*.jsonl"))
    assert write_key not in text
    assert not (tmp_path / "without" / "state" / "api_keys.jsonl").exists()
    made = bring_in(tmp_path / "without", tmp_path / "again")
    assert made.keys["app"].startswith("wk_")
    assert made.keys["app"] != write_key
    assert made.api_key
    assert made.sign_in_path
    take_out(world, tmp_path / "with", with_secrets=True)
    made = bring_in(tmp_path / "with", tmp_path / "third")
    assert (made.keys, made.api_key, made.equal) == ({}, "", True)


def test_an_export_that_was_touched_is_refused_and_nothing_made(world, tmp_path) -> None:
    take_out(world, tmp_path / "out")
    path = tmp_path / "out" / "state" / "settings.jsonl"
    path.write_text(path.read_text().replace("0f", "00", 1))
    with pytest.raises(BadInput, match=r"settings\.jsonl is not what the manifest says"):
        bring_in(tmp_path / "out", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_manifest_that_leads_outside_is_refused(world, tmp_path) -> None:
    manifest = take_out(world, tmp_path / "out")
    manifest["files"]["../a.csv"] = "0" * 64
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInput, match="outside the export"):
        bring_in(tmp_path / "out", tmp_path / "again")


def test_what_holds_events_is_never_replaced(world, tmp_path) -> None:
    take_out(world, tmp_path / "out")
    other = World(tmp_path / "other")
    other.send(track("x", id="1", user="u1"))
    other.close()
    with pytest.raises(Conflict, match="holds 1 event"):
        bring_in(tmp_path / "out", tmp_path / "other")
    with pytest.raises(Conflict, match="not empty"):
        bring_in(tmp_path / "out", tmp_path)
    create_workspace(tmp_path / "empty")
    assert bring_in(tmp_path / "out", tmp_path / "empty").equal


def test_an_export_goes_to_an_empty_folder_by_an_owner(world, tmp_path) -> None:
    with pytest.raises(Conflict, match="not empty"):
        take_out(world, tmp_path)
    viewer = Asker("v", "viewer")
    with pytest.raises(NotAllowed):
        call(world.workspace, viewer, "export", {"folder": str(tmp_path / "out")})
    with pytest.raises(BadInput, match="is no export"):
        bring_in(tmp_path / "nothing", tmp_path / "again")
