"""An erased person is nowhere, does not return, and nobody else changes."""

import base64
import json
import subprocess
import sys
from unittest.mock import patch
from urllib.parse import quote

import pytest

from onefold.collect import import_run, receive, sources
from onefold.model.errors import BadInput, NotFound
from onefold.model.facts import TABLES
from onefold.model.records import OWNER
from onefold.runtime import call, loops, rebuild, restore
from onefold.runtime.settings import read_settings
from residue import residue
from worlds import World, track

pytestmark = pytest.mark.long

MAIL = "anna.berg@example.com"
ANNA, OWN, SHARED = "anna-user-77", "device-of-anna-1", "device-shared-9x"
NAME, STREET = "Anna Bergström", "Vault 7 Lane"
OF_ANNA = (ANNA, OWN, MAIL, NAME, STREET)


def people(world: World) -> None:
    """Let Anna and Bob share a device, and Anna have one of her own."""
    anna, own, shared = ANNA, OWN, SHARED
    identify = {
        "type": "identify",
        "messageId": "anna-user-77-i",
        "userId": anna,
        "anonymousId": own,
        "timestamp": track("x", id="x")["timestamp"],
        "traits": {"email": MAIL, "name": NAME, "address": {"street": STREET}},
    }
    world.send(
        identify,
        track("pin_saved", id="a1", user=anna, anonymous=own, at=5, agreed=False, pin="p1"),
        track("pin_saved", id="b1", user="bob", anonymous=shared, at=6, agreed=False, pin="p2"),
        track("pin_saved", id="a2", user=anna, anonymous=shared, at=7, agreed=False, pin="p3"),
    )
    mailed, found = ({"context": {"campaign": {"source": one}}} for one in ("mail", "ads"))
    world.send(track("pin_seen", id="a3", anonymous=own, at=1, agreed=False) | mailed)
    world.send(
        track("pin_seen", id="s1", anonymous=shared, at=2, agreed=False) | found,
        track("pin_seen", id="a4", anonymous=own, at=3, agreed=False) | found,
    )
    world.send(track("pin_saved", id="c1", user="cleo", at=9, agreed=False, pin="p1"))
    # The same again, another under a known id, and one that waits.
    world.send(track("pin_saved", id="a1", user=anna, anonymous=own, at=5, agreed=False, pin="p1"))
    world.send(track("pin_saved", id="b1", user=anna, at=5, agreed=False, pin="other"))
    world.send({"type": "track", "event": "", "userId": anna, "messageId": "a-waits"})
    world.fold()


def erase(world: World, who: str = "user_id:anna-user-77") -> dict:
    return call(world.workspace, OWNER, "person erase", {"id": who}).body


def facts(world: World) -> str:
    """Return all that the facts hold, as text."""
    return json.dumps({name: world.raw(name) for name in TABLES}, default=str, ensure_ascii=False)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "kept")
    people(made)
    yield made
    made.close()


def test_no_file_holds_a_word_of_an_erased_person(world):
    before = residue(world.folder, OF_ANNA)
    assert before, "the scan finds what is there"
    erase(world)
    assert residue(world.folder, OF_ANNA) == []
    assert not [word for word in OF_ANNA if word in facts(world)]


def test_an_erased_person_is_found_no_more(world):
    assert call(world.workspace, OWNER, "person show", {"id": "user_id:anna-user-77"}).body
    erase(world)
    for name in ("user_id:anna-user-77", f"email:{MAIL}", "anonymous_id:device-of-anna-1"):
        with pytest.raises(NotFound):
            call(world.workspace, OWNER, "person show", {"id": name})
        with pytest.raises(NotFound):
            erase(world, name)


def told_of(world: World) -> None:
    """Let others tell of Anna, in every way that keeps the words, and of somebody else."""
    said = (ANNA.upper(), [{"deep": MAIL}], f"write to {MAIL}, not to {ANNA}0", ANNA + "0")
    for at, one in enumerate(said):
        world.send(
            track("invited", id=f"n{at}", user="bob", at=20 + at, agreed=False, referred_by=one)
        )
    coded = base64.b64encode(f"to={MAIL}".encode()).decode()
    page = f"https://x.example/?to={quote(MAIL, safe='')}"
    around = {"context": {"page": {"url": page}, "library": {"name": coded}}}
    seen = track("seen", id=f"of-{ANNA}", user="bob", at=30, agreed=False, note="")
    world.send(seen | around)
    world.send({"type": "track", "event": "", "userId": "bob", "messageId": "w", "text": MAIL})
    world.fold()


