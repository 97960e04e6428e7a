"""Every role on every call and every address, and nothing of what a policy hides in any answer.

The lists are made from the register of calls and from the table of routes: whatever is added has
to name who may do it here, and is tried at once.
"""

import asyncio
import re
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from starlette.routing import Mount, Route

from guarded_worlds import HIDDEN, SHOWN, guarded, named
from onefold.governance import keys, may, people, policies
from onefold.governance.access import ACTIONS, SCOPES
from onefold.model.errors import NotAllowed, OnefoldError
from onefold.model.records import OWNER, ROLES, Asker
from onefold.runtime import CALLS, call
from onefold.web.app import make_app

pytestmark = pytest.mark.long

OPEN = {
    "/sign-in": "who signs in is not signed in yet",
    "/sign-in/link/{token}": "the token is the proof",
    "/pinboard": "a shop window of a demo",
    "/sign-in/provider": "it leads to the provider",
    "/sign-in/provider/back": "what the provider signed is the proof",
    "/static": "files of the pages",
    "/analytics-next/bundles": "files of the browser's SDK",
    "/health/facts": "how far the folds are",
    "/metrics": "how the machine does, nothing of the business",
    "/api/v1/openapi.json": "what the API takes",
}
"""Addresses that answer nobody in particular, each with its reason."""
FIELDS = {
    "id": f"{HIDDEN}acc",
    "name": f"{HIDDEN}camp",
    "campaign_id": f"{HIDDEN}camp",
    "account": f"{HIDDEN}acc",
    "event": "ad_clicked",
    "user": "",
}
"""What a call is asked with where it must be given something: always of what is hidden."""
ROUTES_OF_PROGRAMS = re.compile(r"^/(api|ofrep|v1|health)")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = guarded(tmp_path_factory.mktemp("matrix") / "w")
    yield found
    found.close()


@pytest.fixture(scope="module")
def house(world):
    app = make_app(world.workspace)
    state, now = world.workspace.state, world.clock()
    tokens = {}
    for role in ROLES:
        link = people.sign_in_link(state, named(role), asker=OWNER, now=now)
        tokens[role] = people.open_link(state, link.rpartition("/")[2], now=now)
    loop = asyncio.new_event_loop()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def ask(method, path, role=None, *, csrf=True, **more):
        headers = dict(more.pop("headers", {}))
        if role is not None:
            headers["cookie"] = f"onefold_visit={tokens[role]}"
            if csrf and method != "GET":
                visit = people.visit_of(state, tokens[role], now=world.clock())
                headers["x-csrf-token"] = visit.csrf
        return loop.run_until_complete(client.request(method, path, headers=headers, **more))

    yield SimpleNamespace(app=app, ask=ask, tokens=tokens)
    loop.run_until_complete(client.aclose())
    loop.close()
    app.state.questions.shutdown()


def params_of(name):
    """Return what a call must at least be given."""
    found = msgspec.structs.fields(CALLS[name].takes)
    return {f.encode_name: _value(f) for f in found if f.required}


def _value(field):
    if field.encode_name in FIELDS:
        return FIELDS[field.encode_name]
    for kind in ("x", [], {}, 1, True):
        try:
            return msgspec.convert(kind, field.type) and kind
        except msgspec.ValidationError:
            continue
    return f"{HIDDEN}"


def answered(world, asker, name):
    """Return what a call says: its answer, or its refusal in words."""
    try:
        return repr(call(world.workspace, asker, name, params_of(name)).body)
    except OnefoldError as error:
        return f"{type(error).__name__}: {error.message} {error.fix}"


def said_itself(text):
    """Return a text without what was asked with, which an answer may say again."""
    for value in FIELDS.values():
        text = text.replace(value, "") if value else text
    return text


