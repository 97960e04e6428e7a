"""The trail: whatever is done to it is found, and it can be taken along."""

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.governance import audits, verify
from onefold.model.records import OWNER, Asker
from onefold.runtime import CALLS, Workspace, call
from onefold.store import State, tables
from worlds import World

pytestmark = pytest.mark.long

ENTRIES = 8
TEXTS = ("actor", "action", "subject", "detail", "hash")


def put(state, subject, actor="Ana"):
    with state.change(Asker(actor, "owner"), "thing.do", subject):
        pass


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trail")
    made = State(f"sqlite:///{folder / 'state.sqlite'}", lambda: 1_760_000_000_000_000)
    for number in range(ENTRIES):
        put(made, f"thing-{number}")
    yield made
    made.close()


def rows_of(state):
    return [dict(row) for row in state.rows(tables.audit.select().order_by(tables.audit.c.id))]


def lay(state, rows):
    state.touch(tables.audit.delete())
    if rows:
        state.touch(tables.audit.insert().values(rows))


harms = st.one_of(
    st.tuples(st.just("change"), st.integers(0, ENTRIES - 1), st.sampled_from(TEXTS), st.text()),
    st.tuples(st.just("time"), st.integers(0, ENTRIES - 1), st.integers(-9, 9)),
    st.tuples(st.just("remove"), st.sets(st.integers(0, ENTRIES - 1), min_size=1)),
    st.tuples(st.just("order"), st.permutations(range(ENTRIES))),
    st.tuples(st.just("renumber"), st.sets(st.integers(0, ENTRIES - 1), min_size=1)),
)


def harmed(rows, harm):
    """Return the rows after a harm, numbered as they were unless the harm is in the numbers."""
    kind, *what = harm
    rows = [dict(row) for row in rows]
    if kind == "change":
        rows[what[0]][what[1]] = what[2].replace("\x00", "").encode("utf-8", "ignore").decode()
    elif kind == "time":
        rows[what[0]]["time"] += what[1]
    elif kind == "remove":
        rows = [row for number, row in enumerate(rows) if number not in what[0]]
    elif kind == "order":
        rows = [dict(rows[old], id=new + 1) for new, old in enumerate(what[0])]
    else:
        # Removed, and the rest numbered anew so that no gap is seen.
        rows = [row for number, row in enumerate(rows) if number not in what[0]]
        rows = [dict(row, id=number + 1) for number, row in enumerate(rows)]
    return rows


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(harm=harms)
def test_whatever_is_done_to_the_trail_is_found(state, harm):
    whole, anchor = rows_of(state), audits.head(state)
    after = harmed(whole, harm)
    try:
        lay(state, after)
        assert verify(state, anchor).whole == (after == whole)
    finally:
        lay(state, whole)


def test_a_trail_cut_and_grown_again_is_found(state):
    whole, anchor = rows_of(state), audits.head(state)
    try:
        lay(state, whole[:-3])
        assert verify(state).whole
        cut = verify(state, anchor)
        assert (cut.whole, cut.broken_at) == (False, ENTRIES - 2)
        for number in range(5):
            put(state, f"other-{number}")
        grown = verify(state, anchor)
        assert not grown.whole
        assert "remembers another" in grown.why
        assert not audits.agrees(state, anchor)
    finally:
        lay(state, whole)


def test_the_log_remembers_the_head_when_a_workspace_is_closed(tmp_path):
    world = World(tmp_path / "w")
    world.close()
    reopened = Workspace(world.folder, world.clock)
    try:
        said = call(reopened, OWNER, "audit verify", {}).body
        assert said["whole"]
        assert said["anchored_at"] == said["entries"] > 0
        reopened.state.touch(tables.audit.delete().where(tables.audit.c.id == said["entries"]))
        found = call(reopened, OWNER, "audit verify", {})
        assert not found.good
        assert found.body["broken_at"] == said["entries"]
        # What is done afterwards must not cover it up.
        put(reopened.state, "later")
        put(reopened.state, "later still")
        reopened.tidy()
        assert not call(reopened, OWNER, "audit verify", {}).good
    finally:
        reopened.close()


def test_tidying_twice_writes_once(tmp_path):
    world = World(tmp_path / "w")
    world.workspace.tidy()
    before = world.workspace.log.last_offset()
    world.workspace.tidy()
    assert world.workspace.log.last_offset() == before
    put(world.workspace.state, "x")
    world.workspace.tidy()
    assert world.workspace.log.last_offset() == before + 1
    sums = world.sums()
    assert world.sums() == sums
    world.close()


def test_the_trail_taken_along_can_be_followed_by_anybody(state):
    former = State.FIRST_HASH
    for line in audits.as_lines(state):
        entry = json.loads(line)
        content = tuple(entry[name] for name in ("time", "actor", "action", "subject", "detail"))
        assert entry["hash"] == State.audit_hash(former, content)
        former = entry["hash"]
    assert former == audits.head(state).hash


@pytest.mark.parametrize("harm", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1"])
def test_no_cell_of_the_trail_is_a_formula(tmp_path, harm):
    state = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: 1)
    put(state, harm, actor=harm)
    (row,) = list(csv.DictReader(io.StringIO(audits.as_csv(state), newline="")))
    assert row["subject"] == row["actor"] == "'" + harm
    state.close()


def test_the_call_gives_both_forms(tmp_path):
    world = World(tmp_path / "w")
    lines = call(world.workspace, OWNER, "audit export", {}).body["text"].splitlines()
    sheet = call(world.workspace, OWNER, "audit export", {"format": "csv"}).body["text"]
    assert len(lines) == len(list(csv.reader(io.StringIO(sheet)))) - 1
    assert CALLS["audit export"].whole
    world.close()
