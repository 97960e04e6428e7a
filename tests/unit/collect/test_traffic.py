"""Bots, ourselves, tests and synthetic journeys: kept, marked, left out of figures unless asked."""

import pytest

from onefold.collect.traffic import (
    Marks,
    mark_of,
    parse_traffic,
    shipped_traffic,
    shipped_traffic_text,
)
from onefold.metrics import load_metrics, measure
from onefold.metrics.define import parse_metric
from onefold.model.errors import BadInput
from onefold.model.ids import identifier_key
from onefold.model.records import MARKS
from onefold.model.time import DAY
from worlds import AGREED, IDENTITY_KEY, START, World, track

pytestmark = pytest.mark.long

KEY = bytes.fromhex(IDENTITY_KEY)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
HEADLESS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "HeadlessChrome/120.0.0.0 Safari/537.36"
)
TABLE = """
internal:
  user_ids: [boss]
  account_ids: [acc-us]
  email_domains: [us.example]
test:
  anonymous_ids: [robot-1]
bots: ["probe/*"]
"""
SAVES = """
metric: saves
label: Saves
description: Pins saved.
owner: Growth
kind: count
numerator: {count: events, events: [pin_saved]}
minimum_people: 2
"""


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w", definitions={"traffic.yaml": TABLE})
    yield found
    found.close()


def said(call, **context):
    """Return a call with something said around it."""
    return {**call, "context": {**AGREED, **context}}


def saved(id_, user, **context):
    return said(track("pin_saved", id=id_, user=user), **context)


def saves(world, *include):
    view = world.view(include=frozenset(include))
    metric = parse_metric(SAVES, "saves.yaml")
    return measure(view, metric, from_time=START - DAY, to_time=START + DAY)


def count(world, *include):
    return saves(world, *include).rows[0][0]


def test_marked_events_are_kept_and_left_out_unless_asked(world):
    world.send(
        saved("1", "u1"),
        saved("2", "u2", userAgent=GOOGLEBOT),
        saved("3", "u3", userAgent="Probe/1.0"),
        saved("4", "u4", synthetic=True),
        saved("5", "u5", traffic="internal"),
        saved("6", "u6", traffic="test"),
        saved("7", "u7", traffic="anything"),
    )
    assert count(world) == 2
    assert len(world.raw("events")) == 7
    assert count(world, "bot") == 4
    assert count(world, "synthetic", "test") == 4
    assert count(world, *MARKS) == 7


def test_the_answer_says_how_many_were_left_out(world):
    world.send(
        saved("1", "u1"),
        saved("2", "u2", userAgent=GOOGLEBOT),
        saved("3", "u3", userAgent=GOOGLEBOT),
        saved("4", "boss"),
    )
    (note,) = [note for note in saves(world).notes if "customers'" in note]
    assert note == "Left out as no customers' events: 2 of bots, 1 of our own people."
    (note,) = [note for note in saves(world, "bot").notes if "customers'" in note]
    assert note == "Left out as no customers' events: 1 of our own people."
    assert not [note for note in saves(world, *MARKS).notes if "customers'" in note]


def test_a_listed_identifier_marks_the_whole_person(world):
    joined = said(track("pin_saved", id="1", user="boss", anonymous="phone"))
    world.send(joined, said(track("pin_saved", id="2", anonymous="phone")), saved("3", "u1"))
    world.send(said(track("pin_saved", id="4", anonymous="robot-1")))
    assert count(world) == 1
    assert count(world, "internal") == 3
    assert count(world, "test") == 2
    assert world.view().ask(world.view().events).num_rows == 1


def test_an_address_of_our_own_domain_marks_its_person_and_stays_in_the_vault(world):
    call = {"type": "identify", "messageId": "i1", "userId": "u1", "context": AGREED}
    world.send(saved("1", "u1"), saved("2", "u2"))
    world.send({**call, "traits": {"email": "Jo@Mail.US.example"}})
    assert count(world) == 1
    marked = world.raw("marked")
    assert {row["traffic"] for row in marked} == {"internal", "test"}
    assert identifier_key(KEY, "user_id", "u1") in {row["key"] for row in marked}


def test_who_belongs_to_our_own_account_is_marked(world):
    group = {"type": "group", "messageId": "g1", "userId": "u1", "context": AGREED}
    world.send(saved("1", "u1"), saved("2", "u2"), {**group, "groupId": "acc-us"})
    assert count(world) == 1
    assert count(world, "internal") == 2