def test_every_call_names_an_action_that_roles_have():
    assert all(each.action in ACTIONS for each in CALLS.values())


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_refused_exactly_the_calls_whose_action_it_has_not(world, role):
    asker = Asker(named(role), role)
    shut = [name for name, one in CALLS.items() if not may(asker, one.action)]
    for name in shut:
        with pytest.raises(NotAllowed, match="may not"):
            call(world.workspace, asker, name, params_of(name))
    assert bool(shut) == (role != "owner")


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_is_refused_every_call_that_its_scope_does_not_open(world, scope):
    key = Asker("key:x", "owner", (scope,))
    shut = [name for name, one in CALLS.items() if one.action not in SCOPES[scope]]
    assert scope == "admin" or shut
    for name in shut:
        with pytest.raises(NotAllowed):
            call(world.workspace, key, name, params_of(name))


@pytest.mark.parametrize("role", ROLES)
def test_no_question_tells_what_a_policy_hides(world, role):
    asker = Asker(named(role), role)
    asked = [name for name, one in CALLS.items() if not one.changes and one.action != "settings"]
    assert len(asked) > 15
    told = {name: said_itself(answered(world, asker, name)) for name in asked}
    assert {name: text for name, text in told.items() if HIDDEN in text} == {}


def test_who_may_see_all_is_told_both(world):
    told = {name: answered(world, OWNER, name) for name, one in CALLS.items() if not one.changes}
    with_hidden = {name for name, text in told.items() if HIDDEN in said_itself(text)}
    assert {"account show", "audit show", "policy list"} & with_hidden


def routes_of(app):
    return [one for one in app.routes if isinstance(one, Route | Mount)]


def path_of(route):
    def filled(found):
        return "1" if found[2] == ":int" else FIELDS.get(found[1], f"{HIDDEN}acc")

    return re.sub(r"\{(\w+)(:\w+)?\}", filled, route.path)


def test_every_address_asks_who_is_there_or_says_why_not(house):
    unguarded = []
    for route in routes_of(house.app):
        if route.path in OPEN or isinstance(route, Mount):
            assert route.path in OPEN, f"{route.path} is open to all, and OPEN has no reason"
            continue
        for method in sorted((getattr(route, "methods", None) or {"GET"}) - {"HEAD"}):
            found = house.ask(method, path_of(route), follow_redirects=False)
            at_the_door = found.status_code in {401, 405} or "/sign-in" in found.headers.get(
                "location", ""
            )
            if not at_the_door:
                unguarded.append((method, route.path, found.status_code))
    assert unguarded == []


def test_every_form_needs_the_token_of_the_visit(house):
    tried = []
    for route in routes_of(house.app):
        if route.path in OPEN or ROUTES_OF_PROGRAMS.match(route.path):
            continue
        for method in sorted((getattr(route, "methods", None) or set()) - {"GET", "HEAD"}):
            found = house.ask(method, path_of(route), "owner", csrf=False, data={"name": "x"})
            tried.append((method, route.path, found.status_code))
    assert len(tried) > 8
    assert [each for each in tried if each[2] != 403] == []


@pytest.mark.parametrize("name", sorted(name for name, one in CALLS.items() if one.changes))
def test_a_browser_changes_nothing_by_the_api_without_its_token(house, name):
    address = "/api/v1/" + name.replace(" ", "/")
    found = house.ask("POST", address, "owner", csrf=False, json={})
    assert found.status_code == 403
    assert house.ask("GET", address, "owner").status_code == 405


@pytest.mark.parametrize("role", ROLES)
def test_no_page_tells_what_a_policy_hides(house, role):
    told = {}
    for route in routes_of(house.app):
        never_ends = route.path.endswith("/stream")
        if route.path in OPEN or never_ends or "GET" not in (getattr(route, "methods", 0) or ()):
            continue
        if ROUTES_OF_PROGRAMS.match(route.path) or route.path.startswith("/settings"):
            continue
        found = house.ask("GET", path_of(route), role, follow_redirects=False)
        assert found.status_code < 500, route.path
        if HIDDEN in said_itself(found.text):
            told[route.path] = found.status_code
    assert told == {}


