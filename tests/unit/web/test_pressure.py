"""Back-pressure: who is asked to come back, when, and that memory stays bounded meanwhile."""

import asyncio
from types import SimpleNamespace

import pytest

from onefold.model.errors import BadInput, Busy, DiskFull, TooLarge, TooMany
from onefold.model.limits import Limits
from onefold.runtime.settings import Settings, read_settings
from onefold.web import pressure as pressing
from onefold.web.bodies import MOST_DRAINED, Body
from onefold.web.health import Health, Progress
from onefold.web.pressure import MOST_IN_FLIGHT, Pressure

MB = 1_000_000


class Watch:
    """A stop watch that moves when told."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def made(tmp_path, watch, monkeypatch):
    """Return what makes a pressure over a disk, a writer and folds that do as they are told."""
    free = SimpleNamespace(free=500 * MB)
    monkeypatch.setattr(pressing.shutil, "disk_usage", lambda _folder: free)
    writer = SimpleNamespace(standing_seconds=0.0)
    behind = SimpleNamespace(seconds=0.0)

    def make(**limits):
        found = Pressure(
            tmp_path, writer, Limits(**limits), behind=lambda: behind.seconds, ticks=watch
        )
        return found, free, writer, behind

    return make


def test_too_many_bytes_at_work_are_refused_and_given_back(made):
    pressure, *_ = made()
    with pressure.room(MOST_IN_FLIGHT - 10):
        with pressure.room(10):
            assert pressure.in_flight == MOST_IN_FLIGHT
        with pytest.raises(Busy, match="at work") as refused, pressure.room(11):
            pass
        assert refused.value.status == 503
    assert pressure.in_flight == 0


def test_one_key_never_takes_the_room_of_another(made):
    pressure, *_ = made()
    half = MOST_IN_FLIGHT // 2
    with pressure.share("loud", half):
        with pytest.raises(TooMany) as refused, pressure.share("loud", 1):
            pass
        assert (refused.value.status, refused.value.retry_seconds) == (429, 1)
        with pressure.share("quiet", half):
            assert pressure.refusing() is None
    with pressure.share("loud", half):
        assert pressure.refusing() is None


def test_a_key_over_its_rate_is_told_when_its_debt_is_paid(made, watch):
    pressure, *_ = made(events_per_second=100)
    with pressure.share("app", 1):
        pressure.spend("app", 1500)
    with pytest.raises(TooMany, match="100 events a second") as refused, pressure.share("app", 1):
        pass
    assert refused.value.retry_seconds == 6
    with pressure.share("other", 1):
        pressure.spend("other", 10)
    watch.seconds += 5.5
    with pressure.share("app", 1):
        pressure.spend("app", 1)


def test_a_steady_key_under_its_rate_is_never_refused(made, watch):
    pressure, *_ = made(events_per_second=100)
    for _ in range(2000):
        with pressure.share("app", 1):
            pressure.spend("app", 50)
        watch.seconds += 0.5
    assert pressure.refusing() is None


@pytest.mark.parametrize(
    ("harm", "kind", "says"),
    [
        ("disk", DiskFull, "15 MB left; 16 MB stay free"),
        ("log", Busy, "taken nothing for 3 s"),
        ("folds", Busy, "3601 s behind"),
    ],
)
def test_whatever_stands_still_refuses_everybody_until_it_goes(made, watch, harm, kind, says):
    pressure, free, writer, behind = made()
    with pressure.room(1):
        free.free = 15 * MB if harm == "disk" else free.free
        writer.standing_seconds = 3.0 if harm == "log" else 0.0
        behind.seconds = 3601.0 if harm == "folds" else 0.0
    watch.seconds += 1
    with pytest.raises(kind, match=says) as refused, pressure.room(1):
        pass
    assert (refused.value.status, refused.value.retry_seconds >= 1) == (503, True)
    assert refused.value.fix
    free.free, writer.standing_seconds, behind.seconds = 500 * MB, 0.0, 0.0
    watch.seconds += 1
    with pressure.room(1):
        assert pressure.refusing() is None


def test_facts_may_be_behind_for_ever_where_the_workspace_says_so(made):
    pressure, _, _, behind = made(most_behind_seconds=0)
    behind.seconds = 1e9
    assert pressure.refusing() is None


# ---------------------------------------------------------------- bodies


class Sender:
    """Sends a body in pieces, and counts what was read of it."""

    def __init__(self, size, piece=100_000):
        self.left, self.piece, self.read = size, piece, 0

    async def __call__(self):
        taken = min(self.left, self.piece)
        self.left -= taken
        self.read += taken
        return {"type": "http.request", "body": b"x" * taken, "more_body": self.left > 0}


def read(sender, most, headers=()):
    async def asked():
        body = Body({"headers": list(headers)}, sender)
        try:
            return await body.read(most)
        finally:
            await body.drain()

    return asyncio.run(asked())


def test_a_body_that_is_too_large_is_read_to_its_end_and_not_kept():
    sender = Sender(5_000_000)
    with pytest.raises(TooLarge):
        read(sender, 500_000)
    assert sender.left == 0


def test_a_body_without_end_is_drained_up_to_a_bound():
    sender = Sender(10**12)
    with pytest.raises(TooLarge):
        read(sender, 500_000)
    assert sender.read <= MOST_DRAINED + 1_000_000


def test_who_waits_for_leave_to_send_is_answered_at_once():
    sender = Sender(5_000_000)
    with pytest.raises(TooLarge):
        read(sender, 500_000, [(b"expect", b"100-continue")])
    assert sender.read == 600_000


def test_a_whole_body_is_not_waited_for_again():
    sender = Sender(250_000)
    assert len(read(sender, 500_000)) == 250_000


def test_a_sender_that_leaves_is_no_body():
    async def gone():
        return {"type": "http.disconnect"}

    with pytest.raises(BadInput, match="left"):
        read(gone, 10)


# ---------------------------------------------------------------- readiness


def health_of(tmp_path, watch, log):
    writer = SimpleNamespace(failure=None)
    return Health(folder=tmp_path, writer=writer, log=log, clock=lambda: 60 * MB, ticks=watch)


def asked(health, monkeypatch, **progress):
    async def told(_house, _path):
        import msgspec

        return msgspec.json.encode(Progress(**progress))

    monkeypatch.setattr("onefold.web.health.fetch", told)
    return asyncio.run(health.ready())


@pytest.fixture
def log():
    """Return a log whose rows after the fifth wait for a minute already."""
    waiting = [SimpleNamespace(received_time=0)]
    return SimpleNamespace(
        last_offset=lambda: 9,
        read=lambda after, **_: waiting if after < 9 else [],
        events=lambda after: 9 - after,
    )


def test_folds_that_stand_still_are_not_ready_and_say_where(tmp_path, watch, log, monkeypatch):
    health = health_of(tmp_path, watch, log)
    assert asked(health, monkeypatch, facts_offset=5)[0] is True
    watch.seconds += 20
    assert asked(health, monkeypatch, facts_offset=6)[0] is True
    watch.seconds += 31
    ready, told = asked(health, monkeypatch, facts_offset=6)
    assert not ready
    assert told["reason"] == "The facts have stood at row 6 for 31 s."
    assert health._behind == 60.0
    assert asked(health, monkeypatch, facts_offset=9)[0] is True
    assert health._behind == 0.0


def test_a_rebuild_is_no_stall(tmp_path, watch, log, monkeypatch):
    health = health_of(tmp_path, watch, log)
    for _ in range(3):
        watch.seconds += 40
        assert asked(health, monkeypatch, facts_offset=5, rebuilding=True)[0] is True
    assert health._behind == 0.0


def test_what_troubles_the_folds_is_told(tmp_path, watch, log, monkeypatch):
    health = health_of(tmp_path, watch, log)
    ready, told = asked(health, monkeypatch, facts_offset=5, trouble="The folds stand still.")
    assert not ready
    assert told["reason"] == "The folds stand still."


# ---------------------------------------------------------------- settings


def test_limits_are_read_from_the_settings(tmp_path):
    (tmp_path / "onefold.toml").write_text(
        "[intake]\nevents_per_second = 50\nkeep_free_mb = 1\nmost_behind_seconds = 0\n"
    )
    assert read_settings(tmp_path).limits == Limits(50, MB, 0)
    assert Settings("x").limits == Limits()


@pytest.mark.parametrize("line", ["event_per_second = 1", "keep_free_mb = true", "keep_free_mb=-1"])
def test_a_limit_that_is_none_is_refused(tmp_path, line):
    (tmp_path / "onefold.toml").write_text(f"[intake]\n{line}\n")
    with pytest.raises(BadInput, match=r"onefold\.toml"):
        read_settings(tmp_path)
