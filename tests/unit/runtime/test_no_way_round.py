"""Nothing that has to be signed takes effect before, whichever way it is asked for.

Every call that is bound is tried from Python, over the API and at the command line, as an owner
who may not sign what she asked for; whatever is registered later has to say here whether it waits.
"""

import asyncio
import re

import httpx
import pytest

from onefold.cli import reach
from onefold.cli.options import Terms
from onefold.face import Onefold
from onefold.governance import approvals, keys, people, policies
from onefold.model.errors import NotAllowed, OnefoldError
from onefold.model.records import OWNER, Asker
from onefold.runtime import CALLS, Workspace, binding, call
from onefold.runtime.registry import asker_named
from onefold.sharing import Destination, destinations
from onefold.store import tables
from onefold.web.app import make_app
from receivers import House, event, identify

CONSENT = '\n[consent.categories]\nC0009 = "advertising"\n'
METRIC = """\
metric: bought
label: Bought
description: Purchases told.
owner: Shop
kind: count
numerator: {count: events, events: [bought]}
"""
WAITS = {
    "approval assign": {"function": "legal", "users": ["Vera"]},
    "approval need": {"kind": "campaign"},
    "destination add": {
        "name": "other",
        "kind": "files",
        "purpose": "analytics",
        "region": "eu",
        "basis": "contract",
    },
    "destination replay": {"name": "drop"},
    "destination run": {"name": "drop"},
    "destination set": {"name": "drop", "region": "us"},
    "intersect answer": {"file": "asked.bin", "to": "answer.bin"},
    "intersect ask": {"to": "ask.bin"},
    "join": {"file": "partner.csv", "column": "email", "salt": "hush-hush"},
    "key add": {"name": "wide", "scopes": ["read", "persons"]},
    "metric keep": {"text": METRIC},
    "person erase": {"id": "user_id:p3"},
    "personalization switch": {"to": "on"},
    "release": {"event": "bought", "from": "2025-10-01", "to": "2025-10-31"},
    "source add": {"name": "shop", "basis": "contract"},
    "source set": {"name": "asks", "basis": "notice"},
    "team set": {"name": "Shop", "members": ["Vera"]},
    "transfer register": {"from_region": "eu", "to_region": "us", "basis": "scc", "note": "May."},
    "user add": {"name": "Puppet", "role": "owner"},
    "user link": {"name": "Otto"},
    "user set": {"name": "Vera", "role": "analyst"},
    "apply": {},
}
"""Every call that is bound, with something that it would do."""
FREE = {
    "account parent": "a decision of who is who, undone by one call",
    "approval comment": "it decides nothing",
    "approval draft": "it asks",
    "approval refuse": "it stops something",
    "approval sign": "it is the signature",
    "approval withdraw": "it stops something",
    "catalogue import": "files in the folder; `apply` is bound",
    "catalogue infer": "files in the folder; `apply` is bound",
    "cohort dissolve": "undone by one call",
    "cohort freeze": "undone by one call",
    "consent grant": "the word of a person",
    "dashboard drop": "questions without figures; asked under who looks",
    "dashboard keep": "questions without figures; asked under who looks",
    "dashboard pin": "questions without figures; asked under who looks",
    "dashboard unpin": "questions without figures; asked under who looks",
    "consent import": "words of persons",
    "consent record": "the word of a person",
    "consent settle": "by what was laid down",
    "consent withdraw": "it stops something",
    "destination empty": "it takes back",
    "destination remove": "nothing stands there any more",
    "facts export": "files beside the facts, of whoever owns the machine",
    "export": "the workspace of its owner, whole",
    "import": "it comes in, nothing goes",
    "intersect result": "it reads what a partner sent",
    "key revoke": "it stops something",
    "link accept": "a decision of who is who, undone by one call",
    "link decide": "a decision of who is who, undone by one call",
    "link run": "it asks",
    "metric drop": "it takes back",
    "migrate": "the same facts, in an engine of the house's owner",
    "person block": "a decision of who is who, undone by one call",
    "person decide": "a decision of who is who, undone by one call",
    "period close": "it keeps figures that stand already",
    "person export": "the right of the person",
    "person merge": "a decision of who is who, undone by one call",
    "person request": "it notes",
    "person unblock": "a decision of who is who, undone by one call",
    "person unmerge": "a decision of who is who, undone by one call",
    "policy remove": "who sees what, by its owner",
    "policy set": "who sees what, by its owner",
    "quarantine retry": "by what was laid down",
    "rebuild": "the same facts anew",
    "segment drop": "it takes back",
    "segment keep": "whom to ask of, without figures; asked under who looks",
    "sql cancel": "it stops something",
    "expiry enforce": "by what was laid down",
    "team remove": "who sees what, by its owner",
    "transfer revoke": "it stops something",
    "undo": "it takes back",
}
"""Every other call that changes something, and why nobody has to sign it."""
STAYS = {
    "apply",
    "approval assign",
    "user set",
    "metric keep",
    "source set",
    "source add",
    "approval need",
    "team set",
}
"""Calls that change nothing when they are made again, or cannot be."""
UNSEEN = {"destination replay", "key add"}
"""Calls of which `stands` shows nothing: keys are made by the tests themselves."""
FAILS = {"join"}
"""Calls that are signed here for what cannot be made."""
VERA = Asker("Vera", "viewer")
QUEUE = {"drafts", "sign_offs", "audit", "sessions", "api_keys"}
"""Tables that asking and signing write to, and coming in."""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House.make(tmp_path_factory.mktemp("watched"))
    state, world = made.state, made.world
    for number in range(30):
        world.send(
            identify(f"p{number}", f"i{number}", email=f"p{number}@example.com"),
            event("bought", f"b{number}", f"p{number}", at=number),
        )
    world.fold()
    for name in ("Olga", "Otto"):
        people.add_user(state, name, "owner", asker=OWNER, now=world.clock())
    ask(made, "Olga", "source add", name="asks")
    ask(made, "Olga", "personalization switch", to="off")
    people.add_user(state, "Vera", "viewer", asker=OWNER, now=world.clock())
    drop = Destination(name="drop", kind="files", purpose="sharing", region="eu", basis="contract")
    destinations.add_destination(state, OWNER, drop)
    lines = "".join(f"p{number}@example.com\n" for number in range(25))
    (made.world.folder / "partner.csv").write_text(f"email\n{lines}")
    ask(made, "Olga", "intersect ask", to="asked.bin")
    settings = made.world.folder / "onefold.toml"
    text = settings.read_text().replace("\n[consent.categories]\n", CONSENT)
    settings.write_text(text)
    for kind in approvals.KINDS:
        approvals.need(state, kind, ("legal",), four_eyes=True, asker=OWNER)
    yield made
    made.world.close()


