"""What Onefold measured of the planted truths: hits, misses, and what a plain look would say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from onefold.customers import measured
from onefold.experiments import Experiment, ExperimentReading, read_experiment
from onefold.model.records import Estimate
from onefold.simulate.records import TruthReport, TruthRow
from onefold.stats import verdict
from onefold.store import View

NOTHING = Estimate(None, None, None, 0)


@dataclass(frozen=True, slots=True)
class _Measured:
    """What was measured of one truth; `relative` says on which scale."""

    effect: Estimate
    naive: Estimate
    relative: bool
    verdict: str
    method: str
    cannot: str


def truth_report(
    view: View,
    truth: Mapping[str, Any],
    *,
    experiments: Mapping[str, Experiment],
    seed: int = 0,
) -> TruthReport:
    """Return for every planted truth what Onefold measured, and whether its interval holds it.

    Args:
        view: The facts to measure on.
        truth: What stands in `truth.json`.
        experiments: The workspace's experiments by name.
        seed: Of the bootstrap intervals.
    """
    measured = _Measure(view, experiments, seed)
    rows = tuple(_row(effect, measured.of(effect)) for effect in truth["effects"])
    missed = sum(row.covered is False for row in rows)
    told = sum(row.covered is not None for row in rows)
    note = (
        "A 95 % interval misses its truth once in twenty times; "
        f"here {missed} of the {told} that could be measured {'does' if missed == 1 else 'do'}."
    )
    return TruthReport(rows, (note,))


class _Measure:
    """Asks each estimator once, when its first figure is wanted."""

    def __init__(self, view: View, experiments: Mapping[str, Experiment], seed: int) -> None:
        self.view = view
        self.experiments = experiments
        self.seed = seed
        self.readings: dict[str, ExperimentReading] = {}
        self.services: dict[str, Any] | None = None

    def of(self, effect: Mapping[str, Any]) -> _Measured:
        """Return what was measured of a planted effect."""
        kinds: dict[str, Callable[[Mapping[str, Any]], _Measured]] = {
            "lift": self._experiment,
            "null": self._experiment,
            "service": self._service,
            "friction": lambda _: _account(
                measured.friction_effect(self.view, seed=self.seed), "up"
            ),
            "churn": lambda _: _account(measured.churn_effect(self.view, seed=self.seed), "down"),
        }
        return kinds[effect["kind"]](effect)

    def _experiment(self, effect: Mapping[str, Any]) -> _Measured:
        name = effect["where"]
        if name not in self.experiments:
            return _Measured(NOTHING, NOTHING, False, "not_yet", "", f"No experiment `{name}`.")
        if name not in self.readings:
            self.readings[name] = read_experiment(self.view, self.experiments[name])
        reading = self.readings[name]
        half = reading.long if effect["id"].endswith("/long") else reading.short
        return _Measured(
            effect=half.effect,
            naive=half.naive,
            relative=half.scale == "relative",
            verdict=half.verdict,
            method=half.certificate or half.definition,
            cannot=reading.withheld or half.effect.note,
        )

    def _service(self, effect: Mapping[str, Any]) -> _Measured:
        if self.services is None:
            found = measured.service_effects(self.view, seed=self.seed)
            self.services = {one.name: one for one in found}
        one = self.services.get(effect["where"])
        if one is None:
            name = effect["where"]
            return _Measured(NOTHING, NOTHING, False, "not_yet", "", f"No service `{name}`.")
        return _account(one, "up")


def _account(one: Any, better: str) -> _Measured:
    return _Measured(
        effect=one.effect,
        naive=one.naive,
        relative=False,
        verdict=verdict(one.effect, better=better) if one.effect.low is not None else "not_yet",
        method=one.method,
        cannot=one.refused or one.cannot,
    )


def _row(effect: Mapping[str, Any], measured: _Measured) -> TruthRow:
    """Return a truth beside its measure, both on the scale of the measure."""
    truth = effect["relative"] if measured.relative else effect["value"]
    found, naive = measured.effect, measured.naive
    known = found.low is not None and found.high is not None
    return TruthRow(
        id=effect["id"],
        label=effect["label"],
        kind=effect["kind"],
        what=effect["what"],
        where=effect["where"],
        unit="relative" if measured.relative else effect["unit"],
        currency="" if measured.relative else effect["currency"],
        truth=truth,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        level=found.level,
        n=found.n,
        naive=naive.estimate,
        naive_low=naive.low,
        naive_high=naive.high,
        covered=holds(found, truth) if known else None,
        verdict=measured.verdict,
        method=measured.method,
        definition=effect["estimand"],
        cannot=measured.cannot,
    )


def holds(found: Estimate, truth: float) -> bool:
    """Say whether an interval holds a value; an interval without ends holds nothing.

    >>> holds(Estimate(0.1, 0.05, 0.15, 100), 0.12)
    True
    """
    if found.low is None or found.high is None:
        return False
    return found.low <= truth <= found.high
