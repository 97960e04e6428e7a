"""A metric is made by a form: its YAML, its figure, its complaints; and kept as versions."""

from urllib.parse import urlencode

import pytest

from onefold.model.errors import BadInput, Conflict, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.model.time import DAY
from onefold.runtime import call
from readers import Reader
from worlds import World, track

MAX, VERA = Asker("Max", "marketer"), Asker("Vera", "viewer")
FORM = {"label": "Home saves", "description": "Saves of the feed.", "owner": "Growth"}
FORM |= {"how": "count", "events": "pin_saved", "filter": "surface", "values": "home_feed"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("built") / "w")
    for person in range(40):
        surface = "home_feed" if person % 2 else "search_results"
        found.send(
            track("pin_saved", id=f"s{person}", user=f"u{person}", surface=surface, worth=2),
            track("pin_viewed", id=f"v{person}", user=f"u{person}"),
        )
    found.fold()
    found.clock.now += 2 * DAY
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "marketer")


def ask(world, which, asker=MAX, /, **params):
    return call(world.workspace, asker, which, params).body


def text_of(world, **changed):
    return ask(world, "metric compose", **(FORM | changed))["text"]


@pytest.mark.parametrize(
    ("changed", "estimate"),
    [
        ({"filter": "", "values": ""}, 40.0),
        ({}, 20.0),
        ({"how": "sum", "property": "worth"}, 40.0),
        ({"how": "mean", "below": "pin_viewed"}, 0.5),
        ({"how": "share", "below": "pin_viewed", "at_least": "1"}, 0.5),
        ({"how": "ratio", "below": "pin_viewed"}, 0.5),
        ({"how": "distinct", "property": "surface", "filter": "", "values": ""}, 40.0),
        ({"how": "sum", "property": "worth", "cap": "1"}, 20.0),
        ({"how": "quantile", "below": "pin_viewed", "filter": "", "values": ""}, 1.0),
        ({"how": "time_to", "below": "pin_viewed", "filter": "", "values": ""}, 0.0),
    ],
)
def test_each_way_to_count_gives_its_figure_by_hand(world, changed, estimate):
    told = ask(world, "metric try", text=text_of(world, **changed))
    names = [column["name"] for column in told["columns"]]
    (row,) = told["rows"]
    assert dict(zip(names, row, strict=True))["estimate"] == pytest.approx(estimate)


def test_another_unit_counts_for_itself(world):
    world.send(
        *(
            track(name, id=f"c{name}{n}", user=f"u{n}", creator_id=f"c{n % 4}")
            for n in range(8)
            for name in ("pin_viewed", "pin_saved")[: 1 + (n % 4 < 1)]
        )
    )
    world.fold()
    parts = {"unit": "creator", "filter": "", "values": "", "below": "pin_viewed"}
    text = text_of(world, how="share", **parts)
    assert "unit: creator" in text
    assert "count: creators" in text
    told = ask(world, "metric try", text=text)
    names = [column["name"] for column in told["columns"]]
    row = dict(zip(names, told["rows"][0], strict=True))
    assert (row["estimate"], row["n"]) == (pytest.approx(1 / 4), 4)
    mean = ask(world, "metric try", text=text_of(world, how="mean", **parts))
    assert mean["rows"][0][0] == pytest.approx(2 / 4)
    with pytest.raises(BadInput, match="no unit"):
        text_of(world, unit="house")


def test_the_form_shows_yaml_and_figure_and_keeps_what_was_tried(world, reader):
    page = reader.get(f"/explore/build?{urlencode(FORM)}").text
    assert "metric: home_saves" in page
    assert 'id="figure"' in page
    text = text_of(world)
    kept = reader.post(
        "/explore/build", {"do": "metric keep", "text": text}, from_page="/explore/build"
    )
    assert kept.status_code == 303
    shown = reader.get("/explore/metrics/home_saves").text
    assert "Version 1, applied by" in shown
    assert "Change it" in shown
    assert "Home saves" in reader.get("/explore/metrics").text
    told = ask(world, "metric", name="home_saves")
    assert told["rows"][0][0] == 20
    assert "Version 1 since" in told["definition"]
    # It stands in no file, and `apply` neither takes it away nor misses it.
    call(world.workspace, OWNER, "apply", {})
    assert ask(world, "metric", name="home_saves")["rows"]
    assert "Home saves" in reader.get("/explore/build?metric=home_saves").text


