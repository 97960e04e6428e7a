"""The Data page and "Connect your app", over a real workspace."""

import asyncio

import pytest

from onefold.collect import questions as queries
from onefold.model.records import OWNER
from onefold.model.time import DAY
from onefold.runtime import call
from onefold.web.app import make_app
from onefold.web.pages import data
from onefold.web.pages.connect import snippets
from readers import Reader
from worlds import START, World, track

pytestmark = pytest.mark.long

SAVED = """\
event: pin_saved
version: 3
owner: Boards
properties:
  item_id: {type: string, required: true}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("data") / "w", definitions={"events/a.yaml": SAVED})
    found.send(
        *(track("pin_saved", id=f"s{n}", user="u1", item_id="i1") for n in range(9)),
        track("pin_svaed", id="x1", user="u1"),
        track("pin_saved", id="bad", user="person-77", contact="jo@example.com"),
    )
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def owner(world):
    return Reader(world, "marketer")


@pytest.fixture(scope="module")
def viewer(world):
    return Reader(world, "viewer")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("empty") / "w", basis="opt-in")
    yield found
    found.close()


def test_the_page_says_what_people_said_and_what_became_of_it(tmp_path):
    found = World(tmp_path / "w")
    found.send(track("pin_saved", id="s1", user="u1"), track("pin_saved", id="s2", user="u2"))
    found.clock.now += 60_000_000
    call(found.workspace, OWNER, "consent withdraw", {"id": "u1", "purpose": "advertising"})
    shown = Reader(found, "owner").get("/data").text
    assert "What people said, by purpose" in shown
    assert "Withdrawals, and when they were obeyed" in shown
    assert "nothing is kept but that they came" in shown
    assert "Withdrawals, and when" not in Reader(found, "viewer").get("/data").text
    view = found.view()
    person = view.ask(view.identifiers.select("person_id").distinct()).to_pylist()
    pages = [Reader(found, "owner").get(f"/customers/people/{row['person_id']}") for row in person]
    assert all(page.status_code == 200 for page in pages)
    assert sum("stated by call" in page.text for page in pages) == 1
    found.close()


def test_the_page_says_what_waits_and_what_mends_it(owner):
    shown = owner.get("/data")
    assert shown.status_code == 200
    assert "10.0 % of pin_saved wait" in shown.text.replace("\xa0", " ")
    assert "<code>item_id</code> is missing." in shown.text
    assert "take <code>required</code> out of the catalogue" in shown.text
    assert "Did you mean <code>pin_saved</code>?" in shown.text
    assert "pin_saved v3" in shown.text
    assert "Boards" in shown.text


def test_a_viewer_sees_no_person_in_the_one_that_waits(owner, viewer):
    assert "person-77" in owner.get("/data").text
    shown = viewer.get("/data").text
    assert "person-77" not in shown
    assert "jo@example.com" not in shown
    assert "bad" in shown


@pytest.mark.parametrize("query", ["?days=1", "?days=90", "?days=x&show=99", "?show=-1"])
def test_every_address_of_the_page_answers(owner, query):
    assert owner.get(f"/data{query}").status_code == 200


def test_an_empty_workspace_leads_to_connect(empty):
    shown = Reader(empty, "viewer").get("/data")
    assert "Nothing has come in yet." in shown.text
    assert 'href="/connect"' in shown.text


def test_a_definition_that_cannot_be_used_is_told(world, owner):
    broken = world.folder / "definitions" / "events" / "broken.yaml"
    broken.write_text("event: [\n")
    shown = owner.get("/data").text
    broken.unlink()
    assert "A definition cannot be used." in shown
    assert "events/broken.yaml" in shown


def test_connect_turns_when_the_first_event_comes(empty):
    reader = Reader(empty, "analyst")
    before = reader.get("/connect")
    assert "No event has come yet." in before.text
    assert 'hx-trigger="every 2s"' in before.text
    assert empty.source.write_key in before.text
    assert '"http://here:8500"' in before.text.replace("&#34;", '"')
    empty.send(track("pin_saved", id="n1", user="u1", agreed=False))
    empty.fold()
    assert "Events came without consent" in reader.get("/connect/state?source=app").text
    empty.send(track("", id="n2", user="u1"))
    empty.fold()
    assert "it waits" in reader.get("/connect/state?source=app").text
    empty.send(track("pin_saved", id="n3", user="u1"))
    empty.fold()
    after = reader.get("/connect/state?source=app").text
    assert "Connected" in after
    assert "hx-trigger" not in after
    assert "Connected" in reader.get("/connect").text


def test_a_viewer_does_not_see_the_key(viewer, world):
    shown = viewer.get("/connect").text
    assert world.source.write_key not in shown
    assert "YOUR_WRITE_KEY" in shown


def test_an_unknown_source_is_not_found(owner):
    assert owner.get("/connect?source=none").status_code == 404


def test_the_python_snippet_is_python_and_all_name_the_key():
    found = {each["name"]: each["code"] for each in snippets("wk_1", "https://x.test")}
    for name in ("Python", "Snowplow"):
        compile(found[name], "snippet", "exec")
    assert all("wk_1" in code for code in found.values())
    for name in ("Browser", "Bundle"):
        assert 'apiHost: "x.test/v1", protocol: "https"' in found[name]
    # No browser resolves a bare name; what a page takes, Onefold serves.
    assert '<script src="https://x.test/static/vendor/analytics-next.min.js">' in found["Browser"]
    assert "import " not in found["Browser"]


def test_every_snippet_sends_consent():
    for each in snippets("wk_1", "https://x.test"):
        assert "categoryPreferences" in each["code"], each["name"]


def test_rows_of_imports_that_wait_name_their_lines():
    def waits(line, place=0):
        reason = f"shop.csv line {line}: `name` is missing."
        return queries.Reason(
            "account", queries._general(reason), "crm", 1, 1, 1, 1, place, (line,)
        )

    one = queries._joined(queries._joined(waits(7), waits(3)), waits(12))
    assert queries._with_lines(one) == "`name` is missing. (shop.csv, line 3, 7, 12)"
    many = queries._joined(one, waits(1_400))
    assert queries._with_lines(many).endswith("(shop.csv, line 3, 7, 12 and 1 more)")
    assert queries.mend_of(queries._with_lines(one)).startswith("Mend the row")


def test_answers_in_words():
    seen = [queries.SeenEvent("a", (90,), START)]
    few = queries.Reason("a", "`x` is missing.", "app", 1, START, START, 1, 0)
    many = queries.Reason(
        "a", "The event has neither userId nor anonymousId.", "app", 30, 1, 1, 1, 0
    )
    assert str(data.answer_of(queries.Totals(0, 0, 0, 0), [], [])[0]) == "Nothing has come in yet."
    assert "all 90 events" in str(data.answer_of(queries.Totals(90, 0, 0, 0), [], seen)[0])
    said = "".join(map(str, data.answer_of(queries.Totals(90, 0, 1, 0), [few], seen)))
    assert said.startswith("Yes, but ")
    assert said.endswith("wait</span>, as x is missing.")
    said = "".join(map(str, data.answer_of(queries.Totals(90, 0, 30, 0), [many], seen)))
    assert said.startswith("Not all of it: ")
    assert said.endswith(", as the event has neither userId nor anonymousId.")


def test_the_house_measures_from_its_start_on(world):
    app = make_app(world.workspace)

    async def started():
        async with app.router.lifespan_context(app):
            return app.state.delays

    delays = asyncio.run(started())
    assert delays.seconds() == []
    delays.forget()


def test_event_to_page_is_measured_from_commits(world):
    delays = data.Delays(world.workspace)
    world.clock.now = START + DAY // 1000
    world.send(track("pin_opened", id="late", user="u1"))
    world.clock.now += 250_000
    world.fold()
    assert delays.seconds() == [0.25]
    # What is no event may have waited for long, and says nothing of the way of one.
    with world.workspace.state.change(OWNER, "settings.set", "x", detail={}):
        pass
    (world.folder / "definitions" / "events" / "b.yaml").write_text("event: other\n")
    world.workspace.apply_definitions()
    world.clock.now += 55 * 1_000_000
    world.fold()
    assert delays.seconds() == [0.25]
    delays.forget()
    tile = data.tiles_of(queries.Totals(1, 0, 0, 0), [0.25], 14)[3]
    assert (tile["figure"], tile["unit"], tile["note"]) == ("0.25", "s", "99 of 100 under 0.25 s")


def test_imports_that_come_by_themselves_and_their_links_are_shown(tmp_path):
    world = World(tmp_path / "w")
    folder = world.folder / "imports"
    folder.mkdir()
    (folder / "calls.csv").write_text("id,account,day\ns1,a9,2025-09-01\n")
    columns = "columns: {interaction_id: id, account_id: account, start_time: day}\n"
    (folder / "calls.yaml").write_text(
        f"table: interactions\nfile: calls.csv\nevery: 1h\n{columns}"
    )
    (folder / "lost.yaml").write_text(f"table: interactions\nfile: gone.csv\nevery: 1h\n{columns}")
    call(world.workspace, OWNER, "import", {"mapping": "imports/calls.yaml"})
    shown = Reader(world, "viewer").get("/data").text.replace("\xa0", " ")
    world.close()
    assert "Imports that come by themselves" in shown
    assert "imports/calls.yaml" in shown
    assert "There is no file gone.csv beside it." in shown
    assert "when its file is mended" in shown
    assert "Links between imported rows" in shown
    assert "account_id" in shown