def test_what_others_tell_of_them_is_masked(world):
    told_of(world)
    before = {(row["log_offset"], row["place"]): row for row in world.raw("events")}
    done = erase(world)
    assert dict(done["rows"])["events of others masked"] == 5
    assert residue(world.folder, (MAIL, STREET)) == []
    # Another id that begins alike is of somebody else, and is in these two events alone.
    assert residue(world.folder, (OWN, f"{ANNA}0"))[0].endswith(f"{ANNA}0")
    after = {(row["log_offset"], row["place"]): row for row in world.raw("events")}
    assert len(before) - len(after) == 5, "those of others count as before"
    same = ("message_hi", "message_lo", "event", "event_time", "identifier")
    assert all([row[n] for n in same] == [before[p][n] for n in same] for p, row in after.items())
    said = [json.loads(r["properties"]) for r in after.values() if r["event"] == "invited"]
    assert [one["referred_by"] for one in said] == [
        "[erased]",
        [{"deep": "[erased]"}],
        f"write to [erased], not to {ANNA}0",
        f"{ANNA}0",
    ]
    sums = world.sums()
    rebuild(world.workspace)
    assert world.sums() == sums
    assert call(world.workspace, OWNER, "audit verify", {}).good
    told_of(world)
    assert world.sums()["events"] == sums["events"], "sent again, they count once"
    assert not [row for row in world.raw("quarantine") if row["reason"] == "conflict"][1:]


def test_a_short_or_common_identifier_is_no_word_of_others(world):
    world.send(track("x", id="short", user="7", agreed=False))
    world.send(track("x", id="common", user="dark", agreed=False))
    told = {"theme": "dark", "rating": "7", "count": 7, "referred_by": "7", "invited_by": "Dark"}
    world.send(track("set", id="t1", user="bob", agreed=False, note="7 in the dark", **told))
    world.fold()
    erase(world, "user_id:7")
    erase(world, "user_id:dark")
    (row,) = [row for row in world.raw("events") if row["event"] == "set"]
    kept = json.loads(row["properties"])
    assert kept == told | {
        "note": "7 in the dark",
        "referred_by": "[erased]",
        "invited_by": "[erased]",
    }


def test_exactly_their_events_are_gone(world):
    before = {(row["log_offset"], row["place"]): row for row in world.raw("events")}
    persons = {row["key"]: row["person_id"] for row in world.raw("identifiers")}
    erase(world)
    after = {(row["log_offset"], row["place"]): row for row in world.raw("events")}
    assert len(before) - len(after) == 5
    assert all(before[place] == row for place, row in after.items())
    assert [row["utm_source"] for row in world.raw("contexts")] == ["ads"]
    left = {row["key"]: row["person_id"] for row in world.raw("identifiers")}
    assert len(persons) - len(left) == 3
    assert all(persons[key] == person for key, person in left.items()), (
        "a shared device is nobody's"
    )


def test_a_rebuild_agrees(world):
    erase(world)
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before
    assert residue(world.folder, OF_ANNA) == []


def test_the_trail_is_whole_and_names_nobody(world):
    erase(world)
    assert call(world.workspace, OWNER, "audit verify", {}).good
    (request,) = call(world.workspace, OWNER, "person requests", {}).body["rows"]
    assert request[6] == "done"


def test_the_same_sent_again_counts_nothing(world):
    erase(world)
    before = world.sums()
    people(world)
    after = world.sums()
    assert after["events"] == before["events"]
    assert after["persons"] == before["persons"]
    assert residue(world.folder, OF_ANNA) == []
    rebuild(world.workspace)
    assert world.sums() == after


def test_what_is_told_after_says_what_stays(world):
    (world.folder / "imports").mkdir()
    (world.folder / "imports" / "people.csv").write_text(f"id,mail\n1,{MAIL}\n")
    told = erase(world)
    assert dict(told["rows"])["events"] == 5
    assert any("imports/people.csv" in note for note in told["notes"])


