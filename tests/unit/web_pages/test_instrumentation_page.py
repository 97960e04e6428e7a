"""The page of the audit of instrumentation, and the button that lets waiting events in."""

import asyncio

import httpx
import pytest

from onefold.web.app import make_app
from onefold.web.pages import instrumentation
from readers import COOKIE, Reader
from worlds import World, track

pytestmark = pytest.mark.long

LOOSE = "event: pin_saved\nproperties: {item_id: {type: string, required: true}}\n"
JOURNEY = "journey: keep\nsteps: [pin_opened, pin_saved, pin_bought]\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("audit") / "w", definitions={"events/a.yaml": LOOSE})
    journeys = found.folder / "definitions" / "journeys"
    journeys.mkdir()
    (journeys / "keep.yaml").write_text(JOURNEY)
    found.send(
        *(track("pin_opened", id=f"o{n}", at=n, user=f"u{n}") for n in range(9)),
        *(track("pin_saved", id=f"s{n}", at=100, user=f"u{n}", item_id="i") for n in range(4)),
        track("pin_saved", id="bad", user="u1"),
        track("pin_svaed", id="typo", user="null"),
    )
    found.fold()
    yield found
    found.close()


def test_the_page_tells_findings_and_journeys(world):
    text = Reader(world, "analyst").get("/data/instrumentation").text.replace("\xa0", " ")
    assert "Did you mean <code>pin_saved</code>?" in text
    assert "stands for nobody" in text
    assert "<code>pin_bought</code>, does not come" in text
    assert "has no owner and no description" in text
    assert "44.4 %" in text
    assert "No: " in text


def test_a_viewer_sees_it_without_persons(world):
    text = Reader(world, "viewer").get("/data/instrumentation").text
    assert "shown to those who may see persons" in text


def test_the_data_page_leads_there(world):
    text = Reader(world, "marketer").get("/data").text
    assert 'href="/data/instrumentation"' in text
    assert 'href="/data/tail"' in text
    assert "Let mended ones in" not in text


def test_an_empty_workspace_stands(tmp_path):
    empty = World(tmp_path / "w")
    text = Reader(empty, "analyst").get("/data/instrumentation").text
    assert "Nothing is planned yet" in text
    assert "Nothing of that came lately." in Reader(empty, "viewer").get("/data/tail").text
    empty.close()


def test_answers_in_words():
    wrong, watch = {"level": "wrong", "fix": "a"}, {"level": "watch", "fix": "b"}

    def said(*findings):
        return "".join(map(str, instrumentation.answer_of(list(findings), 3, 3)))

    assert "3 of 3 described events come" in said()
    assert "1 thing should be looked at" in said(watch)
    assert "one thing bends figures</span>, and 1 other" in said(wrong, watch)
    assert "two things bend figures</span>." in said(wrong, wrong)


def test_mended_events_are_let_in_by_a_button(tmp_path):
    world = World(tmp_path / "w", definitions={"events/a.yaml": LOOSE})
    world.send(track("pin_saved", id="bad", user="u1"))
    world.fold()
    reader = Reader(world, "analyst")
    page = reader.get("/data").text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    (world.folder / "definitions" / "events" / "a.yaml").write_text("event: pin_saved\n")
    world.workspace.apply_definitions()

    async def pressed(token):
        transport = httpx.ASGITransport(make_app(world.workspace))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            client.cookies.set(COOKIE, reader.token)
            return await client.post("/data/retry", data={"csrf": token})

    assert asyncio.run(pressed("wrong")).status_code == 403
    assert not world.raw("events")
    answer = asyncio.run(pressed(token))
    assert answer.status_code == 303
    assert len(world.raw("events")) == 1
    world.close()
