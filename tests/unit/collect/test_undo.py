"""Imports end to end: what stands after A, B, A; after an undo; after a rebuild."""

import pytest

from onefold.collect import imports
from onefold.model.errors import DiskFull, NotFound
from onefold.model.records import OWNER
from onefold.runtime import call, rebuild
from worlds import World, track

pytestmark = pytest.mark.long

ACCOUNTS = """\
import: {name}
table: accounts
file: {name}.csv
priority: {priority}
columns: {{account_id: id, name: name, country: country, properties.tier: tier}}
"""


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def bring(world, *lines, name="crm", priority=0):
    """Import lines of `id,name,country,tier`; return the run."""
    folder = world.folder.parent
    (folder / f"{name}.csv").write_text("\n".join(["id,name,country,tier", *lines]) + "\n")
    mapping = folder / f"{name}.yaml"
    mapping.write_text(ACCOUNTS.format(name=name, priority=priority))
    call(world.workspace, OWNER, "import", {"mapping": str(mapping)})
    return imports.latest(world.workspace.log).run


def undo(world, run):
    return call(world.workspace, OWNER, "undo", {"run": run}).body


def names(world):
    world.fold()
    return {row["account_id"]: row["name"] for row in world.raw("accounts")}


def test_a_value_that_comes_back_stands_again(world) -> None:
    for name in ("Acme", "Acme Ltd", "Acme"):
        bring(world, f"a1,{name},de,1")
        assert names(world) == {"a1": name}
    assert len(world.raw("records")) == 3
    # A value that comes back is the message that it was before.
    counts = {name: rows for name, rows, _ in world.workspace.folds.generation.facts.checksums()}
    assert counts["events"] == 2


def test_the_same_file_again_changes_nothing(world) -> None:
    bring(world, "a1,Acme,de,1", "a2,Zeta,fr,2", "a3,,,x")
    before = world.sums()
    bring(world, "a1,Acme,de,1", "a2,Zeta,fr,2", "a3,,,x")
    assert world.sums() == before
    assert sum(row["events"] for row in world.raw("duplicates")) == 3


def test_undo_restores_the_checksums_of_before_and_a_rebuild_keeps_them(world) -> None:
    world.send(track("seen", id="1", user="u1"))
    bring(world, "a1,Acme,de,1", "a2,Zeta,fr,2", ",none,de,1")
    before = world.sums()
    run = bring(world, "a1,Acme Ltd,at,3", "a3,New,es,1", ",bad,de,1")
    after = world.sums()
    assert after["accounts"] != before["accounts"]
    assert after["quarantine"] != before["quarantine"]
    assert undo(world, run)["undone"]
    assert world.sums() == before
    rebuild(world.workspace)
    assert world.sums() == before
    assert not undo(world, run)["undone"]
    assert world.sums() == before
    # What was taken back may come again.
    bring(world, "a1,Acme Ltd,at,3", "a3,New,es,1", ",bad,de,1")
    assert world.sums() == after


def test_undo_of_a_run_that_another_overwrote_leaves_the_other(world) -> None:
    first = bring(world, "a1,Acme,de,1", "a2,Zeta,fr,2")
    second = bring(world, "a1,Acme Ltd,de,1")
    undo(world, first)
    assert names(world) == {"a1": "Acme Ltd"}
    undo(world, second)
    assert names(world) == {}
    assert world.raw("records") == []


def test_a_row_that_two_runs_told_stays_while_one_stands(world) -> None:
    first = bring(world, "a1,Acme,de,1")
    bring(world, "a1,Acme,de,1")
    before = world.sums()
    undo(world, first)
    assert world.sums() == before


def test_each_field_knows_its_source(world) -> None:
    bring(world, "a1,Acme,,1", name="crm")
    bring(world, "a1,Acme Inc.,us,", name="billing")
    (row,) = world.raw("accounts")
    assert (row["name"], row["country"], row["properties"]) == ("Acme Inc.", "us", '{"tier": "1"}')
    assert row["sources"] == '{"*":"import:billing","properties.tier":"import:crm"}'