def ask(house, user, which, /, **params):
    workspace = house.world.workspace
    return call(workspace, asker_named(workspace, user), which, params).body


def stands(house):
    """Return all that a change could change: the state but for the queue, the log, the files."""
    state, log = house.state, house.world.workspace.log
    kept = {
        table.name: repr(sorted(map(repr, state.rows(table.select()))))
        for table in tables.metadata.sorted_tables
        if table.name not in QUEUE
    }
    rows, after = [], 0
    while found := list(log.read(after)):
        # The head of the trail goes to the log when a command lets go of the workspace.
        rows += [row.offset for row in found if (row.dialect, row.route) != ("control", "audit")]
        after = found[-1].offset
    files = sorted(
        (str(path.relative_to(house.world.folder)), path.stat().st_size)
        for path in house.world.folder.rglob("*")
        if path.is_file()
        and not re.search(r"sqlite|^facts|^run", str(path))
        and path.relative_to(house.world.folder).parts[0] not in {"facts", "run"}
    )
    return kept, len(rows), files, repr(house.world.workspace.gate().rules)


def waiting(house):
    return {one.subject: one for one in approvals.drafts(house.state, standing="waiting")}


def asked_for(house, name, params):
    """Ask as Olga; return the draft that waits."""
    with pytest.raises(NotAllowed) as refused:
        ask(house, "Olga", name, **params)
    return int(re.search(r"approval sign (\d+)", refused.value.fix)[1])


def test_every_call_that_changes_something_is_bound_or_says_why_not():
    changing = {name for name, one in CALLS.items() if one.changes}
    assert {*binding.BOUND, "apply"} == set(WAITS)
    assert set(WAITS) | set(FREE) == changing
    assert not set(WAITS) & set(FREE)


def from_python(house, name, params):
    Onefold(house.world.workspace).ask(name, as_user="Olga", **params)


def over_the_api(house, name, params):
    """Ask with a key that may do everything."""
    state, now = house.state, house.world.clock()
    secret = keys.add_api_key(state, f"k {name}", ("admin",), asker=OWNER, now=now)
    app = make_app(house.world.workspace)

    async def sent():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            head = {"authorization": f"Bearer {secret}"}
            address = f"/api/v1/{name.replace(' ', '/')}"
            return await client.post(address, json=params, headers=head)

    answer = asyncio.run(sent())
    assert answer.status_code == 403, (name, answer.text)
    assert "waits for" in answer.text
    raise NotAllowed("It waits for legal.", "")


def at_the_command_line(house, name, params):
    house.world.close()
    try:
        reach.ask(Terms(house.world.folder, user="Olga"), name, params)
    finally:
        # As a server would, without letting the folder's definitions hold.
        house.world.workspace = Workspace(house.world.folder, house.world.clock)


