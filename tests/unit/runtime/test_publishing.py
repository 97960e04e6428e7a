"""The facts as Parquet: whole versions at one offset, never with whom an erasure let go."""

import errno
import threading
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onefold.model.errors import BadInput, DiskFull
from onefold.model.facts import TABLES
from onefold.model.records import OWNER
from onefold.runtime import call, loops
from onefold.runtime.publishing import FOLDER, is_due, publish
from onefold.runtime.settings import read_settings
from onefold.store import planes
from residue import residue
from worlds import START, World, track

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "kept", definitions={})
    made.close()
    with (made.folder / "onefold.toml").open("a") as settings:
        settings.write("\n[facts_export]\n")
    made.open()
    made.send(track("pin_saved", id="a1", user="anna-user-77", at=5, agreed=False))
    made.send(track("pin_saved", id="b1", user="bob", at=6, agreed=False), received=START + DAY)
    made.fold()
    yield made
    made.close()


def read(world: World, name: str) -> pa.Table:
    """Return a table as its files have it."""
    folder = world.folder / FOLDER
    found = planes.read_manifest(folder).tables[name]
    return pa.concat_tables(pq.read_table(folder / part.path) for part in found.files)


def told(body) -> dict:
    """Return the first column of an answer -> the second."""
    return {row[0]: row[1] for row in body["rows"]}


def status(world: World) -> dict:
    return told(call(world.workspace, OWNER, "status", {}).body)


def test_every_table_is_there_row_by_row_with_its_types(world):
    made = publish(world.workspace)
    assert set(made.tables) == set(TABLES)
    assert made.offset == world.workspace.facts_offset
    assert made.fresh_time == START + DAY
    raw = world.workspace.folds.generation.facts
    for name, table in raw.tables().items():
        mine, theirs = read(world, name), raw.ask(table)
        assert mine.schema.equals(theirs.schema), name
        order = [(one, "ascending") for one in mine.column_names]
        assert mine.sort_by(order).equals(theirs.sort_by(order)), name
        assert made.tables[name].rows == mine.num_rows


def test_days_that_stay_as_they_were_are_not_written_again(world):
    folder = world.folder / FOLDER
    first = publish(world.workspace)
    days = [part.path.rpartition("/")[2] for part in first.tables["events"].files]
    assert days == ["2025-10-09.parquet", "2025-10-10.parquet"]
    world.send(track("pin_saved", id="b2", user="bob", at=7, agreed=False), received=START + DAY)
    world.fold()
    second = publish(world.workspace)
    pairs = zip(first.tables["events"].files, second.tables["events"].files, strict=True)
    same = [(folder / a.path).samefile(folder / b.path) for a, b in pairs]
    assert same == [True, False]
    assert read(world, "events").num_rows == 3
    third = publish(world.workspace)
    assert third.former == second.version
    assert sorted(path.name for path in folder.glob("v-*")) == [second.version, third.version]


