"""The live tail: verdicts, ways and filters, and nothing personal."""

import re
from dataclasses import replace

import pytest

from onefold.collect import catalogues
from onefold.model.records import MARKS, Asker, Question
from onefold.web.pages import tail as page_tail
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long

SAVED = """\
event: pin_saved
owner: Boards
description: Kept.
properties:
  item_id: {type: string, required: true}
  place: {type: string, pii: address}
"""
REFUSED = {"consent": {"categoryPreferences": {"analytics": False}}}
tail = catalogues.tail


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("tail") / "w", definitions={"events/a.yaml": SAVED})
    found.send(
        track(
            "pin_saved",
            id="1",
            user="person-77",
            anonymous="device-88",
            item_id="i1",
            place="Elm 4",
        ),
        track("pin_saved", id="2", user="person-77", contact="jo@example.com"),
        track("pin_opened", id="3", user="person-77", mail="jo@example.com", size=3),
    )
    found.send(
        track(
            "pin_saved",
            id="1",
            user="person-77",
            anonymous="device-88",
            item_id="i1",
            place="Elm 4",
        )
    )
    found.send(track("pin_opened", id="4", user="person-99", size=4) | {"context": REFUSED})
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def readers(world):
    """Return somebody of each role."""
    return {role: Reader(world, role) for role in ("analyst", "marketer", "viewer")}


def read(world):
    question = Question(Asker("Ines", "viewer"))
    return tail.Tail(
        log=world.workspace.log,
        view=world.workspace.view(question),
        whole=world.workspace.view(replace(question, include=frozenset(MARKS))),
        facts_offset=world.workspace.facts_offset,
        identity_key=world.workspace.identity_key,
        catalogue=world.catalogue,
    )


def test_each_message_has_its_verdict_the_latest_first(world):
    found = [(one.event, one.verdict) for one in tail.newest(read(world))]
    assert found == [
        ("pin_opened", "left-out"),
        ("pin_saved", "again"),
        ("pin_opened", "counts"),
        ("pin_saved", "waits"),
        ("pin_saved", "counts"),
    ]


def test_filters(world):
    def names(**wanted):
        return [one.event for one in tail.newest(read(world), **wanted)]

    assert names(event="pin_opened", verdict="counts") == ["pin_opened"]
    assert names(source="nobody") == []
    assert names(verdict="waits") == ["pin_saved"]
    assert len(names(most=2)) == 2


def test_what_is_not_folded_yet_is_on_its_way(world):
    world.send(track("pin_opened", id="5", user="u"), track("pin_saved", id="6", user="u"))
    late, early = tail.newest(read(world))[:2]
    assert (late.verdict, early.verdict) == ("waits", "on-its-way")
    world.fold()
    assert [one.verdict for one in tail.newest(read(world))[:2]] == ["waits", "counts"]


def test_nothing_personal_is_shown(world, readers):
    reader = readers["marketer"]
    pages = [reader.get("/data/tail").text]
    pages += [
        reader.get(f"/data/tail?at={one.offset}.{one.place}").text
        for one in tail.newest(read(world))
    ]
    for text in pages:
        assert "person-77" not in text
        assert "device-88" not in text
        assert "person-99" not in text
        assert "jo@example.com" not in text
        assert "Elm 4" not in text
    assert any('"item_id": "i1"' in text.replace("&#34;", '"') for text in pages)


def test_a_message_leads_to_its_way(readers):
    reader = readers["analyst"]
    text = reader.get("/data/tail?at=2.0&verdict=counts").text.replace("\xa0", " ")
    assert "The way of pin_saved" in text
    assert "offset 2, place 0 of its request" in text
    assert re.search(r"gen-\d+ has read up to offset", text)
    assert "Saves per session" in text
    assert "as segment batch" in text


@pytest.mark.parametrize(
    "query",
    [
        "at=999.0",
        "at=2.99",
        "at=1.0",
        "at=x",
        "at=2",
        "at=" + "9" * 40,
        "verdict=none",
        "event=" + "e" * 900,
    ],
)
def test_what_is_none_is_no_error(readers, query):
    assert readers["marketer"].get(f"/data/tail?{query}").status_code == 200


def test_a_viewer_sees_the_tail_and_only_its_own_environment(readers):
    reader = readers["viewer"]
    assert "pin_saved" in reader.get("/data/tail").text
    assert "Nothing of that came lately." in reader.get("/data/tail?environment=staging").text


def test_a_hostile_name_is_only_text(world, readers):
    name = '<script>alert("x")</script>'
    world.send(track(name, id="7", user="u"))
    world.fold()
    text = readers["viewer"].get("/data/tail").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_the_stream_tells_the_same_as_the_page(world):
    shown = page_tail._now(world.workspace, Asker("Ines", "viewer"), {"event": "pin_opened"})
    assert shown["rows"]
    assert all(row["cells"][0]["label"] == "pin_opened" for row in shown["rows"])


def test_a_bot_is_told_apart(world):
    robot = {
        "userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    }
    sent = track("pin_opened", id="bot", user="robot")
    world.send(sent | {"context": sent["context"] | robot})
    world.fold()
    assert tail.newest(read(world))[0].verdict == "no-customer"
