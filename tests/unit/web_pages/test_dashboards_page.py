"""Dashboards in the browser and by calls: put together, shown, changed, kept for git."""

import json
import re
from threading import Barrier, Thread
from urllib.parse import urlencode

import pytest

from onefold.model.errors import BadInput, Conflict, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.model.time import DAY, day_of
from onefold.runtime import call
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long

STEPS = ("pin_viewed", "pin_opened", "pin_saved")
VIEWER = Asker("Vera", "viewer")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("boards") / "w")
    for person in range(40):
        for hour, step in enumerate(STEPS[: 1 + person % 3]):
            found.send(track(step, id=f"{person}-{hour}", user=f"u{person}"))
    found.fold()
    # Whole days alone count, so that what was sent counts from tomorrow on.
    found.clock.now += 2 * DAY
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "marketer")


def asked(world, name, params=None, asker=OWNER):
    return call(world.workspace, asker, name, params or {}).body


def board(world, name):
    return asked(world, "dashboard show", {"name": name, "answers": False})


def today(world, days=0):
    return day_of(world.workspace.clock() + days * DAY, "UTC").isoformat()


def pinned(world, board, ask="metric", **params):
    params = params or {"name": "saves_per_session"}
    return asked(world, "dashboard pin", {"name": board, "ask": ask, "params": params})


def test_templates_can_be_asked_as_they_are(world, reader):
    rows = asked(world, "dashboard list")["rows"]
    assert {row[2] for row in rows} == {"shipped"}
    assert len(rows) >= 6
    for name, *_ in rows:
        text = board(world, name)["text"]
        # What is kept is checked against what its questions take.
        assert asked(world, "dashboard keep", {"text": text})["questions"]
        asked(world, "dashboard drop", {"name": name})
    assert "Templates" in reader.get("/explore/dashboards").text


def test_a_template_answers_on_its_page_and_by_its_call(world, reader):
    told = asked(world, "dashboard show", {"name": "discovery"})
    assert [len(tile["answer"]["rows"]) for tile in told["tiles"]] == [3, 3, 1]
    page = reader.get("/explore/dashboards/discovery")
    assert page.status_code == 200
    assert page.text.count('class="block tile-of-board') == 3
    assert "No answer" not in page.text


@pytest.mark.parametrize(
    ("address", "ask"),
    [
        ("/explore?metric=save_rate&by=surface", "metric"),
        ("/explore/funnel?events=pin_viewed,pin_saved&within=1d", "funnel"),
        ("/explore/retention?start=pin_viewed&return=pin_saved", "retention"),
    ],
)
def test_a_question_is_put_on_from_its_own_page(world, reader, address, ask):
    page = reader.get(address).text
    question = re.search(r'name="question" value="([^"]*)"', page)
    question = question[1].replace("&#34;", '"')
    assert json.loads(question)["ask"] == ask
    name = f"made by hand {ask}"
    given = {"do": "dashboard pin", "name": name, "label": "", "question": question}
    answer = reader.post("/explore/dashboards", given, from_page="/explore")
    assert answer.headers["location"] == f"/explore/dashboards/made-by-hand-{ask}"
    shown = board(world, f"made-by-hand-{ask}")
    assert shown["label"] == name
    (tile,) = shown["tiles"]
    assert (tile["ask"], tile["params"]["to"]) == (ask, today(world))
    text = reader.get(answer.headers["location"]).text
    assert "Ask it" in text
    assert "No answer" not in text


def test_days_that_do_not_end_today_stand(world, reader):
    days = {"from": today(world, -20), "to": today(world, -3)}
    page = reader.get(f"/explore?metric=save_rate&{urlencode(days)}").text
    assert "It asks over these days." in page
    pinned(world, "past", name="save_rate", **days)
    assert board(world, "past")["tiles"][0]["params"] == {"name": "save_rate", **days}


def test_a_change_is_a_version_and_is_audited(world):
    assert pinned(world, "grown")["version"] == 1
    assert pinned(world, "grown", name="save_rate")["version"] == 2
    taken = asked(world, "dashboard unpin", {"name": "grown", "place": 1})
    assert (taken["version"], taken["questions"]) == (3, 1)
    assert board(world, "grown")["tiles"][0]["params"]["name"] == "save_rate"
    trail = asked(world, "audit show", {"subject": "grown"})
    names = [column["name"] for column in trail["columns"]]
    actions = [dict(zip(names, row, strict=True))["action"] for row in trail["rows"]]
    assert actions == ["dashboard.unpin", "dashboard.pin", "dashboard.pin"]


