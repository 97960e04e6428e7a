"""What is asked about the events themselves, over a real workspace."""

import pytest

from onefold.collect import questions as queries
from onefold.collect.quarantine import HIDDEN, waiting_event
from onefold.model.time import DAY
from worlds import START, World, track

HALF = 500_001
"""Half a second and a bit: times stay exact to the microsecond."""
SAVED = "event: pin_saved\nproperties:\n  item_id: {type: string, required: true}\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("queries") / "w", definitions={"events/a.yaml": SAVED})
    later = START + DAY + HALF
    found.send(
        track("pin_saved", id="m1", user="u1", item_id="i1"),
        track("pin_opened", id="m2", user="u1"),
        track("pin_saved", id="m3", user="u1", contact="jo@example.com"),
    )
    found.send(track("pin_saved", id="m1", user="u1", item_id="i1"), received=later)
    found.send(track("pin_opened", id="m4", anonymous="a1"), received=later)
    found.send(track("pin_saved", id="m3", user="u1"), received=later)
    found.send({**track("pin_opened", id="m" * 120, user="u1")}, received=later)
    found.send({**track("pin_opened", id="m" * 130, user="u1")}, received=later)
    yield found
    found.close()


def span(world):
    return START, START + 2 * DAY


def test_totals(world):
    found = queries.totals(world.view(), *span(world))
    assert (found.accepted, found.left_out, found.waiting, found.repeated) == (3, 0, 3, 1)
    assert queries.totals(world.view(), START + DAY, START + 2 * DAY).accepted == 1


def test_reasons_come_most_frequent_first_and_count_messages_once(world):
    long, missing = queries.reasons(world.view())
    assert (missing.event, missing.reason, missing.source, missing.events) == (
        "pin_saved",
        "`item_id` is missing.",
        "app",
        1,
    )
    assert (missing.first_time, missing.last_time) == (START, START)
    assert (long.events, long.reason) == (
        2,
        "The messageId has so many characters; at most 100 are taken.",
    )
    assert queries.reasons(world.view(), event="pin_saved") == (missing,)
    assert queries.reasons(world.view(), from_time=0, to_time=START) == ()


def test_seen_events_day_by_day(world):
    opened, saved = queries.seen_events(world.view(), *span(world))
    assert (opened.event, opened.days, opened.last_time) == (
        "pin_opened",
        (1, 1),
        START + DAY + HALF,
    )
    assert (saved.event, saved.days) == ("pin_saved", (1, 0))


def test_waiting_as_an_answer(world):
    answer = queries.waiting(world.view(), event="pin_saved")
    assert answer.rows == (("pin_saved", "`item_id` is missing.", "app", 1, START, START),)
    assert answer.query


def test_every_reason_of_intake_has_its_mend():
    assert queries.mend_of("`item_id` is missing.").startswith("Send it")
    assert queries.mend_of("The event has neither userId nor anonymousId.").startswith(
        "Send a userId"
    )
    assert queries.mend_of("something new") == "Mend it where it is sent."


def test_one_that_waits_is_shown_without_the_person(world):
    (reason,) = queries.reasons(world.view(), event="pin_saved")
    masked = waiting_event(world.workspace.log, 1 + 1, 2, persons=False)
    assert HIDDEN in masked
    assert "jo@example.com" not in masked
    assert '"u1"' not in masked
    assert "jo@example.com" in waiting_event(world.workspace.log, 1 + 1, 2, persons=True)
    assert "pin_saved" in waiting_event(
        world.workspace.log, reason.log_offset, reason.place, persons=False
    )
    assert waiting_event(world.workspace.log, 999, 0, persons=True) == ""
