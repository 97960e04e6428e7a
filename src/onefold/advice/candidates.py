"""What could be advised: from measured help, measured friction, tests, and a few plain rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from onefold.advice.records import Recommendation, Refusal
from onefold.advice.timing import (
    amount,
    before_patience_ends,
    every_day_costs,
    this_week,
    while_it_spends,
)
from onefold.model.records import Estimate
from onefold.model.time import DAY, day_of
from onefold.model.words import plural

if TYPE_CHECKING:
    from onefold.customers import Effect, Standing

REST_DAYS = 56
"""A service is not advised again within so many days."""
QUIET_DAYS = 45
"""So long without any interaction is a lapsed contact."""
FALL = 0.7
"""Spend of 28 days over that of the former 28 below which an account is falling."""
GROUP = 3
"""From so many accounts on, one recommendation is for all of them."""
DAYS = 28
LIKE_IT = (
    "It is the average of accounts like it, not a promise for this one, and takes spend to go on "
    "as in the last 28 days."
)
RULE = "A rule, not a measurement: nobody has compared accounts by this yet."


@dataclass(slots=True)
class Pool:
    """What was thought of.

    Attributes:
        found: Recommendations that clear the bar.
        refused: Those that do not, with their reasons.
        considered: How many things were thought of, each for each account.
    """

    found: list[Recommendation] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    considered: int = 0

    def refuse(self, kind: str, what: str, left: Sequence[tuple["Standing", str, str]]) -> None:
        """Add accounts that something is not advised for: (account, short reason, reason).

        Several of one short reason are told together.
        """
        reasons: dict[str, list[tuple[Standing, str]]] = {}
        for standing, short, reason in left:
            reasons.setdefault(short, []).append((standing, reason))
        for short, members in reasons.items():
            if len(members) == 1:
                standing, reason = members[0]
                self.refused.append(Refusal(kind, what, standing.name, reason))
            else:
                self.refused.append(Refusal(kind, what, plural(len(members), "account"), short))


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of asking, the zone of its days, and what was decided and stays away by then."""

    now: int
    zone: str
    away: frozenset[str] = frozenset()


def scaled(relative: Estimate, base: float) -> Estimate:
    """Return a relative effect as micros of a base, low below high.

    >>> scaled(Estimate(-0.2, -0.3, -0.1, 80), -100.0).low
    10.0
    """
    if relative.estimate is None or relative.low is None or relative.high is None:
        return relative
    ends = sorted((relative.low * base, relative.high * base))
    return Estimate(relative.estimate * base, ends[0], ends[1], relative.n, relative.level)


def total(values: Iterable[Estimate]) -> Estimate:
    """Return the sum of estimates that rest on one and the same effect: their ends add up."""
    each = list(values)
    return Estimate(
        sum(v.estimate or 0.0 for v in each),
        sum(v.low or 0.0 for v in each),
        sum(v.high or 0.0 for v in each),
        each[0].n,
        each[0].level,
    )


def where(standing: "Standing") -> str:
    """Return account and phase."""
    return f"{standing.name} · {standing.phase.words}"


def evidence_of(effect: "Effect") -> str:
    """Return the address that shows what an effect rests on."""
    return f"/customers/effects#{quote(effect.name)}"


def from_services(
    pool: Pool, effects: Sequence["Effect"], accounts: Sequence["Standing"], at: Moment
) -> None:
    """Add help that was measured to work, for accounts like those it worked on."""
    for effect in effects:
        what = f"Give {effect.label}"
        kind = f"service.{effect.name}"
        unsure = _unsure(effect, effect.relative, gain=True)
        pool.considered += len(accounts)
        if unsure:
            pool.refused.append(Refusal(kind, what, "", unsure))
            continue
        left = []
        for each in accounts:
            reasons = _no_service(effect, each, at)
            if reasons:
                left.append((each, *reasons))
            else:
                pool.found.append(_service(effect, each, kind, at))
        pool.refuse(kind, what, left)


def _unsure(effect: "Effect", relative: Estimate, *, gain: bool) -> str:
    """Return why an effect carries no advice, or nothing."""
    if effect.refused:
        return f"Not enough data: {effect.refused}"
    if relative.estimate is None or relative.low is None or relative.high is None:
        return relative.note or "Not enough data."
    if gain and relative.high < 0:
        return f"Worse: spend fell {_percent(-relative.estimate)} beside what would have come."
    if (relative.low if gain else -relative.high) <= 0:
        return (
            f"Cannot tell: it changed spend by {_percent(relative.estimate, signed=True)}, low "
            f"{_percent(relative.low, signed=True)}, high {_percent(relative.high, signed=True)}."
        )
    return ""


