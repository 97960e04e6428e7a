"""Who is who, decided by hand: each decision undone by one call, evidence outweighed."""

import pytest

from onefold.governance import trail
from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.runtime import call, rebuild
from worlds import AGREED, World, iso, track

pytestmark = pytest.mark.long


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def ask(world, name, asker=OWNER, **params):
    return call(world.workspace, asker, name, params).body


def identify(user, *, id, anonymous=None, at=0, **traits):  # noqa: A002 - as in worlds
    return {
        "type": "identify",
        "messageId": id,
        "userId": user,
        "anonymousId": anonymous,
        "timestamp": iso(at),
        "traits": traits,
        "context": AGREED,
    }


def one_person(world, *ids) -> bool:
    found = {ask(world, "person graph", id=one)["person"] for one in ids}
    return len(found) == 1 and None not in found


def two_users(world) -> None:
    world.send(track("x", id="1", user="u1", anonymous="a1"), track("x", id="2", user="u2", at=5))
    world.fold()


def test_merge_then_unmerge_equals_never_merged(world) -> None:
    two_users(world)
    never = world.sums()
    done = ask(world, "person merge", one="u1", other="user_id:u2")
    assert done["changed"]
    assert done["persons"]["one"] == done["persons"]["other"]
    assert one_person(world, "u1", "u2", "anonymous_id:a1")
    assert world.sums()["links"][0] == 1
    assert world.sums()["events"] == never["events"]
    undone = ask(world, "person unmerge", one="u1", other="u2")
    assert undone["changed"]
    assert undone["notes"] == []
    assert world.sums() == never
    rebuild(world.workspace)
    assert world.sums() == never


def test_an_unmerge_by_other_identifiers_takes_the_same_merge_back(world) -> None:
    two_users(world)
    never = world.sums()
    ask(world, "person merge", one="u1", other="u2")
    ask(world, "person unmerge", one="anonymous_id:a1", other="u2")
    assert world.sums() == never


def test_of_a_chain_of_merges_only_what_is_needed_is_taken_back(world) -> None:
    two_users(world)
    world.send(track("x", id="3", user="u3"))
    world.fold()
    ask(world, "person merge", one="u1", other="u2")
    one_merge = world.sums()
    ask(world, "person merge", one="u2", other="u3")
    ask(world, "person unmerge", one="u1", other="u3")
    assert world.sums() == one_merge


def test_evidence_is_outweighed_and_new_evidence_only_asks(world) -> None:
    world.send(track("x", id="1", user="u1", anonymous="a1"))
    world.fold()
    joined = world.sums()
    said = ask(world, "person unmerge", one="u1", other="anonymous_id:a1")
    assert "separation" in said["notes"][0]
    assert not one_person(world, "u1", "anonymous_id:a1")
    assert ask(world, "person review")["asking"] == []
    world.send(identify("u1", id="2", at=3, email="jo@x.example"))
    world.send(identify(None, id="3", anonymous="a1", at=4, email="jo@x.example"))
    world.fold()
    assert not one_person(world, "u1", "anonymous_id:a1")
    (asks,) = ask(world, "person review")["asking"]
    assert {asks["one"], asks["other"]} == {"user_id:u1", "anonymous_id:a1"}
    assert {edge["evidence"] for edge in asks["evidence"]} == {"trait"}
    ask(world, "person decide", separation=asks["separation"], verdict="apart")
    assert ask(world, "person review")["asking"] == []
    assert not one_person(world, "u1", "anonymous_id:a1")
    again = ask(world, "person merge", one="u1", other="anonymous_id:a1")
    assert again["changed"]
    assert one_person(world, "u1", "anonymous_id:a1", "email:jo@x.example")
    assert world.sums()["links"] == joined["links"]


