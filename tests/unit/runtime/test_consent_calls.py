"""Consent by call: recorded, obeyed by every table of a View, proven; and who may not."""

from dataclasses import fields

import ibis.expr.types as ir
import pytest

from onefold.collect import Source, sources
from onefold.consent import proofs
from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.ids import identifier_key
from onefold.model.records import OWNER, Asker, Question
from onefold.runtime import call, rebuild
from onefold.store import View
from worlds import AGREED, IDENTITY_KEY, SECOND, START, World, iso, track

pytestmark = pytest.mark.long

ALL = {"consent": {"categoryPreferences": dict.fromkeys(("analytics", "advertising"), True)}}
CHANGE = "Segment Consent Preference Updated"


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w", basis="opt-in")
    found.clock.now = START + 3600 * SECOND
    yield found
    found.close()


def ask(world, name, **params):
    return call(world.workspace, OWNER, name, params).body


def states(world, who):
    return {row[0]: row[1] for row in ask(world, "consent show", id=who)["rows"]}


def seen(world, **terms):
    view = world.view(**terms)
    rows = view.ask(view.person_events.select("event")).to_pylist()
    return sorted(row["event"] for row in rows)


def key_of(user):
    return identifier_key(bytes.fromhex(IDENTITY_KEY), "user_id", user)


def test_a_withdrawal_is_obeyed_at_once_and_proven(world):
    world.send(track("saved", id="1", user="u1"), track("opened", id="2", user="u2"))
    assert seen(world) == ["opened", "saved"]
    world.clock.now += 10 * SECOND
    said = ask(world, "consent withdraw", id="u1")
    assert said["withdrawn"] == ["advertising", "analytics", "personalization", "sharing"]
    assert seen(world) == ["opened"]
    view = world.view()
    assert view.left_out(START - SECOND, START + SECOND) == 1
    assert states(world, "u1")["analytics"] == "withdrawn"
    found = {one.purpose: one for one in proofs.listed(world.workspace.state)}
    assert found["analytics"].key == key_of("u1")
    assert found["analytics"].place == proofs.FACTS
    assert found["analytics"].applied_offset >= found["analytics"].log_offset
    assert 0 <= found["analytics"].applied_time - found["analytics"].asked_time < 60 * SECOND
    ask(world, "consent grant", id="u1", purpose="analytics")
    assert seen(world) == ["opened"], "of one moment the no holds"
    world.clock.now += SECOND
    ask(world, "consent grant", id="u1", purpose="analytics")
    assert seen(world) == ["opened", "saved"]


def test_a_rebuild_agrees_and_proves_nothing_twice(world):
    world.send(track("saved", id="1", user="u1"))
    ask(world, "consent withdraw", id="u1", purpose="analytics")
    before, proven = world.sums(), len(proofs.listed(world.workspace.state))
    rebuild(world.workspace)
    world.workspace.step()
    assert world.sums() == before
    assert len(proofs.listed(world.workspace.state)) == proven == 1
    assert seen(world) == []


def test_no_table_of_a_view_tells_of_who_withdrew(world):
    order = track("Order Completed", id="o", user="u1", total=9, currency="EUR", order_id="x")
    world.send(
        track("saved", id="1", user="u1", anonymous="a1"),
        order,
        {"type": "group", "messageId": "g", "userId": "u1", "groupId": "acme", "context": AGREED},
    )
    world.fold()
    ours = {key_of("u1"), identifier_key(bytes.fromhex(IDENTITY_KEY), "anonymous_id", "a1")}
    assert told_of(world.view(), ours) >= {"events", "person_events", "sessions", "people"}
    ask(world, "consent withdraw", id="u1", purpose="analytics")
    assert told_of(world.view(), ours) == {"consents"}


def told_of(view, keys):
    """Return the tables in which a key stands, whatever its column is called."""
    tables = {
        field.name: table
        for field in fields(View)
        if isinstance(table := getattr(view, field.name), ir.Table)
    } | dict(view.records)
    found = set()
    for name, table in tables.items():
        rows = view.ask(table).to_pylist()
        if any(value in keys for row in rows for value in row.values() if isinstance(value, int)):
            found.add(name)
    assert len(tables) > 10
    return found