def test_one_that_died_half_way_is_never_seen_and_goes(world):
    first = publish(world.workspace)
    folder = world.folder / FOLDER
    world.send(track("pin_saved", id="b2", user="bob", at=7, agreed=False))
    world.fold()
    with (
        patch("onefold.store.parquet._put_in_force", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        publish(world.workspace)
    assert planes.read_manifest(folder) == first
    assert read(world, "events").num_rows == 2
    (folder / "v-99" / "events").mkdir(parents=True)
    publish(world.workspace)
    assert read(world, "events").num_rows == 3
    assert not [path for path in folder.iterdir() if path.name == "v-99"]


def test_a_full_disk_refuses_and_status_tells(world):
    assert "facts exported" not in status(world)
    first = publish(world.workspace)
    world.send(track("pin_saved", id="b2", user="bob", at=7, agreed=False))
    world.fold()
    full = OSError(errno.ENOSPC, "No space left on device")
    with patch("onefold.store.parquet._sync", side_effect=full), pytest.raises(DiskFull):
        publish(world.workspace)
    assert planes.read_manifest(world.folder / FOLDER) == first
    stands = status(world)
    assert "No space left" in stands["export of the facts stands still"]
    world.clock.now += 30_000_000
    publish(world.workspace)
    world.clock.now += 5_000_000
    stands = status(world)
    assert stands["export of the facts stands still"] is False
    assert stands["seconds since that export"] == 5.0
    assert stands["offset of that export"] == world.workspace.facts_offset


def words_in(world: World) -> str:
    return str([read(world, name).to_pylist() for name in TABLES])


def test_an_erasure_reaches_it_before_it_is_told_done(world):
    word = "said-by-anna-alone"
    noted = track("invited", id="a-word", user="anna-user-77", at=9, agreed=False, note=word)
    world.send(noted)
    world.fold()
    publish(world.workspace)
    assert word in words_in(world)
    before = planes.read_manifest(world.folder / FOLDER)
    call(world.workspace, OWNER, "person erase", {"id": "user_id:anna-user-77"})
    after = planes.read_manifest(world.folder / FOLDER)
    assert after.generation != before.generation
    assert word not in words_in(world)
    assert read(world, "events").num_rows == 1
    assert [path.name for path in (world.folder / FOLDER).glob("v-*")] == [after.version]
    assert residue(world.folder, (word, "anna-user-77")) == []


def test_an_erasure_takes_it_down_where_it_cannot_be_written_anew(world):
    publish(world.workspace)
    full = DiskFull("No room.", "Make room.")
    with patch("onefold.store.planes.write_export", side_effect=full):
        call(world.workspace, OWNER, "person erase", {"id": "user_id:anna-user-77"})
    assert list((world.folder / FOLDER).iterdir()) == []
    assert status(world)["export of the facts stands still"] == "No room."
    assert is_due(world.workspace)


def test_it_is_due_by_the_minutes_and_at_once_when_consent_is_withdrawn(world):
    assert is_due(world.workspace)
    publish(world.workspace)
    world.clock.now += 6 * MINUTE
    assert not is_due(world.workspace), "nothing came since"
    world.send(track("pin_saved", id="b2", user="bob", at=7, agreed=False))
    world.fold()
    assert is_due(world.workspace)
    publish(world.workspace)
    world.send(track("pin_saved", id="b3", user="bob", at=8, agreed=False))
    world.fold()
    world.clock.now += MINUTE // 4
    assert not is_due(world.workspace)
    given = {"id": "user_id:bob", "purpose": "analytics"}
    call(world.workspace, OWNER, "consent withdraw", given)
    world.fold()
    assert is_due(world.workspace)


def test_the_loop_writes_it_by_itself(world):
    done = threading.Event()

    def write(workspace):
        publish(workspace)
        done.set()

    loop = loops.PublishLoop(world.workspace)
    with patch("onefold.runtime.publishing.publish", write):
        loop.start()
        try:
            assert done.wait(60)
        finally:
            loop.stop()
    found = planes.read_manifest(world.folder / FOLDER)
    assert found.offset == world.workspace.facts_offset


def test_the_command_writes_it_where_no_server_does(world):
    body = call(world.workspace, OWNER, "facts export", {}).body
    assert told(body)["events"] == 2
    assert read(world, "events").num_rows == 2


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("every_minutes = 0", "every_minutes"),
        ("every_minutes = true", "every_minutes"),
        ("folder = 3", "folder"),
        ("minutes = 3", "no setting `minutes`"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path, line, match):
    (tmp_path / "onefold.toml").write_text(f"[facts_export]\n{line}\n")
    with pytest.raises(BadInput, match=match):
        read_settings(tmp_path)


def test_settings_say_how_often_and_where_to(tmp_path):
    (tmp_path / "onefold.toml").write_text('[facts_export]\nevery_minutes = 2\nfolder = "out"\n')
    found = read_settings(tmp_path)
    assert (found.export_minutes, found.export_folder) == (2.0, tmp_path / "out")
