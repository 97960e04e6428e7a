"""Approvals: who signs what, early checks from the catalogue, and nobody alone is blocked."""

import pytest

from onefold.governance import approvals, people, trail
from onefold.governance.records import FieldUse, Place, Proposal, Use
from onefold.model.errors import BadInput, Conflict, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.runtime import call
from onefold.store import State
from worlds import World

NOW = 1_760_000_000_000_000
ANA, LEO, PIA = Asker("Ana", "analyst"), Asker("Leo", "viewer"), Asker("Pia", "marketer")
NOTICE, OPT_IN = Place("app", "eu", "notice"), Place("web", "eu", "opt-in")
DROP = Place("s3", "eu")
EMAIL = FieldUse("signed_up", "email", "email")


@pytest.fixture
def state(tmp_path):
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: NOW)
    for name, role in (("Ana", "analyst"), ("Leo", "viewer"), ("Pia", "marketer")):
        people.add_user(made, name, role, asker=OWNER, now=NOW)
    approvals.assign(made, "legal", ("Leo",), asker=OWNER)
    yield made
    made.close()


def proposal(kind="transfer", digest="d1", **use):
    return Proposal(kind, f"a {kind}", digest, ("It is new.",), Use(kind, **use))


def verdicts(**use):
    kind = use.pop("kind", "destination")
    return {one.name: one.clear for one in approvals.early_checks(Use(kind, **use))}


def test_what_uses_nothing_personal_and_stays_is_clear():
    assert all(verdicts(fields=(FieldUse("pin_saved", "item_id"),), sources=(NOTICE,)).values())


@pytest.mark.parametrize(
    ("use", "found"),
    [
        ({"fields": (EMAIL,), "sources": (NOTICE,)}, {"consent"}),
        ({"fields": (EMAIL,), "sources": (OPT_IN,)}, set()),
        ({"purposes": ("advertising",), "sources": (NOTICE,)}, {"consent"}),
        (
            {"fields": (EMAIL,), "destinations": (Place("s3", "eu"),), "sources": (OPT_IN,)},
            {"export"},
        ),
        ({"destinations": (Place("s3", "us"),), "sources": (OPT_IN,)}, {"cross_border"}),
        ({"destinations": (Place("s3"),), "sources": (OPT_IN,)}, {"cross_border"}),
        ({"destinations": (Place("s3", "eu"),), "sources": (OPT_IN,)}, set()),
        ({"fields": (FieldUse("ad_viewed", "campaign_id"),), "shows": True}, {"ad_disclosure"}),
        ({"fields": (FieldUse("ad_viewed", "campaign_id"),)}, set()),
        ({"kind": "campaign", "shows": True}, {"ad_disclosure"}),
    ],
)
def test_each_check_finds_its_own_from_fields_and_places(use, found):
    assert {name for name, clear in verdicts(**use).items() if not clear} == found


def test_a_lone_owner_is_blocked_by_nothing_and_the_trail_says_he_signed(state):
    for kind in approvals.KINDS:
        personal = proposal(kind, fields=(EMAIL,), sources=(NOTICE,))
        settled = approvals.settle(state, personal, asker=OWNER, now=NOW)
        # Of a certification nothing is left to be made once it is signed.
        assert settled.standing == ("done" if kind == "certification" else "approved")
        assert {one.by for one in settled.said} == {"command line"}
    assert trail(state, most=1)[0].action == "approval.sign"


