"""The audit of instrumentation: each planted defect is found, sound data raise no alarm."""

import pytest

from audit_worlds import audit_of, audited_world
from onefold.collect.audit import EventSeen, Evidence, Ids, Walked, audit
from onefold.collect.catalogue import make_catalogue
from onefold.collect.drifts import drifts, profile
from onefold.collect.journeys import Journey, load_journeys, parse_journey
from onefold.model.errors import BadInput

SAVED = "event: pin_saved\nowner: shop\ndescription: Kept.\nproperties: {item: {type: string}}\n"


def renamed(sent, **changes):
    return {**sent, **changes}


@pytest.mark.long
def test_sound_worlds_raise_no_alarm():
    for seed in (501, 502):
        with audited_world(seed, people=300) as workspace:
            assert audit_of(workspace).findings == ()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_of_a_hundred_sound_worlds_five_at_most_raise_a_false_alarm():
    alarms = []
    for seed in range(100):
        with audited_world(seed) as workspace:
            alarms += [(seed, one) for one in audit_of(workspace).findings[:1]]
    assert len(alarms) <= 5, alarms


@pytest.mark.long
def test_every_planted_defect_is_found():
    def plant(event, ago):
        name, properties = event.get("event"), event.get("properties") or {}
        if name == "search_made" and ago < 5:
            return ()
        if name == "pin_viewed" and 3 <= ago % 100 < 4:
            return (
                event,
                *(renamed(event, messageId=f"{event['messageId']}-{n}") for n in range(4)),
            )
        if name == "pin_opened" and ago < 7:
            less = {key: value for key, value in properties.items() if key != "surface"}
            return (renamed(event, properties={**less, "item_id": 7}),)
        if name == "pin_saved" and ago < 20:
            return (
                event,
                renamed(event, messageId=event["messageId"] + "x", event="pin_svaed"),
                renamed(event, messageId=event["messageId"] + "y", userId="null"),
            )
        if name == "board_created":
            return (renamed(event, properties={**properties, "colour": "red"}),)
        return (event,)

    never = "event: pin_hidden\nowner: shop\ndescription: Away with it.\n"
    loose = "event: pin_opened\nproperties: {surface: {type: string}, creator_id: {type: string}}\n"
    with audited_world(7, plant=plant, people=700, pin_hidden=never, pin_opened=loose) as workspace:
        found = {(one.kind, one.subject) for one in audit_of(workspace).findings}
    assert {
        ("stale", "search_made"),
        ("volume", "pin_viewed"),
        ("drift", "pin_opened.item_id"),
        ("drift", "pin_opened.surface"),
        ("unplanned", "pin_opened.item_id"),
        ("unplanned", "pin_svaed"),
        ("unplanned", "board_created.colour"),
        ("undocumented", "pin_opened"),
        ("unseen", "pin_hidden"),
        ("ids", "app"),
    } <= found
    assert not {kind for kind, _ in found} & {"journey", "waiting"}


# ---------------------------------------------------------------- single rules


def seen(total=100, recent=50, days=(2,) * 56):
    return EventSeen(total, days, recent)


def kinds(**evidence):
    evidence.setdefault("catalogue", make_catalogue([("a.yaml", SAVED)]))
    evidence.setdefault("seen", {"pin_saved": seen()})
    return [(one.kind, one.subject) for one in audit(Evidence(**evidence)).findings]


def test_nothing_is_wrong_with_what_is_as_planned():
    assert kinds() == []


def test_without_a_catalogue_nothing_is_unplanned():
    assert kinds(catalogue=make_catalogue(())) == []


def test_what_is_described_and_never_came():
    assert kinds(seen={}) == [("unseen", "pin_saved")]
    waits = audit(
        Evidence(make_catalogue([("a.yaml", SAVED)]), {}, {("pin_saved", "`item` is missing."): 9})
    )
    assert "all of it waits" in waits.findings[1].what


def test_what_nobody_described_is_told_while_it_comes():
    assert kinds(seen={"pin_saved": seen(), "other": seen()}) == [("unplanned", "other")]
    assert kinds(seen={"pin_saved": seen(), "other": seen(recent=0)}) == []


def test_waiting_takes_a_share_and_a_number():
    assert kinds(waiting={("pin_saved", "Why."): 5}) == [("waiting", "pin_saved")]
    assert kinds(waiting={("pin_saved", "Why."): 4}) == []
    many = {"pin_saved": seen(recent=10_000)}
    assert kinds(waiting={("pin_saved", "Why."): 50}, seen=many) == []