STEPS = (
    "onefold.runtime.relay.relay",
    "onefold.runtime.forgetting._rewritten",
    "onefold.collect.rights.forget_events",
    "onefold.runtime.generation.Generation.note_rules",
    "onefold.store.log_sqlite.SqliteLog.rewrite",
    "onefold.store.vault.Vault.mask_fields",
    "onefold.runtime.people_requests.work",
    "onefold.store.vault.Vault.forget",
    "onefold.store.facts_duckdb.DuckFacts.copy_to",
    "onefold.runtime.workspace.put_in_force",
    "onefold.runtime.people_requests.end",
)
TELLING = {
    ("onefold.runtime.forgetting._rewritten", "after"),
    ("onefold.store.vault.Vault.mask_fields", "before"),
    ("onefold.store.vault.Vault.forget", "after"),
    ("onefold.runtime.workspace.put_in_force", "after"),
}
"""Where half of it is done; the soak dies at each step, on either side of it."""
CHILD = """
import os, sys
from importlib import import_module
from pathlib import Path
where, when, folder = sys.argv[1:]
from onefold.runtime import Workspace, call
from onefold.runtime import erasing
from onefold.model.records import OWNER
module, _, name = where.rpartition(".")
try:
    holder = import_module(module)
except ModuleNotFoundError:
    module, _, owner = module.rpartition(".")
    holder = getattr(import_module(module), owner)
workspace = Workspace(Path(folder))
workspace.catch_up()
former = getattr(holder, name)
def dies(*args, **named):
    if when == "after":
        former(*args, **named)
    os.kill(os.getpid(), 9)
setattr(holder, name, dies)
if where.endswith("relay.relay"):
    import onefold.runtime.workspace as w
    w.relay = dies
if where.endswith("people_requests.end"):
    erasing.requests.end = dies
erasing.erase(workspace, OWNER, "user_id:anna-user-77")
"""