@pytest.mark.parametrize(
    "path",
    [
        "/customers?q=zqhi",
        "/customers?q=zqhidname",
        "/customers?q=zqhid@example.com",
        "/explore?metric=click_rate&by=campaign_id",
        "/explore?metric=click_rate&by=account_id",
        "/explore?metric=click_rate&by=surface",
        "/explore.csv?metric=click_rate&by=campaign_id",
        "/data/tail?environment=production",
        "/data/tail?event=ad_clicked&verdict=left-out",
        "/live",
        "/live/zqshowcamp",
        "/customers/accounts/zqshowacc",
        "/?days=28",
    ],
)
def test_no_search_split_or_filter_tells_what_a_policy_hides(house, path):
    found = house.ask("GET", path, "marketer")
    assert found.status_code < 500
    text = found.text.replace("zqhidname", "").replace("zqhid@example.com", "")
    text = text.replace("zqhid%40example.com", "")
    assert HIDDEN not in text


def test_pages_do_tell_it_to_whom_no_policy_binds(house, world):
    state = world.workspace.state
    people.add_user(state, "Free", "marketer", asker=OWNER, now=world.clock())
    link = people.sign_in_link(state, "Free", asker=OWNER, now=world.clock())
    token = people.open_link(state, link.rpartition("/")[2], now=world.clock())
    headers = {"cookie": f"onefold_visit={token}"}
    for path in ("/customers", "/live", f"/customers/accounts/{HIDDEN}acc"):
        assert HIDDEN in house.ask("GET", path, headers=headers).text


def test_a_role_that_changes_holds_at_the_next_question(house, world):
    state = world.workspace.state
    people.add_user(state, "Brief", "owner", asker=OWNER, now=world.clock())
    link = people.sign_in_link(state, "Brief", asker=OWNER, now=world.clock())
    token = people.open_link(state, link.rpartition("/")[2], now=world.clock())
    headers = {"cookie": f"onefold_visit={token}"}
    assert house.ask("GET", "/api/v1/policy/list", headers=headers).status_code == 200
    people.set_role(state, "Brief", "viewer", asker=OWNER)
    assert house.ask("GET", "/api/v1/policy/list", headers=headers).status_code == 403
    people.set_disabled(state, "Brief", disabled=True, asker=OWNER)
    assert house.ask("GET", "/api/v1/policy/list", headers=headers).status_code == 401


@pytest.mark.parametrize("role", ["analyst", "marketer", "viewer"])
def test_nobody_gives_himself_more(house, world, role):
    tries = [
        ("/api/v1/user/add", {"name": f"second {role}", "role": "owner"}),
        ("/api/v1/user/link", {"name": named("owner")}),
        ("/api/v1/policy/remove", {"name": f"only-{role}"}),
        ("/api/v1/policy/set", {"name": "p", "who": [f"user:{named(role)}"], "accounts": ["x"]}),
        ("/api/v1/team/set", {"name": "t", "members": [named(role)]}),
    ]
    assert [house.ask("POST", path, role, json=body).status_code for path, body in tries] == [
        403
    ] * len(tries)
    form = {"name": named(role), "do": "role", "role": "owner"}
    assert house.ask("POST", "/settings/people/change", role, data=form).status_code == 403
    assert people.user_named(world.workspace.state, named(role)).role == role


def test_a_header_meant_for_the_owners_socket_opens_nothing_at_the_port(house):
    headers = {"onefold-as": "Some%20owner"}
    assert house.ask("GET", "/api/v1/policy/list", headers=headers).status_code == 401
    assert house.ask("GET", "/api/v1/policy/list", "viewer", headers=headers).status_code == 403


def test_a_key_under_a_policy_sees_its_rows_alone(house, world):
    state = world.workspace.state
    secret = keys.add_api_key(state, "partner", ("persons",), asker=OWNER, now=world.clock())
    policy = policies.Policy("partner", ("key:partner",), accounts=(f"{SHOWN}acc",))
    policies.put_policy(state, policy, asker=OWNER)
    headers = {"authorization": f"Bearer {secret}"}
    shown = house.ask("GET", f"/api/v1/account/show?id={SHOWN}acc", headers=headers)
    hidden = house.ask("GET", f"/api/v1/account/show?id={HIDDEN}acc", headers=headers)
    assert (shown.status_code, hidden.status_code) == (200, 404)
    assert house.ask("GET", "/api/v1/status", headers=headers).status_code == 403