def test_a_replayed_yes_brings_nothing_back(world):
    world.send(track("saved", id="1", user="u1") | {"context": ALL})
    world.clock.now += 10 * SECOND
    ask(world, "consent withdraw", id="u1", purpose="advertising")
    # An old event with an old yes, under its own id and under a new one, then a new one.
    for name, at in (("1", 0), ("2", 0), ("3", 3700)):
        world.send(track("saved", id=name, at=at, user="u1") | {"context": ALL})
    # A change that was sent before, again: with its own time, and with none.
    change = {"type": "track", "event": CHANGE, "userId": "u1", "context": ALL}
    world.send(change | {"messageId": "c1", "timestamp": iso(5)})
    assert seen(world, purpose="advertising") == []
    assert states(world, "u1")["advertising"] == "withdrawn"


def test_a_clock_ahead_does_not_outrun_a_later_word(world):
    world.send(
        {
            "type": "track",
            "event": CHANGE,
            "messageId": "c1",
            "userId": "u1",
            "timestamp": iso(3600 + 80_000),
            "context": ALL,
        }
    )
    world.fold()
    world.clock.now += 10 * SECOND
    ask(world, "consent withdraw", id="u1", purpose="advertising")
    assert states(world, "u1")["advertising"] == "withdrawn"


def test_staging_says_nothing_for_production(world):
    world.send(track("saved", id="1", user="u1") | {"context": ALL})
    sources.add_source(
        world.workspace.state, OWNER, Source("lab", "wk_lab", environment="staging", basis="notice")
    )
    world.source = sources.source_named(world.workspace.state, "lab")
    no = {"consent": {"categoryPreferences": {"advertising": False}}}
    world.send({"type": "track", "event": CHANGE, "messageId": "c", "userId": "u1", "context": no})
    assert seen(world, purpose="advertising") == ["saved"]
    rows = ask(world, "consent show", id="u1", environment="staging")["rows"]
    assert dict(row[:2] for row in rows)["advertising"] == "withdrawn"


def test_a_change_without_consent_for_analytics_is_obeyed_and_names_nobody(world):
    world.send(track("saved", id="1", user="somebody@example.com") | {"context": ALL})
    no = {"consent": {"categoryPreferences": {"analytics": False}}}
    change = {
        "type": "track",
        "event": CHANGE,
        "messageId": "c",
        "userId": "somebody@example.com",
        "timestamp": iso(60),
        "context": no,
    }
    receipt = world.send(change)
    assert b"somebody" not in receipt.row.body
    assert seen(world) == []
    assert states(world, "somebody@example.com")["analytics"] == "withdrawn"


def test_a_purpose_of_ones_own_needs_a_yes(tmp_path):
    text = "purposes: {research: {}, fraud: {as: analytics}}\n"
    world = World(tmp_path / "w", definitions={"consent.yaml": text})
    world.send(track("saved", id="1", at=5, user="u1"), track("saved", id="2", at=5, user="u2"))
    assert seen(world, purpose="research") == []
    assert seen(world, purpose="fraud") == ["saved", "saved"]
    world.clock.now = START
    ask(world, "consent grant", id="u1", purpose="research")
    world.clock.now = START + 60 * SECOND
    assert seen(world, purpose="research") == ["saved"]
    with pytest.raises(NotFound, match="reserch"):
        world.view(purpose="reserch")
    world.close()


