"""Which arm a visitor is in: the answer of `onefold.experiments` for the shipped definitions."""

from importlib.resources import files

from onefold.experiments import Experiment, assign, parse_experiment
from onefold.simulate.people import Assign
from onefold.simulate.records import LIFT, NULL


def shipped_experiments() -> dict[str, Experiment]:
    """Return the market's experiments as they are shipped, by name."""
    folder = files("onefold.simulate") / "definitions" / "experiments"
    return {
        name: parse_experiment((folder / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml")
        for name in (LIFT, NULL)
    }


def shipped_arms() -> Assign:
    """Return what names the arm of an experiment for a targeting key."""
    known = shipped_experiments()

    def arm(experiment: str, targeting_key: str) -> str:
        return assign(known[experiment], targeting_key).arm

    return arm
