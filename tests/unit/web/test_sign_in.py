"""Who comes in, and what is refused at the door."""

import re

import pytest

from onefold.governance import people
from onefold.governance.sign_in import sign_in_link
from onefold.model.errors import Busy
from onefold.model.records import OWNER
from onefold.web.attempts import Attempts

RIGHT = "a long and quiet evening"


def form_of(visitor, path="/sign-in"):
    page = visitor.get(path)
    return dict(re.findall(r'name="(csrf|next)" value="([^"]*)"', page.text))


def enter(visitor, name="Ines", password=RIGHT, **more):
    fields = form_of(visitor) | {"name": name, "password": password} | more
    return visitor.post("/sign-in", data=fields, follow_redirects=False)


def test_a_page_leads_whoever_is_not_signed_in_to_the_form_and_back(visitor):
    answer = visitor.get("/settings?a=1", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/settings%3Fa%3D1"
    assert form_of(visitor, answer.headers["location"])["next"] == "/settings?a=1"


def test_a_password_opens_a_visit_with_a_careful_cookie(visitor):
    answer = enter(visitor, next="/settings")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/settings"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert visitor.get("/settings").status_code == 200


def test_behind_https_the_cookie_is_secure(visitor):
    form = form_of(visitor) | {"name": "Ines", "password": RIGHT}
    headers = {"x-forwarded-proto": "https"}
    answer = visitor.post("/sign-in", data=form, headers=headers, follow_redirects=False)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_the_way_on_stays_in_the_house(visitor):
    assert enter(visitor, next="https://elsewhere.example").headers["location"] == "/"
    visitor.cookies.clear()
    assert enter(visitor, next="//elsewhere.example").headers["location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("Ines", "wrong"), ("Nobody", RIGHT)])
def test_a_wrong_pair_gets_one_answer_whichever_half_is_wrong(visitor, name, password):
    answer = enter(visitor, name, password)
    assert answer.status_code == 401
    assert "Name and password do not belong together." in answer.text
    assert "onefold_visit" not in answer.headers.get("set-cookie", "")


def test_too_many_wrong_passwords_make_the_door_wait(visitor, clock):
    for _ in range(8):
        assert enter(visitor, password="wrong").status_code == 401
    assert enter(visitor).status_code == 503
    clock.time += 301_000_000
    assert enter(visitor).status_code == 303


def test_tries_under_way_count_too_and_those_that_were_right_do_not(clock):
    attempts = Attempts(clock, most=3)
    for _ in range(9):
        attempts.begin("as ines")
        attempts.passed("as ines")
    for _ in range(3):
        attempts.begin("as ines")
    with pytest.raises(Busy, match="Too many tries"):
        attempts.begin("from here", "as ines")
    for _ in range(3):
        attempts.begin("from here")


def test_a_form_without_its_token_is_refused(visitor):
    visitor.get("/sign-in")
    fields = {"name": "Ines", "password": RIGHT, "csrf": "x"}
    assert visitor.post("/sign-in", data=fields).status_code == 403


def test_a_link_opens_once_and_not_after_a_day(visitor, state, clock):
    link = sign_in_link(state, "Vera", asker=OWNER, now=clock())
    assert visitor.get(link, follow_redirects=False).headers["location"] == "/"
    visitor.cookies.clear()
    assert visitor.get(link).status_code == 401
    late = sign_in_link(state, "Vera", asker=OWNER, now=clock())
    clock.time += 86_400_000_001
    assert visitor.get(late).status_code == 401


def test_whoever_has_no_password_yet_is_told_where_to_choose_one(visitor, state, clock):
    people.add_user(state, "Lena", "analyst", asker=OWNER, now=clock())
    link = sign_in_link(state, "Lena", asker=OWNER, now=clock())
    assert visitor.get(link, follow_redirects=False).headers["location"] == "/"
    assert "Choose a password in Settings." in visitor.get("/settings").text
    assert "Choose a password in Settings." not in visitor.get("/settings").text


def test_signing_out_ends_the_visit_for_good(owner, state, clock):
    token = owner.cookies["onefold_visit"]
    assert owner.post("/sign-out", data={"csrf": owner.csrf}).status_code == 200
    assert people.visit_of(state, token, now=clock()) is None


def test_a_visit_ends_after_thirty_days_and_when_shut_out(state, clock):
    token = people.sign_in(state, "Vera", RIGHT, now=clock())
    assert people.visit_of(state, token, now=clock()).asker.role == "viewer"
    assert people.visit_of(state, token, now=clock() + 30 * 86_400_000_000) is None
    people.set_disabled(state, "Vera", disabled=True, asker=OWNER)
    assert people.visit_of(state, token, now=clock()) is None
    people.set_disabled(state, "Vera", disabled=False, asker=OWNER)
    assert people.visit_of(state, token, now=clock()) is None


def test_the_state_keeps_no_token_and_no_password(state, clock, tmp_path):
    token = people.sign_in(state, "Ines", RIGHT, now=clock())
    link = sign_in_link(state, "Ines", asker=OWNER, now=clock()).rsplit("/", 1)[1]
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("state.sqlite*"))
    for secret in (token, link, RIGHT):
        assert secret.encode() not in kept
    assert b"$argon2id$" in kept
