"""The page on which people decide who is who."""

import asyncio

import httpx
import pytest

from onefold.model.records import OWNER
from onefold.runtime import call
from onefold.web.app import make_app
from readers import COOKIE, Reader
from worlds import AGREED, World, iso, track

pytestmark = pytest.mark.long

PATH = "/customers/who-is-who"


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    found.send(track("x", id="1", user="u1", anonymous="a1"))
    found.fold()
    ids = {"one": "u1", "other": "anonymous_id:a1"}
    call(found.workspace, OWNER, "person unmerge", ids)
    for place, ids in enumerate(({"userId": "u1"}, {"anonymousId": "a1"})):
        identify = {"type": "identify", "messageId": f"i{place}", "timestamp": iso(place + 3)}
        found.send(identify | ids | {"traits": {"email": "jo@x.example"}, "context": AGREED})
    found.fold()
    yield found
    found.close()


def pressed(world, reader, **form) -> httpx.Response:
    """Send a form of the page as somebody who looks at it."""
    page = reader.get(PATH).text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(world.workspace))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            client.cookies.set(COOKIE, reader.token)
            return await client.post(PATH, data={"csrf": token} | form)

    return asyncio.run(sent())


def separation(world) -> str:
    body = call(world.workspace, OWNER, "person review", {}).body
    return body["asking"][0]["separation"]


def test_the_page_says_what_asks_and_by_what_evidence(world):
    text = Reader(world, "marketer").get(PATH).text
    assert "1 pair that somebody separated asks" in text
    assert "user_id:u1" in text
    assert "email:jo@x.example" in text
    assert "Keep them apart" in text


def test_who_sees_no_names_sees_keys_and_cannot_decide(world):
    text = Reader(world, "analyst").get(PATH).text
    assert "key:" in text
    assert "jo@x.example" not in text
    assert "Keep them apart" not in text
    assert Reader(world, "viewer").get(PATH).status_code == 403


def test_a_pair_is_kept_apart_or_joined_by_a_button(world):
    reader = Reader(world, "marketer")
    form = {"do": "apart", "separation": separation(world)}
    assert pressed(world, reader, **form, csrf="wrong").status_code == 403
    assert pressed(world, reader, **form).status_code == 303
    assert "Nothing asks for a decision." in reader.get(PATH).text
    assert "kept apart" in reader.get(PATH).text
    joined = pressed(world, reader, do="merge", one="u1", other="anonymous_id:a1")
    assert joined.status_code == 303
    assert "Nobody has merged, separated or blocked anything yet." in reader.get(PATH).text


def test_what_cannot_be_decided_is_said(world):
    reader = Reader(world, "marketer")
    assert pressed(world, reader, do="dance", one="u1").status_code == 422
    assert pressed(world, reader, do="merge", one="<b>", other="u1").status_code == 404
    assert pressed(world, reader, do="join", separation="none").status_code == 404
    assert pressed(world, Reader(world, "analyst"), do="block", one="u1").status_code == 403
