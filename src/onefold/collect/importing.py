"""Imports as other rooms need them: brought in, taken back, listed, scheduled."""

from onefold.collect.import_run import Keeper, Progress, latest, run, runs, undo
from onefold.collect.runs import UNDO
from onefold.collect.schedule import every_of
from onefold.collect.scheduling import FOLDER, Scheduled, begin, end, listed, name_of, scheduled

__all__ = [
    "FOLDER",
    "UNDO",
    "Keeper",
    "Progress",
    "Scheduled",
    "begin",
    "end",
    "every_of",
    "latest",
    "listed",
    "name_of",
    "run",
    "runs",
    "scheduled",
    "undo",
]
