"""What an interval says in a word."""

from typing import Literal

from onefold.model.records import Estimate

Verdict = Literal["better", "worse", "no_difference", "not_yet"]


def verdict(estimate: Estimate, *, margin: float = 0.0, better: str = "up") -> Verdict:
    """Return what the interval says against zero and a margin.

    `no_difference` is asked first: the whole interval lies within the margin, so whatever there is
    does not matter (the two one-sided tests of Schuirmann 1987, as one interval). `better` and
    `worse`: the whole interval lies on one side of zero. Else `not_yet`.

    Args:
        estimate: An effect with its interval.
        margin: The smallest effect that matters, in the effect's unit.
        better: `up` or `down`.

    >>> verdict(Estimate(0.042, 0.021, 0.063, 1000), margin=0.01)
    'better'
    >>> verdict(Estimate(-0.003, -0.011, 0.005, 1000), margin=0.01)
    'not_yet'
    >>> verdict(Estimate(0.001, -0.004, 0.006, 1000), margin=0.01)
    'no_difference'
    """
    low, high = estimate.low, estimate.high
    if low is None or high is None:
        return "not_yet"
    if margin > 0 and -margin <= low and high <= margin:
        return "no_difference"
    if low > 0:
        return "better" if better == "up" else "worse"
    if high < 0:
        return "worse" if better == "up" else "better"
    return "not_yet"