def test_who_may_not_sign_waits_and_passes_once_it_is_signed(state):
    with pytest.raises(NotAllowed, match="waits for legal"):
        approvals.settle(state, proposal(), asker=ANA, now=NOW)
    (waiting,) = approvals.drafts(state, function="legal")
    assert approvals.drafts(state, function="product") == ()
    approvals.say(state, waiting.id, "comment", "Where does it stand?", asker=PIA, now=NOW)
    with pytest.raises(NotAllowed, match="does not sign"):
        approvals.say(state, waiting.id, "sign", asker=PIA, now=NOW)
    signed = approvals.say(state, waiting.id, "sign", "Basis: contract.", asker=LEO, now=NOW)
    assert signed.standing == "approved"
    assert [(one.verdict, one.by) for one in signed.said] == [("comment", "Pia"), ("sign", "Leo")]
    passed = approvals.settle(state, proposal(), asker=ANA, now=NOW)
    with approvals.making(state, [passed], asker=ANA):
        pass
    with pytest.raises(NotAllowed):
        approvals.settle(state, proposal(), asker=ANA, now=NOW)


def test_what_was_signed_is_that_content_and_no_other(state):
    with pytest.raises(NotAllowed):
        approvals.settle(state, proposal(digest="d1"), asker=ANA, now=NOW)
    approvals.say(state, 1, "sign", asker=LEO, now=NOW)
    assert approvals.settle(state, proposal(digest="d1"), asker=ANA, now=NOW)
    with pytest.raises(NotAllowed, match="waits"):
        approvals.settle(state, proposal(digest="d2"), asker=ANA, now=NOW)


def test_a_refusal_says_why_and_stays(state):
    with pytest.raises(NotAllowed):
        approvals.settle(state, proposal(), asker=ANA, now=NOW)
    with pytest.raises(BadInput):
        approvals.say(state, 1, "refuse", " ", asker=LEO, now=NOW)
    approvals.say(state, 1, "refuse", "No basis.", asker=LEO, now=NOW)
    with pytest.raises(NotAllowed, match="refused for legal by Leo: No basis"):
        approvals.settle(state, proposal(), asker=ANA, now=NOW)
    with pytest.raises(BadInput, match="is refused"):
        approvals.say(state, 1, "sign", asker=LEO, now=NOW)


def test_where_four_eyes_are_asked_for_nobody_signs_his_own(state):
    approvals.need(state, "transfer", ("legal",), four_eyes=True, asker=OWNER)
    with pytest.raises(NotAllowed, match="waits"):
        approvals.settle(state, proposal(), asker=LEO, now=NOW)
    with pytest.raises(NotAllowed, match="asked for it"):
        approvals.say(state, 1, "sign", asker=LEO, now=NOW)
    assert approvals.say(state, 1, "sign", asker=OWNER, now=NOW).standing == "approved"


def test_a_key_signs_only_with_the_widest_scope(state):
    assert not approvals.may_sign(state, Asker("key:ci", "owner", ("write",)), "legal")
    assert approvals.may_sign(state, Asker("key:ci", "owner", ("admin",)), "legal")


def test_words_that_are_none_are_refused(state):
    with pytest.raises(NotFound):
        approvals.need(state, "coffee", ("legal",), asker=OWNER)
    with pytest.raises(NotFound):
        approvals.assign(state, "legal", ("Nobody",), asker=OWNER)
    with pytest.raises(NotFound):
        approvals.say(state, 99, "sign", asker=OWNER, now=NOW)


PERSONAL = """\
event: signed_up
owner: Web
description: Somebody signed up.
properties:
  email: {type: string, pii: email}
"""


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "w")
    state = made.workspace.state
    people.add_user(state, "Ana", "analyst", asker=OWNER, now=NOW)
    people.add_user(state, "Leo", "viewer", asker=OWNER, now=NOW)
    approvals.assign(state, "legal", ("Leo",), asker=OWNER)
    yield made
    made.close()


def test_a_definition_with_personal_fields_waits_for_legal_and_holds_when_signed(world):
    workspace = world.workspace
    (workspace.definitions / "events" / "signed_up.yaml").write_text(PERSONAL)
    checks = call(workspace, ANA, "approval checks", {})
    assert not checks.good
    assert any("signed_up.email" in str(row) for row in checks.body["rows"])
    with pytest.raises(NotAllowed, match="waits for legal"):
        call(workspace, ANA, "apply", {})
    assert "signed_up" not in workspace.catalogue().events
    queue = call(workspace, LEO, "approval list", {"function": "legal"}).body["rows"]
    call(workspace, LEO, "approval sign", {"draft": queue[0][0], "comment": "Fine."})
    assert call(workspace, ANA, "apply", {}).body["changed"]
    assert "signed_up" in workspace.catalogue().events
    assert call(workspace, LEO, "approval list", {"function": "legal"}).body["rows"] == []


