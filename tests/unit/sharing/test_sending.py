"""What a receiver holds is what is allowed: no more, no less, whatever happened in between."""

import csv
import json

import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg.rows import dict_row

from onefold.governance import trail
from onefold.model.errors import BadInput, MachineFailed, NotAllowed
from onefold.model.records import OWNER
from onefold.model.time import DAY
from onefold.runtime import call
from onefold.sharing import destinations, runs, transfers
from receivers import ALL, House, event
from worlds import World

pytestmark = pytest.mark.long


def told(house):
    house.world.send(
        event("pin_saved", "m1", "ann", 1),
        event("pin_saved", "m2", "bob", 2),
        event("pin_saved", "m3", "ann", 3),
        event("pin_saved", "m4", "eve", 4, agreed=ALL | {"sharing": False}),
    )


def rows_of(house, name):
    found = {}
    for path in sorted((house.world.folder / "outgoing" / name).iterdir()):
        if path.suffix == ".parquet":
            rows = pq.read_table(path).to_pylist()
        else:
            with path.open(newline="") as lines:
                rows = list(csv.DictReader(lines))
        for row in rows:
            assert row["message_id"] not in found
            found[row["message_id"]] = row
    return found


@pytest.fixture(params=["parquet", "csv", "webhook", "postgres"])
def held(request, house, receiver):
    """Return what asks for the rows at a destination called `out`, one of each kind."""
    if request.param == "webhook":
        settings = {"url": receiver.url, "allow": ["127.0.0.1"]}
        receiver.secret = house.add("out", "webhook", settings=settings).secret
        return receiver.held
    if request.param == "postgres":
        url = request.getfixturevalue("server").new_database()
        house.add("out", "postgres", settings={"url": url})

        def asked():
            with psycopg.connect(url, row_factory=dict_row) as line:
                rows = line.execute("SELECT * FROM onefold_events").fetchall()
            return {row["message_id"]: row for row in rows}

        return asked
    house.add("out", "files", settings={"format": request.param})
    return lambda: rows_of(house, "out")


def dies(*_args, **_named):
    raise KeyboardInterrupt


def test_only_what_is_allowed_for_the_purpose_goes_out(house, held):
    told(house)
    done = house.run("out")
    assert (done.events, done.taken_back) == (3, 0)
    rows = held()
    assert len(rows) == 3
    assert {row["event"] for row in rows.values()} == {"pin_saved"}
    assert len({row["subject"] for row in rows.values()}) == 2


def test_nothing_goes_twice_and_nothing_is_missed_over_many_runs(house, held):
    for number in range(5):
        house.world.send(event("pin_saved", f"n{number}", "ann", number))
        house.run("out")
    assert house.run("out").events == 0
    assert len(held()) == 5
    assert house.standing("out").sent_events == 5


def test_who_withdraws_is_taken_back_and_nobody_else(house, held):
    told(house)
    house.run("out")
    house.withdrawn.add("ann")
    done = house.run("out", fresh=False)
    assert done.taken_back == 1
    assert len(held()) == 1
    assert house.standing("out").sent_events == 1
    assert house.run("out").events == 0


def test_who_comes_back_is_sent_anew(house, held):
    told(house)
    house.run("out")
    house.withdrawn.add("ann")
    house.run("out")
    house.withdrawn.clear()
    assert house.run("out", fresh=False).events == 0
    assert house.run("out").events == 2
    assert len(held()) == 3


def test_emptying_leaves_nothing_at_the_receiver(house, held):
    told(house)
    house.run("out")
    with pytest.raises(BadInput, match="still stand"):
        destinations.remove_destination(house.state, OWNER, "out")
    runs.empty(house.house(), "out")
    assert not held()
    assert house.run("out").events == 0
    destinations.remove_destination(house.state, OWNER, "out")
    assert destinations.list_destinations(house.state) == ()


def test_another_purpose_takes_back_what_is_not_meant_any_more(house, held):
    house.world.send(
        event("pin_saved", "m1", "ann", 1),
        event("pin_saved", "m2", "bob", 2, agreed=ALL | {"advertising": False}),
    )
    house.run("out")
    destinations.set_destination(house.state, OWNER, "out", {"purpose": "advertising"})
    house.run("out")
    assert len(held()) == 1


def test_only_the_events_that_were_chosen(house, held):
    house.world.send(event("a", "m1", "ann"), event("b", "m2", "ann"))
    destinations.set_destination(house.state, OWNER, "out", {"settings": {"events": ["b"]}})
    house.run("out")
    assert [row["event"] for row in held().values()] == ["b"]


def test_a_run_that_broke_off_before_it_was_noted_leaves_nothing_twice(house, held, monkeypatch):
    told(house)
    with monkeypatch.context() as broken:
        broken.setattr(runs._Trip, "delivered", dies)
        with pytest.raises(KeyboardInterrupt):
            house.run("out")
    assert house.standing("out").cursor == -1
    house.world.send(event("pin_saved", "m5", "bob", 5))
    house.run("out")
    house.run("out")
    assert len(held()) == 4
    assert house.standing("out").sent_events == 4


