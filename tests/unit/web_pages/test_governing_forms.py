"""Access, approvals and the switch of personalization as plain forms for owners."""

import pytest

from onefold.governance import approvals, people, policies, trail
from onefold.model.records import OWNER, Asker
from onefold.runtime import call
from readers import Reader
from worlds import World

POLICY = {
    "do": "policy set",
    "name": "north",
    "who": "role:marketer, team:north",
    "accounts": "a1, a2",
    "regions": "DE",
    "clear": "limited",
    "class": ["name", "email"],
    "note": "By contract.",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("forms") / "w")
    people.add_user(found.workspace.state, "Olga", "owner", asker=OWNER, now=found.clock())
    yield found
    found.close()


@pytest.fixture(scope="module")
def readers(world):
    return {role: Reader(world, role) for role in ("owner", "analyst", "viewer")}


def sent(readers, path, role="owner", page="", **form):
    return readers[role].post(path, form, from_page=page or path)


def test_a_team_and_a_policy_are_set_shown_and_removed(world, readers):
    state, path = world.workspace.state, "/settings/access"
    assert "no policy holds" in readers["owner"].get(path).text
    assert (
        sent(readers, path, do="team set", name="north", members="Olga, owner").status_code == 303
    )
    assert sent(readers, path, **POLICY).status_code == 303
    (kept,) = policies.policies(state)
    assert (kept.accounts, kept.regions) == (("a1", "a2"), ("DE",))
    assert set(kept.classes) == {"name", "email"}
    # The owner is bound by it too, and takes it back all the same.
    text = readers["owner"].get(path).text
    assert "accounts: a1, a2; regions: " in text
    wrong = sent(readers, path, **{**POLICY, "who": "everybody"})
    assert wrong.status_code == 422
    assert "is nobody" in wrong.text
    bound = sent(readers, path, do="team remove", name="north")
    assert bound.status_code == 422
    assert sent(readers, path, do="rebuild", name="x").status_code == 422
    for what in ("policy remove", "team remove"):
        assert sent(readers, path, do=what, name="north").status_code == 303
    assert not policies.policies(state) + policies.teams(state)
    assert [one.action for one in trail(state, most=2)] == ["team.remove", "policy.remove"]


@pytest.mark.parametrize("path", ["/settings/access", "/govern", "/settings/personalization"])
def test_no_form_is_taken_from_elsewhere_or_of_who_may_not(world, readers, path):
    before = trail(world.workspace.state, most=1)
    page = path if path != "/settings/personalization" else "/settings"
    form = {"do": "approval need", "kind": "campaign", "name": "x", "to": "off"}
    assert readers["owner"].post(path, {**form, "csrf": "x"}, from_page=page).status_code == 403
    refused = readers["analyst"].post(path, form, from_page="/settings")
    assert refused.status_code in {303, 403}
    assert trail(world.workspace.state, most=1) == before
    shown = readers["viewer"].get(page)
    assert shown.status_code == 403 or f'action="{path}"' not in shown.text


def test_personalization_is_switched_off_for_everybody_and_on_again(world, readers):
    asker = Asker("Olga", "owner")
    for to, words in (("off", "Switch it on again"), ("on", "Switch it off for everybody")):
        answer = sent(readers, "/settings/personalization", page="/settings", to=to)
        assert answer.status_code == 303
        assert words in readers["owner"].get("/settings").text
        said = call(world.workspace, asker, "personalization show", {}).body
        assert said["on"] is (to == "on")
    assert sent(readers, "/settings/personalization", page="/settings").status_code == 422


def test_who_signs_is_changed_asked_for_and_withdrawn_in_the_browser(world, readers):
    state = world.workspace.state
    need = {"do": "approval need", "kind": "definition", "needs": ["legal"], "four_eyes": "yes"}
    assert sent(readers, "/govern", **need).status_code == 303
    rule = next(one for one in approvals.matrix(state) if one.kind == "definition")
    assert (rule.needs, rule.four_eyes) == (("legal",), True)
    assign = {"do": "approval assign", "function": "legal", "users": "Olga"}
    assert sent(readers, "/govern", **assign).status_code == 303
    assert approvals.holders(state)["legal"] == ("Olga",)
    (world.folder / "definitions" / "events" / "seen.yaml").write_text(
        "event: seen\nowner: Web\ndescription: It was seen.\nproperties: {}\n"
    )
    assert sent(readers, "/govern", "analyst", do="approval draft").status_code == 303
    (waits,) = approvals.drafts(state, standing="waiting")
    page = f"/govern/drafts/{waits.id}"
    assert "/withdraw" not in readers["viewer"].get(page).text
    stranger = sent(readers, f"{page}/withdraw", "viewer", page=page)
    assert stranger.status_code == 403
    gone = sent(readers, f"{page}/withdraw", "analyst", page=page, comment="Not yet.")
    assert gone.status_code == 303
    assert approvals.draft_of(state, waits.id).standing == "withdrawn"
    again = sent(readers, f"{page}/withdraw", page=page)
    assert again.status_code == 409
    weaker = sent(readers, "/govern", do="approval need", kind="definition")
    assert weaker.status_code == 303
    assert next(one for one in approvals.matrix(state) if one.kind == "definition") == rule
