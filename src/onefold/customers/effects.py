"""What something that happened to accounts really changed: like compared with like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf
from typing import Any

import numpy as np

from onefold.customers.panel import Cases, Panel, cases_of
from onefold.model.records import Estimate
from onefold.stats import Moments, difference, lift, matched_effect

CALIPER = 1.0
"""How far apart compared accounts may be in what was known before, in standard deviations."""
HELD = ("spend of the 28 days before", "growth of spend", "age of the account")


@dataclass(frozen=True, slots=True)
class Even:
    """How unlike the two sides of a comparison are in one thing, in standard deviations."""

    name: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What something really changed, beside what a plain comparison would say.

    Attributes:
        kind: `service`, `friction` or `churn`.
        name: The service, or the ticket's topic.
        label: The same in words.
        unit: `micros` (an account, over 28 days) or `share`.
        effect: Average effect on those to whom it happened; estimate None where refused.
        relative: The same as a share of what would have come anyway; None for shares.
        naive: Plain difference of those with and those without.
        naive_relative: The same as a share of those without.
        anyway: What would have come anyway, in the unit; None where refused.
        spend: For churn, the relative effect on spend; else the same as `relative`.
        treated: How many with it are compared.
        controls: How many without it they are compared with.
        left_out: How many with it found nobody alike.
        balance: How alike the two sides are in what was known before.
        smallest, largest: Spend of the 28 days before among those compared, micros: whom the
            effect was measured on.
        currency: Of the money.
        definition: What is compared, in words.
        method: How, in words.
        cannot: What it cannot tell, in words.
        refused: Why there is no effect; empty if there is one.
        from_date, to_date: First and last index day, ISO; empty without any.
    """

    kind: str
    name: str
    label: str
    unit: str
    effect: Estimate
    relative: Estimate
    naive: Estimate
    naive_relative: Estimate
    anyway: float | None
    spend: Estimate
    treated: int
    controls: int
    left_out: int
    balance: tuple[Even, ...]
    smallest: float
    largest: float
    currency: str
    definition: str
    method: str
    cannot: str
    refused: str
    from_date: str = ""
    to_date: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "label": self.label,
            "unit": self.unit,
            "currency": self.currency,
            "effect": self.effect.to_json(),
            "relative": self.relative.to_json(),
            "naive": self.naive.to_json(),
            "naive_relative": self.naive_relative.to_json(),
            "anyway": self.anyway,
            "treated": self.treated,
            "controls": self.controls,
            "left_out": self.left_out,
            "balance": [
                {"name": each.name, "before": each.before, "after": each.after}
                for each in self.balance
            ],
            "from_date": self.from_date or None,
            "to_date": self.to_date or None,
            "definition": self.definition,
            "method": self.method,
            "cannot": self.cannot,
            "refused": self.refused or None,
        }


@dataclass(frozen=True, slots=True)
class Matter:
    """What is to be measured.

    Attributes:
        kind: `service`, `friction` or `churn`.
        name: The service, or the topic of the tickets.
        label: The same in words, as in "creative help".
        event: The day that counts, in words, as in "its first day".
        oldest: Accounts older than so many days do not count.
        by_industry: Whether only accounts of one industry are compared.
        stops: Whether the outcome is that spend stops, rather than how much it is.
    """

    kind: str
    name: str
    label: str
    event: str
    oldest: float = inf
    by_industry: bool = False
    stops: bool = False


