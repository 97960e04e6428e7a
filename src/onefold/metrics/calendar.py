"""The marketing calendar: days worth a mark beside a figure, from a file and from campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onefold.metrics.compile import Span
from onefold.model.documents import Fields, read_document
from onefold.model.errors import BadInput
from onefold.model.records import Answer, Column
from onefold.model.time import day_of

if TYPE_CHECKING:
    from onefold.store import View

FILE = "calendar.yaml"
LONGEST_TEXT = 100
MOST = 500
IN_GIT, CAMPAIGN = "definitions", "campaign"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened on a day, or from it on.

    Attributes:
        day: Its first day.
        until: Its last day; the first one where it took no longer.
        text: What it was.
        source: `definitions` or `campaign`.
    """

    day: date
    until: date
    text: str
    source: str = IN_GIT


def load_calendar(definitions: Path) -> tuple[Mark, ...]:
    """Return the marks of `definitions/calendar.yaml`, in order of their days; none without it.

    Raises:
        BadInput: The file cannot be used; with line and column.
    """
    path = definitions / FILE
    if not path.is_file():
        return ()
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{FILE} is not UTF-8.", "Save it as UTF-8.") from error
    fields = read_document(text, FILE)
    marks = tuple(map(_mark, fields.each("calendar")))
    fields.close()
    if len(marks) > MOST:
        fix = "Leave out what is long over."
        raise BadInput(f"{FILE} has {len(marks)} days, more than {MOST}.", fix)
    return tuple(sorted(marks, key=lambda mark: (mark.day, mark.text)))


def _mark(fields: Fields) -> Mark:
    day, text = fields.day("day"), fields.text("text")
    mark = Mark(day, fields.day("until", day), text)
    fields.close()
    if mark.until < day:
        fields.refuse("until", f"It ends on {mark.until}, before it begins.", "Mend one of them.")
    if len(text) > LONGEST_TEXT:
        fields.refuse("text", f"It has {len(text)} letters.", f"Write at most {LONGEST_TEXT}.")
    return mark


def marks_of(view: "View", written: Sequence[Mark], span: Span) -> tuple[Mark, ...]:
    """Return what the calendar and the campaigns say of the days of a span, in order.

    Args:
        view: Under which terms it is asked; of campaigns, those that it shows.
        written: The marks of the file.
        span: From (inclusive) and to (exclusive), microseconds UTC.
    """
    first, after = (day_of(time, view.zone) for time in span)
    own = [mark for mark in written if mark.day < after and mark.until >= first]
    table: Any = view.records["campaigns"]
    begun = table.filter(table.start_date >= first, table.start_date < after)
    told = begun.select("campaign_id", "name", "start_date", "end_date").order_by("start_date")
    campaigns = [
        Mark(
            row["start_date"],
            row["end_date"] or row["start_date"],
            str(row["name"] or row["campaign_id"])[:LONGEST_TEXT],
            CAMPAIGN,
        )
        for row in view.ask(told.limit(MOST)).to_pylist()
    ]
    return tuple(sorted([*own, *campaigns], key=lambda mark: (mark.day, mark.text)))


def calendar(view: "View", written: Sequence[Mark], span: Span) -> Answer:
    """Return the marks of a span as a table: `day`, `until`, `text`, `source`."""
    return Answer(
        columns=(
            Column("day", "date"),
            Column("until", "date"),
            Column("text", "text"),
            Column("source", "text"),
        ),
        rows=tuple((m.day, m.until, m.text, m.source) for m in marks_of(view, written, span)),
        definition=f"Days of definitions/{FILE}, and imported campaigns by the day they began.",
        as_of_time=view.fresh_time,
    )
