"""What the doctor says of events that came."""

import pytest

from onefold.runtime.doctor import diagnose
from worlds import World, track


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w", basis="opt-in")
    yield found
    found.close()


def said(world: World) -> list[str]:
    world.fold()
    return [finding.what for finding in diagnose(world.folder, world.workspace)]


def test_before_the_first_event_it_says_so(world) -> None:
    assert said(world) == ["No events have come yet."]


def test_events_without_consent_are_not_called_missing(world) -> None:
    world.send(track("opened", id="1", user="u1", agreed=False))
    world.fold()
    (finding,) = diagnose(world.folder, world.workspace)
    assert finding.what.startswith("1 event has come without consent")
    assert "--basis" in finding.fix


def test_events_with_consent_are_heard(world) -> None:
    world.send(track("opened", id="1", user="u1"))
    assert said(world) == []