@pytest.mark.parametrize(
    ("step", "when"),
    [
        pytest.param(step, when, marks=() if (step, when) in TELLING else pytest.mark.soak)
        for step in STEPS
        for when in ("before", "after")
    ],
)
def test_an_erasure_that_died_is_brought_to_its_end(tmp_path, step, when):
    world = World(tmp_path / "kept")
    people(world)
    by = {"referred_by": [ANNA, MAIL]}
    world.send(track("invited", id="n1", user="bob", at=20, agreed=False, **by))
    world.close()
    died = subprocess.run(
        [sys.executable, "-c", CHILD, step, when, str(world.folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert died.returncode == -9, died.stderr
    world.open()
    world.fold()
    if not erased(world):
        erase(world)
    tidy = loops.idle(world.workspace)
    tidy()
    world.fold()
    tidy()
    assert residue(world.folder, OF_ANNA) == []
    before = world.sums()
    assert before["erased"][0] == 5
    (told,) = [row for row in world.raw("events") if row["event"] == "invited"]
    assert json.loads(told["properties"]) == {"referred_by": ["[erased]", "[erased]"]}
    rebuild(world.workspace)
    assert world.sums() == before
    assert call(world.workspace, OWNER, "audit verify", {}).good
    world.close()


def erased(world: World) -> bool:
    rows = call(world.workspace, OWNER, "person requests", {}).body["rows"]
    return any(row[6] in {"under way", "done"} for row in rows)


def test_the_door_keeps_what_comes_of_them_as_nobodys(world):
    erase(world)
    known = sources.suppressed(world.workspace.state)
    back = track("pin_saved", id=f"new-{ANNA}", user=ANNA, agreed=True, mail=MAIL)
    again = {"type": "identify", "messageId": "n2", "userId": "other", "traits": {"email": MAIL}}
    body = json.dumps({"batch": [back, again, track("x", id="n3", user="bob")]}).encode()
    receipt = receive(
        world.source,
        dialect="segment",
        route="batch",
        body=body,
        received_time=world.clock(),
        catalogue=world.catalogue,
        suppressed=known,
    )
    assert (receipt.accepted, receipt.unnamed) == (3, 2)
    assert "unnamed" not in str(receipt.answer())
    assert not [word for word in OF_ANNA if word.encode() in receipt.row.body]
    assert b'"bob"' in receipt.row.body
    world.workspace.log.append([receipt.row])
    known_before = len(world.raw("identifiers"))
    world.fold()
    assert len(world.raw("identifiers")) == known_before


def test_a_person_is_told_everything_in_words(world, tmp_path):
    place = tmp_path / "out"
    told = call(
        world.workspace,
        OWNER,
        "person export",
        {"id": "user_id:anna-user-77", "folder": str(place)},
    ).body
    kept = json.loads((place / "person.json").read_text())
    assert len(kept["events"]) == 5
    assert {"identifiers", "personal", "sessions", "edges", "quarantine"} <= set(kept)
    assert {row["key"] for row in kept["identifiers"]} >= {f"user_id:{ANNA}", f"anonymous_id:{OWN}"}
    assert {NAME, MAIL} <= {row["value"] for row in kept["personal"]}
    page = (place / "person.html").read_text()
    assert "<script" not in page
    assert all(word in page for word in OF_ANNA)
    assert dict(told["rows"])["events"] == 5
    assert (place / "person.json").stat().st_mode & 0o077 == 0


def test_an_export_within_the_workspace_goes_with_its_person(world):
    call(world.workspace, OWNER, "person export", {"id": ANNA})
    assert residue(world.folder / "exports", OF_ANNA)
    erase(world)
    assert residue(world.folder, OF_ANNA) == []


def test_a_page_shows_hostile_words_as_words(world):
    world.send(track("x", id="evil", user="<script>alert(1)</script>", agreed=False, q="<img>"))
    found = call(
        world.workspace, OWNER, "person export", {"id": "user_id:<script>alert(1)</script>"}
    )
    page = next((world.folder / "exports").glob("*/person.html"))
    assert found.good
    assert "<script" not in page.read_text()


def test_what_is_asked_for_stands_in_the_register_until_it_is_done(world):
    asked = {"id": ANNA, "kind": "erase", "received": "2025-08-01", "days": 30}
    call(world.workspace, OWNER, "person request", asked)
    (row,) = call(world.workspace, OWNER, "person requests", {}).body["rows"]
    assert row[6] == "overdue"
    assert ANNA not in str(row)
    erase(world)
    (row,) = call(world.workspace, OWNER, "person requests", {}).body["rows"]
    assert row[6] == "done late"


def quiet(_what, _done, _total):
    """Take progress where nobody watches."""


def exported(world: World, folder) -> None:
    call(world.workspace, OWNER, "export", {"folder": str(folder)})


def test_an_older_export_brings_nobody_back_where_a_later_one_is_named(world, tmp_path):
    exported(world, tmp_path / "before")
    erase(world)
    exported(world, tmp_path / "after")
    assert residue(tmp_path / "after", OF_ANNA) == []
    made = restore(
        tmp_path / "before", tmp_path / "again", erased=tmp_path / "after", progress=quiet
    )
    assert made.equal
    assert residue(tmp_path / "again", OF_ANNA) == []
    plain = restore(tmp_path / "before", tmp_path / "plain", progress=quiet)
    assert any("--erased" in note for note in plain.answer.notes)


DAY = 86_400 * 1_000_000


def test_what_no_purpose_may_use_any_more_is_erased(world):
    settings = world.folder / "onefold.toml"
    settings.write_text(settings.read_text().replace("# analytics = 400", "analytics = 30"))
    agreed = track("x", id="m1", user="only-ads-77", agreed=True)
    agreed["context"] = {"consent": {"categoryPreferences": {"analytics": True}}}
    world.send(agreed)
    world.fold()
    world.close()
    world.clock.now += 40 * DAY
    world.open()
    world.send(track("x", id="y1", user="young", at=40 * 86_400, agreed=False))
    world.fold()
    old = [row["event"] for row in world.rows(world.view().events)]
    assert old == ["x"], "analytics sees nothing that is too old for it"
    every = len(world.raw("events"))
    assert call(world.workspace, OWNER, "expiry enforce", {}).body["rows"] == [["events", 0]]
    settings.write_text(
        settings.read_text().replace(
            "analytics = 30\n",
            "analytics = 30\npersonalization = 30\nadvertising = 30\nsharing = 30\n",
        )
    )
    world.close()
    world.open()
    world.fold()
    gone = call(world.workspace, OWNER, "expiry enforce", {}).body["rows"][0][1]
    assert gone == every - 1
    assert [row["event"] for row in world.raw("events")] == ["x"]
    assert residue(world.folder, (*OF_ANNA, "only-ads-77")) == []
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before
    people(world)
    assert world.sums()["events"] == before["events"], "what expired counts no second time"


CONTACTS = f"""contact_id,account,mail,who,user,made
c-anna,acme,{MAIL},{NAME},{ANNA},2025-10-01
c-dora,acme,dora@example.com,Dora,,2025-10-01
"""
TICKETS = f"""ticket,account,user,subject,opened
t1,acme,{ANNA},My door at {STREET} is stuck,2025-10-02
t2,acme,bob,Please call back,2025-10-03
"""


def bring_in(world: World, entity: str, text: str, columns: str, *, wide: bool) -> None:
    """Bring a file in from beside the workspace; `wide` as columns, as large files are."""
    beside = world.folder.parent
    (beside / f"{entity}.csv").write_text(text)
    mapping = beside / f"{entity}.yaml"
    head = f"import: {entity}\ntable: {entity}\nfile: {entity}.csv\n"
    mapping.write_text(f"{head}columns:\n{columns}")
    least = {"columns_from": 0 if wide else 1 << 40}
    with patch.dict(import_run.run.__kwdefaults__, least):
        call(world.workspace, OWNER, "import", {"mapping": str(mapping)})


@pytest.mark.parametrize("wide", [False, True])
def test_imported_rows_of_them_go_and_do_not_come_back(world, wide):
    contacts = (
        "  contact_id: contact_id\n  account_id: account\n  email: mail\n  name: who\n"
        "  user_id: user\n  created_time: made\n"
    )
    tickets = (
        "  ticket_id: ticket\n  account_id: account\n  user_id: user\n  subject: subject\n"
        "  opened_time: opened\n"
    )
    bring_in(world, "contacts", CONTACTS, contacts, wide=wide)
    bring_in(world, "tickets", TICKETS, tickets, wide=wide)
    assert {row["contact_id"] for row in world.raw("contacts")} == {"c-anna", "c-dora"}
    erase(world)
    assert {row["contact_id"] for row in world.raw("contacts")} == {"c-dora"}
    stand = {row["ticket_id"]: row for row in world.raw("tickets")}
    assert (stand["t1"]["user_key"], stand["t1"]["subject"]) == (None, None)
    assert stand["t2"]["subject"] == "Please call back"
    assert residue(world.folder, (*OF_ANNA, "c-anna")) == []
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before
    fresh = "c-new,acme,new@example.com,New,,2025-10-04\n"
    bring_in(world, "contacts", CONTACTS + fresh, contacts, wide=wide)
    bring_in(world, "tickets", TICKETS, tickets, wide=wide)
    assert {row["contact_id"] for row in world.raw("contacts")} == {"c-dora", "c-new"}
    assert residue(world.folder, (*OF_ANNA, "c-anna")) == []
    after = world.sums()
    rebuild(world.workspace)
    assert world.sums() == after


@pytest.mark.parametrize("wide", [False, True])
def test_imported_texts_of_others_are_masked(world, wide):
    told = f"ticket,account,user,subject,opened\nt3,acme,bob,{ANNA} told {MAIL} so,2025-10-03\n"
    columns = (
        "  ticket_id: ticket\n  account_id: account\n  user_id: user\n  subject: subject\n"
        "  opened_time: opened\n"
    )
    bring_in(world, "tickets", told, columns, wide=wide)
    assert dict(erase(world)["rows"])["events of others masked"] == 1
    (row,) = world.raw("tickets")
    assert row["subject"] == "[erased] told [erased] so"
    assert row["user_key"] is not None
    assert residue(world.folder, OF_ANNA) == []
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before
    bring_in(world, "tickets", told, columns, wide=wide)
    assert world.sums()["tickets"] == before["tickets"], "told again, it stands as it is"


def test_somebody_known_by_an_import_alone_is_erased(world):
    columns = "  contact_id: contact_id\n  account_id: account\n  email: mail\n  name: who\n"
    bring_in(world, "contacts", CONTACTS, columns, wide=False)
    erase(world, "email:dora@example.com")
    assert residue(world.folder, ("dora@example.com", "c-dora")) == []
    assert {row["contact_id"] for row in world.raw("contacts")} == {"c-anna"}


OLD_TICKETS = """ticket,account,user,subject,opened
t-old,acme,old-user-31,A word of long ago,2025-01-02
t-young,acme,bob,A word of today,2025-10-02
"""
OLD_COSTS = """id,campaign,day,cost
a1,c1,2025-01-02,5
a2,c1,2025-10-02,7
"""


@pytest.mark.parametrize("wide", [False, True])
def test_imported_rows_are_kept_as_long_as_their_table_says(world, wide):
    tickets = (
        "  ticket_id: ticket\n  account_id: account\n  user_id: user\n  subject: subject\n"
        "  opened_time: opened\n"
    )
    costs = (
        "  ad_cost_id: id\n  campaign_id: campaign\n  cost_date: day\n"
        "  amount_micros: {from: cost, currency: {value: EUR}}\n"
    )
    bring_in(world, "tickets", OLD_TICKETS, tickets, wide=wide)
    bring_in(world, "ad_costs", OLD_COSTS, costs, wide=wide)
    assert len(world.rows(world.view().records["tickets"])) == 2
    settings = world.folder / "onefold.toml"
    said = settings.read_text()
    settings.write_text(said.replace("[retention]", "[retention]\ntickets = 90\nad_costs = 90"))
    world.close()
    world.open()
    world.fold()
    shown = [row["ticket_id"] for row in world.rows(world.view().records["tickets"])]
    assert shown == ["t-young"], "a question sees it no more at once"
    told = call(world.workspace, OWNER, "expiry show", {}).body
    assert [row[3:] + row[:2] for row in told["rows"] if row[3]] == [
        ["tickets", None, 90],
        ["ad_costs", None, 90],
    ]
    assert "1 rows of tickets have expired and go with the next run." in told["notes"]
    done = call(world.workspace, OWNER, "expiry enforce", {}).body["rows"]
    assert done == [["events", 0], ["tickets", 1], ["ad_costs", 1]]
    assert [row["ticket_id"] for row in world.raw("tickets")] == ["t-young"]
    assert [str(row["cost_date"]) for row in world.raw("ad_costs")] == ["2025-10-02"]
    assert residue(world.folder, ("old-user-31", "A word of long ago", "t-old")) == []
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before
    fresh = "t-new,acme,bob,A word of now,2025-10-03\n"
    bring_in(world, "tickets", OLD_TICKETS + fresh, tickets, wide=wide)
    world.fold()
    assert {row["ticket_id"] for row in world.raw("tickets")} == {"t-young", "t-new"}
    assert residue(world.folder, ("old-user-31", "A word of long ago")) == []
    after = world.sums()
    rebuild(world.workspace)
    assert world.sums() == after
    assert call(world.workspace, OWNER, "expiry enforce", {}).body["rows"][1] == ["tickets", 0]


def test_the_server_lets_old_rows_go_by_itself(world):
    tickets = "  ticket_id: ticket\n  account_id: account\n  opened_time: opened\n"
    bring_in(world, "tickets", OLD_TICKETS, tickets, wide=False)
    settings = world.folder / "onefold.toml"
    settings.write_text(settings.read_text().replace("[retention]", "[retention]\ntickets = 90"))
    world.close()
    world.open()
    world.fold()
    loops.idle(world.workspace)()
    world.fold()
    assert [row["ticket_id"] for row in world.raw("tickets")] == ["t-young"]


@pytest.mark.parametrize("line", ["contacts = 9", "tickts = 9", "tickets = 0"])
def test_days_that_cannot_be_kept_are_refused_with_the_mend(world, line):
    settings = world.folder / "onefold.toml"
    said = settings.read_text()
    settings.write_text(said.replace("[retention]", f"[retention]\n{line}"))
    with pytest.raises(BadInput) as refused:
        read_settings(world.folder)
    assert line.split()[0] in refused.value.message
    assert refused.value.fix