def test_another_count_is_another_version_and_a_removed_one_leaves_its_history(world):
    keep = {"label": "Later saves"}
    assert ask(world, "metric keep", text=text_of(world, **keep))["changed"]
    assert not ask(world, "metric keep", text=text_of(world, **keep))["changed"]
    with pytest.raises(BadInput, match="counts otherwise") as refused:
        ask(world, "metric keep", text=text_of(world, **keep, events="pin_viewed"))
    assert refused.value.fix == "Write `version: 2` in its definition."
    ask(world, "metric keep", text=text_of(world, **keep, events="pin_viewed", version="2"))
    assert "not by version 1" in ask(world, "metric", name="later_saves")["definition"]
    ask(world, "metric drop", name="later_saves")
    with pytest.raises(NotFound):
        ask(world, "metric", name="later_saves")
    rows = ask(world, "metric history", name="later_saves")["rows"]
    assert [(row[0], row[-1] is None) for row in rows] == [(2, True), (2, False), (1, False)]


def test_what_is_wrong_is_told_with_line_and_column(reader):
    page = reader.get(f"/explore/build?{urlencode({'text': 'metric: x'})}")
    assert page.status_code == 200
    assert "metric:1:1" in page.text
    answer = reader.post(
        "/explore/build",
        {"do": "metric keep", "text": "metric: x\nkind: odd\n"},
        from_page="/explore/build",
    )
    assert answer.status_code == 422
    assert "metric:2:7" in answer.text
    odd = reader.post("/explore/build", {"do": "odd"}, from_page="/explore/build")
    assert "No change" in odd.text
    unnamed = reader.get(f"/explore/build?{urlencode({'label': '!', 'events': 'pin_saved'})}")
    assert "The metric has no label." in unnamed.text


def test_names_of_others_and_askers_who_may_not_are_refused(world):
    with pytest.raises(Conflict, match="comes with Onefold"):
        ask(world, "metric keep", text=text_of(world, label="Click rate"))
    with pytest.raises(NotAllowed):
        ask(world, "metric keep", VERA, text=text_of(world))
    with pytest.raises(NotAllowed):
        ask(world, "metric try", VERA, text=text_of(world))
    with pytest.raises(Conflict):
        ask(world, "metric drop", name="click_rate")
    assert Reader(world, "viewer").get("/explore/build").status_code == 403


def test_a_file_of_the_same_name_wins(world):
    text = text_of(world, label="Twice said")
    ask(world, "metric keep", text=text)
    path = world.folder / "definitions" / "metrics" / "twice_said.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("pin_saved", "pin_viewed"))
    assert world.workspace.metrics()["twice_said"].numerator.events == ("pin_viewed",)
    with pytest.raises(Conflict, match="stands in git"):
        ask(world, "metric keep", text=text)
    path.unlink()
    assert world.workspace.metrics()["twice_said"].numerator.events == ("pin_saved",)


def test_a_certified_one_waits_for_its_owner(world):
    text = text_of(world, label="Vouched saves") + "certified: true\n"
    (waits,) = ask(world, "metric keep", text=text)["waits"]
    assert "waits for product" in waits
    assert not world.workspace.metrics()["vouched_saves"].certified
    number = int(waits.partition("approval sign ")[2].partition("`")[0])
    call(world.workspace, OWNER, "approval sign", {"draft": number})
    assert world.workspace.metrics()["vouched_saves"].certified
