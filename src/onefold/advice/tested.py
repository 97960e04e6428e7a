"""Tests that can be decided: what is assigned at random is the best evidence there is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from onefold.advice.candidates import Pool
from onefold.advice.records import Recommendation, Refusal
from onefold.advice.timing import spoken
from onefold.model.words import plural

if TYPE_CHECKING:
    from onefold.experiments import ExperimentReading


def from_experiments(pool: Pool, readings: Sequence["ExperimentReading"]) -> None:
    """Add tests whose plan is over and whose answer is clear."""
    for reading in readings:
        pool.considered += 1
        name = reading.experiment.label
        reason = _not_ready(reading)
        if reason:
            what = f"Decide the test {name}"
            pool.refused.append(Refusal("experiment.decide", what, "the whole market", reason))
            continue
        pool.found.append(_decide(reading))


def _not_ready(reading: "ExperimentReading") -> str:
    if reading.withheld:
        return f"Withheld: {reading.withheld}"
    short, long = reading.short, reading.long
    if "worse" in {short.verdict, long.verdict}:
        return ""
    if short.verdict == "better":
        if (
            long.verdict == "not_yet"
            and long.readable_date > reading.planned_end_date
            and (long.ready_share < 1)
        ):
            return (
                f"Not yet: whether people come back is known from {spoken(long.readable_date)} on."
            )
        return ""
    if short.verdict == "no_difference":
        return "No difference that matters: nothing to gain by showing it to everyone."
    return "Cannot tell yet: the range holds both gain and loss."


def _decide(reading: "ExperimentReading") -> Recommendation:
    experiment, short = reading.experiment, reading.short
    arm = experiment.treatments[0].label or experiment.treatments[0].name
    worse = "worse" in {short.verdict, reading.long.verdict}
    kind = "experiment.roll_back" if worse else "experiment.roll_out"
    people = sum(reading.split.counts)
    what = f"Take {arm} back" if worse else f"Show {arm} to everyone"
    return Recommendation(
        id=f"{kind}:{experiment.name}",
        kind=kind,
        what=what,
        where=f"Everyone · {experiment.label}",
        when=f"Now: people stopped entering on {spoken(reading.planned_end_date)}, and the answer "
        "stands",
        until_time=None,
        grade=4,
        why=f"1 test, {plural(people, 'person', 'people')}",
        evidence=f"/experiments/{quote(experiment.name, safe='')}",
        value=None,
        currency="",
        worth=_worth(reading)[0],
        worth_note=_worth(reading)[1],
        anyway=None,
        method=f"People were assigned at random. {short.definition}",
        cannot_tell="It is not in money: nobody has measured what a "
        f"{short.label.lower()} is worth.",
        account_id=None,
        accounts=(),
    )


def _worth(reading: "ExperimentReading") -> tuple[str, str]:
    """Return the effect, and of what with low and high."""
    half = reading.long if reading.long.verdict == "worse" else reading.short
    effect = half.effect
    if effect.estimate is None or effect.low is None or effect.high is None:
        return "", ""
    unit = "points" if half.scale == "absolute" else "%"
    values = [_number(value) for value in (effect.estimate, effect.low, effect.high)]
    space = "\N{NO-BREAK SPACE}"
    return (
        f"{values[0]}{space}{unit}",
        f"{half.label.lower()}, low {values[1]}, high {values[2]}",
    )


def _number(share: float) -> str:
    sign = "\N{MINUS SIGN}" if share < 0 else "+"
    return f"{sign}{abs(share) * 100:.1f}"
