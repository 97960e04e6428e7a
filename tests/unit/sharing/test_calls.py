"""The calls: who may make them, and what they may reach."""

import pytest

from onefold.model.errors import BadInput, Conflict, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.runtime import call
from onefold.runtime.leaving import send_due
from onefold.sharing import budget
from onefold.store import State
from receivers import event, identify

pytestmark = pytest.mark.long

ANALYST = Asker("Ines", "analyst")


def ask(house, which, asker=OWNER, /, **params):
    return call(house.world.workspace, asker, which, params).body


def test_an_analyst_reads_and_writes_no_file_outside_the_workspace(house, tmp_path):
    house.world.fold()
    (tmp_path / "outside.csv").write_text("root:x:0:0,b\n")
    for name, params in (
        ("join", {"file": str(tmp_path / "outside.csv"), "column": "a"}),
        ("join", {"file": "../outside.csv", "column": "a"}),
        ("intersect ask", {"to": str(tmp_path / "new")}),
        ("intersect answer", {"file": "/etc/passwd", "to": "x"}),
        ("intersect result", {"file": "/etc/passwd"}),
    ):
        with pytest.raises(NotAllowed):
            ask(house, name, ANALYST, **params)
    with pytest.raises(BadInput) as refused:
        ask(house, "join", file=str(tmp_path / "outside.csv"), column="a")
    assert "root" not in f"{refused.value.message} {refused.value.fix}"


def test_who_may_not_see_persons_joins_nothing(house):
    for asker in (Asker("Vera", "viewer"), Asker("key:r", "owner", ("read",))):
        for name, params in (
            ("join", {"file": "a.csv", "column": "a"}),
            ("intersect ask", {"to": "a"}),
            ("release", {"event": "a", "from": "2026-01-01", "to": "2026-01-02"}),
            ("destination run", {"name": "a"}),
            ("transfer register", {"from_region": "a", "to_region": "b", "basis": "scc"}),
        ):
            with pytest.raises((NotAllowed, BadInput)):
                ask(house, name, asker, **params)
    assert ask(house, "budget")["rows"] == []


def test_three_commands_make_an_intersection(house):
    house.world.send(
        *(identify(f"u{n}", f"i{n}", email=f"u{n}@x.org") for n in range(30)),
        *(event("seen", f"m{n}", f"u{n}") for n in range(30)),
    )
    house.world.fold()
    ask(house, "intersect ask", to="request.bin")
    with pytest.raises(Conflict):
        ask(house, "intersect ask", to="request.bin")
    ask(house, "intersect answer", file="request.bin", to="response.bin")
    rows = ask(house, "intersect result", file="response.bin")["rows"]
    assert rows == [["everybody", 30, 30, 1.0]]
    with pytest.raises(NotFound):
        ask(house, "intersect result", file="response.bin")


def test_the_house_sends_what_is_due_and_looks_at_the_rest_for_withdrawals(house):
    house.world.send(event("seen", "m1", "ann"))
    house.world.fold()
    house.add("out", "files", every="1h")
    looked = {}
    assert send_due(house.world.workspace, looked) == 1
    assert house.standing("out").sent_events == 1
    assert send_due(house.world.workspace, looked) == 0
    house.world.send(event("seen", "m2", "bob"))
    house.world.send(event("seen", "n1", "ann", 5, agreed={"sharing": False, "analytics": True}))
    house.world.fold()
    house.world.clock.now += 21_000_000
    assert send_due(house.world.workspace, looked) == 1
    assert house.standing("out").sent_events == 0, "taken back, and nothing new before it is due"
    house.world.clock.now += 3_600_000_000
    send_due(house.world.workspace, looked)
    assert house.standing("out").sent_events == 1


def test_one_destination_that_is_blocked_holds_up_no_other(house):
    house.world.send(event("seen", "m1", "ann"))
    house.world.fold()
    house.add("a", "files", region="us")
    house.add("b", "files")
    assert send_due(house.world.workspace, {}) == 2
    assert house.standing("b").sent_events == 1
    assert "blocked" in house.standing("a").trouble


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_budget_stands_on_every_engine(engine, request, tmp_path):
    url = f"sqlite:///{tmp_path / 's.sqlite'}"
    if engine == "postgresql":
        url = request.getfixturevalue("server").new_database()
    state = State(url, lambda: 5)
    of, cost = budget.data_set("production"), budget.Cost("join", answers=1)
    budget.spend(state, OWNER, of, cost, [range(-50, 0)], k=20)
    with pytest.raises(NotAllowed):
        budget.spend(state, OWNER, of, cost, [range(-51, 0)], k=20)
    budget.spend(state, OWNER, of, cost, [range(-90, 0)], k=20)
    assert budget.listed(state).rows[0][2] == 3
    state.close()


@pytest.mark.parametrize(
    "more",
    [
        {"name": "../x"},
        {"name": "X"},
        {"purpose": "gossip"},
        {"region": "E U"},
        {"basis": " "},
        {"every": "soon"},
        {"kind": "files", "format": "xlsx"},
        {"kind": "files", "url": "https://x.org"},
        {"kind": "postgres", "url": "sqlite:///etc/passwd"},
        {"kind": "postgres", "url": "postgresql://h/d", "table": 'x"; DROP TABLE y'},
        {"kind": "audience", "platform": "nowhere", "purpose": "advertising"},
        {"kind": "webhook"},
    ],
)
def test_what_is_no_destination_is_refused_in_a_sentence(house, more):
    given = {"name": "x", "kind": "files", "purpose": "sharing", "region": "eu", "basis": "b"}
    with pytest.raises((BadInput, NotFound)) as refused:
        ask(house, "destination add", **(given | more))
    assert refused.value.fix
    assert ask(house, "destination list")["rows"] == []
