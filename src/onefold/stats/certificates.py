"""The certificate of each method: how often its interval holds the truth, by simulation.

The figures stand in `certificates.json`, written by `bench/certificates.py` from `certify`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from onefold.model.errors import unknown
from onefold.stats.intervals import wilson
from onefold.stats.trials import TRIALS, Trial


@dataclass(frozen=True, slots=True)
class Certificate:
    """How far a method can be trusted.

    Attributes:
        method: Its name.
        title: What it is, in words.
        design: The simulated world, in words.
        runs: How many worlds were simulated.
        level: What the interval promises.
        coverage_share: In how many of them the interval held the truth.
        coverage_low: Lower end of the interval of that share.
        coverage_high: Upper end of the interval of that share.
        false_positive_share: How often an effect of zero was called real; None for a method that
            compares nothing.
        seed: The seed of the simulation.
    """

    method: str
    title: str
    design: str
    runs: int
    level: float
    coverage_share: float
    coverage_low: float
    coverage_high: float
    false_positive_share: float | None
    seed: int

    def sentence(self) -> str:
        """Return the certificate in a sentence for pages."""
        text = f"Coverage {self.coverage_share * 100:.1f} %"
        if self.false_positive_share is not None:
            text += f", false alarms {self.false_positive_share * 100:.1f} %"
        return f"{text} in {self.runs:,} simulated runs"


def certificate(method: str) -> Certificate:
    """Return the certificate of a method as shipped.

    Raises:
        NotFound: No method of that name has one.

    >>> certificate("difference").level
    0.95
    """
    found = _shipped()
    if method not in found:
        raise unknown("certificate", method, found)
    return found[method]


def certify(method: str, *, runs: int, seed: int) -> Certificate:
    """Return the certificate of a method, simulated now.

    Args:
        method: One of `TRIALS`.
        runs: How many worlds.
        seed: Seed of the chance; the same seed gives the same certificate.

    Raises:
        NotFound: No such method.
    """
    if method not in TRIALS:
        raise unknown("method", method, TRIALS)
    trial = TRIALS[method]
    covered = _share_of(trial.run, trial, runs=runs, seed=seed, effect=trial.effect)
    alarms = None
    if trial.compares:
        held = _share_of(trial.run, trial, runs=runs, seed=seed + 1, effect=0.0)
        alarms = 1 - held / runs
    share = wilson(covered, runs)
    return Certificate(
        method=method,
        title=trial.title,
        design=trial.design,
        runs=runs,
        level=0.95,
        coverage_share=covered / runs,
        coverage_low=share.low or 0.0,
        coverage_high=share.high or 0.0,
        false_positive_share=alarms,
        seed=seed,
    )


def _share_of(
    run: Callable[[np.random.Generator, float], bool],
    trial: Trial,
    *,
    runs: int,
    seed: int,
    effect: float,
) -> int:
    rng = np.random.default_rng([seed, *trial.title.encode()])
    return sum(run(rng, effect) for _ in range(runs))


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Certificate]:
    text = (files("onefold.stats") / "certificates.json").read_text(encoding="utf-8")
    return {row["method"]: Certificate(**row) for row in json.loads(text)}
