"""What the live page asks of the facts: one campaign, or all, over the last minutes."""

from typing import TYPE_CHECKING, Any

from onefold.metrics import rollups
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
    meant = _counted(view, campaign_id, span, (CLICK, IMPRESSION))
    keys = {"minute": "start_time"} | {name: name for name in ("surface", "event", "currency")}
    earned = meant.revenue_micros.sum()
    if view.sampled:
        earned = (meant.revenue_micros * weight_of(meant)).sum().round()
    grouped = meant.group_by(**{name: meant[column] for name, column in keys.items()})
    found = grouped.aggregate(rows=_sum(view, meant), revenue=earned.cast("int64"))
    # What was taken back whole is not there.
    return found.filter(found.rows != 0)


def former_clicks(view: "View", campaign_id: str, spans: list[Span]) -> "ir.Table":
    """Return minute and clicks of a campaign in the same minutes of former days."""
    import ibis

    whole = (min(start for start, _ in spans), max(end for _, end in spans))
    meant = _counted(view, campaign_id, whole, (CLICK,))
    inside = ibis.or_(
        *(
            (meant.start_time >= instant(start)) & (meant.start_time < instant(end))
            for start, end in spans
        )
    )
    meant = meant.filter(inside)
    squares = {}
    if view.sampled:
        weight = weight_of(meant)
        squares = {"squares": (meant.events * weight * weight).sum()}
    return meant.group_by(minute=meant.start_time).aggregate(clicks=_sum(view, meant), **squares)


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
    """Return the campaigns seen of late with their figures of a span, the busiest first.

    When one was last seen is told to the minute.
    """
    import ibis

    named = rollups.counts(view, (span[1] - SEEN_DAYS * DAY, span[1]), "m")
    named = named.filter(named.event.isin([CLICK, IMPRESSION]), named.campaign_id.notnull())
    inside = named.start_time >= instant(span[0])
    clicked, seen = named.event == CLICK, named.event == IMPRESSION
    # What was taken back leaves minutes of nothing, in which nobody was seen.
    minutes = named.group_by("campaign_id", "start_time").aggregate(
        account_id=named.account_id.max(),
        clicks=_weighed(view, named, inside & clicked),
        impressions=_weighed(view, named, inside & seen),
        former=_weighed(view, named, clicked),
        events=named.events.sum(),
    )
    minutes = minutes.filter(minutes.events > 0)
    grouped = minutes.group_by("campaign_id").aggregate(
        account_id=minutes.account_id.max(),
        last_time=minutes.start_time.max(),
        **{name: _whole(minutes[name].sum()) for name in ("clicks", "impressions", "former")},
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


def _counted(view: "View", campaign_id: str, span: Span, names: tuple[str, ...]) -> Any:
    found = rollups.counts(view, span, "m")
    return found.filter(found.event.isin(names), found.campaign_id == campaign_id)


def _sum(view: "View", parts: Any) -> Any:
    """Return how many events there are, or stand for where a source samples, in whole ones."""
    return _whole(_weighed(view, parts))


def _weighed(view: "View", parts: Any, where: Any = None) -> Any:
    events = parts.events * weight_of(parts) if view.sampled else parts.events
    return events.sum(where=where)


def _whole(events: Any) -> Any:
    return events.round().cast("int64").fill_null(0)


def _account(table: Any) -> Any:
    """Return the advertiser that an ad says it is of; the envelope has that of its viewer."""
    return table.p_account_id if "p_account_id" in table.columns else table.account_id


def _revenue(table: Any) -> Any:
    import ibis

    paid = rollups.revenue_of(table)
    return ibis.literal(0) if paid is None else paid
