"""First exposures: who saw which variant first, of which version of the flag."""

import pytest

from cards import EXPOSED, START, experiment
from onefold.experiments import exposure_log
from onefold.model.errors import NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.model.time import DAY, HOUR
from onefold.runtime import call
from small_facts import SmallFacts
from worlds import World

pytestmark = pytest.mark.long

NAME = experiment().name
COLUMNS = [
    "variant",
    "flag_version",
    "people",
    "exposures",
    "first_time",
    "last_time",
    "several_variants",
    "several_versions",
]


@pytest.fixture
def small():
    return SmallFacts(now=START + 60 * DAY, persons={key: key for key in range(20)})


def show(small, person, variant, *, at=0, version="1", name=NAME):
    moment = START + DAY + at * HOUR
    small.add(
        EXPOSED, moment, person, experiment_id=name, variation_id=variant, flag_version=version
    )


def log_of(small, **how):
    return exposure_log(small.view(), experiment(), **how)


def test_people_stand_under_their_first_variant_and_version(small):
    show(small, 1, "control")
    show(small, 1, "control", at=5, version="2")
    show(small, 2, "larger", at=1)
    show(small, 3, "larger", at=2)
    show(small, 3, "control", at=3)
    log = log_of(small)
    assert [column.name for column in log.columns] == COLUMNS
    first = START + DAY
    assert log.rows == (
        ("control", "1", 1, 2, first, first + 5 * HOUR, 0, 1),
        ("larger", "1", 2, 3, first + HOUR, first + 3 * HOUR, 1, 0),
    )
    assert log.notes == (
        "1 person saw more than one variant; the effects leave them out.",
        "1 person saw more than one version of the flag.",
    )


def test_by_person_the_first_exposed_comes_first(small):
    show(small, 7, "larger", at=4)
    show(small, 5, "control", at=2)
    show(small, 5, "larger", at=9, version="2")
    log = log_of(small, by_person=True)
    told = [dict(zip((c.name for c in log.columns), row, strict=True)) for row in log.rows]
    assert [row["person"] for row in told] == ["5", "7"]
    assert told[0]["variant"] == "control"
    assert (told[0]["exposures"], told[0]["variants"], told[0]["versions"]) == (2, 2, 2)
    assert told[0]["first_time"] == START + DAY + 2 * HOUR


def test_what_is_amiss_is_told(small):
    show(small, 1, "control")
    show(small, 2, "huge")
    small.add(EXPOSED, START + DAY, 3, experiment_id=NAME)
    show(small, None, "control")
    show(small, 4, "control", name="another")
    show(small, 5, "control", at=-48)
    log = log_of(small)
    assert [row[0] for row in log.rows] == ["", "control", "huge"]
    assert log.notes == (
        "Not registered as arms: huge.",
        "1 person was first exposed without a variant.",
        "1 exposure comes without a person.",
    )


def test_two_identifiers_of_one_person_are_exposed_once(small):
    small.persons = {1: 1, 2: 1}
    show(small, 1, "control")
    show(small, 2, "control", at=1)
    assert log_of(small).rows[0][2:4] == (1, 2)


def test_without_exposures_the_log_is_empty(small):
    small.add("other", START + DAY, 1)
    assert (log_of(small).rows, log_of(small).notes) == ((), ())


def test_an_unknown_experiment_is_not_found(tmp_path):
    world = World(tmp_path / "w")
    with pytest.raises(NotFound, match="nothing"):
        call(world.workspace, OWNER, "experiment exposures", {"name": "nothing"})
    world.close()


def test_a_viewer_hears_of_groups_but_not_of_persons(monkeypatch, tmp_path):
    world = World(tmp_path / "w")
    known = {NAME: experiment()}
    monkeypatch.setattr("onefold.runtime.calls.load_experiments", lambda _: known)
    viewer = Asker("viewer", "viewer")
    body = call(world.workspace, viewer, "experiment exposures", {"name": NAME}).body
    with pytest.raises(NotAllowed):
        call(world.workspace, viewer, "experiment exposures", {"name": NAME, "people": True})
    world.close()
    assert body["rows"] == []
