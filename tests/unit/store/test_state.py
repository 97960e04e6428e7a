"""The state: a change, its audit entry and its outbox row stand or fall together."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from onefold.governance import trail, verify
from onefold.model.errors import BadInput, Busy, Conflict
from onefold.model.records import OWNER
from onefold.store import State, tables


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """Return the address of an empty state, on every engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.sqlite'}"
    return request.getfixturevalue("server").new_database()


@pytest.fixture
def state(url):
    found = State(url, lambda: 5)
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


def test_its_version_tells_of_changes_by_anybody(state, url) -> None:
    other = State(url, lambda: 6)
    before = state.version()
    assert state.version() == before
    put(other, "x")
    assert state.version() != before
    other.close()


def test_many_who_change_at_once_make_one_chain(state, url) -> None:
    def change(name: str) -> None:
        mine = State(url, lambda: 7)
        for number in range(10):
            put(mine, f"{name}-{number}", entry=("setting", {"name": name}))
        mine.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, "abcd"))
    assert verify(state).whole
    assert len(trail(state, most=100)) == 40
    assert len(state.rows(tables.outbox.select())) == 40


def test_a_change_that_dies_midway_leaves_neither_entry_nor_outbox(state) -> None:
    def die() -> None:
        with state.change(OWNER, "setting.put", "b", entry=("setting", {})) as change:
            change.execute(tables.settings.insert().values(name="b", value="1"))
            raise RuntimeError("killed")

    put(state, "a")
    with pytest.raises(RuntimeError):
        die()
    assert [row["name"] for row in state.rows(tables.settings.select())] == ["a"]
    assert len(trail(state)) == 1
    assert state.rows(tables.outbox.select()) == []
    assert verify(state).whole


def test_bytes_and_any_text_come_back_as_they_were(state) -> None:
    body = bytes(range(256))
    row = {"id": "x", "kind": "k", "body": body, "made_time": 2**62}
    with state.change(OWNER, "odd", "Ünïcode 中文 \U0001f600 '\"\\;--") as change:
        change.execute(tables.outbox.insert().values(**row))
    (kept,) = state.rows(tables.outbox.select())
    assert (bytes(kept["body"]), kept["made_time"]) == (body, 2**62)
    assert trail(state)[0].subject == "Ünïcode 中文 \U0001f600 '\"\\;--"
    assert verify(state).whole


def test_it_opens_again_as_it_was(state, url) -> None:
    put(state, "a")
    again = State(url, lambda: 8)
    assert [row["name"] for row in again.rows(tables.settings.select())] == ["a"]
    assert verify(again).whole
    again.close()


# ---------------------------------------------------------------- a server


def test_a_server_that_is_gone_is_busy_and_comes_back(server) -> None:
    state = State(server.new_database(), lambda: 5)
    put(state, "a")
    server.halt()
    try:
        with pytest.raises(Busy, match="does not answer") as refused:
            put(state, "b")
        assert refused.value.retry_seconds >= 1
        with pytest.raises(Busy):
            state.version()
    finally:
        server.resume()
    put(state, "c")
    names = [row["name"] for row in state.rows(tables.settings.select())]
    assert names == ["a", "c"]
    assert verify(state).whole
    state.close()


def test_what_the_server_cannot_keep_is_bad_input(server) -> None:
    state = State(server.new_database(), lambda: 5)
    for name in ("x" * 101, "nul\0"):
        with pytest.raises(BadInput, match="none that the state can keep"):
            put(state, name)
    assert trail(state) == []
    state.close()


@pytest.mark.parametrize("url", ["mysql://u@h/d", "nonsense", "postgresql://h:port/db"])
def test_an_address_of_no_state_is_refused_without_repeating_it(url) -> None:
    with pytest.raises(BadInput) as refused:
        State(url, lambda: 5)
    assert url not in refused.value.message


def test_a_whole_workspace_stands_on_a_server(server, tmp_path) -> None:
    from onefold.governance import add_user
    from onefold.runtime import Workspace, create_workspace

    url = server.new_database()
    made = create_workspace(tmp_path / "w", state=url, basis="notice")
    assert not (tmp_path / "w" / "state.sqlite").exists()
    assert made.write_key.startswith("wk_")
    workspace = Workspace(tmp_path / "w")
    add_user(workspace.state, "Ines", "analyst", asker=OWNER, now=1)
    described = "event: pin_saved\nproperties:\n  item_id: {type: string}\n"
    (tmp_path / "w" / "definitions" / "events" / "pin_saved.yaml").write_text(described)
    assert workspace.apply_definitions()
    assert workspace.facts_offset == workspace.log.last_offset() > 0
    assert verify(workspace.state).whole
    workspace.close()
    with pytest.raises(Conflict, match="holds a workspace already"):
        create_workspace(tmp_path / "x", state=url)