def test_personalization_is_off_for_all_or_for_one(world):
    both = {"consent": {"categoryPreferences": {"analytics": True, "personalization": True}}}
    world.send(track("saved", id="1", user="u1") | {"context": both})
    world.send(track("saved", id="2", user="u2") | {"context": both})
    world.fold()
    assert ask(world, "personalization allowed", id="u1")["allowed"]
    ask(world, "consent withdraw", id="u1", purpose="personalization")
    assert not ask(world, "personalization allowed", id="u1")["allowed"]
    assert ask(world, "personalization allowed", id="u2")["allowed"]
    assert seen(world, purpose="personalization") == ["saved"]
    assert ask(world, "personalization switch", to="off") == {"on": False, "changed": True}
    assert not call(world.workspace, OWNER, "personalization allowed", {"id": "u2"}).good
    assert seen(world, purpose="personalization") == []
    assert seen(world) == ["saved", "saved"]
    ask(world, "personalization switch", to="on")
    assert ask(world, "personalization allowed", id="u2")["allowed"]
    assert not ask(world, "personalization allowed", id="nobody")["allowed"]


def test_who_may_not_is_told_and_nothing_is_recorded(world):
    viewer = Asker("Ines", "viewer")
    for name in ("consent grant", "consent withdraw", "consent show"):
        with pytest.raises(NotAllowed):
            call(world.workspace, viewer, name, {"id": "u1", "purpose": "sharing"})
    with pytest.raises(NotFound, match="sharin"):
        ask(world, "consent withdraw", id="u1", purpose="sharin")
    with pytest.raises(BadInput):
        ask(world, "consent grant", id="u1")
    with pytest.raises(BadInput, match="characters"):
        ask(world, "consent withdraw", id=" ")
    with pytest.raises(NotFound, match="Nobody"):
        ask(world, "consent show", id="u1")
    with pytest.raises(BadInput, match="TC string"):
        ask(world, "consent record", id="u1", string="\u00e9 = not one")
    assert world.raw("consents") == []


def test_a_yes_before_anything_was_seen_holds_for_who_comes(world):
    note = ask(world, "consent grant", id="u7", purpose="advertising")["notes"]
    assert "seen yet" in note[0]
    world.clock.now += 60 * SECOND
    world.send(track("saved", id="1", at=3630, user="u7"), track("saved", id="2", user="u7"))
    assert seen(world, purpose="advertising") == ["saved"], "what came before the yes stays out"
    view = world.workspace.view(Question(OWNER, purpose="advertising"))
    assert view.left_out(START - SECOND, START + 7200 * SECOND) == 1


def test_where_the_region_says_so_nothing_is_kept_but_that_it_came(tmp_path):
    text = "before: dropped\n"
    world = World(tmp_path / "w", basis="opt-in", definitions={"consent.yaml": text})
    receipt = world.send(track("saved", id="1", user="u1"), track("x", id="2", agreed=False))
    assert (receipt.accepted, receipt.dropped) == (1, 1)
    assert receipt.answer()["dropped"] == 1
    alone = world.send(track("x", id="3", user="ann@example.com", agreed=False))
    assert b"ann" not in alone.row.body
    world.fold()
    assert [row["events"] for row in world.raw("dropped")] == [1, 1]
    assert len(world.raw("events")) == 1
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before
    assert sum(row["events"] for row in world.raw("dropped")) == 2
    assert "came: 2" in ask(world, "consent summary")["notes"][1]
    world.close()


def test_an_old_string_sent_again_undoes_no_later_withdrawal(world):
    old = "CQfAJEAQfmSeAAfACBEND6EgALAAAEIAAAYgFeQAwABAAKAV4AAAAAAA.YAAAAAAAAAAA"
    world.clock.now = 1_780_000_000 * SECOND
    world.send(track("saved", id="1", user="u1") | {"context": ALL})
    ask(world, "consent record", id="u1", string=old)
    assert states(world, "u1")["advertising"] == "granted"
    ask(world, "consent withdraw", id="u1", purpose="advertising")
    world.clock.now += 3600 * SECOND
    ask(world, "consent record", id="u1", string=old)
    change = {"type": "track", "event": CHANGE, "messageId": "c", "userId": "u1"}
    world.send(change | {"context": {"consent": {"tcf": old}}})
    assert states(world, "u1")["advertising"] == "withdrawn"
    assert seen(world, purpose="advertising") == []