def test_sessions_of_marked_traffic_stand_apart(world):
    world.send(
        saved("1", "u1"),
        said(track("pin_saved", id="2", user="u1", at=60), userAgent=GOOGLEBOT),
        said(track("pin_saved", id="3", user="u1", at=120)),
    )
    world.fold()
    world.send(said(track("pin_saved", id="4", user="u1", at=180), userAgent=GOOGLEBOT))
    world.fold()
    spans = sorted((row["traffic"], row["events"]) for row in world.raw("sessions"))
    assert spans == [("", 2), ("bot", 2)]
    view = world.view()
    assert view.ask(view.sessions).num_rows == 1


def test_an_applied_table_marks_what_came_before(tmp_path):
    world = World(tmp_path / "w")
    world.send(saved("1", "u1", userAgent=HEADLESS), saved("2", "u2"), saved("3", "boss"))
    assert count(world) == 2
    (world.folder / "definitions" / "traffic.yaml").write_text(TABLE, "utf-8")
    world.workspace.apply_definitions()
    found = count(world)
    first = world.sums()
    from onefold.runtime import rebuild

    rebuild(world.workspace)
    again = world.sums()
    world.close()
    # The table of its own names other bots than the shipped one.
    assert found == 2
    assert first == again
    assert first["marked"][0] == 2


def test_marks_hold_after_the_facts_are_opened_again(world):
    world.send(saved("1", "boss"), saved("2", "u2"))
    assert count(world) == 1
    world.close()
    world.open()
    assert count(world) == 1
    world.send(saved("3", "boss"))
    assert count(world) == 1


def test_no_name_of_the_table_stands_in_the_facts(world):
    world.send(saved("1", "boss"))
    world.fold()
    texts = [str(row) for name in ("meta", "marked", "events") for row in world.raw(name)]
    assert not [text for text in texts if "boss" in text or "robot-1" in text]


def test_a_call_lets_marked_traffic_in(world):
    from onefold.model.records import OWNER
    from onefold.runtime import call

    world.send(saved("1", "u1"), saved("2", "u2", userAgent=GOOGLEBOT))
    world.fold()
    world.clock.now = START + 2 * DAY
    asked = {"name": "active_people" if "active_people" in load_metrics() else "saves_per_session"}
    outcome = call(world.workspace, OWNER, "metric", {**asked, "include": "bots,internal"})
    assert not [note for note in outcome.body["notes"] if "customers'" in note]
    with pytest.raises(BadInput, match="include"):
        call(world.workspace, OWNER, "metric", {**asked, "include": "robots"})


@pytest.mark.parametrize(
    ("context", "mark"),
    [
        ({"said": "synthetic", "synthetic": None, "bot": False}, "synthetic"),
        ({"said": None, "synthetic": True, "bot": True}, "synthetic"),
        ({"said": "bot", "synthetic": None, "bot": False}, None),
        ({"said": 3, "synthetic": "yes", "bot": True}, "bot"),
        ({"said": None, "synthetic": False, "bot": False}, None),
    ],
)
def test_what_a_sender_says_goes_before_what_the_agent_shows(context, mark):
    assert mark_of(context["said"], synthetic=context["synthetic"], bot=context["bot"]) == mark


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("internal: {user_id: [a]}", "Did you mean `user_ids`?"),
        ("robots: [a]", "No field `robots` here."),
        ("internal: {email_domains: [jo@us.example]}", "traffic.yaml:1:27: `jo@us.example`"),
        ("test: [a]", "`test` holds no fields."),
        ("bots: [true]", "YAML reads `true`"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(text, complaint):
    with pytest.raises(BadInput) as caught:
        parse_traffic(text, "traffic.yaml", KEY)
    assert complaint in caught.value.message


@pytest.mark.parametrize(
    ("traits", "mark"),
    [
        (b'{"email":"jo@us.example"}', "internal"),
        (b'{"email":" jo@SUB.us.example "}', "internal"),
        (b'{"email":"jo@notus.example"}', None),
        (b'{"email":"us.example@other.example"}', None),
        (b'{"email":7,"note":"a@us.example"}', None),
        (b'{"name":"jo@us.example"}', None),
        (b"{}", None),
        (b"[]@", None),
    ],
)
def test_domains_are_of_the_address_itself(traits, mark):
    marks = Marks(parse_traffic(TABLE, "traffic.yaml", KEY))
    assert marks.of_traits(traits) == mark


def test_who_is_in_both_lists_is_our_own():
    both = parse_traffic(
        "internal: {account_ids: [a]}\ntest: {account_ids: [a, b]}", "traffic.yaml", KEY
    )
    assert [Marks(both).of_account(name) for name in ("a", "b", "c")] == ["internal", "test", None]


def test_the_shipped_table_names_nobody():
    found = shipped_traffic()
    assert (found.keys, found.accounts, found.domains) == ((), (), ())
    assert found == parse_traffic(shipped_traffic_text(), "traffic.yaml", KEY)
    assert "*headless*" in found.bots
