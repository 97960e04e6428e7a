"""People, keys and sources, each change in the trail."""

import re

import pytest

from onefold.collect import sources
from onefold.governance import approvals, keys, people, trail
from onefold.governance.api_keys import api_key_of
from onefold.model.records import OWNER

pytestmark = pytest.mark.long

RIGHT = "a long and quiet evening"


def post(client, path, **fields):
    return client.post(path, data={"csrf": client.csrf, **fields})


def test_settings_say_who_is_here_and_who_may_change(owner):
    text = owner.get("/settings").text
    assert "Two people, no keys and one source." in text
    assert "Owners may change this." in text
    assert "wk_1" in text


def test_a_viewer_reads_but_finds_no_forms_and_no_keys(viewer):
    text = viewer.get("/settings").text
    assert "Only owners may change this" in text
    assert "/settings/keys/revoke" not in text
    assert "wk_1" not in text


def test_a_new_person_comes_in_by_the_link_that_is_shown(owner, state):
    text = post(owner, "/settings/people", name="Lena Brandt", role="analyst").text
    link = re.search(r"http://localhost(/sign-in/link/[\w-]+)", text)[1]
    assert people.user_named(state, "Lena Brandt").role == "analyst"
    owner.cookies.clear()
    assert "Lena Brandt" in owner.get(link).text


def test_roles_change_but_the_last_owner_stays(owner, state):
    post(owner, "/settings/people/change", name="Vera", do="role", role="marketer")
    assert people.user_named(state, "Vera").role == "marketer"
    answer = post(owner, "/settings/people/change", name="Ines", do="role", role="viewer")
    assert answer.status_code == 409
    assert "is the last owner" in answer.text
    assert people.user_named(state, "Ines").role == "owner"


def test_a_role_that_is_none_adds_nobody_and_changes_nobody(owner, state):
    before = people.users(state)
    assert post(owner, "/settings/people", name="Nobody", role="king").status_code in {400, 422}
    wrong = post(owner, "/settings/people/change", name="Ines", do="role", role="king")
    assert wrong.status_code in {400, 422}
    lost = post(owner, "/settings/people/change", name="Nobody", do="role", role="viewer")
    assert lost.status_code == 404
    assert people.users(state) == before


def test_a_key_is_shown_once_kept_as_a_hash_and_revoked(owner, state, clock):
    text = post(owner, "/settings/keys", name="loader", scope=["read", "write"]).text
    secret = re.search(r"of_[\w-]{43}", text)[0]
    asker = api_key_of(state, secret, now=clock())
    assert (asker.name, asker.scopes) == ("key:loader", ("read", "write"))
    again = owner.get("/settings").text
    assert secret not in again
    assert f"of_…{secret[-4:]}" in again
    post(owner, "/settings/keys/revoke", name="loader")
    assert api_key_of(state, secret, now=clock()) is None
    assert keys.api_keys(state)[0].revoked_time is not None


def test_a_wide_key_waits_on_the_page_where_somebody_else_signs(owner, state):
    approvals.need(state, "access", ("legal",), four_eyes=True, asker=OWNER)
    answer = post(owner, "/settings/keys", name="loader", scope=["admin"])
    assert answer.status_code == 403
    assert "waits for legal" in answer.text
    assert keys.api_keys(state) == ()
    assert post(owner, "/settings/people", name="Lena", role="owner").status_code == 403
    assert "Lena" not in {user.name for user in people.users(state)}
    assert "of_" in post(owner, "/settings/keys", name="reader", scope=["read"]).text


def test_a_key_that_is_none_is_no_key_to_revoke(owner, state):
    assert post(owner, "/settings/keys/revoke", name="nothing").status_code == 404
    assert post(owner, "/settings/keys", name="empty").status_code == 422
    assert keys.api_keys(state) == ()


def test_a_source_is_added_and_changed(owner, state):
    given = {"environment": "staging", "basis": "opt-in", "unplanned": "allow"}
    post(owner, "/settings/sources", name="web", **given)
    assert sources.source_named(state, "web").environment == "staging"
    post(owner, "/settings/sources/change", name="web", **(given | {"basis": "contract"}))
    assert sources.source_named(state, "web").basis == "contract"
    assert post(owner, "/settings/sources", name="A B", **given).status_code == 422


def test_where_a_sources_countries_come_from_is_set_kept_refused_and_taken_away(owner, state):
    given = {"environment": "staging", "basis": "opt-in", "unplanned": "allow"}
    post(owner, "/settings/sources", name="web", country=" header:CF-IPCountry ", **given)
    assert sources.source_named(state, "web").country == "header:CF-IPCountry"
    assert 'value="header:CF-IPCountry"' in owner.get("/settings").text
    post(owner, "/settings/sources/change", name="web", **given)
    assert sources.source_named(state, "web").country == "header:CF-IPCountry"
    wrong = post(owner, "/settings/sources/change", name="web", country='"><b>', **given)
    assert wrong.status_code == 422
    assert "Use header:NAME" in wrong.text
    assert '<code>"><b>' not in wrong.text
    post(owner, "/settings/sources/change", name="web", country="connection", **given)
    assert sources.source_named(state, "web").country == "connection"
    post(owner, "/settings/sources/change", name="web", country="", **given)
    assert sources.source_named(state, "web").country == ""


def test_a_password_needs_the_present_one_and_ends_other_visits(owner, state, clock):
    other = people.sign_in(state, "Ines", RIGHT, now=clock())
    new = "another quiet evening"
    wrong = post(owner, "/settings/password", current="no", password=new)
    assert wrong.status_code == 422
    short = post(owner, "/settings/password", current=RIGHT, password="short")
    assert "at least 10" in short.text
    assert (
        "Your password is set."
        in post(owner, "/settings/password", current=RIGHT, password=new).text
    )
    assert people.visit_of(state, other, now=clock()) is None
    assert owner.get("/settings").status_code == 200
    assert people.sign_in(state, "Ines", new, now=clock())


def test_every_change_stands_in_the_trail_without_secrets(owner, state):
    post(owner, "/settings/keys", name="loader", scope=["read"])
    post(owner, "/settings/people/change", name="Vera", do="shut_out")
    newest = trail(state, most=2)
    assert [entry.action for entry in newest] == ["user.shut_out", "key.add"]
    assert {entry.actor for entry in newest} == {"Ines"}
    assert "of_" not in "".join(entry.detail for entry in trail(state))
    assert "Ines shut out Vera" in owner.get("/settings").text


def test_a_notice_is_shown_once(owner):
    post(owner, "/settings/people/change", name="Vera", do="shut_out")
    assert "<code>Vera</code> is changed." not in owner.get("/settings").text