def test_a_place_beside_the_facts_is_proven_for_its_purpose_once(world):
    world.send(track("saved", id="1", user="u1"))
    ask(world, "consent withdraw", id="u1")
    state, offset = world.workspace.state, world.workspace.facts_offset
    place = "destination:lake"
    terms = {"purpose": "sharing", "offset": offset, "now": world.clock.now}
    assert proofs.applied(state, place, **(terms | {"offset": 0})) == 0
    assert proofs.applied(state, place, **terms) == 1
    assert proofs.applied(state, place, **terms) == 0
    rows = ask(world, "consent proofs")["rows"]
    assert [row[5] for row in rows if row[1] == "sharing"] == [place, proofs.FACTS]


def brought(world, text, **params):
    path = world.folder / "said.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return ask(world, "consent import", path="said.csv", **params)


def test_a_file_says_what_people_said_and_bad_rows_cost_the_others_nothing(world):
    world.send(track("saved", id="1", user="u1") | {"context": ALL})
    rows = [
        "id,purpose,answer,time",
        f"u1,advertising,no,{iso(60)}",
        "=cmd|' /C calc'!A0,sharing,yes,",
        "u2,advertising,perhaps,",
        "u2,fun,yes,",
        f"u2,sharing,yes,{iso(90_000)}",
        ",sharing,yes,",
        "u2,sharing",
        "",
    ]
    done = brought(world, "\ufeff" + "\n".join(rows), dry_run=True)
    assert (done["read"], done["kept"], done["refused"]) == (7, 2, 5)
    assert world.raw("consents") == []
    assert brought(world, "\n".join(rows))["kept"] == 2
    assert seen(world, purpose="advertising") == []
    assert len(world.raw("consents")) == 2
    before = world.sums()
    world.clock.now += SECOND
    brought(world, "\n".join(rows[:2]))
    assert world.sums() == before, "the same row with its time says nothing new"
    assert states(world, "u1")["advertising"] == "withdrawn"


@pytest.mark.parametrize(
    "text", ["", "id,purpose\nu1,sharing\n", b"id,purpose,answer\n\xff,sharing,yes\n", 'id,"x\n']
)
def test_a_file_that_cannot_be_read_is_refused_whole(world, text):
    with pytest.raises(BadInput):
        brought(world, text)
    assert world.raw("consents") == []


WORDS = """table: consent
file: words.csv
columns: {user_id: who, email: mail, purpose: what, answer: said, said_time: at, basis: by,
  region: where, evidence: how}
"""


def words(world, *rows, columns="", **params):
    head = "id,who,mail,what,said,at,by,where,how"
    (world.folder / "words.csv").write_text("\n".join([head, *rows]) + "\n")
    mapping = world.folder / "words.yaml"
    mapping.write_text(WORDS.replace("{user_id", "{" + columns + "user_id"))
    return ask(world, "import", mapping=str(mapping), **params)


def reckoned(done):
    return dict(zip((one["name"] for one in done["columns"]), done["rows"][0], strict=True))