@pytest.mark.parametrize(
    ("ids", "subjects"),
    [
        (Ids(events={"app": 1000}, nameless={"app": 10}), ["app"]),
        (Ids(events={"app": 1000}, nameless={"app": 9}), []),
        (Ids(events={"app": 1000}, stand_ins={"app": 1}), ["app"]),
        (Ids(shared_devices=1), ["anonymous_id"]),
        (Ids(crowded_users=1), ["user_id"]),
    ],
)
def test_ids(ids, subjects):
    assert kinds(ids=ids) == [("ids", subject) for subject in subjects]


def test_journeys():
    way = Journey("keep", "Keep", "", "", ("pin_saved", "other"))
    there = {"pin_saved": seen(), "other": seen(recent=5)}
    catalogue = make_catalogue(())
    assert kinds(catalogue=catalogue, walked=[Walked(way, (9, 0))]) == [("journey", "keep")]
    assert kinds(catalogue=catalogue, seen=there, walked=[Walked(way, (99, 0))]) == []
    assert kinds(catalogue=catalogue, seen=there, walked=[Walked(way, (100, 0))]) == [
        ("journey", "keep")
    ]
    assert kinds(catalogue=catalogue, seen=there, walked=[Walked(way, (100, 1))]) == []


def test_silence_of_a_rare_event_is_no_finding():
    rare = (1, 0, 0, 0) * 12 + (0,) * 8
    assert kinds(seen={"pin_saved": seen(days=rare)}) == []
    busy = (9,) * 50 + (0,) * 6
    assert kinds(seen={"pin_saved": seen(days=busy)}) == [("stale", "pin_saved")]


# ---------------------------------------------------------------- drift


def events(count, **properties):
    return [(person, person % 7, properties) for person in range(1, count + 1)]


def chances(before, now):
    return {one.field: one.chance for one in drifts(profile(before), profile(now))}


def test_a_field_that_changes_its_type_is_no_matter_of_chance():
    assert chances(events(40, a=1), events(40, a="x")) == {"a": 0.0}
    assert chances(events(40, a=1), [*events(39, a=2), *events(1, a="x")]) == {"a": 0.0}
    assert chances(events(40, a=1), events(40, a=1.5))["a"] == 1.0
    assert chances(events(40, a="2026-11-22"), events(40, a="x"))["a"] == 1.0


def test_a_field_that_goes_or_comes():
    assert chances(events(200, a=1), events(200))["a"] < 1e-9
    assert chances(events(200), events(200, a=1))["a"] < 1e-9
    assert chances(events(20, a=1), events(20)) == {}


def test_a_small_change_is_none():
    half = [*events(50, a=1), *events(50)]
    assert chances(half, [*events(55, a=1), *events(45)])["a"] == 1.0


def test_events_of_one_person_count_as_one():
    """A field that one busy person lacks says little, however many events that are."""
    crowd = [(person, 1, {"a": 1}) for person in range(100)]
    alone = [*crowd[:60], *((999, 1, {}) for _ in range(40))]
    apart = [*crowd[:60], *((999 + n, 1, {}) for n in range(40))]
    assert chances(crowd, apart)["a"] < 1e-6
    assert chances(crowd, alone)["a"] > 100 * chances(crowd, apart)["a"]


# ---------------------------------------------------------------- definitions of journeys


def test_a_journey_is_read_from_its_file(tmp_path):
    (tmp_path / "a.yaml").write_text("journey: first_save\nowner: x\nsteps: [a, b]\n")
    (found,) = load_journeys(tmp_path)
    assert (found.label, found.steps) == ("First save", ("a", "b"))
    assert load_journeys(tmp_path / "none") == ()
    (tmp_path / "b.yaml").write_text("journey: first_save\nsteps: [a, b]\n")
    with pytest.raises(BadInput, match="twice"):
        load_journeys(tmp_path)


@pytest.mark.parametrize(
    "text", ["journey: a\n", "journey: a\nsteps: [b]\n", "steps: [a, b]\n", "["]
)
def test_a_journey_that_cannot_be_used_is_told_with_its_place(text):
    with pytest.raises(BadInput, match=r"j\.yaml"):
        parse_journey(text, "j.yaml")
