"""Webhooks: signed, tried again, given up without a loss, and never sent to inner addresses."""

import pytest

from onefold.model.errors import BadInput, MachineFailed, NotAllowed
from onefold.model.records import OWNER
from onefold.model.time import SECOND
from onefold.sharing import destinations, runs
from receivers import event

pytestmark = pytest.mark.long


@pytest.fixture
def out(house, receiver):
    settings = {"url": receiver.url, "allow": ["127.0.0.1"]}
    receiver.secret = house.add("out", "webhook", settings=settings).secret
    house.world.send(event("pin_saved", "m1", "ann", 1), event("pin_saved", "m2", "bob", 2))
    return receiver


def test_an_official_library_accepts_the_signature(house, out):
    house.run("out")
    assert out.checked["data"]["destination"] == "out"
    assert out.headers[0]["webhook-id"].startswith("msg_")


def test_a_batch_that_failed_comes_again_under_the_same_id_and_waits_longer_each_time(house, out):
    out.answers = [500, 503, 400]
    waits = []
    for _try in range(3):
        with pytest.raises(MachineFailed):
            house.run("out")
        waits.append((house.standing("out").next_time - house.world.clock.now) // SECOND)
        house.world.send(event("pin_saved", f"later{_try}", "bob", 3))
    assert waits == [5, 300, 1800]
    house.run("out")
    assert len(out.held()) == 5
    assert house.standing("out").tries == 0
    first = [row["message_id"] for row in out.messages[0]["data"]["events"]]
    assert len(first) == 2, "what is tried again ends where it did"


def test_a_try_after_a_crash_has_the_same_id(house, out, monkeypatch):
    def dies(*_args, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(runs._Trip, "delivered", dies)
        with pytest.raises(KeyboardInterrupt):
            house.run("out")
    house.run("out")
    assert len({headers["webhook-id"] for headers in out.headers}) == 1
    assert len(out.headers) == 2


def given_up(house, out):
    out.answers = [500] * (len(runs.WAITS) + 1)
    for _try in range(len(runs.WAITS) + 1):
        with pytest.raises(MachineFailed):
            house.run("out")


def test_what_failed_for_days_is_a_dead_letter_and_the_next_goes_on(house, out):
    given_up(house, out)
    assert len(runs.letters(house.state, "out")) == 1
    house.world.send(event("pin_saved", "m3", "ann", 3))
    house.run("out")
    assert len(out.held()) == 1
    assert house.run("out", fresh=False).taken_back == 0


def test_a_replay_sends_what_consent_still_allows(house, out):
    given_up(house, out)
    house.withdrawn.add("ann")
    assert runs.replay(house.house(), "out").events == 1
    assert len(out.held()) == 1
    assert runs.letters(house.state, "out") == ()
    assert house.run("out").events == 0
    assert house.standing("out").sent_events == 1


def test_a_replay_that_fails_stays_a_dead_letter(house, out):
    given_up(house, out)
    out.answers = [500]
    with pytest.raises(MachineFailed):
        runs.replay(house.house(), "out")
    (letter,) = runs.letters(house.state, "out")
    assert letter.tries == len(runs.WAITS) + 2


def test_nothing_new_goes_while_something_could_not_be_taken_back(house, out):
    house.run("out")
    house.withdrawn.add("ann")
    house.world.send(event("pin_saved", "m3", "bob", 3))
    out.answers = [500]
    with pytest.raises(MachineFailed):
        house.run("out")
    assert len(out.held()) == 2
    assert house.standing("out").next_time - house.world.clock.now <= 60 * SECOND
    house.run("out")
    assert len(out.held()) == 2
    assert len({row["subject"] for row in out.held().values()}) == 1


def test_a_person_taken_back_twice_is_told_twice(house, out):
    for _time in range(2):
        house.withdrawn.clear()
        house.run("out")
        house.withdrawn.add("ann")
        house.run("out")
    told = [headers["webhook-id"] for headers in out.headers]
    assert len(told) == len(set(told))
    assert len(out.held()) == 1


def test_a_receiver_that_is_gone_is_asked_no_more(house, out):
    out.answers = [410]
    with pytest.raises(MachineFailed, match="gone"):
        house.run("out")
    assert house.standing("out").stopped
    assert house.run("out").events == 0


def test_a_redirect_to_an_inner_address_is_not_followed(house, out):
    out.answers = [307, 307, 307, 307]
    out.location = "http://169.254.169.254/latest/meta-data"
    with pytest.raises(MachineFailed, match="not https"):
        house.run("out")
    out.location = "https://localhost:1/x"
    with pytest.raises(MachineFailed, match="not a public address"):
        house.run("out")
    assert out.messages == []


def test_a_redirect_without_end_ends(house, out):
    out.answers = [308] * 9
    out.location = "/hook"
    with pytest.raises(MachineFailed, match="on and on"):
        house.run("out")
    assert len(out.answers) == 5


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user:word@example.com/",
        "https://",
        "nonsense",
        "https://exa mple.com/",
        "http://[::1/",
    ],
)
def test_an_address_that_no_webhook_may_have_is_refused_at_once(house, url):
    with pytest.raises(BadInput):
        house.add("bad", "webhook", settings={"url": url})
    assert destinations.list_destinations(house.state) == ()


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_the_house_itself_is_no_receiver(house, host):
    house.world.send(event("pin_saved", "m1", "ann", 1))
    house.add("bad", "webhook", settings={"url": f"https://{host}/hook"})
    with pytest.raises(MachineFailed):
        house.run("bad")
    assert "public" in house.standing("bad").trouble or "answer" in house.standing("bad").trouble
    assert house.standing("bad").cursor == -1


def test_only_the_owner_may_register_where_data_goes(house):
    from onefold.model.records import Asker
    from onefold.runtime import call

    given = {"name": "x", "kind": "files", "purpose": "sharing", "region": "eu", "basis": "b"}
    for role in ("analyst", "marketer", "viewer"):
        with pytest.raises(NotAllowed):
            call(house.world.workspace, Asker("Ines", role), "destination add", given)
    made = call(house.world.workspace, OWNER, "destination add", given)
    assert made.body["secret"].startswith("whsec_")