def test_consent_is_imported_as_a_table_and_undone_to_the_checksum(world):
    world.send(track("saved", id="1", user="u1"), track("opened", id="2", user="u2"))
    before = world.sums()
    rows = [
        f"1,u1,,analytics,Denied,{iso(60)},,eu,paper form 7",
        f"2,u2,u2@shop.example,sharing,granted,{iso(61)},contract,,",
        f"3,u2,,fun,granted,{iso(60)},,,",
        f"4,u2,,sharing,perhaps,{iso(60)},,,",
        f"5,u2,,sharing,granted,{iso(90_000)},,,",
        f"6,,,sharing,granted,{iso(60)},,,",
        "7,u2,,sharing,granted,soon,,,",
        "8,=cmd|' /C calc'!A0,,sharing,denied,,,,",
    ]
    dry = words(world, *rows, dry_run=True)
    told = {"read": 8, "kept": 2, "waiting": 6}
    assert told.items() <= reckoned(dry).items()
    assert "words.csv line 4: `purpose` is not one of" in " ".join(dry["notes"])
    assert world.sums() == before
    done = words(world, *rows)
    assert told.items() <= reckoned(done).items()
    assert seen(world) == ["opened"]
    assert states(world, "u1")["analytics"] == "withdrawn"
    mail = identifier_key(bytes.fromhex(IDENTITY_KEY), "email", "u2@shop.example")
    assert {row["key"] for row in world.raw("consents")} == {key_of("u1"), key_of("u2"), mail}
    (said,) = ask(world, "consent show", id="u1")["history"]["rows"]
    assert (said[1], *said[4:8]) == ("no", "import", "import:words", "consent", "eu")
    (proof,) = [one for one in proofs.listed(world.workspace.state) if one.purpose == "analytics"]
    assert (proof.key, proof.place, proof.source) == (key_of("u1"), proofs.FACTS, "import:words")
    after = world.sums()
    world.clock.now += SECOND
    again = words(world, *rows)
    assert world.sums() == after, "brought again, it says nothing new"
    rebuild(world.workspace)
    assert world.sums() == after
    ask(world, "undo", run=again["run"])
    assert world.sums() == after, "the first run still tells it"
    ask(world, "undo", run=done["run"])
    assert seen(world) == ["opened", "saved"]
    assert world.raw("consents") == [] == world.raw("consent")
    assert world.sums() == before


def test_a_word_told_anew_replaces_the_former_and_goes_with_its_person(world):
    world.send(track("saved", id="1", user="u1"), track("opened", id="2", user="u2"))
    key = "consent_id: id, "
    no, yes = (f"w1,u1,,analytics,{one},{iso(60)},,,desk" for one in ("denied", "granted"))
    other = f"w2,u2,,sharing,denied,{iso(60)},,,"
    words(world, no, other, columns=key)
    assert seen(world) == ["opened"]
    world.clock.now += SECOND
    mended = words(world, yes, other, columns=key)
    assert seen(world) == ["opened", "saved"]
    ask(world, "undo", run=mended["run"])
    assert seen(world) == ["opened"]
    world.clock.now += SECOND
    ask(world, "person erase", id="u1")
    assert {row["key"] for row in world.raw("consents")} == {key_of("u2")}
    assert [row["consent_id"] for row in world.raw("consent")] == ["w2"]
    sums = world.sums()
    rebuild(world.workspace)
    assert world.sums() == sums


def participants(world, **terms):
    view = world.view(**terms)
    rows = view.ask(view.records["interactions"].order_by("interaction_id")).to_pylist()
    return [row["participant_keys"] for row in rows]


def test_a_talk_names_nobody_who_withdrew_or_was_erased(world):
    world.send(*(track("seen", id=who, user=who) for who in ("u1", "u2", "u3")))
    rows = [f"m{at},{who},a1,{iso(0)}" for at, who in enumerate(("u1; u2", "u1", "u2; u3", ""))]
    (world.folder / "talks.csv").write_text("id,who,of,at\n" + "\n".join(rows) + "\n")
    mapping = world.folder / "talks.yaml"
    columns = "{interaction_id: id, participants: who, account_id: of, start_time: at}"
    mapping.write_text(f"table: interactions\nfile: talks.csv\ncolumns: {columns}\n")
    ask(world, "import", mapping=str(mapping))
    one, two, three = (f"{key_of(who)}," for who in ("u1", "u2", "u3"))
    told = [f",{one}{two}", f",{one}", f",{two}{three}", None]
    assert participants(world) == told
    ask(world, "consent withdraw", id="u1")
    left = [f",{two}", None, told[2], None]
    assert participants(world) == left
    ask(world, "consent withdraw", id="u2", purpose="advertising")
    assert participants(world) == left, "for another purpose"
    assert participants(world, purpose="advertising")[2] == f",{three}"
    ask(world, "person erase", id="u3")
    assert participants(world)[2] == f",{two}"
    sums = world.sums()
    rebuild(world.workspace)
    assert world.sums() == sums
    ask(world, "personalization switch", to="off")
    assert participants(world, purpose="personalization") == [None] * 4
