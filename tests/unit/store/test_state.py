"""The state: a change, its audit entry and its outbox row stand or fall together."""

import pytest

from onefold.governance import trail, verify
from onefold.model.errors import Conflict
from onefold.model.records import OWNER
from onefold.store import State, tables


@pytest.fixture
def state(tmp_path):
    found = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: 5)
    yield found
    found.close()


def put(state: State, name: str, **more) -> None:
    with state.change(OWNER, "setting.put", name, **more) as change:
        change.execute(tables.settings.insert().values(name=name, value="1"))


def test_a_change_is_audited_and_told_to_the_log(state) -> None:
    put(state, "a", detail={"why": "test"}, entry=("setting", {"name": "a"}))
    assert [(e.action, e.subject) for e in trail(state)] == [("setting.put", "a")]
    (waiting,) = state.rows(tables.outbox.select())
    assert waiting["kind"] == "setting"
    assert waiting["log_offset"] is None


def test_a_change_that_fails_leaves_nothing(state) -> None:
    put(state, "a")
    with pytest.raises(Conflict, match="there already"):
        put(state, "a", entry=("setting", {}))
    assert len(trail(state)) == 1
    assert state.rows(tables.outbox.select()) == []


@pytest.mark.parametrize("harm", ["changed", "removed", "swapped"])
def test_any_tampering_with_the_trail_is_found(state, harm) -> None:
    for name in "abcd":
        put(state, name)
    assert verify(state).whole
    table = tables.audit
    if harm == "changed":
        state.touch(table.update().where(table.c.id == 2).values(subject="z"))
    elif harm == "removed":
        state.touch(table.delete().where(table.c.id == 2))
    else:
        state.touch(table.update().where(table.c.id == 2).values(id=9))
        state.touch(table.update().where(table.c.id == 3).values(id=2))
        state.touch(table.update().where(table.c.id == 9).values(id=3))
    found = verify(state)
    assert not found.whole
    assert found.broken_at in {2, 3}


def test_the_migrations_make_what_the_tables_say(state) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with state.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_its_version_tells_of_changes_by_anybody(state, tmp_path) -> None:
    other = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: 6)
    before = state.version()
    put(other, "x")
    assert state.version() != before
    other.close()
