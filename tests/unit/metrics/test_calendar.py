"""The marketing calendar: days of a file and campaigns, within the days asked for."""

from datetime import UTC, date, datetime

import pytest

from onefold.metrics import questions
from onefold.model.errors import BadInput
from small_facts import SmallFacts

calendar = questions.calendar
SPAN = tuple(
    int(datetime(2026, month, 1, tzinfo=UTC).timestamp()) * 1_000_000 for month in (10, 11)
)
TEXT = """calendar:
- {day: 2026-10-12, text: Autumn begins}
- {day: 2026-09-20, until: 2026-10-02, text: Late summer}
- {day: 2026-11-01, text: Too late}
- {day: 2026-09-01, text: Long over}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "calendar.yaml").write_text(TEXT, encoding="utf-8")
    return tmp_path


def test_what_touches_the_days_is_told_in_order(folder):
    campaigns = [
        {"campaign_id": "c1", "name": "Shoes", "start_date": date(2026, 10, 5)},
        {"campaign_id": "c2", "name": None, "start_date": date(2026, 10, 31)},
        {"campaign_id": "c3", "name": "Next", "start_date": date(2026, 11, 1)},
    ]
    view = SmallFacts(records={"campaigns": campaigns}).view()
    answer = calendar.calendar(view, calendar.load_calendar(folder), SPAN)
    assert answer.rows == (
        (date(2026, 9, 20), date(2026, 10, 2), "Late summer", "definitions"),
        (date(2026, 10, 5), date(2026, 10, 5), "Shoes", "campaign"),
        (date(2026, 10, 12), date(2026, 10, 12), "Autumn begins", "definitions"),
        (date(2026, 10, 31), date(2026, 10, 31), "c2", "campaign"),
    )


def test_without_a_file_there_are_campaigns_alone(tmp_path):
    assert calendar.load_calendar(tmp_path) == ()
    assert calendar.calendar(SmallFacts().view(), (), SPAN).rows == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("calendar:\n- {day: soon, text: a}\n", "calendar.yaml:2:9"),
        ("calendar:\n- {day: 2026-10-12}\n", "`text` is missing"),
        ("calendar:\n- {day: 2026-10-12, until: 2026-10-11, text: a}\n", "before it begins"),
        (f"calendar:\n- {{day: 2026-10-12, text: {'a' * 101}}}\n", "101 letters"),
        ("calendar:\n- {day: 2026-10-12, text: a, owner: b}\n", "No field `owner`"),
        ("days: []\n", "No field `days`"),
        ("calendar:\n" + "- {day: 2026-10-12, text: a}\n" * 501, "more than 500"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, words):
    (tmp_path / "calendar.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=words):
        calendar.load_calendar(tmp_path)
