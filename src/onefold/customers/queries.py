"""What customers asks of the facts; nothing else of this room speaks to them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from onefold.collect import questions
from onefold.model.facts import RECORD_CODES, RECORD_TABLES, RECORD_TIMES
from onefold.model.time import day_of, day_start, to_datetime

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from onefold.store import View

WINDOW = 28
"""Days of a period of spend."""
SPEND = "ad_spend"
"""The kind of money whose causes are looked for; see `records.JUDGED_BY` for how one stands."""
MOST_CONTACTS = 200
"""Contacts of an account whose events are read; larger accounts show those who joined first."""

MOST_BOUGHT = 100
"""Purchases of one customer that are told one by one."""
ENTITIES = {table: entity for entity, (table, _) in RECORD_TABLES.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """The time a question is about.

    Attributes:
        time: As of when, microseconds UTC.
        today: The day of the workspace's zone in which it falls; not whole yet.
    """

    time: int
    today: date

    @property
    def moment(self) -> datetime:
        """Return it as the facts keep times: UTC without a zone."""
        return to_datetime(self.time).replace(tzinfo=None)


def asked(view: "View") -> Asked:
    """Return the time that a view is about: its as-of time, else now."""
    moment = view.question.as_of_time
    time = view.now if moment is None else min(moment, view.now)
    return Asked(time, day_of(time, view.zone))


def before(view: "View", days: int) -> int:
    """Return when the day began that lies some days before the asked day, microseconds."""
    day = asked(view).today
    return day_start(date.fromordinal(day.toordinal() - days), view.zone)


def micros(rows: "pa.Table", column: str) -> list[int | None]:
    """Return a column of times as integer microseconds."""
    import pyarrow as pa

    values = rows[column].cast(pa.timestamp("us")).cast(pa.int64()).to_pylist()
    return [None if value is None else int(value) for value in values]


def account_rows(view: "View", *, account_id: str | None = None) -> "pa.Table":
    """Return id, name, industry, country, owner and created_time of accounts."""
    table = view.accounts
    if account_id is not None:
        table = table.filter(table.account_id == account_id)
    columns = ("account_id", "name", "industry", "country", "owner", "created_time")
    return view.ask(table.select(*columns).order_by("account_id"))


def spend_levels(view: "View", *, account_id: str | None = None) -> "ir.Table":
    """Return spend an account, kind and currency: all time, last 28 whole days, 28 before."""
    table = _spend(view, account_id)
    today = asked(view).today
    now, former = (date.fromordinal(today.toordinal() - n * WINDOW) for n in (1, 2))
    day = table.spend_date
    return table.group_by("account_id", "kind", "currency").aggregate(
        total=table.amount_micros.sum(),
        now=table.amount_micros.sum(where=(day >= now) & (day < today)),
        former=table.amount_micros.sum(where=(day >= former) & (day < now)),
        first_date=day.min(),
        last_date=day.max(),
    )


def spend_days(view: "View", account_id: str) -> "pa.Table":
    """Return the money of an account by day, kind and currency, oldest first."""
    table = _spend(view, account_id)
    summed = table.group_by("spend_date", "kind", "currency").aggregate(
        amount=table.amount_micros.sum()
    )
    return view.ask(summed.order_by("spend_date", "kind", "currency"))


def daily_spend(view: "View", from_date: date) -> "pa.Table":
    """Return ad spend an account, day and currency from a day on, whole days only."""
    table = _spend(view, None)
    day = table.spend_date
    wanted = table.filter(table.kind == SPEND, day >= from_date, day < asked(view).today)
    summed = wanted.group_by("account_id", "currency", "spend_date").aggregate(
        amount=wanted.amount_micros.sum()
    )
    return view.ask(summed)


def _spend(view: "View", account_id: str | None) -> "ir.Table":
    table = view.spend
    table = table.filter(table.spend_date <= asked(view).today)
    return table if account_id is None else table.filter(table.account_id == account_id)


def ticket_rows(
    view: "View",
    *,
    account_id: str | None = None,
    topic: str | None = None,
    only_open: bool = False,
) -> "pa.Table":
    """Return tickets that were opened by the asked time, the newest first."""
    table = view.tickets
    moment = asked(view).moment
    table = table.filter(table.opened_time <= moment)
    if account_id is not None:
        table = table.filter(table.account_id == account_id)
    if topic is not None:
        table = table.filter(table.topic == topic)
    if only_open:
        table = table.filter(table.closed_time.isnull() | (table.closed_time > moment))
    return view.ask(
        table.drop("known_time", "sources").order_by(table.opened_time.desc(), "ticket_id")
    )


def interaction_rows(view: "View", account_id: str, *, most: int = 200) -> "pa.Table":
    """Return what was done with an account by the asked time, the newest first."""
    table = view.interactions
    wanted = table.filter(table.account_id == account_id, table.start_time <= asked(view).moment)
    newest = wanted.order_by(wanted.start_time.desc(), "interaction_id").limit(most)
    return view.ask(newest.drop("known_time", "sources"))


def last_touches(view: "View") -> "pa.Table":
    """Return the last interaction an account and service (null for those that are none)."""
    table = view.interactions
    wanted = table.filter(table.start_time <= asked(view).moment)
    return view.ask(
        wanted.group_by("account_id", "service").aggregate(last_time=wanted.start_time.max())
    )


def service_starts(view: "View", from_time: int) -> "pa.Table":
    """Return account, service and time of every service given since a time."""
    table = view.interactions
    wanted = table.filter(
        table.service.notnull(),
        table.start_time >= to_datetime(from_time).replace(tzinfo=None),
        table.start_time <= asked(view).moment,
    )
    return view.ask(wanted.select("account_id", "service", "start_time"))


def record_rows(
    view: "View", table: str, *, account_id: str = "", keys: Sequence[int] = (), most: int = 200
) -> "pa.Table":
    """Return imported rows of an account, or of who has one of the keys, the newest first.

    `keys` are looked for in `user_key`, `email_key` and `participant_keys`, as a table has them.
    """
    found = view.records[table]
    time = found[RECORD_TIMES[table]]
    meant = [found.account_id == account_id] if account_id else []
    if keys:
        names = {"user_key", "email_key"}.intersection(found.columns)
        meant += [found[name].isin(list(keys)) for name in sorted(names)]
    if "participant_keys" in found.columns:
        meant += [found.participant_keys.contains(f",{key},") for key in keys]
    moment = asked(view).moment
    until = moment.date() if RECORD_TIMES[table].endswith("_date") else moment
    wanted = found.filter(reduce(or_, meant), time.isnull() | (time <= until))
    return view.ask(wanted.order_by(time.desc(), RECORD_TABLES[ENTITIES[table]][1]).limit(most))


def bought(view: "View", *, account_id: str = "", person_id: int | None = None) -> "pa.Table":
    """Return the purchases of an account or a person, each once, the newest first."""
    found = questions.purchases(view, account_id=account_id, person_id=person_id)
    found = found.filter(found.time <= asked(view).moment)
    return view.ask(found.order_by(found.time.desc(), "id").limit(MOST_BOUGHT))


def filled(view: "View") -> frozenset[str]:
    """Return the tables of imported rows that hold any; most workspaces fill few."""
    import ibis

    each = [
        found.aggregate(rows=found.count()).mutate(name=ibis.literal(name))
        for name, found in view.records.items()
    ]
    rows = view.ask(ibis.union(*each)).to_pylist()
    return frozenset(row["name"] for row in rows if row["rows"])


def person_of(view: "View", key: int) -> int | None:
    """Return the person to whom an identifier's key belongs."""
    table = view.identifiers
    found = view.ask(table.filter(table.key == key).select("person_id").limit(1))
    return int(found["person_id"][0].as_py()) if found.num_rows else None


