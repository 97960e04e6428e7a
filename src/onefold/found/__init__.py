"""Answers in Python: a call's answer as Arrow, as a frame, and as it looks in a notebook."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.found.records import Found as Found

__getattr__ = door(__name__, {"Found": "records"})
