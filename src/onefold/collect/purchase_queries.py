"""Purchases, online and offline: what is told twice counts once.

Source: S0-4.9. Two are equal by their order id; else, where one of them has none, by person,
amount, currency and day of the workspace's zone, one to one. It is a question over what stands,
so neither the order of arrival nor an undo between can matter.
"""

from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING, Any

from onefold.collect.times import micros_of
from onefold.model.money import Money
from onefold.model.records import Answer, Column
from onefold.model.time import DAY, to_datetime
from onefold.model.zones import zone_offsets

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

_ALIKE = ("person_id", "amount_micros", "currency", "day")
_COLUMNS = ("id", "order_id", "person_id", "account_id", "amount_micros", "currency", "time", "day")


def purchases(view: "View", *, account_id: str = "", person_id: int | None = None) -> "ir.Table":
    """Return every purchase once, of everybody, an account or a person.

    Returns:
        origin (`online`, `offline`), id, order_id, person_id, account_id, amount_micros, currency,
        time, day, and store of an offline one; one that was told both ways is `online`, with
        `told_twice`. Where anything was sampled, `sample_rate`: one that an import told is there
        for certain, whether or not its event was kept.
    """
    import ibis

    day = _days(view)
    online, offline = _online(view, day), _offline(view, day)
    if account_id or person_id is not None:
        online, offline = _near(online, offline, account_id, person_id)
    twins = _twins(online, offline)
    told = online.mutate(origin=ibis.literal("online"), store=ibis.null("string"))
    alone = offline.anti_join(twins, offline.id == twins.offline_id)
    others = alone.mutate(origin=ibis.literal("offline"), told_twice=ibis.literal(False))
    both = twins.select("online_id").distinct().mutate(twin=ibis.literal(True))
    told = told.left_join(both, told.id == both.online_id).drop("online_id")
    told = told.mutate(told_twice=told.twin.fill_null(False)).drop("twin")
    names: tuple[str, ...] = ("origin", *_COLUMNS, "store", "told_twice")
    if view.sampled:
        names = (*names, "sample_rate")
        told = told.mutate(sample_rate=ibis.ifelse(told.told_twice, 1.0, told.sample_rate))
        others = others.mutate(sample_rate=ibis.literal(1.0))
    found = told.select(*names).union(others.select(*names))
    if account_id or person_id is not None:
        found = found.filter(_is_of(found, account_id, person_id))
    return found


def _is_of(table: "ir.Table", account_id: str, person_id: int | None) -> "ir.BooleanValue":
    return table.account_id == account_id if account_id else table.person_id == person_id


def _near(
    online: "ir.Table", offline: "ir.Table", account_id: str, person_id: int | None
) -> "tuple[ir.Table, ir.Table]":
    """Return what is of somebody, and what may be equal to it by its order id."""
    mine, told = _is_of(online, account_id, person_id), _is_of(offline, account_id, person_id)
    ours, theirs = online.filter(mine).order_id, offline.filter(told).order_id
    return (
        online.filter(mine.fill_null(False) | online.order_id.isin(theirs)),
        offline.filter(told.fill_null(False) | offline.order_id.isin(ours)),
    )


def purchase_sums(view: "View") -> Answer:
    """Return how many purchases there are and what they sum to, each counted once.

    One row a currency; `match_share` is the share of offline purchases whose person is known.
    """
    import ibis

    found = purchases(view)
    offline = found.origin == "offline"
    summed = found.group_by("currency").aggregate(
        purchases=found.count(),
        online=(~offline).sum(),
        offline=offline.sum(),
        told_twice=found.told_twice.sum(),
        amount=found.amount_micros.sum(),
    )
    told = _offline(view, _days(view))
    known = told.group_by("currency").aggregate(
        rows=told.count(), matched=told.person_id.notnull().sum()
    )
    rates = {row["currency"]: row for row in view.ask(known).to_pylist()}
    rows = []
    for row in view.ask(summed.order_by(ibis._.currency)).to_pylist():
        rate = rates.get(row["currency"])
        amount = None if row["currency"] is None else Money(row["amount"] or 0, row["currency"])
        share = round(rate["matched"] / rate["rows"], 4) if rate else None
        counts = tuple(row[name] for name in ("purchases", "online", "offline", "told_twice"))
        rows.append((row["currency"], *counts, share, amount))
    return Answer(
        columns=(
            Column("currency", "text"),
            Column("purchases", "integer"),
            Column("online", "integer"),
            Column("offline", "integer"),
            Column("told_twice", "integer"),
            Column("match_share", "share"),
            Column("sum", "money"),
        ),
        rows=tuple(rows),
        definition="Purchases by order events and by imports, each counted once: equal are those "
        "of one order id, else of one person, amount, currency and day. `match_share` is of "
        "imported purchases, those whose person is known.",
        query=view.sql(found),
        as_of_time=view.fresh_time,
    )


