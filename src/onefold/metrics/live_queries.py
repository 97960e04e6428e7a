"""What the live page asks of the facts: one campaign, or all, over the last minutes."""

from typing import TYPE_CHECKING, Any

from onefold.metrics.compile import Span, currency_of_row, dimension_of, instant
from onefold.metrics.weights import weight_of
from onefold.model.time import DAY

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

CLICK = "ad_clicked"
IMPRESSION = "ad_viewed"
SEEN_DAYS = 7
"""A campaign is listed while it was seen within so many days."""


def by_minute(view: "View", campaign_id: str, span: Span) -> "ir.Table":
    """Return minute, surface, event, currency, rows and revenue (micros) of a campaign."""
    meant = _of_campaign(view, campaign_id, span)
    meant = meant.mutate(earned=_revenue(meant))
    keys = {
        "minute": meant.event_time.truncate("m"),
        "surface": dimension_of(meant, "surface"),
        "event": meant.event,
        "currency": currency_of_row(meant),
    }
    earned = meant.earned.sum()
    if view.sampled:
        earned = (meant.earned * weight_of(meant)).sum().round().cast("int64")
    return meant.group_by(**keys).aggregate(rows=_count(view, meant), revenue=earned)


def former_clicks(view: "View", campaign_id: str, spans: list[Span]) -> "ir.Table":
    """Return minute and clicks of a campaign in the same minutes of former days."""
    import ibis

    whole = (min(start for start, _ in spans), max(end for _, end in spans))
    meant = _of_campaign(view, campaign_id, whole, (CLICK,))
    inside = ibis.or_(
        *(
            (meant.event_time >= instant(start)) & (meant.event_time < instant(end))
            for start, end in spans
        )
    )
    meant = meant.filter(inside)
    minutes = meant.group_by(minute=meant.event_time.truncate("m"))
    squares = {"squares": (weight_of(meant) * weight_of(meant)).sum()} if view.sampled else {}
    return minutes.aggregate(clicks=_count(view, meant), **squares)


def first_seen(view: "View", campaign_id: str, span: Span) -> "ir.Table":
    """Return when a campaign was first seen in a span, as `first_time`."""
    meant = _of_campaign(view, campaign_id, span)
    return meant.aggregate(first_time=meant.event_time.min())


def just_now(view: "View", campaign_id: str, span: Span, *, most: int) -> "ir.Table":
    """Return the last clicks of a campaign, latest first; without anything of a person."""
    import ibis

    meant = _of_campaign(view, campaign_id, span, (CLICK,))
    shown = meant.select(
        "event_time",
        "log_offset",
        "place",
        surface=dimension_of(meant, "surface"),
        item_id=dimension_of(meant, "item_id"),
        currency=currency_of_row(meant),
        revenue=_revenue(meant),
    )
    order = [ibis.desc(name) for name in ("event_time", "log_offset", "place")]
    return shown.order_by(order).limit(most)


def campaigns(view: "View", span: Span, *, most: int) -> "ir.Table":
    """Return the campaigns seen of late with their figures of a span, the busiest first."""
    import ibis

    events = view.events
    since = instant(span[1] - SEEN_DAYS * DAY)
    named: Any = events.filter(
        events.event.isin([CLICK, IMPRESSION]),
        events.event_time >= since,
        events.event_time < instant(span[1]),
    )
    named = named.mutate(campaign_id=dimension_of(named, "campaign_id"))
    named = named.filter(named.campaign_id.notnull())
    inside = named.event_time >= instant(span[0])
    clicked, seen = named.event == CLICK, named.event == IMPRESSION
    grouped = named.group_by("campaign_id").aggregate(
        account_id=_account(named).max(),
        last_time=named.event_time.max(),
        clicks=_count(view, named, inside & clicked),
        impressions=_count(view, named, inside & seen),
        former=_count(view, named, clicked),
    )
    order = [ibis.desc("clicks"), ibis.desc("impressions"), ibis.desc("former"), "campaign_id"]
    best = grouped.order_by(order).limit(most)
    owners = view.accounts.select(owner_id="account_id", account_name="name")
    joined = best.left_join(owners, best.account_id == owners.owner_id).drop("owner_id")
    return joined.order_by(order)


def advertiser(view: "View", campaign_id: str, span: Span) -> "ir.Table":
    """Return `account_id` and `name` of the account behind a campaign; no row if unknown."""
    import ibis

    meant = _of_campaign(view, campaign_id, span)
    account: Any = meant.aggregate(account_id=_account(meant).max())
    accounts = view.accounts.select(owner_id="account_id", name="name")
    found = account.left_join(accounts, account.account_id == accounts.owner_id)
    return found.filter(ibis._.account_id.notnull()).select("account_id", "name")


def _of_campaign(
    view: "View", campaign_id: str, span: Span, names: tuple[str, ...] = (CLICK, IMPRESSION)
) -> Any:
    events = view.events
    return events.filter(
        events.event.isin(names),
        events.event_time >= instant(span[0]),
        events.event_time < instant(span[1]),
        dimension_of(events, "campaign_id") == campaign_id,
    )


def _count(view: "View", table: Any, where: Any = None) -> Any:
    """Return how many events there are, or stand for where a source samples, in whole ones."""
    if not view.sampled:
        return table.count(where=where)
    return weight_of(table).sum(where=where).round().cast("int64").fill_null(0)


def _account(table: Any) -> Any:
    """Return the advertiser that an ad says it is of; the envelope has that of its viewer."""
    return table.p_account_id if "p_account_id" in table.columns else table.account_id


def _revenue(table: Any) -> Any:
    import ibis

    if "p_revenue" in table.columns and table.p_revenue.type().is_integer():
        return table.p_revenue.fill_null(0)
    return ibis.literal(0)
