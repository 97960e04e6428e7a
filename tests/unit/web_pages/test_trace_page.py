"""A trace's page: the way of all that one act of a sender brought."""

from dataclasses import replace

import pytest

from onefold.collect import receive
from readers import Reader
from worlds import World, track

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("trace") / "w")
    found.fold()
    traced(found, track("pin_saved", id="1", user="person-77", mail="jo@example.com", size=3))
    traced(found, {"type": "track", "messageId": "2", "userId": "person-77"})
    found.send(track("pin_opened", id="3", user="person-88"))
    found.fold()
    traced(found, track("pin_closed", id="4", user="person-77"))
    yield found
    found.close()


def traced(world, *events):
    """Send events whose sender named the trace."""
    from msgspec.json import encode

    receipt = receive(
        world.source,
        dialect="segment",
        route="batch",
        body=encode({"batch": events}),
        received_time=world.clock(),
        catalogue=world.catalogue,
    )
    world.workspace.log.append([replace(receipt.row, trace=TRACE)])


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "viewer")


def test_it_tells_what_became_of_each_message(reader):
    text = reader.get(f"/data/trace/{TRACE}").text.replace("\xa0", " ")
    assert "3 messages in 3 requests" in text
    assert "1 in the figures" in text
    assert "1 waiting" in text
    assert "1 on the way" in text
    assert "The way of pin_saved" in text
    assert "The way of pin_closed" in text
    assert "pin_opened" not in text
    assert "has read up to offset" in text
    assert "person-77" not in text
    assert "jo@example.com" not in text


def test_the_tail_leads_to_it(world, reader):
    row = next(r for r in world.workspace.log.traced(TRACE))
    text = reader.get(f"/data/tail?at={row.offset}.0").text
    assert f'href="/data/trace/{TRACE}"' in text
    assert f"/data/tail?environment=production&amp;at={row.offset}.0#way" in (
        reader.get(f"/data/trace/{TRACE.upper()}").text
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/data/trace/{'0' * 32}", 200),
        (f"/data/trace/{TRACE}?environment=staging", 200),
        (f"/data/trace/{TRACE}?environment=nowhere", 422),
        ("/data/trace/nonsense", 422),
        ("/data/trace/%3Cscript%3E", 422),
    ],
)
def test_a_trace_of_nothing_is_said_to_be_none(reader, path, status):
    answer = reader.get(path)
    assert answer.status_code == status
    assert "pin_saved" not in answer.text
    assert "<script>x" not in answer.text
