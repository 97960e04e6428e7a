"""Segments of a workspace, and a View of nobody but the members of one."""

from dataclasses import replace
from typing import TYPE_CHECKING

from onefold.metrics import questions
from onefold.store import View

if TYPE_CHECKING:
    from onefold.runtime.workspace import Workspace

Segment = questions.segments.Segment


def segments_of(workspace: "Workspace") -> dict[str, Segment]:
    """Return the segments of a workspace by name: of its folder, and those kept here.

    Raises:
        BadInput: A definition cannot be used; with file, line and column.
    """
    return questions.segments.all_segments(workspace.definitions / "segments", workspace.state)


def own_view(workspace: "Workspace", view: View, segment: Segment) -> View | None:
    """Return the View of the purpose that a segment is for; None where it is that of the asking.

    Raises:
        NotAllowed, NotFound: The asker may not ask for that purpose; there is none such.
    """
    if view.question.purpose == segment.purpose:
        return None
    return workspace.view(replace(view.question, purpose=segment.purpose))


def among(workspace: "Workspace", view: View, name: str, at: int) -> tuple[View, Segment]:
    """Return a View of the members of a segment alone, as of a time, and the segment.

    Args:
        workspace: Whose.
        view: Under which terms it is asked.
        name: Of the segment.
        at: As of when, microseconds UTC; of a later time than now, as of now.

    Raises:
        NotFound: There is none of that name.
        BadInput: A definition cannot be used.
    """
    one = questions.segments.segment_named(segments_of(workspace), name)
    own = own_view(workspace, view, one)
    return questions.segments.among(view, one, min(at, view.now), own=own), one
