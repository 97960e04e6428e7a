"""The compiler's SQL for DuckDB, kept on file: a change of it is seen, not slipped in."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cards import experiment
from onefold.experiments import read_experiment
from onefold.metrics import load_metrics, measure, questions
from onefold.model.time import DAY
from small_facts import SmallFacts

FOLDER = Path(__file__).parent / "metric_sql"
START = int(datetime(2026, 10, 19, tzinfo=UTC).timestamp()) * 1_000_000
ASKED = [
    *((name, "week", None) for name in sorted(load_metrics())),
    ("click_rate", "day", "surface"),
    ("save_rate", "none", "creator_id"),
]


@pytest.fixture(scope="module")
def view():
    small = SmallFacts(
        promoted={"p_revenue": "int64", "p_currency": "string", "p_surface": "string"},
        zone="Europe/Berlin",
    )
    small.add("ad_clicked", START, 1, revenue=1, currency="EUR")
    whole = small.view()
    # Only what is asked for: a new column of the facts is no change of the compiler.
    promoted = ("p_revenue", "p_currency", "p_surface")
    asked = ("person_id", "kind", "event", "source", "event_time", "properties", *promoted)
    return replace(
        whole,
        person_events=whole.person_events.select(*asked),
        sessions=whole.sessions.select("person_id", "start_time", "actions", "discoveries"),
    )


def same_as_on_file(name, text):
    path = FOLDER / f"{name}.sql"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
        pytest.fail(f"{path.name} was not there; it is now: read it, then keep it.")
    return path.read_text(encoding="utf-8") == text + "\n"


@pytest.mark.parametrize(("name", "every", "by"), ASKED)
def test_a_metric_compiles_to_the_sql_on_file(view, name, every, by):
    answer = measure(
        view,
        load_metrics()[name],
        from_time=START,
        to_time=START + 14 * DAY,
        every=every,
        by=by,
    )
    assert same_as_on_file("-".join(filter(None, (name, every, by))), answer.query)


@pytest.mark.parametrize("name", ["daily_active_people", "purchase_revenue"])
def test_a_running_total_compiles_to_the_sql_on_file(view, name):
    span = {"from_time": START, "to_time": START + 14 * DAY}
    answer = questions.cumulative(view, load_metrics()[name], **span)
    assert same_as_on_file(f"{name}-running", answer.query)


@pytest.mark.parametrize("half", ["short", "long"])
def test_an_experiment_compiles_to_the_sql_on_file(view, half):
    reading = read_experiment(view, experiment())
    assert same_as_on_file(f"experiment-{half}", getattr(reading, half).query)