def _no_service(effect: "Effect", standing: "Standing", at: Moment) -> tuple[str, str] | None:
    """Return why an account is not like those that were measured: in short, and of it."""
    level = standing.level
    if level is None or level.now <= 0:
        return _said("It spends nothing now; help was measured on accounts that spend.")
    if level.currency != effect.currency:
        return _said(f"It spends {level.currency}; help was measured in {effect.currency}.")
    if (day_of(at.now, at.zone) - level.last_date).days > DAYS // 2:
        return _said("It has not spent in the last 14 days.")
    given = dict(standing.services).get(effect.name)
    if given is not None and at.now - given < REST_DAYS * DAY:
        days = (at.now - given) // DAY
        return f"It had it in the last {REST_DAYS} days.", f"It had it {plural(days, 'day')} ago."
    if level.now < effect.smallest:
        return _said("It is smaller than any account the effect was measured on.")
    if level.now > effect.largest:
        return _said("It is larger than any account the effect was measured on.")
    return None


def _said(reason: str) -> tuple[str, str]:
    return reason, reason


def _service(effect: "Effect", standing: "Standing", kind: str, at: Moment) -> Recommendation:
    level = standing.level
    assert level is not None  # noqa: S101 - `_no_service` has seen it
    window = while_it_spends(level.last_date, at.now, at.zone)
    return Recommendation(
        id=f"{kind}:{standing.account_id}",
        kind=kind,
        what=f"Give {standing.name} {effect.label}",
        where=where(standing),
        when=window.words,
        until_time=window.until_time,
        grade=3,
        why=f"{effect.treated:,} helped, {effect.controls:,} alike without help",
        evidence=evidence_of(effect),
        value=scaled(effect.relative, level.now),
        currency=level.currency,
        worth="",
        worth_note="",
        anyway=float(level.now),
        method=effect.method,
        cannot_tell=f"{LIKE_IT} {effect.cannot}",
        account_id=standing.account_id,
        accounts=(standing.account_id,),
    )


def from_friction(
    pool: Pool, effect: "Effect", accounts: Sequence["Standing"], at: Moment, *, grouped: bool
) -> None:
    """Add mending conversion tags that fail now."""
    _from_tickets(pool, effect, accounts, at, grouped=grouped, what="Mend the conversion tag of")


def from_billing(
    pool: Pool, effect: "Effect", accounts: Sequence["Standing"], at: Moment, *, grouped: bool
) -> None:
    """Add answering billing tickets that wait now."""
    _from_tickets(pool, effect, accounts, at, grouped=grouped, what="Answer the billing ticket of")


def _from_tickets(
    pool: Pool,
    effect: "Effect",
    accounts: Sequence["Standing"],
    at: Moment,
    *,
    grouped: bool,
    what: str,
) -> None:
    waiting = [
        each for each in accounts if any(issue.topic == effect.name for issue in each.issues)
    ]
    kind = f"{effect.kind}.{effect.name}"
    unsure = _unsure(effect, effect.spend, gain=False)
    pool.considered += max(len(waiting), 1)
    if not waiting or unsure:
        reason = unsure or "No such ticket is open."
        pool.refused.append(Refusal(kind, f"{what} an account", "", reason))
        return
    eligible, left = [], []
    for each in waiting:
        level = each.level
        if level is None or level.now <= 0:
            left.append((each, *_said("It spends nothing now, so there is no measure for it.")))
        elif level.currency != effect.currency:
            reason = f"It spends {level.currency}; the cost was measured in {effect.currency}."
            left.append((each, *_said(reason)))
        else:
            eligible.append(each)
    pool.refuse(kind, f"{what} an account", left)
    together = [each for each in eligible if f"{kind}:{each.account_id}" not in at.away]
    if grouped and len(together) >= GROUP:
        pool.found.append(_tickets(effect, together, kind, what, at))
    else:
        pool.found += [_tickets(effect, [each], kind, what, at) for each in eligible]


