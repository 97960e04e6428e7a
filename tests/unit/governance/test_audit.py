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


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(harm=harms)
def test_a_watch_finds_every_harm_at_the_latest_when_it_reads_the_whole(state, harm):
    whole, anchor, watch = rows_of(state), audits.head(state), audits.Watch()
    assert watch.look(state, anchor, 0).whole
    after = harmed(whole, harm)
    try:
        lay(state, after)
        late = watch.look(state, anchor, audits.READ_WHOLE_AFTER)
        assert (late.whole, late.read_from) == (after == whole, 1)
        assert watch.read(state, anchor, 1).whole == (after == whole)
    finally:
        lay(state, whole)


def test_a_watch_follows_only_what_is_new(state):
    whole, watch = rows_of(state), audits.Watch()
    try:
        first = watch.look(state, None, 5)
        assert (first.whole, first.entries, first.read_from, first.read_time) == (
            True,
            ENTRIES,
            1,
            5,
        )
        put(state, "later")
        then = watch.look(state, audits.head(state), 6)
        assert (then.whole, then.entries, then.read_from) == (True, ENTRIES + 1, ENTRIES + 1)
        assert then.read_time == 5
        none = watch.look(state, None, 7)
        assert (none.whole, none.entries, none.read_from) == (True, ENTRIES + 1, ENTRIES + 2)
        # What was followed is not read: a changed text waits for the whole reading.
        state.touch(tables.audit.update().where(tables.audit.c.id == 3).values(subject="other"))
        assert watch.look(state, None, 8).whole
        found = watch.read(state, None, 9)
        assert (found.whole, found.broken_at, found.entries) == (False, 3, 2)
        # A broken trail is never the place to go on from.
        assert not watch.look(state, None, 10).whole
    finally:
        lay(state, whole)


@pytest.mark.parametrize("harm", ["gone", "hash", "new", "cut"])
def test_a_watch_finds_at_once_what_no_longer_holds(state, harm):
    whole, watch, audit = rows_of(state), audits.Watch(), tables.audit
    anchor = audits.head(state)
    try:
        assert watch.look(state, anchor, 0).whole
        put(state, "later")
        if harm == "gone":
            state.touch(audit.delete().where(audit.c.id == 2))
        elif harm == "hash":
            state.touch(audit.update().where(audit.c.id == ENTRIES).values(hash="0" * 64))
        elif harm == "new":
            state.touch(audit.update().where(audit.c.id == ENTRIES + 1).values(actor="other"))
        else:
            state.touch(audit.delete().where(audit.c.id >= ENTRIES))
        assert not watch.look(state, anchor, 1).whole
    finally:
        lay(state, whole)


def test_a_watch_reads_a_long_trail_once(tmp_path):
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: 1)
    put(made, "first")
    (row,) = rows_of(made)
    rows, former, count = [], row["hash"], 20_000
    for number in range(2, count + 1):
        content = (1, "Ana", "thing.do", f"thing-{number}", "{}")
        former = State.audit_hash(former, content)
        names = ("time", "actor", "action", "subject", "detail")
        rows.append({"id": number, **dict(zip(names, content, strict=True)), "hash": former})
    lay(made, [row, *rows])
    watch, hashed = audits.Watch(), []
    assert watch.look(made, None, 0).entries == count
    plain = State.audit_hash
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            State,
            "audit_hash",
            staticmethod(lambda former, entry: hashed.append(entry) or plain(former, entry)),
        )
        put(made, "later")
        hashed.clear()
        assert watch.look(made, None, 1).whole
    assert len(hashed) == 1
    made.close()


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