def identifiers_of(view: "View", persons: Sequence[int]) -> "pa.Table":
    """Return key, kind and person_id of the identifiers of persons."""
    table = view.identifiers
    wanted = table.filter(table.person_id.isin(list(persons)))
    return view.ask(wanted.select("key", "kind", "person_id").order_by("kind", "key"))


def members(view: "View", account_id: str) -> list[int]:
    """Return the persons who were ever of an account, first joined first."""
    table = view.memberships
    wanted = table.filter(table.account_id == account_id)
    joined = wanted.group_by("person_id").aggregate(joined_time=wanted.from_time.min())
    rows = view.ask(joined.order_by("joined_time", "person_id").limit(MOST_CONTACTS))
    return column(rows, "person_id")


def membership_changes(view: "View", persons: Sequence[int]) -> "pa.Table":
    """Return person_id, account_id and from_time of every account told, in order of time."""
    table = view.memberships
    wanted = table.filter(table.person_id.isin(list(persons)))
    rows = wanted.select("person_id", "account_id", "from_time")
    return view.ask(rows.order_by("person_id", "from_time", "account_id"))


def doings(view: "View", persons: Sequence[int]) -> "ir.Table":
    """Return how often persons did what: by person, minute, identifier, account, event, kind."""
    table = view.person_events
    wanted = table.filter(table.person_id.isin(list(persons)))
    return wanted.group_by(
        "person_id",
        "identifier",
        "account_id",
        "kind",
        "event",
        minute=wanted.event_time.truncate("m"),
    ).aggregate(
        times=wanted.count(),
        stand_for=_weight(view, wanted).sum() if view.sampled else wanted.count().cast("float64"),
        first_time=wanted.event_time.min(),
        last_time=wanted.event_time.max(),
    )