def effect_of(
    panel: Panel, happened: Mapping[str, Sequence[int]], *, matter: Matter, seed: int
) -> Effect:
    """Return what something changed for the accounts to which it happened.

    What is compared is spend of the 28 days from the index day on less that of the 28 days
    before: the former spend was known, so the effect on the difference is the effect on spend
    (difference in differences: Abadie 2005, Semiparametric Difference-in-Differences Estimators,
    Review of Economic Studies 72), and an account's size adds no noise. Alike means alike in log
    spend before, growth and age, and of one industry where `by_industry`. The estimator and its
    interval are those of `onefold.stats.matched_effect`.

    Args:
        panel: Accounts by days.
        happened: Account -> ordinals of the days on which it happened.
        matter: What is measured.
        seed: Of the chance in index days, ties and the bootstrap.
    """
    rng = np.random.default_rng([seed, *matter.name.encode()])
    cases = cases_of(panel, happened, rng=rng, oldest=matter.oldest)
    if not len(cases.rows):
        return _unmeasured(panel, matter)
    spent = _matched(cases.after - cases.before, cases, panel, matter, rng)
    # Few resamples: only the mean of those compared is asked, not its interval.
    whole = _matched(cases.after, cases, panel, matter, rng, resamples=2)
    seen = None if whole.anyway is None else whole.anyway + whole.effect.estimate
    relative = _relative(spent.effect, seen)
    found = spent
    if matter.stops:
        found = _matched(cases.stopped.astype(float), cases, panel, matter, rng)
        anyway = found.anyway
    else:
        anyway = None if seen is None else seen - spent.effect.estimate
    days = cases.day[cases.treated] + panel.first_date
    return Effect(
        kind=matter.kind,
        name=matter.name,
        label=matter.label,
        unit="share" if matter.stops else "micros",
        effect=found.effect,
        relative=_none(relative.n, "A share is its own measure.") if matter.stops else relative,
        **_naive(cases, stops=matter.stops),
        anyway=anyway,
        spend=relative,
        treated=found.treated,
        controls=found.controls,
        left_out=found.left_out,
        balance=tuple(Even(each.name, each.before, each.after) for each in found.balance),
        smallest=float(cases.before[cases.treated].min(initial=inf)),
        largest=float(cases.before[cases.treated].max(initial=0.0)),
        currency=panel.currency,
        definition=definition(matter),
        method=found.method,
        cannot=found.cannot,
        refused=found.refused,
        from_date=_iso(days.min()) if len(days) else "",
        to_date=_iso(days.max()) if len(days) else "",
    )


def definition(matter: Matter) -> str:
    """Return what is compared, in words."""
    outcome = (
        "The share of accounts that spend nothing in days 22 to 28"
        if matter.stops
        else "Ad spend of the 28 days"
    )
    alike = "alike in spend and growth of the 28 days before and in age"
    if matter.by_industry:
        alike += ", of the same industry"
    young = "" if matter.oldest == inf else f", all younger than {matter.oldest:.0f} days"
    return (
        f"{outcome} from {matter.event} on: accounts with {matter.label} against accounts without "
        f"it{young}, {alike}. All had spent in the 14 days before; each counts once."
    )


def _matched(
    outcome: Any,
    cases: Cases,
    panel: Panel,
    matter: Matter,
    rng: np.random.Generator,
    resamples: int = 2000,
) -> Any:
    known = np.column_stack([np.log1p(cases.before / 1e6), cases.growth, np.log1p(cases.age)])
    industries = [panel.industries[row] for row in cases.rows]
    return matched_effect(
        outcome,
        cases.treated,
        known,
        strata=industries if matter.by_industry else None,
        names=HELD,
        rng=rng,
        caliper=CALIPER,
        resamples=resamples,
    )


def _relative(effect: Estimate, seen: float | None) -> Estimate:
    """Return an effect as a share of what would have come: what was seen less the effect.

    The whole interval is carried over, ends and all; what was seen is held to be known.
    """
    if effect.estimate is None or effect.low is None or effect.high is None or seen is None:
        return _none(effect.n, effect.note)
    if seen - effect.high <= 0:
        return _none(effect.n, "What would have come may be nothing, so there is no share of it.")
    low, middle, high = (
        value / (seen - value) for value in (effect.low, effect.estimate, effect.high)
    )
    return Estimate(middle, low, high, effect.n, effect.level)


def _naive(cases: Cases, *, stops: bool) -> dict[str, Estimate]:
    """Return the plain difference of those with and those without, absolute and relative."""
    outcome = cases.stopped.astype(float) if stops else cases.after
    ours, theirs = outcome[cases.treated], outcome[~cases.treated]
    if not len(ours) or not len(theirs):
        empty = _none(len(outcome), "One side is empty.")
        return {"naive": empty, "naive_relative": empty}
    sides = Moments.of(ours), Moments.of(theirs)
    share = _none(len(outcome), "A share is its own measure.") if stops else lift(*sides)
    return {"naive": difference(*sides), "naive_relative": share}


def _unmeasured(panel: Panel, matter: Matter) -> Effect:
    why = "Nobody who spent in the 14 days before has had it for 28 days yet."
    empty = _none(0, why)
    return Effect(
        kind=matter.kind,
        name=matter.name,
        label=matter.label,
        unit="share" if matter.stops else "micros",
        effect=empty,
        relative=empty,
        naive=empty,
        naive_relative=empty,
        anyway=None,
        spend=empty,
        treated=0,
        controls=0,
        left_out=0,
        balance=(),
        smallest=0.0,
        largest=0.0,
        currency=panel.currency,
        definition=definition(matter),
        method="",
        cannot="",
        refused=why,
    )


def _none(n: int, note: str) -> Estimate:
    return Estimate(None, None, None, n, note=note)


def _iso(ordinal: Any) -> str:
    return date.fromordinal(int(ordinal)).isoformat()