_Day = Callable[["ir.TimestampValue"], "ir.DateValue"]


def _online(view: "View", day: _Day) -> "ir.Table":
    """Return orders as events told them; one sent by browser and server counts once."""
    import ibis

    told = view.orders
    told = told.mutate(
        id=ibis.literal("e") + told.message_hi.cast("string") + "." + told.message_lo.cast("string")
    )
    people = view.people.select(key="key", person_id="person_id")
    told = told.left_join(people, told.identifier == people.key)
    named = ibis.coalesce(told.order_id, told.id)
    window = ibis.window(group_by=named, order_by=(told.order_time, told.id))
    told = told.mutate(sent=ibis.row_number().over(window), time=told.order_time)
    told = told.filter(told.sent == 0)
    columns: tuple[str, ...] = _COLUMNS
    if view.sampled:
        columns = (*_COLUMNS, "sample_rate")
        sent = view.events.select("message_hi", "message_lo", "sample_rate")
        told = told.left_join(sent, ["message_hi", "message_lo"])
        told = told.mutate(sample_rate=told.sample_rate.cast("float64").fill_null(1.0))
    return told.mutate(day=day(told.time)).select(*columns)


def _offline(view: "View", day: _Day) -> "ir.Table":
    told = view.records["purchases"]
    people = view.people.select(key="key", person_id="person_id")
    told = told.left_join(people, told.user_key == people.key)
    told = told.mutate(id=told.purchase_id, time=told.purchase_time)
    return told.mutate(day=day(told.time)).select(*_COLUMNS, "store")


def _days(view: "View") -> _Day:
    """Return what tells the day of the workspace's zone, over the span of imported purchases."""
    import ibis

    told = view.records["purchases"]
    span = view.ask(told.aggregate(first=told.purchase_time.min(), last=told.purchase_time.max()))
    first, last = (span[name][0].as_py() for name in ("first", "last"))
    if first is None:
        return lambda moment: moment.truncate("D").date()
    from_time, to_time = (micros_of(each.replace(tzinfo=UTC)) for each in (first, last))
    begun, *later = zone_offsets(from_time - 2 * DAY, to_time + 2 * DAY, view.zone)

    def day(moment: "ir.TimestampValue") -> "ir.DateValue":
        local = _shifted(moment, begun[1])
        for since, seconds in later:
            turn = ibis.literal(to_datetime(since).replace(tzinfo=None), type="timestamp")
            local = ibis.ifelse(moment < turn, local, _shifted(moment, seconds))
        return local.truncate("D").date()

    return day


def _shifted(moment: Any, seconds: int) -> Any:
    import ibis

    return moment + ibis.interval(seconds=seconds) if seconds else moment


def _twins(online: "ir.Table", offline: "ir.Table") -> "ir.Table":
    """Return offline_id and online_id of those told both ways."""
    named = online.filter(online.order_id.notnull()).select(online_id="id", order_id="order_id")
    by_id = offline.inner_join(named, "order_id").select(offline_id="id", online_id="online_id")
    left = offline.anti_join(by_id, offline.id == by_id.offline_id)
    free = online.anti_join(by_id, online.id == by_id.online_id)
    # Who has no id may be any order of its kind; an order with an id is asked first, so that
    # those without are left for purchases that have one.
    nameless = _ranked(left.filter(left.order_id.isnull()), "offline_id")
    orders = _ranked(free, "online_id")
    first = nameless.inner_join(orders, [*_ALIKE, "place"]).select("offline_id", "online_id")
    rest = free.anti_join(first, free.id == first.online_id)
    whole = _ranked(left.filter(left.order_id.notnull()), "offline_id")
    open_orders = _ranked(rest.filter(rest.order_id.isnull()), "online_id")
    second = whole.inner_join(open_orders, [*_ALIKE, "place"]).select("offline_id", "online_id")
    return by_id.union(first).union(second)


def _ranked(table: "ir.Table", name: str) -> "ir.Table":
    """Return those of a known person and amount, each with its place among its like."""
    import ibis

    sure = table.filter(
        table.person_id.notnull(), table.amount_micros.notnull(), table.currency.notnull()
    )
    groups = [sure[column] for column in _ALIKE]
    order = (sure.order_id.isnull(), sure.time, sure.id)
    place = ibis.row_number().over(ibis.window(group_by=groups, order_by=order))
    return sure.select(*_ALIKE, place=place, **{name: sure.id})
