"""Advice: the three to five things worth doing next, and what was decided about them."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.advice.advising import Known as Known
    from onefold.advice.advising import advise as advise
    from onefold.advice.advising import know as know
    from onefold.advice.records import Advice as Advice
    from onefold.advice.records import Decision as Decision
    from onefold.advice.records import Recommendation as Recommendation
    from onefold.advice.store import decide as decide
    from onefold.advice.store import decisions as decisions

__getattr__ = door(
    __name__,
    {
        "Advice": "records",
        "Decision": "records",
        "Known": "advising",
        "Recommendation": "records",
        "advise": "advising",
        "decide": "store",
        "decisions": "store",
        "know": "advising",
    },
)
