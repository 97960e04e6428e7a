"""Was the split fair: do as many persons stand in each arm as were meant to?"""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import chdtrc

from onefold.model.errors import BadInput

UNFAIR_BELOW = 0.001


@dataclass(frozen=True, slots=True)
class SplitCheck:
    """What was meant, what was seen, and how often chance alone is this far off.

    Attributes:
        expected_shares: Share meant for each arm.
        seen_shares: Share seen in each arm; zeros without persons.
        counts: Persons seen in each arm.
        p: How often a fair split is at least this uneven.
        fair: Whether p is at least .001.
    """

    expected_shares: tuple[float, ...]
    seen_shares: tuple[float, ...]
    counts: tuple[int, ...]
    p: float
    fair: bool


def split_check(counts: Sequence[int], weights: Sequence[float]) -> SplitCheck:
    """Return the sample-ratio check of counts against weights (in any unit).

    Chi-square with one degree less than arms; withheld below p = .001: Fabijan et al. (2019),
    Diagnosing Sample Ratio Mismatch in Online Controlled Experiments, KDD.

    Raises:
        BadInput: Not one positive weight for each of at least two counts.

    >>> split_check([5200, 4800], [50, 50]).fair
    False
    """
    if len(counts) != len(weights) or len(counts) < 2 or min(weights) <= 0:
        raise BadInput(
            f"{len(counts)} counts and weights {list(weights)} are no split.",
            "Give each of at least two arms a weight above zero.",
        )
    n = sum(counts)
    expected = tuple(weight / sum(weights) for weight in weights)
    if n == 0:
        return SplitCheck(expected, (0.0,) * len(counts), tuple(counts), p=1.0, fair=True)
    far = sum((c - n * e) ** 2 / (n * e) for c, e in zip(counts, expected, strict=True))
    p = float(chdtrc(len(counts) - 1, far))
    seen = tuple(c / n for c in counts)
    return SplitCheck(expected, seen, tuple(counts), p=p, fair=p >= UNFAIR_BELOW)
