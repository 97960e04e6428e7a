"""Today: what the headline may tell, and what it rests on."""

import numpy as np

from onefold import metrics
from onefold.model.records import Estimate
from onefold.stats import verdict
from onefold.stats.trials import five_changes
from onefold.web.pages import today
from onefold.web.pages.today_figures import SHOWN, Figure, told_moves
from small_facts import SmallFacts

KNOWN = metrics.load_metrics()
SOME = Estimate(1.0, 0.9, 1.1, 1500)


def figures(changes):
    """Return the five figures of Today with these changes."""
    return tuple(
        Figure(KNOWN[name], metrics.Change(SOME, SOME, change, verdict(change)), ())
        for name, change in zip(SHOWN, changes, strict=True)
    )


def headline(changes):
    return "".join(str(piece) for piece in today._answer(figures(changes)))


def test_the_headline_cries_wolf_in_five_of_a_hundred_weeks_at_most():
    rng = np.random.default_rng(11)
    runs, weeks, moved = 400, 0, 0
    for _ in range(runs):
        changes = five_changes(rng, 0.0)
        weeks += "rose" in headline(changes) or "fell" in headline(changes)
        moved += any(verdict(each) in {"better", "worse"} for each in changes)
    assert moved / runs > 0.12
    assert weeks / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_a_real_move_is_told():
    rng = np.random.default_rng(12)
    changes = five_changes(rng, 0.25)
    told = headline(changes)
    assert told.startswith(KNOWN[SHOWN[0]].label)
    assert "rose 24" in told


def test_a_move_that_five_looks_may_bring_is_no_news():
    still = Estimate(0.0, -0.1, 0.1, 1500)
    # Alone it would be one: 2.2 times its spread.
    lucky = Estimate(0.022, 0.0024, 0.0416, 1500)
    assert verdict(lucky) == "better"
    assert told_moves(figures([lucky, *[still] * 4])) == ()
    assert headline([lucky, *[still] * 4]) == (
        "Cannot tell. The one that moved may be the chance of looking at five figures."
    )


def test_the_page_says_that_today_is_not_counted():
    view = SmallFacts().view()
    lead = today._lead(view, figures([SOME] * 5))
    assert "is not counted: it is not over" in lead
    assert "looking at five" in lead
