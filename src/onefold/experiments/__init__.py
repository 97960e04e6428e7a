"""Experiments: registered, assigned, read. Did it help now, and do people come back?"""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.experiments.analysis import read_experiment as read_experiment
    from onefold.experiments.assignment import assign as assign
    from onefold.experiments.exposures import exposure_log as exposure_log
    from onefold.experiments.records import Assignment as Assignment
    from onefold.experiments.records import Experiment as Experiment
    from onefold.experiments.records import ExperimentReading as ExperimentReading
    from onefold.experiments.records import Half as Half
    from onefold.experiments.registry import load_experiments as load_experiments
    from onefold.experiments.registry import parse_experiment as parse_experiment

    from . import verdict as verdicts

__getattr__ = door(
    __name__,
    {
        "Assignment": "records",
        "Experiment": "records",
        "ExperimentReading": "records",
        "Half": "records",
        "assign": "assignment",
        "exposure_log": "exposures",
        "load_experiments": "registry",
        "parse_experiment": "registry",
        "read_experiment": "analysis",
        "verdicts": "=verdict",
    },
)
