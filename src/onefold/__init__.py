"""Onefold: one log; everything else is a fold of it."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.face import Onefold as Onefold
    from onefold.face import calls as calls
    from onefold.face import create as create
    from onefold.face import open_folder as open_folder
    from onefold.found import Found as Found
    from onefold.found import Remote as Remote
    from onefold.found import connect as connect

__version__ = "0.1.0"

__getattr__ = door(
    __name__,
    {
        "Found": "found",
        "Onefold": "face",
        "Remote": "found",
        "calls": "face",
        "connect": "found",
        "create": "face",
        "open_folder": "face",
    },
)