def test_a_source_of_higher_priority_goes_first_whenever_it_came(world) -> None:
    crm = bring(world, "a1,Acme,,1", name="crm", priority=5)
    bring(world, "a1,Acme Inc.,us,", name="billing")
    (row,) = world.raw("accounts")
    assert (row["name"], row["country"]) == ("Acme", "us")
    assert row["sources"] == '{"*":"import:crm","country":"import:billing"}'
    undo(world, crm)
    assert names(world) == {"a1": "Acme Inc."}


def test_runs_are_told_with_what_became_of_them(world) -> None:
    run = bring(world, "a1,Acme,de,1", "a1,Acme,de,1", ",bad,de,1")
    undo(world, run)
    answer = call(world.workspace, OWNER, "runs", {}).body
    names_of = [column["name"] for column in answer["columns"]]
    (row,) = (dict(zip(names_of, one, strict=True)) for one in answer["rows"])
    assert row["state"] == "undone"
    assert (row["read"], row["kept"], row["again"], row["waiting"]) == (3, 1, 1, 1)
    trail = call(world.workspace, OWNER, "audit show", {}).body["rows"]
    assert [entry[3] for entry in trail[:2]] == ["import.undo", "import.run"]


def test_a_run_that_is_none_is_told(world) -> None:
    run = bring(world, "a1,Acme,de,1")
    with pytest.raises(NotFound, match="Did you mean"):
        undo(world, run[:-1])


def test_ids_of_imports_are_not_forgotten_after_a_restart(world) -> None:
    run = bring(world, "a1,Acme,de,1")
    world.send(track("seen", id="1", user="u1"))
    before = world.sums()
    world.close()
    world.open()
    world.send(track("seen", id="1", user="u1"))
    bring(world, "a1,Acme,de,1")
    assert world.sums() == before
    undo(world, run)
    assert world.sums() == before


def test_an_import_that_was_broken_off_is_brought_in_again_and_counts_once(
    world, monkeypatch
) -> None:
    lines = [f"a{n},Name {n},de,1" for n in range(6)]
    kept = world.sums()
    append, left = world.workspace.log.append, iter([True, False])

    def fail_later(rows):
        if not next(left, True):
            raise DiskFull("The log cannot grow.")
        return append(rows)

    monkeypatch.setattr("onefold.collect.import_run._RECORDS_A_ROW", 1)
    monkeypatch.setattr("onefold.collect.import_run._ROWS_A_COMMIT", 3)
    monkeypatch.setattr(world.workspace.log, "append", fail_later)
    with pytest.raises(DiskFull):
        bring(world, *lines)
    assert sorted(names(world)) == ["a0", "a1"]
    broken = imports.latest(world.workspace.log)
    assert broken.done_time is None
    bring(world, *lines)
    whole = world.sums()
    assert len(names(world)) == 6
    undo(world, broken.run)
    assert world.sums() == whole
    undo(world, imports.latest(world.workspace.log).run)
    assert world.sums() == kept


def test_rows_of_unknown_accounts_are_counted_and_named(world) -> None:
    bring(world, "a1,Acme,de,1")
    folder = world.folder.parent
    lines = ["id,account,day", "s1,a1,2026-11-01", "s2,a1,2026-11-02", "s3,b1,2026-11-03"]
    (folder / "calls.csv").write_text("\n".join(lines) + "\n")
    mapping = folder / "calls.yaml"
    mapping.write_text(
        "table: interactions\nfile: calls.csv\n"
        "columns: {interaction_id: id, account_id: account, start_time: day}\n"
    )
    for dry_run in (True, False):
        params = {"mapping": str(mapping), "dry_run": dry_run}
        answer = call(world.workspace, OWNER, "import", params).body
        names_of = [column["name"] for column in answer["columns"]]
        (row,) = (dict(zip(names_of, one, strict=True)) for one in answer["rows"])
        assert (row["kept"], row["orphans"], row["match_share"]) == (3, 1, 0.6667)
        assert any(note.startswith("No account is known as b1:") for note in answer["notes"])