def test_joining_what_asks_takes_the_separation_back(world) -> None:
    world.send(track("x", id="1", user="u1", anonymous="a1"))
    world.fold()
    ask(world, "person unmerge", one="u1", other="anonymous_id:a1")
    world.send({"type": "alias", "messageId": "9", "userId": "u1", "previousId": "a1"})
    world.send(track("x", id="2", user="u1", anonymous="a1", at=9) | {"context": AGREED})
    world.fold()
    asks = ask(world, "person review")["asking"]
    if asks:
        ask(world, "person decide", separation=asks[0]["separation"], verdict="join")
    else:
        ask(world, "person merge", one="u1", other="anonymous_id:a1")
    assert one_person(world, "u1", "anonymous_id:a1")
    assert world.sums()["links"][0] == 0


def test_a_link_of_identify_stays_undone_while_events_arrive(world) -> None:
    world.send(track("x", id="0", user="u1", anonymous="a1"))
    world.fold()
    ask(world, "person unmerge", one="u1", other="anonymous_id:a1")
    for place in range(1, 6):
        world.send(track("x", id=f"{place}", user="u1", anonymous="a1", at=place))
        world.fold()
        assert not one_person(world, "u1", "anonymous_id:a1")
    world.close()
    world.open()
    world.send(track("x", id="7", user="u1", anonymous="a1", at=7))
    world.fold()
    assert not one_person(world, "u1", "anonymous_id:a1")
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before
    ask(world, "person merge", one="u1", other="anonymous_id:a1")
    assert one_person(world, "u1", "anonymous_id:a1")
    assert world.sums()["links"][0] == 0


def test_a_block_takes_a_value_out_and_its_undoing_brings_it_back(world) -> None:
    world.send(identify("u1", id="1", email="hall@x.example"))
    world.fold()
    before = world.sums()
    ask(world, "person block", id="email:hall@x.example")
    assert ask(world, "person graph", id="email:hall@x.example")["person"] is None
    assert ask(world, "person block", id="email:hall@x.example")["changed"] is False
    with pytest.raises(BadInput, match="blocked"):
        ask(world, "person merge", one="u1", other="email:hall@x.example")
    ask(world, "person unblock", id="email:hall@x.example")
    assert world.sums() == before


def test_every_decision_is_in_the_trail_without_a_name(world) -> None:
    two_users(world)
    ask(world, "person merge", one="u1", other="u2")
    ask(world, "person unmerge", one="u1", other="u2")
    entries = trail(world.workspace.state, most=10)
    assert [one.action for one in entries[:2]] == ["person.unmerge", "person.merge"]
    assert not any("u1" in str(one.detail) + one.subject for one in entries[:2])


def test_who_may_not_decide_is_refused_and_nothing_changes(world) -> None:
    two_users(world)
    before = world.sums()
    viewer, analyst = Asker("Vi", "viewer"), Asker("Ana", "analyst")
    for asker, name in ((viewer, "person merge"), (analyst, "person unmerge")):
        with pytest.raises(NotAllowed):
            ask(world, name, asker, one="u1", other="u2")
    with pytest.raises(NotAllowed):
        ask(world, "person graph", viewer, id="u1")
    shown = ask(world, "person graph", analyst, id="u1")
    assert all(node["id"].startswith("key:") for node in shown["nodes"])
    assert world.sums() == before


def test_what_was_never_told_cannot_be_merged(world) -> None:
    two_users(world)
    with pytest.raises(NotFound, match="u9"):
        ask(world, "person merge", one="u1", other="u9")
    with pytest.raises(BadInput, match="same identifier"):
        ask(world, "person unmerge", one="u1", other="u1")
    assert ask(world, "person merge", one="u1", other="u1")["changed"] is False
    assert ask(world, "person unmerge", one="u1", other="u2")["changed"] is False


def test_the_folds_agree_with_all_links_at_one_go(world) -> None:
    two_users(world)
    ask(world, "person merge", one="u1", other="u2")
    found = call(world.workspace, OWNER, "person check", {})
    assert found.good
    assert found.body["disagree"] == 0