def first_events(view: "View", persons: Sequence[int]) -> "pa.Table":
    """Return the very first event of persons: its event, kind, source and properties."""
    table = view.person_events
    wanted = table.filter(table.person_id.isin(list(persons)))
    columns = ("person_id", "event_time", "event", "kind", "source", "properties")
    return view.ask(wanted.select(*columns).order_by("event_time").limit(1))


def session_rows(view: "View", persons: Sequence[int]) -> "pa.Table":
    """Return the sessions of persons, oldest first."""
    table = view.sessions
    wanted = table.filter(table.person_id.isin(list(persons)))
    columns = ("person_id", "start_time", "end_time", "events", "actions")
    rows = wanted.select(*columns, stand_for=_weight(view, wanted))
    return view.ask(rows.order_by("start_time"))


def persons_of(view: "View", keys: Sequence[int]) -> list[int]:
    """Return the persons to whom identifiers' keys belong."""
    table = view.identifiers
    found = view.ask(table.filter(table.key.isin(list(keys))).select("person_id").distinct())
    return sorted(int(each) for each in found["person_id"].to_pylist())


def seen_persons(view: "View", *, most: int, among: Sequence[int] | None = None) -> "pa.Table":
    """Return the persons seen last, of some or all: sessions, actions, first and last time."""
    table = view.sessions
    table = table.filter(table.start_time <= asked(view).moment)
    if among is not None:
        table = table.filter(table.person_id.isin(list(among)))
    grouped = table.group_by("person_id").aggregate(
        sessions=table.count(),
        actions=table.actions.sum(),
        first_time=table.start_time.min(),
        last_time=table.end_time.max(),
    )
    return view.ask(grouped.order_by(grouped.last_time.desc(), "person_id").limit(most))


def persons_total(view: "View") -> int:
    """Return how many persons have had a session, or how many those of a sample stand for."""
    sessions = view.sessions
    if not view.sampled:
        counted = sessions.person_id.nunique().name("persons").as_table()
        return int(view.ask(counted)[0][0].as_py())
    persons = sessions.group_by("person_id").aggregate(weight=_weight(view, sessions).min())
    total = view.ask(persons.aggregate(persons=persons.weight.sum()))[0][0].as_py()
    return round(total or 0)


def _weight(view: "View", table: "ir.Table") -> Any:
    """Return how many events or sessions a row stands for: one, unless it was sampled."""
    import ibis

    one = ibis.literal(1.0)
    return one / table.sample_rate.fill_null(1.0) if view.sampled else one


def has_events(view: "View") -> bool:
    """Return whether there is any event at all."""
    return bool(view.ask(view.events.select("log_offset").limit(1)).num_rows)


def column(rows: "pa.Table", name: str) -> list[Any]:
    """Return a column as plain values."""
    return list(rows[name].to_pylist())


def as_told(view: "View", entity: str) -> "ir.Table":
    """Return accounts or contacts as imports told them, each for itself, with its `id`."""
    name = RECORD_TABLES[entity][0]
    found = view.decided[name]
    return found.mutate(id=found[RECORD_TABLES[entity][1]]).order_by("id")


def told_ids(view: "View", entity: str, ids: Sequence[str]) -> frozenset[str]:
    """Return those of some ids under which an import told a record."""
    told = as_told(view, entity)
    return frozenset(column(view.ask(told.filter(told.id.isin(list(ids))).select("id")), "id"))


def heads(view: "View") -> dict[str, str]:
    """Return id -> common id of accounts that people said are one."""
    table = view.decided["heads"]
    rows = view.ask(table.filter(table.entity == "account").select("id", "head_id"))
    return dict(zip(column(rows, "id"), column(rows, "head_id"), strict=True))


