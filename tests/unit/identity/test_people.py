"""One person, however many devices, addresses and records: from the wire to the figures."""

import pytest

from onefold.model.errors import NotFound
from onefold.model.records import OWNER
from onefold.model.time import DAY
from onefold.runtime import call, rebuild
from worlds import AGREED, START, World, iso, track

pytestmark = pytest.mark.long

CONTACTS = """\
import: crm
table: contacts
file: crm.csv
columns: {contact_id: id, user_id: user, email: email, phone: phone}
"""


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    yield found
    found.close()


def ask(world, name, **params):
    return call(world.workspace, OWNER, name, params).body


def bring(world, *lines):
    """Import contacts as `id,user,email,phone`; return the run."""
    folder = world.folder.parent
    (folder / "crm.csv").write_text("\n".join(["id,user,email,phone", *lines]) + "\n")
    (folder / "crm.yaml").write_text(CONTACTS)
    return ask(world, "import", mapping=str(folder / "crm.yaml"))["run"]


def person(world, one) -> str | None:
    return ask(world, "person graph", id=one)["person"]


def metric(world, name) -> dict:
    world.clock.now = START + 3 * DAY
    asked = {"name": name, "from": "2025-10-06", "to": "2025-10-12"}
    body = call(world.workspace, OWNER, "metric", asked).body
    names = [column["name"] for column in body["columns"]]
    return dict(zip(names, body["rows"][0], strict=True))


def test_the_same_person_on_two_devices_is_credited_once(world) -> None:
    # The telephone saves before anybody signs in, the desk computer after.
    world.send(track("pin_saved", id="1", anonymous="phone", at=60))
    world.send(track("pin_saved", id="2", anonymous="desk", user="u1", at=7200))
    world.send(track("pin_saved", id="3", anonymous="other", at=90))
    world.fold()
    before = metric(world, "weekly_active_people")["estimate"]
    world.send(
        {
            "type": "identify",
            "messageId": "4",
            "userId": "u1",
            "anonymousId": "phone",
            "timestamp": iso(8000),
            "context": AGREED,
        }
    )
    world.fold()
    after = metric(world, "weekly_active_people")["estimate"]
    assert (before, after) == (3, 2)
    events = world.rows(world.view().person_events)
    assert len({e["person_id"] for e in events if e["event"] == "pin_saved"}) == 2


def test_a_contact_joins_who_has_its_address_and_its_undoing_leaves_nothing(world) -> None:
    traits = {"email": "Jo@X.example"}
    identify = {"type": "identify", "messageId": "1", "userId": "u1", "traits": traits}
    world.send(identify | {"context": AGREED, "timestamp": iso(1)})
    before = world.sums()
    run = bring(world, "c1,,jo@x.EXAMPLE,+49 30 1234567", "c2,u1,,", "c3,,mo@x.example,")
    one = person(world, "u1")
    for name in ("contact_id:c1", "contact_id:c2", "email:JO@x.example", "phone:+49301234567"):
        assert person(world, name) == one
    assert person(world, "contact_id:c3") == person(world, "email:mo@x.example") != one
    assert call(world.workspace, OWNER, "person check", {}).good
    held = world.sums()
    rebuild(world.workspace)
    assert world.sums() == held
    ask(world, "undo", run=run)
    after = world.sums()
    names = ("identifiers", "persons", "edges", "links")
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    with pytest.raises(NotFound):
        person(world, "contact_id:c1")


def test_a_contact_that_changes_its_address_leaves_the_former_person(world) -> None:
    for user in ("u1", "u2"):
        traits = {"email": f"{user}@x.example"}
        identify = {"type": "identify", "messageId": user, "userId": user, "traits": traits}
        world.send(identify | {"context": AGREED, "timestamp": iso(1)})
    bring(world, "c1,,u1@x.example,")
    assert person(world, "contact_id:c1") == person(world, "u1")
    world.clock.now += DAY
    bring(world, "c1,,u2@x.example,")
    assert person(world, "contact_id:c1") == person(world, "u2") != person(world, "u1")
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before


def test_devices_and_external_ids_join_across_sessions(world) -> None:
    device = {"device": {"id": "d-1"}, "externalIds": [{"id": "S-1", "type": "stripe_id"}]}
    world.send(track("x", id="1", anonymous="a1") | {"context": AGREED | device})
    world.send(track("x", id="2", user="u1", at=9) | {"context": AGREED | device})
    world.fold()
    assert person(world, "anonymous_id:a1") == person(world, "device_id:d-1") == person(world, "u1")
    assert person(world, "stripe_id:S-1") == person(world, "u1")
    shown = ask(world, "person graph", id="u1")
    kinds = {(edge["evidence"], edge["source"], edge["confidence"]) for edge in shown["edges"]}
    assert kinds == {("device", "app", 0.8), ("external_id", "app", 0.95)}
    assert "S-1" not in str(world.raw("identifiers")) + str(world.raw("edges"))


def test_without_consent_nobody_is_joined(tmp_path) -> None:
    world = World(tmp_path / "w", basis="opt-in")
    told = track("x", id="1", user="u1", anonymous="a1", agreed=False)
    world.send(told | {"context": {"device": {"id": "d-1"}}})
    world.fold()
    assert world.raw("identifiers") == world.raw("edges") == []
    world.close()


def test_values_that_stand_for_nobody_make_no_person(world) -> None:
    for place in range(3):
        world.send(track("x", id=f"{place}", user="null", anonymous=f"a{place}"))
    world.fold()
    assert person(world, "user_id:null") is None
    assert len({person(world, f"anonymous_id:a{n}") for n in range(3)}) == 3
    before = world.sums()
    world.close()
    world.open()
    world.send(track("x", id="0", user="null", anonymous="a0"))
    world.fold()
    assert world.sums()["identifiers"] == before["identifiers"]


def test_other_rules_make_the_persons_anew(world) -> None:
    traits = {"email": "hall@x.example"}
    for place in range(4):
        identify = {"type": "identify", "messageId": f"{place}", "traits": traits}
        told = identify | {"anonymousId": f"a{place}", "context": AGREED, "timestamp": iso(place)}
        world.send(told)
    world.fold()
    assert len({person(world, f"anonymous_id:a{n}") for n in range(4)}) == 1
    rules = "blocked: ['hall@*']\ntraits: {email: email}\n"
    (world.folder / "definitions" / "identity.yaml").write_text(rules)
    world.workspace.apply_definitions()
    assert len({person(world, f"anonymous_id:a{n}") for n in range(4)}) == 4
