"""Facts asked by Spark over what is exported: the same answers, as fresh as they say."""

import shutil

import pytest

from market_worlds import END, open_world
from onefold.model.errors import BadInput
from onefold.model.records import OWNER, Question
from onefold.model.time import MINUTE
from onefold.runtime import Workspace, call
from onefold.runtime.publishing import is_due, publish
from onefold.runtime.rebuilding import migrate
from onefold.store.facts_spark import master_of, stop_spark
from same_answers import ask, difference, questions
from spark_cluster import cluster
from worlds import World, track

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("java")]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "world")
    for who in range(3):
        made.send(track("pin_viewed", id=f"v{who}", user=f"p{who}", at=who, price=who / 3))
    made.fold()
    migrate(made.workspace, "spark://local")
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def ended():
    yield
    stop_spark()


def seen(world):
    view = world.workspace.view(Question(OWNER))
    return view, view.ask(view.events.select("event")).num_rows


def test_a_question_is_answered_over_the_last_export_and_says_how_old_it_is(world):
    view, rows = seen(world)
    assert rows == 3
    fresh = world.workspace.fresh_time
    assert view.fresh_time == fresh
    world.clock.now += MINUTE
    world.send(track("pin_viewed", id="later", user="p0", at=60))
    world.fold()
    view, rows = seen(world)
    assert (rows, view.fresh_time) == (3, fresh)
    assert not is_due(world.workspace)
    world.clock.now += 5 * MINUTE
    assert is_due(world.workspace)
    publish(world.workspace)
    view, rows = seen(world)
    assert (rows, view.fresh_time) == (4, world.workspace.fresh_time)


def test_a_view_that_goes_on_asking_sees_one_version(world):
    view, rows = seen(world)
    world.send(track("pin_viewed", id="later", user="p0", at=60))
    world.fold()
    publish(world.workspace)
    assert view.ask(view.events.select("kind")).num_rows == rows
    assert seen(world)[1] == rows + 1


def test_whoever_erased_is_in_no_export(world):
    seen(world)
    call(world.workspace, OWNER, "person erase", {"id": "p1"})
    world.fold()
    assert seen(world)[1] == 2


def test_a_text_of_a_document_is_told_as_duckdb_tells_it(world):
    world.send(
        track(
            "pin_saved",
            id="odd",
            user="p0",
            at=9,
            **{"it's a ~/name": "x", "whole": 3, "part": 1.5, "yes": True, "none": None},
        )
    )
    world.fold()
    names = ("it's a ~/name", "whole", "part", "yes", "none", "missing")
    told = []
    for url in ("", "spark://local"):
        migrate(world.workspace, url)
        if url:
            publish(world.workspace)
        queries = [_PROPERTY.format(name=_quoted(name)) for name in names]
        told.append([ask(world.workspace, "sql", {"query": query}) for query in queries])
    assert [difference(*pair) for pair in zip(*told, strict=True)] == [""] * len(names)


_PROPERTY = "SELECT json_extract_string(properties, '/{name}') AS told FROM events ORDER BY told"


def _quoted(name):
    return name.replace("~", "~0").replace("/", "~1").replace("'", "''")


@pytest.mark.parametrize("url", ["spark://", "spark://a:b", "spark://a/b", "spark://a?x=1"])
def test_a_url_that_names_no_master_says_how_one_is_written(url):
    with pytest.raises(BadInput) as refused:
        master_of(url)
    assert "spark://HOST:7077" in refused.value.fix


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("market") / "world"
    workspace, _ = open_world(7, folder)
    workspace.close()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_every_question_has_the_same_answer_of_a_master_and_two_workers(market, tmp_path):
    stop_spark()
    with cluster(tmp_path) as url:
        workspace = Workspace(market, clock=lambda: END)
        asked = questions(workspace)
        first = [ask(workspace, name, params) for name, params in asked]
        migrate(workspace, url)
        apart = {
            f"{name} {params}": found
            for (name, params), former in zip(asked, first, strict=True)
            if (found := difference(former, ask(workspace, name, params)))
        }
        workspace.close()
        stop_spark()
    assert apart == {}
