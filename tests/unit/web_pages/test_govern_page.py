"""Govern and Touchpoints as pages: the queue, sign-off with comments, the scorecard, the trail."""

import asyncio

import httpx
import pytest

from onefold.governance import approvals, people
from onefold.model.records import OWNER, Asker
from onefold.runtime import call
from onefold.web.app import make_app
from readers import COOKIE, Reader
from worlds import World, track

PERSONAL = """\
event: signed_up
owner: Web
description: Somebody signed up.
properties: {email: {type: string, pii: email}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("govern") / "w")
    found.send(track("pin_saved", id="1", user="u1"))
    found.fold()
    found.workspace.tidy()
    (found.workspace.definitions / "events" / "signed_up.yaml").write_text(PERSONAL)
    call(found.workspace, Asker("Ana", "analyst"), "approval draft", {})
    yield found
    found.close()


@pytest.fixture(scope="module")
def readers(world):
    return {role: Reader(world, role) for role in ("analyst", "marketer", "viewer")}


def posted(world, reader, path, **fields):
    visit = people.visit_of(world.workspace.state, reader.token, now=world.clock())

    async def asked():
        transport = httpx.ASGITransport(make_app(world.workspace))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            client.cookies.set(COOKIE, reader.token)
            return await client.post(path, data={"csrf": visit.csrf, **fields})

    return asyncio.run(asked())


def test_the_queue_says_what_waits_and_what_was_found(readers):
    text = readers["viewer"].get("/govern").text
    assert "1 change" in text.replace("\xa0", " ")
    assert "1 definitions" in text
    assert "consent" in text
    assert "Scorecard" not in text
    assert "1 definitions" not in readers["viewer"].get("/govern?for=product").text
    assert "1 definitions" in readers["viewer"].get("/govern?for=legal").text


def test_who_sees_the_trail_sees_the_scorecard_and_takes_it_along(readers):
    text = readers["analyst"].get("/govern").text
    assert "proven here" in text
    assert "fails here" not in text
    lines = readers["analyst"].get("/govern/trail.jsonl")
    assert lines.text.count("\n") > 3
    sheet = readers["analyst"].get("/govern/trail.csv")
    assert sheet.headers["content-type"].startswith("text/csv")
    assert readers["viewer"].get("/govern/trail.csv").status_code == 403


def test_who_does_not_sign_comments_and_who_does_signs(world, readers):
    page = readers["marketer"].get("/govern/drafts/1").text
    assert 'value="sign"' not in page
    assert "signed_up.email" in page
    said = posted(world, readers["marketer"], "/govern/drafts/1", verdict="comment", comment="Hm?")
    assert said.status_code == 303
    refused = posted(world, readers["marketer"], "/govern/drafts/1", verdict="sign")
    assert refused.status_code == 403
    assert "does not sign for legal" in refused.text
    approvals.assign(world.workspace.state, "legal", ("Marketer",), asker=OWNER)
    assert 'value="sign"' in readers["marketer"].get("/govern/drafts/1").text
    empty = posted(world, readers["marketer"], "/govern/drafts/1", verdict="refuse", comment="")
    assert empty.status_code == 422
    posted(world, readers["marketer"], "/govern/drafts/1", verdict="sign", comment="<b>Fine</b>")
    text = readers["viewer"].get("/govern/drafts/1").text
    assert "All have signed" in text
    assert "&lt;b&gt;Fine" in text
    assert posted(world, readers["marketer"], "/govern/drafts/1", verdict="x").status_code == 422


def test_a_draft_that_is_none_is_not_found(readers):
    assert readers["viewer"].get("/govern/drafts/99").status_code == 404
    assert readers["viewer"].get("/govern/drafts/x").status_code == 404


def test_touchpoints_stand_apart_by_who_can_change_them(readers):
    text = readers["viewer"].get("/data/touchpoints").text
    assert "pin_saved" in text
    assert text.index("Ours to change") < text.index("Only to influence")