def test_a_template_that_is_changed_becomes_ones_own_and_comes_back(world):
    before = board(world, "loyalty")
    asked(world, "dashboard unpin", {"name": "loyalty", "place": 1})
    after = board(world, "loyalty")
    assert (after["origin"], len(after["tiles"])) == ("kept", len(before["tiles"]) - 1)
    asked(world, "dashboard drop", {"name": "loyalty"})
    assert board(world, "loyalty") == before
    with pytest.raises(Conflict, match="comes with Onefold"):
        asked(world, "dashboard drop", {"name": "loyalty"})


def test_the_yaml_of_one_can_be_kept_again_or_stand_in_git(world, reader):
    pinned(world, "moved", ask="funnel", events=["pin_viewed", "pin_saved"])
    got = reader.get("/explore/dashboards/moved.yaml")
    assert got.headers["content-type"].startswith("application/yaml")
    assert asked(world, "dashboard keep", {"text": got.text})["version"] == 2
    folder = world.workspace.definitions / "dashboards"
    folder.mkdir(parents=True)
    (folder / "moved.yaml").write_text(got.text)
    try:
        assert board(world, "moved")["origin"] == "definitions"
        with pytest.raises(Conflict, match="stands in definitions/dashboards"):
            pinned(world, "moved")
        assert "Take off" not in reader.get("/explore/dashboards/moved").text
        (folder / "moved.yaml").write_text(got.text.replace("within", "wihtin") + "  wihtin: 3d\n")
        with pytest.raises(BadInput, match=r"moved\.yaml:\d+:\d+"):
            asked(world, "plan")
    finally:
        (folder / "moved.yaml").unlink()


def test_what_cannot_be_asked_is_not_kept(world):
    with pytest.raises(BadInput, match="cannot be `sql`"):
        pinned(world, "bad", ask="sql", text="select 1")
    with pytest.raises(BadInput, match="Question 1 of `bad`"):
        pinned(world, "bad", name="save_rate", every="fortnight")
    with pytest.raises(BadInput, match="no name of a dashboard"):
        pinned(world, "../bad")
    with pytest.raises(BadInput, match="say it twice"):
        asked(
            world,
            "dashboard pin",
            {
                "name": "bad",
                "ask": "metric",
                "params": {"name": "x", "to": "2026-01-01"},
                "days": 7,
            },
        )
    with pytest.raises(NotFound):
        board(world, "bad")


def test_a_question_that_fails_costs_the_others_nothing(world, reader):
    pinned(world, "half", name="no_such_metric")
    pinned(world, "half")
    told = asked(world, "dashboard show", {"name": "half"})["tiles"]
    assert "No metric `no_such_metric`" in told[0]["trouble"]["message"]
    assert told[1]["answer"]["rows"]
    page = reader.get("/explore/dashboards/half").text
    assert "No answer" in page
    assert "Saves per session" in page


def test_who_may_not_keep_one_sees_no_button(world):
    viewer = Reader(world, "viewer")
    assert "Put on a dashboard" not in viewer.get("/explore").text
    assert "Take off" not in viewer.get("/explore/dashboards/half").text
    with pytest.raises(NotAllowed, match="may not keep dashboards"):
        asked(world, "dashboard drop", {"name": "half"}, VIEWER)


def test_names_are_written_as_text(world, reader):
    hostile = "<script>alert(1)</script>"
    text = f"dashboard: hostile\nlabel: '{hostile}'\ntiles:\n- ask: metric\n  name: '{hostile}'\n"
    asked(world, "dashboard keep", {"text": text})
    for path in ("/explore/dashboards", "/explore/dashboards/hostile"):
        assert hostile not in reader.get(path).text
    given = {"do": "dashboard pin", "name": "x", "question": "{}"}
    answer = reader.post("/explore/dashboards", given, from_page="/explore")
    assert answer.status_code == 422
    assert reader.get("/explore/dashboards/none").status_code == 404


def test_of_two_who_change_it_at_once_one_is_told(world):
    pinned(world, "raced")
    both, said = Barrier(4), []

    def change(number):
        both.wait()
        try:
            said.append(pinned(world, "raced", name=f"m{number}")["version"])
        except Conflict as error:
            said.append(error.message)

    threads = [Thread(target=change, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [one for one in said if isinstance(one, int)]
    assert sorted(kept) == list(range(2, 2 + len(kept)))
    assert len(board(world, "raced")["tiles"]) == 1 + len(kept)
    assert all("changed meanwhile" in one for one in said if isinstance(one, str))