def test_a_plain_definition_waits_for_nobody(world):
    plain = PERSONAL.replace(", pii: email", "").replace("email", "plan")
    (world.workspace.definitions / "events" / "signed_up.yaml").write_text(plain)
    assert call(world.workspace, ANA, "approval checks", {}).good
    assert call(world.workspace, ANA, "apply", {}).body["changed"]


def test_the_owner_applies_at_once(world):
    (world.workspace.definitions / "events" / "signed_up.yaml").write_text(PERSONAL)
    assert call(world.workspace, OWNER, "apply", {}).body["changed"]


def test_what_breaks_off_stands_as_failed_and_may_be_tried_again_or_withdrawn(state):
    settled = approvals.settle(state, proposal(), asker=OWNER, now=NOW)
    with pytest.raises(BadInput), approvals.making(state, [settled, None], asker=OWNER):
        raise BadInput("The disk is full.", "")
    failed = approvals.draft_of(state, settled.id)
    assert (failed.standing, failed.said[-1].comment) == ("failed", "The disk is full.")
    again = approvals.settle(state, proposal(), asker=OWNER, now=NOW)
    with pytest.raises(KeyError), approvals.making(state, [again], asker=OWNER):
        raise KeyError("ann@example.com")
    assert "ann@" not in repr(approvals.draft_of(state, again.id))
    with pytest.raises(NotAllowed, match="did not ask"):
        approvals.withdraw(state, again.id, asker=PIA, now=NOW)
    assert approvals.withdraw(state, again.id, asker=LEO, now=NOW).standing == "withdrawn"
    with pytest.raises(Conflict, match="is withdrawn"):
        approvals.withdraw(state, again.id, asker=LEO, now=NOW)
    assert approvals.settle(state, proposal(), asker=OWNER, now=NOW).id != again.id
    made = [one.action for one in trail(state, most=20)]
    assert {"approval.make", "approval.fail", "approval.withdraw"} <= set(made)


def test_what_a_killed_process_was_making_stands_as_failed_and_is_made_by_one_alone(state):
    settled = approvals.settle(state, proposal(), asker=OWNER, now=NOW)
    killed = approvals.making(state, [settled], asker=OWNER)
    killed.__enter__()
    with pytest.raises(Conflict), approvals.making(state, [settled], asker=OWNER):
        pass
    with pytest.raises(Conflict, match="being made"):
        approvals.settle(state, proposal(), asker=OWNER, now=NOW)
    approvals.interrupted(state, asker=OWNER)
    assert approvals.draft_of(state, settled.id).standing == "failed"
    with approvals.making(state, [settled], asker=OWNER):
        pass
    assert approvals.draft_of(state, settled.id).standing == "done"


def test_what_is_signed_is_also_who_has_to_sign_and_what_it_does_with_data(state):
    approvals.need(state, "transfer", ("product",), asker=OWNER)
    with pytest.raises(NotAllowed):
        approvals.settle(state, proposal(), asker=ANA, now=NOW)
    (first,) = approvals.drafts(state)
    approvals.say(state, first.id, "sign", asker=OWNER, now=NOW)
    approvals.need(state, "transfer", ("product", "legal"), asker=OWNER)
    with pytest.raises(NotAllowed, match="product, legal"):
        approvals.settle(state, proposal(), asker=ANA, now=NOW)
    with pytest.raises(NotAllowed):
        approvals.settle(state, proposal(sources=(NOTICE,)), asker=ANA, now=NOW)
    assert len(approvals.drafts(state)) == 3