def told_parents(view: "View") -> "pa.Table":
    """Return every telling of accounts that any import ever placed below another."""
    table = view.decided["versions"]
    ours = table.filter(table.entity == RECORD_CODES["account"])
    placed = ours.filter(ours.parent_id.notnull()).select("key").distinct()
    columns = ("key", "source", "parent_id", "known_time", "priority", "message_hi", "message_lo")
    return view.ask(ours.semi_join(placed, "key").select(*columns))


def placed_parents(view: "View") -> "pa.Table":
    """Return which accounts were placed below which by hand, in the order in which it was said."""
    table = view.decided["parents"]
    return view.ask(table.order_by("told_time", "entry"))


def money_sums(view: "View", accounts: Sequence[str]) -> "pa.Table":
    """Return money of accounts by kind and currency up to the asked day."""
    table = _spend(view, None)
    table = table.filter(table.account_id.isin(list(accounts)))
    return view.ask(
        table.group_by("account_id", "kind", "currency").aggregate(amount=table.amount_micros.sum())
    )


def overdue_sums(view: "View", accounts: Sequence[str], days: int) -> "pa.Table":
    """Return what of accounts' invoices older than some days no payment names, by currency."""
    import ibis

    table, payments = _spend(view, None), view.records["payments"]
    last = date.fromordinal(asked(view).today.toordinal() - days)
    due = table.filter(
        table.kind == "invoice", table.account_id.isin(list(accounts)), table.spend_date < last
    )
    paid = payments.filter(
        payments.invoice_id.notnull(),
        payments.payment_date <= asked(view).today,
        payments.status.isin(["paid", "refunded"]),
    )
    signed = (paid.status == "refunded").ifelse(-paid.amount_micros, paid.amount_micros)
    paid = paid.group_by(paid.invoice_id, paid.currency).aggregate(paid=signed.sum())
    both = due.left_join(
        paid, [due.spend_id == paid.invoice_id, due.currency == paid.currency], rname="{name}_paid"
    )
    rest = ibis.greatest(both.amount_micros - both.paid.fill_null(0), 0)
    return view.ask(both.group_by("account_id", "currency").aggregate(amount=rest.sum()))


def head_of(view: "View", account_id: str) -> str:
    """Return the common id of an account that is one with others, else its own."""
    table = view.decided["heads"]
    mine = table.filter(table.entity == "account", table.id == account_id)
    found = column(view.ask(mine.select("head_id")), "head_id")
    return str(found[0]) if found else account_id


def one_with(view: "View", account_id: str) -> list[str]:
    """Return the ids of all records that are one with an account, its own first."""
    head = head_of(view, account_id)
    table = view.decided["heads"]
    mine = table.filter(table.entity == "account", table.head_id == head).select("id")
    return list(dict.fromkeys([account_id, head, *sorted(column(view.ask(mine), "id"))]))


def linked_records(view: "View", account_id: str) -> "pa.Table":
    """Return the pairs of records that people said are one with an account."""
    table, ids = view.decided["links"], one_with(view, account_id)
    mine = table.filter(table.entity == "account", table.decision == "same")
    mine = mine.filter(mine.left_id.isin(ids) | mine.right_id.isin(ids))
    return view.ask(mine.order_by("left_id", "right_id"))


def contacts_of(view: "View", keys: Sequence[int]) -> list[str]:
    """Return the ids of contacts that name one of some keys."""
    table = view.decided["contacts"]
    mine = table.filter(table.user_key.isin(list(keys)) | table.email_key.isin(list(keys)))
    return column(view.ask(mine.select("contact_id").order_by("contact_id")), "contact_id")


def sources_at(view: "View", told: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Return (identifier, event time) -> the source of the event told then."""
    pairs = sorted(told)
    if not pairs:
        return {}
    table = view.events
    moments = sorted({to_datetime(time).replace(tzinfo=None) for _, time in pairs})
    wanted = table.filter(
        table.identifier.isin(sorted({key for key, _ in pairs})), table.event_time.isin(moments)
    )
    rows = view.ask(wanted.select("identifier", "event_time", "source"))
    times, keys = micros(rows, "event_time"), column(rows, "identifier")
    return {
        (key, time): source
        for key, time, source in zip(keys, times, column(rows, "source"), strict=True)
        if time is not None
    }


def columns_shown(view: "View", table: str, record_id: str) -> frozenset[str]:
    """Return the columns of a record in which the asker may see something."""
    found = view.records[table]
    rows = view.ask(found.filter(found[RECORD_TABLES[ENTITIES[table]][1]] == record_id)).to_pylist()
    return frozenset(name for row in rows for name, value in row.items() if value is not None)
