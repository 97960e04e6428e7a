"""Python's door: the questions that are asked, and what they found."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.found.questions import Questions as Questions
    from onefold.found.questions import plain as plain
    from onefold.found.records import Found as Found
    from onefold.found.remote import Remote as Remote
    from onefold.found.remote import connect as connect

__getattr__ = door(
    __name__,
    {
        "Found": "records",
        "Questions": "questions",
        "Remote": "remote",
        "connect": "remote",
        "plain": "questions",
    },
)