def _tickets(
    effect: "Effect", standings: Sequence["Standing"], kind: str, what: str, at: Moment
) -> Recommendation:
    spent = [each.level.now for each in standings if each.level is not None]
    # What is lost is a share of what would come; the last 28 days have partly lost it already, so
    # this is rather too little than too much.
    value = total(scaled(effect.spend, -now) for now in spent)
    # A bill that waits has cost nothing yet; a tag that fails has, and goes on to.
    anyway = float(sum(spent)) - (value.estimate or 0.0 if effect.kind == "churn" else 0.0)
    one = standings[0] if len(standings) == 1 else None
    opened = tuple(
        issue.opened_time for s in standings for issue in s.issues if issue.topic == effect.name
    )
    if effect.kind == "churn":
        window = before_patience_ends(opened, at.now, at.zone)
    else:
        window = every_day_costs((value.estimate or 0) / DAYS, effect.currency, at.now, at.zone)
    names = one.name if one else f"{len(standings)} accounts"
    return Recommendation(
        id=f"{kind}:{one.account_id if one else 'market'}",
        kind=kind,
        what=f"{what} {names}",
        where=where(one) if one else _where_all(standings),
        when=window.words,
        until_time=window.until_time,
        grade=3,
        why=f"{effect.treated:,} with {effect.label}, {effect.controls:,} alike without",
        evidence=evidence_of(effect),
        value=value,
        currency=effect.currency,
        worth="",
        worth_note="",
        anyway=anyway,
        method=effect.method,
        cannot_tell=f"{LIKE_IT} {effect.cannot} It does not know how much comes back after a mend.",
        account_id=one.account_id if one else None,
        accounts=tuple(each.account_id for each in standings),
    )


def _where_all(standings: Sequence["Standing"]) -> str:
    phases = sorted({each.phase.name for each in standings})
    names = ", ".join(each.name for each in standings[:3])
    more = f" and {len(standings) - 3} more" if len(standings) > 3 else ""
    return f"{names}{more} · {', '.join(phases)}"


def from_rules(pool: Pool, accounts: Sequence["Standing"], at: Moment) -> None:
    """Add what plain rules see: contact that lapsed, spend that falls without a known cause."""
    for each in accounts:
        level = each.level
        if level is None or level.now <= 0:
            continue
        pool.considered += 2
        quiet = None if each.last_touch_time is None else (at.now - each.last_touch_time) // DAY
        if quiet is None or quiet > QUIET_DAYS:
            pool.found.append(_lapsed(each, quiet, at))
        if level.former > 0 and level.now < FALL * level.former and not each.issues:
            pool.found.append(_falling(each, at))


def _lapsed(standing: "Standing", quiet: int | None, at: Moment) -> Recommendation:
    since = (
        "nobody has ever talked to it"
        if quiet is None
        else f"the last talk was {plural(quiet, 'day')} ago"
    )
    return _rule(standing, at, "contact.lapsed", f"Call {standing.name}", since, "#interactions")


def _falling(standing: "Standing", at: Moment) -> Recommendation:
    level = standing.level
    share = 0.0 if level is None or level.change is None else -level.change
    why = f"it spent {_percent(share)} less than in the former 28 days, and no ticket says why"
    return _rule(
        standing, at, "spend.falling", f"Ask {standing.name} why it spends less", why, "#spend"
    )


def _rule(
    standing: "Standing", at: Moment, kind: str, what: str, why: str, place: str
) -> Recommendation:
    level = standing.level
    window = this_week(why, at.now, at.zone)
    stake = "" if level is None else amount(level.now, level.currency)
    return Recommendation(
        id=f"{kind}:{standing.account_id}",
        kind=kind,
        what=what,
        where=where(standing),
        when=window.words,
        until_time=window.until_time,
        grade=1,
        why="its own record",
        evidence=f"/customers/accounts/{quote(standing.account_id, safe='')}{place}",
        value=None,
        currency="" if level is None else level.currency,
        worth="Not yet measured",
        worth_note=f"{stake} spent in the last 28 days" if stake else "",
        anyway=None if level is None else float(level.now),
        method=RULE,
        cannot_tell="It cannot tell what a talk changes.",
        account_id=standing.account_id,
        accounts=(standing.account_id,),
    )


def _percent(share: float, *, signed: bool = False) -> str:
    sign = "\N{MINUS SIGN}" if share < 0 else "+" if signed else ""
    return f"{sign}{abs(share) * 100:.1f}\N{NO-BREAK SPACE}%"
