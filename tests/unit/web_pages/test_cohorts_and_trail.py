"""Frozen cohorts and the audit trail as pages: what stands, what changed, what is looked for."""

import pytest

from onefold.model.records import OWNER
from onefold.runtime import call
from onefold.store import tables
from readers import Reader
from worlds import World, track

COHORTS, TRAIL = "/customers/cohorts", "/govern/trail"
FREEZE = {"do": "cohort freeze", "event": "pin_saved", "from": "2025-10-09", "to": "2025-10-10"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("seen") / "w")
    for place in range(4):
        found.send(track("pin_saved", id=f"{place}", user=f"u{place}", at=place))
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def readers(world):
    return {role: Reader(world, role) for role in ("owner", "marketer", "viewer")}


def test_a_cohort_is_frozen_keeps_its_members_and_is_taken_back(world, readers):
    owner = readers["owner"]
    assert "No cohort is frozen" in owner.get(COHORTS).text
    assert (
        owner.post(COHORTS, {**FREEZE, "name": "a <b> & c"}, from_page=COHORTS).status_code == 303
    )
    text = owner.get(COHORTS).text
    assert "a &lt;b&gt; &amp; c" in text
    assert text.count("as it was") == 4
    assert "user_id:u3" in text
    call(world.workspace, OWNER, "person merge", {"one": "u0", "other": "u1"})
    text = readers["marketer"].get(f"{COHORTS}?cohort=a+%3Cb%3E+%26+c").text
    assert text.count(">merged</span>") == 2
    assert text.count("as it was") == 2
    assert "2 changes since" in text.replace("\xa0", " ")
    assert "cohort dissolve" not in text
    assert readers["viewer"].get(COHORTS).status_code == 403
    assert owner.get(f"{COHORTS}?cohort=other").status_code == 404
    wrong = owner.post(COHORTS, {**FREEZE, "name": "d", "event": "never"}, from_page=COHORTS)
    assert wrong.status_code == 422
    refused = readers["marketer"].post(COHORTS, {**FREEZE, "name": "d"}, from_page="/settings")
    assert refused.status_code == 403
    gone = {"do": "cohort dissolve", "name": "a <b> & c"}
    assert owner.post(COHORTS, gone, from_page=COHORTS).status_code == 303
    assert "No cohort is frozen" in owner.get(COHORTS).text


def test_the_trail_is_looked_through_by_who_what_and_to_what(world, readers):
    for number in range(120):
        told = {"kept": True, "of": ["a", "b"]}
        with world.workspace.state.change(OWNER, "proof.made", f"proof {number} 100%", detail=told):
            pass
    owner = readers["owner"]
    text = owner.get(TRAIL).text
    assert "It is whole" in text
    assert "proof 119" in text
    assert "kept: yes, of: a and b" in text
    assert "proof 5 " not in text
    older = text.partition('href="?before=')[2].partition('"')[0]
    assert "proof 5 " in owner.get(f"{TRAIL}?before={older}").text
    one = owner.get(f"{TRAIL}?subject=PROOF+7+100%25&action=proof").text
    assert "proof 7 100%" in one
    assert "proof 17 " not in one
    assert "No entry fits" in owner.get(f"{TRAIL}?actor=nobody").text
    assert "proof" not in owner.get(f"{TRAIL}?action=user&actor=command").text
    for odd in ("before=x", "before=-1", "before=" + "9" * 40, "before=0", "subject=%00%F0"):
        assert owner.get(f"{TRAIL}?{odd}").status_code == 200
    assert readers["viewer"].get(TRAIL).status_code == 403


def test_the_trail_says_how_much_of_it_was_followed_and_follows_all_when_asked(world, readers):
    owner = readers["owner"]
    assert "Every entry was followed at" in owner.get(f"{TRAIL}?read=whole").text
    with world.workspace.state.change(OWNER, "proof.made", "one more"):
        pass
    assert "1 entry since, followed now" in owner.get(TRAIL).text.replace("\xa0", " ")
    audit = tables.audit
    harm = audit.update().where(audit.c.id == 1).values(subject="another")
    (first,) = world.workspace.state.rows(audit.select().where(audit.c.id == 1))
    world.workspace.state.touch(harm)
    try:
        assert "It is broken at entry" in owner.get(f"{TRAIL}?read=whole").text
        assert "It is broken at entry" in owner.get(TRAIL).text
    finally:
        mend = audit.update().where(audit.c.id == 1).values(subject=first["subject"])
        world.workspace.state.touch(mend)
    assert "It is whole" in owner.get(TRAIL).text
