"""Whatever is sent, withdrawn and broken off: a receiver ends with what is allowed, exactly."""

import random
from contextlib import suppress

import pytest

from onefold.model.errors import MachineFailed
from onefold.model.records import OWNER, Question
from onefold.sharing import runs
from onefold.sharing.carriers import Undelivered
from receivers import House, event

PEOPLE = ("ann", "bob", "eve", "jon")


class Flaky:
    """A receiver that puts and drops, and fails or dies before or after it did."""

    gives_up = False
    rewrites = False

    def __init__(self, draw):
        self.most = 3
        self.draw = draw
        self.rows = {}
        self.calm = False

    def begin(self, _cursor):
        pass

    def _may_break(self):
        roll = 1.0 if self.calm else self.draw.random()
        if roll < 0.15:
            raise Undelivered("no")
        if roll < 0.25:
            raise KeyboardInterrupt

    def carry(self, batch, _sequence):
        self._may_break()
        for row in batch.rows:
            self.rows[row["message_id"]] = row
            self._may_break()

    def take_back(self, _taken, subjects, _sequence):
        self._may_break()
        gone = set(subjects)
        self.rows = {key: row for key, row in self.rows.items() if row["subject"] not in gone}
        self._may_break()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
def test_a_receiver_ends_with_what_is_allowed(seed, tmp_path, monkeypatch):
    draw = random.Random(seed)
    house = House.make(tmp_path)
    house.add("out", "webhook", settings={"url": "https://partner.example/"})
    flaky = Flaky(draw)
    monkeypatch.setattr(runs, "carrier_of", lambda *_: flaky)
    sent = 0
    for _step in range(25):
        what = draw.random()
        if what < 0.4:
            many = [event("seen", f"m{sent + n}", draw.choice(PEOPLE), n) for n in range(4)]
            sent += 4
            for one in many:
                house.world.send(one)
        elif what < 0.55:
            house.withdrawn.symmetric_difference_update({draw.choice(PEOPLE)})
        else:
            with suppress(MachineFailed, KeyboardInterrupt):
                house.run("out", fresh=draw.random() < 0.7)
    flaky.calm = True
    for _time in range(3):
        house.run("out")
    house.world.fold()
    allowed = house.view(Question(OWNER, purpose="sharing"))
    wanted = allowed.ask(allowed.events.select("message_hi", "message_lo")).to_pylist()
    ids = {f"{row['message_hi'] % 2**64:016x}{row['message_lo'] % 2**64:016x}" for row in wanted}
    assert set(flaky.rows) == ids
    assert house.standing("out").sent_events == len(ids)
    house.world.close()
