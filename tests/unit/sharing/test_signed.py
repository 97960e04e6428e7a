"""What opens a way out of the house waits until those signed who have to."""

from pathlib import Path

import pytest

import onefold
from onefold.governance import approvals
from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.runtime import call
from onefold.sharing import destinations

OLGA, OTTO = Asker("Olga", "owner"), Asker("Otto", "owner")
ADD = {"name": "drop", "kind": "files", "purpose": "analytics", "region": "eu", "basis": "contract"}
BORDER = {"from_region": "eu", "to_region": "us", "basis": "scc", "note": "Signed in May."}


def ask(house, asker, which, /, **params):
    return call(house.world.workspace, asker, which, params).body


@pytest.fixture
def watched(house):
    """A house where whoever asks for a change may not sign it."""
    for kind in ("destination", "transfer", "consent_policy"):
        needs = ("infrastructure", "legal") if kind == "destination" else ("legal",)
        approvals.need(house.world.workspace.state, kind, needs, four_eyes=True, asker=OWNER)
    return house


def signed(house, which, params):
    """Ask as Olga, sign as Otto for everything that is open, and do it again as Olga."""
    with pytest.raises(NotAllowed, match="waits for"):
        ask(house, OLGA, which, **params)
    state = house.world.workspace.state
    waiting = approvals.drafts(state, standing="waiting")[0]
    with pytest.raises(NotAllowed):
        ask(house, OLGA, "approval sign", draft=waiting.id)
    for function in waiting.open:
        ask(house, OTTO, "approval sign", draft=waiting.id, function=function)
    ask(house, OLGA, which, **params)
    return approvals.draft_of(state, waiting.id)


def test_a_destination_is_made_and_changed_only_as_it_was_signed(watched):
    state = watched.world.workspace.state
    with pytest.raises(NotAllowed):
        ask(watched, OLGA, "destination add", **ADD)
    with pytest.raises(NotFound):
        destinations.destination_named(state, "drop")
    assert signed(watched, "destination add", ADD).standing == "done"
    with pytest.raises(NotAllowed):
        ask(watched, OLGA, "destination set", name="drop", region="us")
    assert destinations.destination_named(state, "drop").region == "eu"
    ask(watched, OLGA, "destination set", name="drop", stopped=True)
    with pytest.raises(NotAllowed):
        ask(watched, OLGA, "destination set", name="drop", stopped=False)
    assert destinations.destination_named(state, "drop").stopped


def test_a_border_and_the_switch_open_only_when_signed(watched):
    draft = signed(watched, "transfer register", BORDER)
    assert draft.kind == "transfer"
    ask(watched, OLGA, "personalization switch", to="off")
    assert signed(watched, "personalization switch", {"to": "on"}).kind == "consent_policy"


def test_the_checks_know_where_a_destination_stands(watched):
    with pytest.raises(NotAllowed):
        ask(watched, OLGA, "destination add", **{**ADD, "region": "us"})
    found = approvals.drafts(watched.world.workspace.state, standing="waiting")[0]
    crossing = next(check for check in found.checks if check.name == "cross_border")
    assert not crossing.clear
    assert "drop (us)" in crossing.why


def test_the_queue_shows_no_password_and_nothing_that_lacks_a_part(watched):
    hook = {**ADD, "kind": "postgres", "url": "postgresql://u:hush-hush@db.example/x", "table": "t"}
    with pytest.raises(NotAllowed):
        ask(watched, OLGA, "destination add", **hook)
    with pytest.raises(BadInput):
        ask(watched, OLGA, "destination add", name="bare")
    found = approvals.drafts(watched.world.workspace.state)
    assert [one.subject for one in found] == ["destination add drop"]
    assert "url: db.example" in found[0].detail
    assert "hush-hush" not in repr(found)


def test_who_works_alone_is_not_stopped(house):
    ask(house, OLGA, "destination add", **ADD)
    done = approvals.drafts(house.world.workspace.state, standing="done")
    assert [one.kind for one in done] == ["destination"]
    assert {said.function for said in done[0].said} == {"infrastructure", "legal"}


def test_nothing_else_opens_a_way_out_than_the_calls_that_are_bound():
    source = Path(onefold.__file__).parent
    ways = ("destinations.add_destination(", "destinations.set_destination(", "transfers.register(")
    found = {
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if any(way in file.read_text("utf-8") for way in ways)
    }
    assert found == {"runtime/sharing_calls.py"}
