"""Metrics: what is measured, by whom it is owned, and every figure with its interval."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.metrics.define import load_metrics as load_metrics
    from onefold.metrics.figures import change as change
    from onefold.metrics.figures import measure as measure
    from onefold.metrics.figures import series as series
    from onefold.metrics.records import Change as Change
    from onefold.metrics.records import Metric as Metric

    from . import boards as dashboards
    from . import compile as terms
    from . import held as versions
    from . import journeys as questions
    from . import kept as folding
    from . import live as live

__getattr__ = door(
    __name__,
    {
        "Change": "records",
        "Metric": "records",
        "change": "figures",
        "dashboards": "=boards",
        "folding": "=kept",
        "live": "=live",
        "load_metrics": "define",
        "measure": "figures",
        "questions": "=journeys",
        "series": "figures",
        "terms": "=compile",
        "versions": "=held",
    },
)
