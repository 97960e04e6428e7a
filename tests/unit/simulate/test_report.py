"""What was measured beside what is true, on a whole small market."""

import pytest

from market_worlds import open_world
from onefold.experiments import load_experiments
from onefold.model.records import OWNER, Estimate, Question
from onefold.simulate import truth_report
from onefold.simulate.report import holds

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world") / "world"
    workspace, truth = open_world(11, folder)
    experiments = load_experiments(folder / "definitions" / "experiments")
    view = workspace.view(Question(OWNER))
    yield truth, truth_report(view, truth, experiments=experiments), view
    workspace.close()


def test_every_planted_truth_is_measured_with_an_interval(measured):
    truth, report, _ = measured
    assert [row.id for row in report.rows] == [one["id"] for one in truth["effects"]]
    for row in report.rows:
        assert row.low < row.estimate < row.high
        assert row.covered == (row.low <= row.truth <= row.high)
        assert row.method
        assert row.definition
        assert row.label
        assert row.n >= 60


def test_truths_stand_on_the_scale_of_their_measure(measured):
    truth, report, _ = measured
    by_id = {one["id"]: one for one in truth["effects"]}
    for row in report.rows:
        part = "relative" if row.unit == "relative" else "value"
        assert row.truth == by_id[row.id][part]


def test_the_plain_look_stands_beside(measured):
    _, report, _ = measured
    biased = next(row for row in report.rows if row.id == "measurement_help")
    assert biased.naive_low > biased.truth


def test_the_note_counts_what_was_missed(measured):
    _, report, _ = measured
    missed = sum(row.covered is False for row in report.rows)
    assert f"here {missed} of the 7" in report.notes[0]


def test_an_experiment_that_is_not_there_is_not_measured(measured):
    truth, _, view = measured
    rows = truth_report(view, truth, experiments={}).rows
    assert all(row.covered is None for row in rows if row.kind in {"lift", "null"})
    assert all(row.cannot for row in rows if row.kind in {"lift", "null"})


def test_a_report_is_plain_json(measured):
    _, report, _ = measured
    plain = report.as_dict()
    assert {type(row["truth"]) for row in plain["rows"]} == {float}
    assert plain["notes"]


def test_an_interval_without_ends_holds_nothing():
    assert not holds(Estimate(None, None, None, 0), 0.0)
