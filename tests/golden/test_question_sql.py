"""The SQL of questions about what people did one after the other, kept on file."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from onefold.metrics import questions
from onefold.model.time import DAY, HOUR
from small_facts import SmallFacts

FOLDER = Path(__file__).parent / "question_sql"
START = int(datetime(2026, 10, 19, tzinfo=UTC).timestamp()) * 1_000_000
_COLUMNS = ("person_id", "kind", "event", "event_time", "log_offset", "place", "p_surface")
SPAN = (START, START + 14 * DAY)
ASKED = {
    "paths-visit": questions.Paths("seen", SPAN),
    "paths-before": questions.Paths(
        "saved",
        SPAN,
        "before",
        limit=2 * HOUR,
        until="seen",
        skipped=("ad_viewed",),
        collapsed=True,
        by="surface",
    ),
    "distribution-times": questions.Distribution("seen", SPAN),
    "distribution-sums": questions.Distribution("seen", SPAN, "surface", by="surface"),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_question_compiles_to_the_sql_on_file(name):
    small = SmallFacts(promoted={"p_surface": "string"})
    small.add("seen", START, 1, surface="home")
    whole = small.view()
    # Only what is asked for: a new column of the facts is no change of the question.
    events = whole.person_events.select(*_COLUMNS)
    ask = questions.paths if name.startswith("paths") else questions.distribution
    text = ask(replace(whole, person_events=events), ASKED[name]).query + "\n"
    path = FOLDER / f"{name}.sql"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path.name} was not there; it is now: read it, then keep it.")
    assert path.read_text(encoding="utf-8") == text