@pytest.mark.parametrize("way", [from_python, over_the_api, at_the_command_line])
def test_nothing_takes_effect_before_it_is_signed(house, way):
    before = stands(house)
    for name, params in WAITS.items():
        with pytest.raises(NotAllowed, match="waits for"):
            way(house, name, params)
        assert stands(house) == before, name
    queue = waiting(house)
    assert len(queue) == len(WAITS)
    assert "wide" not in {one.name for one in keys.api_keys(house.state)}
    assert "hush-hush" not in repr(queue)
    assert "p3" not in queue["person erase"].detail
    for one in queue.values():
        with pytest.raises(NotAllowed):
            ask(house, "Olga", "approval sign", draft=one.id)


def test_a_key_signs_nothing_that_needs_somebody_else(house):
    state, now = house.state, house.world.clock()
    draft = asked_for(house, "transfer register", WAITS["transfer register"])
    secret = keys.add_api_key(state, "puppet", ("admin",), asker=OWNER, now=now)
    puppet = keys.api_key_of(state, secret, now=now)
    with pytest.raises(NotAllowed, match="is a key"):
        call(house.world.workspace, puppet, "approval sign", {"draft": draft})
    assert approvals.draft_of(state, draft).standing == "waiting"


def test_a_source_that_asks_as_before_or_more_waits_for_nobody(house):
    for more in ({"basis": "opt-in"}, {"unplanned": "strip"}, {"sample": 0.5}, {"region": "eu"}):
        ask(house, "Olga", "source set", name="app", **more)
    for more in ({"basis": "contract"}, {"region": "us"}):
        draft = asked_for(house, "source set", {"name": "app", **more})
        assert approvals.draft_of(house.state, draft).kind == "consent_policy"


def test_who_may_no_more_than_before_waits_for_nobody(house):
    ask(house, "Olga", "user add", name="Viola")
    ask(house, "Olga", "user set", name="Viola", out=True)
    ask(house, "Olga", "user set", name="Viola", out=False)
    ask(house, "Olga", "user link", name="Viola")
    ask(house, "Olga", "user link", name="Olga")
    ask(house, "Olga", "key add", name="narrow", scopes=["read"])
    ask(house, "Olga", "approval assign", function="product", users=[])
    assert "narrow" in {one.name for one in keys.api_keys(house.state)}
    assert not people.user_named(house.state, "Viola").disabled
    people.add_user(house.state, "Mara", "marketer", asker=OWNER, now=house.world.clock())
    asked_for(house, "user link", {"name": "Mara"})
    asked_for(house, "user set", {"name": "Mara", "role": "analyst"})
    people.add_user(house.state, "Toni", "viewer", asker=OWNER, now=house.world.clock())
    policies.put_team(house.state, "Crew", ("Toni",), asker=OWNER)
    ask(house, "Olga", "team set", name="Crew", members=["Toni"])
    asked_for(house, "team set", {"name": "Crew", "members": ["Toni", "Mara"]})
    asked_for(house, "user link", {"name": "Toni"})
    ask(house, "Olga", "user set", name="Mara", role="viewer", out=True)


def test_who_signs_or_may_more_than_ask_is_let_in_again_by_two(house):
    state, now = house.state, house.world.clock()
    people.add_user(state, "Lea", "viewer", asker=OWNER, now=now)
    approvals.assign(state, "infrastructure", ("Lea",), asker=OWNER)
    asked_for(house, "user link", {"name": "Lea"})
    ask(house, "Olga", "user set", name="Lea", out=True)
    draft = asked_for(house, "user set", {"name": "Lea", "out": False})
    assert approvals.draft_of(state, draft).kind == "access"
    assert people.user_named(state, "Lea").disabled
    ask(house, "Otto", "approval sign", draft=draft)
    ask(house, "Olga", "user set", name="Lea", out=False)
    assert not people.user_named(state, "Lea").disabled


def test_a_partners_file_that_changed_is_asked_for_anew(house):
    draft = asked_for(house, "join", WAITS["join"])
    ask(house, "Otto", "approval sign", draft=draft)
    (house.world.folder / "partner.csv").write_text("email\np1@example.com\n")
    assert asked_for(house, "join", WAITS["join"]) != draft
    with pytest.raises(NotAllowed, match="did not ask"):
        call(house.world.workspace, VERA, "approval withdraw", {"draft": draft})
    assert ask(house, "Olga", "approval withdraw", draft=draft)["standing"] == "withdrawn"


@pytest.mark.parametrize("name", WAITS)
def test_what_was_signed_is_made_once(house, name):
    draft = asked_for(house, name, WAITS[name])
    ask(house, "Otto", "approval sign", draft=draft)
    before, refused = stands(house), ""
    try:
        ask(house, "Olga", name, **WAITS[name])
    except OnefoldError as error:
        refused = error.message
    made = approvals.draft_of(house.state, draft)
    assert made.standing == ("failed" if name in FAILS else "done"), refused
    if name in FAILS:
        assert made.said[-1].comment == refused
        ask(house, "Otto", "approval withdraw", draft=draft)
    else:
        assert stands(house) != before or name in UNSEEN
    if name not in STAYS:
        assert asked_for(house, name, WAITS[name]) != draft
