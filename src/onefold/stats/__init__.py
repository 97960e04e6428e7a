"""Numbers in, numbers out: intervals, comparisons, matched effects, and their certificates."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.stats.certificates import certificate
    from onefold.stats.compare import change, difference, lift
    from onefold.stats.intervals import mean, wilson
    from onefold.stats.matched import matched_effect
    from onefold.stats.moments import Moments
    from onefold.stats.split import split_check
    from onefold.stats.verdicts import verdict

    from . import intervals as ranges
    from . import several as families

__all__ = [
    "Moments",
    "certificate",
    "change",
    "difference",
    "families",
    "lift",
    "matched_effect",
    "mean",
    "ranges",
    "split_check",
    "verdict",
    "wilson",
]

__getattr__ = door(
    __name__,
    {
        "Moments": "moments",
        "certificate": "certificates",
        "change": "compare",
        "difference": "compare",
        "lift": "compare",
        "matched_effect": "matched",
        "mean": "intervals",
        "families": "=several",
        "ranges": "=intervals",
        "split_check": "split",
        "verdict": "verdicts",
        "wilson": "intervals",
    },
)