def test_who_withdraws_after_a_run_that_broke_off_does_not_stay(house, held, monkeypatch):
    told(house)
    with monkeypatch.context() as broken:
        broken.setattr(runs._Trip, "delivered", dies)
        with pytest.raises(KeyboardInterrupt):
            house.run("out")
    house.withdrawn.add("ann")
    house.run("out", fresh=False)
    assert len({row["subject"] for row in held().values()}) <= 1
    house.run("out")
    assert len(held()) == 1
    assert house.standing("out").pending_to is None


def test_two_receivers_cannot_put_together_whom_they_know(house):
    told(house)
    for name in ("one", "two"):
        house.add(name, "files", settings={"format": "csv"})
        house.run(name)
    first, second = ({r["subject"] for r in rows_of(house, n).values()} for n in ("one", "two"))
    assert len(first) == 2
    assert not first & second


def test_a_border_without_a_basis_blocks(house):
    told(house)
    house.add("out", "files", region="us")
    with pytest.raises(NotAllowed, match="from region eu to us"):
        house.run("out")
    assert "blocked" in house.standing("out").trouble
    transfers.register(
        house.state, OWNER, from_region="eu", to_region="us", basis="scc", note="signed 2026-01-01"
    )
    assert house.run("out").events == 3
    (row,) = transfers.happened(house.state).rows
    assert row[1:] == ("out", "eu", "us", "scc", 1, 3, 2)


def test_a_basis_that_is_over_or_revoked_blocks_again_but_taking_back_goes_on(house):
    told(house)
    house.add("out", "files", region="us")
    one = transfers.register(
        house.state,
        OWNER,
        from_region="eu",
        to_region="us",
        basis="derogation",
        note="asked",
        until_time=house.state.now() + DAY,
    )
    house.run("out")
    house.world.send(event("pin_saved", "m9", "bob", 9))
    house.world.clock.now += 2 * DAY
    with pytest.raises(NotAllowed):
        house.run("out")
    transfers.revoke(house.state, OWNER, one.id)
    house.withdrawn.add("ann")
    assert house.run("out", fresh=False).taken_back == 1
    assert len(rows_of(house, "out")) == 1


def test_data_of_an_unknown_region_goes_nowhere_unasked(tmp_path):
    bare = House(World(tmp_path / "w"))
    told(bare)
    bare.add("out", "files")
    with pytest.raises(NotAllowed) as refused:
        bare.run("out")
    assert "source set app --region" in refused.value.fix
    bare.world.close()


def test_the_trail_tells_what_went_and_no_secret(house, receiver):
    settings = {"url": receiver.url, "allow": ["127.0.0.1"]}
    receiver.secret = house.add("out", "webhook", settings=settings).secret
    told(house)
    house.run("out")
    entries = trail(house.state, most=50, action="")
    assert {"destination.add", "destination.send"} <= {entry.action for entry in entries}
    text = json.dumps([str(entry) for entry in entries])
    assert receiver.secret not in text
    assert "/hook" not in text


def test_user_ids_in_words_only_where_that_is_said(house):
    told(house)
    house.add("keys", "files", settings={"format": "csv"})
    house.add("words", "files", settings={"format": "csv", "names": True})
    for name in ("keys", "words"):
        house.run(name)
    assert all("user_id" not in row for row in rows_of(house, "keys").values())
    assert {row["user_id"] for row in rows_of(house, "words").values()} == {"ann", "bob"}


def test_a_disk_or_folder_that_fails_loses_nothing(house):
    told(house)
    house.add("out", "files")
    (house.world.folder / "outgoing").write_text("in the way")
    with pytest.raises(MachineFailed, match="cannot be written"):
        house.run("out")
    (house.world.folder / "outgoing").unlink()
    assert house.run("out").events == 3


def test_a_no_that_comes_as_an_event_takes_back_what_a_yes_had_let_out(house, held):
    told(house)
    house.run("out")
    assert len(held()) == 3
    house.world.send(event("seen", "n1", "ann", 60, agreed=ALL | {"sharing": False}))
    assert house.run("out", fresh=False).taken_back == 1
    assert len(held()) == 1
    house.world.send(event("seen", "n2", "ann", 120))
    house.run("out")
    assert "seen" in {row["event"] for row in held().values()}


def test_who_is_erased_is_gone_from_every_receiver_when_the_call_returns(house, held):
    told(house)
    house.run("out")
    call(house.world.workspace, OWNER, "person erase", {"id": "ann"})
    assert len(held()) == 1
    assert house.standing("out").sent_events == 1
    for path in house.world.folder.rglob("*"):
        assert not path.is_file() or b'"ann"' not in path.read_bytes()


def test_a_receiver_that_does_not_hear_of_an_erasure_is_named(house, receiver):
    settings = {"url": receiver.url, "allow": ["127.0.0.1"]}
    receiver.secret = house.add("out", "webhook", settings=settings).secret
    told(house)
    house.run("out")
    receiver.answers = [500]
    done = call(house.world.workspace, OWNER, "person erase", {"id": "ann"})
    assert any("out" in note for note in done.body["notes"])
    house.run("out", fresh=False)
    assert len(receiver.held()) == 1
