"""Three to five things worth doing, for an account or for the whole market."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onefold.advice.candidates import (
    Moment,
    Pool,
    from_billing,
    from_friction,
    from_rules,
    from_services,
)
from onefold.advice.ranking import FEWEST, MOST, chosen
from onefold.advice.records import Advice
from onefold.advice.store import kept_away
from onefold.advice.tested import from_experiments
from onefold.customers import measured, standings
from onefold.experiments import read_experiment
from onefold.model.errors import unknown

if TYPE_CHECKING:
    from onefold.customers import Effect
    from onefold.experiments import Experiment, ExperimentReading
    from onefold.store import State, View

METHOD = (
    "Worth is the average effect on accounts that were alike before, as a share of what would "
    "have come anyway, times what the account spent in the last 28 days. Its range is that of the "
    "effect. Only what is better beyond its whole range is advised; below 30 a side nothing is."
)
CANNOT = (
    "It cannot tell what was never recorded, nor what one account will do: a worth is the average "
    "of accounts like it. Several things done for one account may not add up."
)
WORDS = ("Nothing", "One thing", "Two things", "Three things", "Four things")


@dataclass(frozen=True, slots=True)
class Known:
    """What advice rests on: what really changed accounts, and how the tests read."""

    effects: "tuple[Effect, ...]"
    readings: "tuple[ExperimentReading, ...]"


def advise(
    view: "View",
    state: "State",
    *,
    account: str | None = None,
    experiments: Sequence["Experiment"] = (),
    most: int = MOST,
    seed: int = 0,
    known: Known | None = None,
) -> Advice:
    """Return the three to five things worth doing next, or fewer with the reason.

    Args:
        view: The facts.
        state: Where decisions are kept; what was dismissed stays away.
        account: Only for this account; None for the whole market.
        experiments: Tests to look at; only for the whole market.
        most: How many at most.
        seed: Of the chance in matching ties and the bootstrap.
        known: Effects and readings asked before under the same terms, not to ask them again.

    Raises:
        NotFound: There is no such account.
    """
    everyone = standings(view)
    ours = [each for each in everyone if account is None or each.account_id == account]
    if account is not None and not ours:
        raise unknown("account", account, [each.account_id for each in everyone])
    asked = view.question.as_of_time
    now = view.now if asked is None else min(asked, view.now)
    away = kept_away(state, now)
    at, pool = Moment(now, view.zone, away), Pool()
    if known is None:
        known = know(view, experiments=() if account else experiments, seed=seed)
    if ours:
        found = known.effects
        grouped = account is None
        from_services(pool, [each for each in found if each.kind == "service"], ours, at)
        for each in found:
            if each.kind == "friction":
                from_friction(pool, each, ours, at, grouped=grouped)
            elif each.kind == "churn":
                from_billing(pool, each, ours, at, grouped=grouped)
        from_rules(pool, ours, at)
    if account is None:
        from_experiments(pool, known.readings)
    open_ones = [each for each in pool.found if each.id not in away]
    best = chosen(open_ones, most=most, one_account=account is not None)
    decided = len(pool.found) - len(open_ones)
    return Advice(
        recommendations=best,
        considered=pool.considered,
        refused=tuple(pool.refused),
        decided=decided,
        method=METHOD,
        cannot_tell=CANNOT,
        note=_note(len(best), len(pool.refused), decided, one=account is not None),
        asked_time=now,
    )


def know(view: "View", *, experiments: Sequence["Experiment"] = (), seed: int = 0) -> Known:
    """Return what advice rests on: the part that takes time, and that decisions do not change."""
    return Known(
        effects=measured.all_effects(view, seed=seed),
        readings=tuple(read_experiment(view, each) for each in experiments),
    )


def _note(shown: int, refused: int, decided: int, *, one: bool) -> str:
    """Return why there are fewer than three."""
    if shown >= FEWEST:
        return ""
    clears = "clears" if shown < 2 else "clear"
    parts = [f"{WORDS[shown]} {clears} the bar{' for this account' if one else ''}"]
    if refused:
        parts.append(f"{refused:,} thought of and not advised, each with its reason below")
    if decided:
        parts.append(f"{decided:,} already decided")
    if not refused and not decided:
        parts.append("there is not enough data about accounts yet")
    return "; ".join(parts) + "."
