"""What somebody who means harm would try: other tenants, names that are queries, files by name."""

import asyncio
import re

import httpx
import msgspec
import pytest

from guarded_worlds import HIDDEN, SHOWN, guarded, named
from onefold.governance import keys, people
from onefold.model.errors import OnefoldError
from onefold.model.records import OWNER, Asker
from onefold.runtime import CALLS, call, checksum
from onefold.web.app import make_app
from worlds import World

pytestmark = pytest.mark.long

PASSWORDS = re.compile(r"root:[x*]?:0:0")
NAMES = (
    "x'; DROP TABLE events; --",
    'x"; DELETE FROM events; --',
    "') UNION SELECT properties FROM events --",
    "(SELECT string_agg(properties, ',') FROM events)",
    "read_text('/etc/passwd')",
    "/etc/passwd",
    "../../../../../../etc/passwd",
    "%00",
    "\x00",
    "a" * 5_000,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = guarded(tmp_path_factory.mktemp("attacked") / "w")
    yield found
    found.close()


def ask(app, method, path, **more):
    async def asked():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **more)

    return asyncio.run(asked())


def test_what_opens_one_workspace_opens_no_other(world, tmp_path):
    other = World(tmp_path / "other")
    app = make_app(other.workspace)
    now, state = world.clock(), world.workspace.state
    secret = keys.add_api_key(state, "mine", ("admin",), asker=OWNER, now=now)
    link = people.sign_in_link(state, named("owner"), asker=OWNER, now=now)
    token = people.open_link(state, link.rpartition("/")[2], now=now)
    second = people.sign_in_link(state, named("owner"), asker=OWNER, now=now)
    bearer = {"authorization": f"Bearer {secret}"}
    try:
        assert ask(app, "GET", "/api/v1/status", headers=bearer).status_code == 401
        cookie = {"cookie": f"onefold_visit={token}"}
        assert ask(app, "GET", "/api/v1/status", headers=cookie).status_code == 401
        assert ask(app, "GET", second).status_code == 401
        mine = make_app(world.workspace)
        assert ask(mine, "GET", "/api/v1/key/list", headers=bearer).status_code == 200
    finally:
        other.close()


def texts_of(name):
    """Return the fields of a call that take a text."""
    return [
        field.encode_name
        for field in msgspec.structs.fields(CALLS[name].takes)
        if field.type is str or "str" in str(field.type)
    ]


def filled(name, value):
    taken = dict.fromkeys(texts_of(name), value)
    found = dict(taken)
    for field in msgspec.structs.fields(CALLS[name].takes):
        if field.required and field.encode_name not in found:
            found[field.encode_name] = 1
    fixed = {"purpose": "analytics", "environment": "production", "include": "", "every": None}
    return found | {key: value for key, value in fixed.items() if key in found}


@pytest.mark.parametrize("asker", [OWNER, Asker(named("marketer"), "marketer")], ids=str)
def test_no_name_is_a_query_or_a_file(world, asker):
    """Every text of every question, one hostile name after the other: nothing lost or told."""
    before = {table: rows for table, rows, _ in checksum(world.workspace).rows}
    told = []
    for name, one in CALLS.items():
        if one.changes or not texts_of(name):
            continue
        for value in NAMES:
            try:
                said = repr(call(world.workspace, asker, name, filled(name, value)).body)
            except OnefoldError as error:
                said = f"{error.message} {error.fix}"
            if PASSWORDS.search(said) or (asker is not OWNER and HIDDEN in said):
                told.append((name, value))
    assert told == []
    assert {table: rows for table, rows, _ in checksum(world.workspace).rows} == before


@pytest.mark.parametrize("value", NAMES[:6])
@pytest.mark.parametrize("part", ["by", "name"])
def test_a_split_by_a_query_is_a_name_that_nothing_has(world, part, value):
    given = {"name": "click_rate", "from": "2025-10-08", "to": "2025-10-10"} | {part: value}
    analyst = Asker(named("analyst"), "analyst")
    try:
        said = repr(call(world.workspace, analyst, "metric", given).body["rows"])
    except OnefoldError as error:
        said = error.message
    assert HIDDEN not in said
    assert not PASSWORDS.search(said)
    assert world.raw("events")


@pytest.mark.parametrize("id_", [f"{HIDDEN}u", f"user_id:{HIDDEN}u", f"{HIDDEN}name", HIDDEN])
@pytest.mark.parametrize("name", [n for n in CALLS if n.startswith(("person", "consent", "acc"))])
def test_a_hidden_person_is_as_if_there_were_none(world, name, id_):
    """Whoever may not see a person learns nothing of it by asking for it by name."""
    marketer = Asker(named("marketer"), "marketer")
    if CALLS[name].changes or "id" not in {
        field.encode_name for field in msgspec.structs.fields(CALLS[name].takes)
    }:
        return
    real = _said(world, marketer, name, id_)
    none = _said(world, marketer, name, id_.replace(HIDDEN, "nobodyq"))
    assert real == none


def _said(world, asker, name, id_):
    given = {"id": id_}
    try:
        said = repr(call(world.workspace, asker, name, given).body)
    except OnefoldError as error:
        said = f"{type(error).__name__} {error.message}"
    return re.sub(rf"{HIDDEN}|nobodyq|{SHOWN}|Did you mean[^?]*\?", "", said).strip()
