"""What crosses the door of customers: who they are, how they stand, what really changed them."""

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from onefold.model.money import Money
from onefold.model.records import Estimate
from onefold.model.time import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence


def _time(micros: int | None) -> str | None:
    return None if micros is None else format_time(micros)


def _money(money: Money) -> dict[str, object]:
    return {"micros": money.micros, "currency": money.currency}


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a text stands for.

    Attributes:
        kind: `person` or `account`.
        id: The person's number as text, or the account's id.
        name: What to call it.
    """

    kind: str
    id: str
    name: str

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {"kind": self.kind, "id": self.id, "name": self.name}


@dataclass(frozen=True, slots=True)
class KnownAs:
    """An identifier of a person.

    Attributes:
        key: Its key.
        kind: `user_id` or `anonymous_id`.
        value: The identifier itself; None where the asker may not see it.
        first_time: First event under it, microseconds; None without events.
        last_time: Last event under it.
    """

    key: int
    kind: str
    value: str | None
    first_time: int | None
    last_time: int | None

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "key": str(self.key),
            "kind": self.kind,
            "value": self.value,
            "first_time": _time(self.first_time),
            "last_time": _time(self.last_time),
        }


@dataclass(frozen=True, slots=True)
class Contact:
    """A person who belongs to an account, or the account a person belongs to.

    Attributes:
        id: Number of the person, or id of the account.
        name: What to call it; a person's own name only where the asker may see it.
        joined_time: Since when the two belong together, the first time.
        first_time: First event of the person; None for an account.
        last_time: Last event of the person; None for an account.
        sessions: Sessions of the person, as far as they count for the account.
        periods: From when until when they belonged together; None at the end of one that lasts.
    """

    id: str
    name: str
    joined_time: int | None
    first_time: int | None = None
    last_time: int | None = None
    sessions: int = 0
    periods: tuple[tuple[int, int | None], ...] = ()

    @property
    def left_time(self) -> int | None:
        """When they last parted; None where they still belong together."""
        return self.periods[-1][1] if self.periods else None

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "id": self.id,
            "name": self.name,
            "joined_time": _time(self.joined_time),
            "left_time": _time(self.left_time),
            "periods": [[_time(start), _time(end)] for start, end in self.periods],
            "first_time": _time(self.first_time),
            "last_time": _time(self.last_time),
            "sessions": self.sessions,
        }


@dataclass(frozen=True, slots=True)
class SpendDay:
    """Money of one day, kind and currency."""

    day: date
    kind: str
    amount: Money

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {"date": self.day.isoformat(), "kind": self.kind, "amount": _money(self.amount)}


JUDGED_BY = ("ad_spend", "invoice")
"""Kinds of money by which an account is judged: the first of which it has any."""


def judged(levels: "Sequence[Level]") -> "tuple[Level, ...]":
    """Return the levels by which an account is judged: ad spend, else what it was invoiced."""
    found: tuple[Level, ...] = ()
    for kind in JUDGED_BY:
        found = found or tuple(each for each in levels if each.kind == kind)
    return found


@dataclass(frozen=True, slots=True)
class Level:
    """How much an account spends in one currency and one kind of money.

    Attributes:
        currency: ISO 4217 code.
        total: Micros of all time.
        now: Micros of the last 28 whole days.
        former: Micros of the 28 days before those.
        first_date: First day with spend.
        last_date: Last day with spend.
        kind: Kind of money.
    """

    currency: str
    total: int
    now: int
    former: int
    first_date: date
    last_date: date
    kind: str = "ad_spend"

    @property
    def change(self) -> float | None:
        """Return the change against the former 28 days as a share; a count, not an estimate."""
        return self.now / self.former - 1 if self.former > 0 else None

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "kind": self.kind,
            "total": {"micros": self.total, "currency": self.currency},
            "last_28_days": {"micros": self.now, "currency": self.currency},
            "former_28_days": {"micros": self.former, "currency": self.currency},
            "change_share": self.change,
            "first_date": self.first_date.isoformat(),
            "last_date": self.last_date.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Issue:
    """A ticket of an account.

    Attributes:
        ticket_id: Its id.
        account_id: Whose it is.
        subject: What it is about, in words.
        topic: Its topic.
        waits_on: `us`, `customer` or `none`; empty where nobody said.
        opened_time: When it was opened, microseconds.
        closed_time: When it was closed, or None while it is open.
        days: For how many days it is, or was, open.
    """

    ticket_id: str
    account_id: str
    subject: str
    topic: str
    waits_on: str
    opened_time: int
    closed_time: int | None
    days: float

    @property
    def is_open(self) -> bool:
        """Return whether nobody has closed it."""
        return self.closed_time is None

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "ticket_id": self.ticket_id,
            "account_id": self.account_id,
            "subject": self.subject,
            "topic": self.topic,
            "status": "open" if self.is_open else "closed",
            "waits_on": self.waits_on,
            "opened_time": _time(self.opened_time),
            "closed_time": _time(self.closed_time),
            "days": round(self.days, 2),
        }


@dataclass(frozen=True, slots=True)
class Touch:
    """Something done with an account: a call, a meeting, an e-mail, a note, a service."""

    interaction_id: str
    account_id: str
    kind: str
    service: str
    title: str
    who: str
    minutes: int | None
    start_time: int

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "interaction_id": self.interaction_id,
            "kind": self.kind,
            "service": self.service or None,
            "title": self.title,
            "who": self.who,
            "minutes": self.minutes,
            "start_time": _time(self.start_time),
        }


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a timeline.

    Attributes:
        time: When, microseconds UTC.
        kind: `first_seen`, `sign_up`, `join`, `session`, `saves`, `membership`, `exposure`,
            `created`, `first_spend`, `milestone`, `ticket`, `closed`, `interaction`, `service`,
            `invoice`, `payment`, `opportunity`, `campaign`, `answer`, `comment`, `purchase`,
            `item`.
        what: The bold words.
        quiet: The quiet line: kind, who, what follows.
        shape: `ribbon` (ours), `circle` (theirs or routine), `triangle` (alarm), `diamond`.
    """

    time: int
    kind: str
    what: str
    quiet: str = ""
    shape: str = "circle"

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "time": _time(self.time),
            "kind": self.kind,
            "what": self.what,
            "quiet": self.quiet,
        }


@dataclass(frozen=True, slots=True)
class Phase:
    """Where an account stands, by rule.

    Attributes:
        name: `plan`, `pitch`, `implement`, `optimize` or `upsell`.
        day: Which day of the phase it is, from 1; None where its start is not known.
        rule: Why, in words.
    """

    name: str
    day: int | None
    rule: str

    @property
    def words(self) -> str:
        """Return the phase as a recommendation says it."""
        return self.name if self.day is None else f"{self.name}, day {self.day:,}"


@dataclass(frozen=True, slots=True)
class Visits:
    """Sessions of a person, or of an account's contacts.

    Attributes:
        sessions: How many in all.
        recent: How many in the last 28 days.
        actions: What was done in them.
        saves: Pins saved, in all.
        last_time: When the last one ended.
    """

    sessions: int = 0
    recent: int = 0
    actions: int = 0
    saves: int = 0
    last_time: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "sessions": self.sessions,
            "last_28_days": self.recent,
            "actions": self.actions,
            "saves": self.saves,
            "last_time": _time(self.last_time),
        }


@dataclass(frozen=True, slots=True)
class Customer:
    """A person or an account, whole.

    Attributes:
        kind: `person` or `account`.
        id: Number of the person as text, or id of the account.
        name: What to call it.
        asked_time: As of when, microseconds UTC.
        first_time: The first touch; for an account the first of any contact, long before it.
        created_time: When the account was made or the person signed up, None where unknown.
        industry, country, owner: Of an account; empty where nobody said.
        phase: Where an account stands; None for a person.
        identifiers: Of a person.
        personal: Personal fields from the vault: (field, value), where the asker may see them.
        hidden: Whether personal things were left out because of the asker's role.
        contacts: Persons of an account, or accounts of a person.
        levels: Spend by kind and currency apart.
        spend: Spend a day, kind and currency, oldest first.
        issues: Tickets, open ones first.
        touches: Interactions, newest first.
        visits: Sessions.
        events: How often each event happened, most frequent first.
        timeline: Newest first.
        fresh_time: Received time of the last event folded.
        left_out: Events of the last 28 days that consent left out, in the whole workspace.
        query: The query of its events, as a page prints it.
    """

    kind: str
    id: str
    name: str
    asked_time: int
    first_time: int | None
    created_time: int | None
    industry: str = ""
    country: str = ""
    owner: str = ""
    phase: Phase | None = None
    identifiers: tuple[KnownAs, ...] = ()
    personal: tuple[tuple[str, str], ...] = ()
    hidden: bool = False
    contacts: tuple[Contact, ...] = ()
    levels: tuple[Level, ...] = ()
    spend: tuple[SpendDay, ...] = ()
    issues: tuple[Issue, ...] = ()
    touches: tuple[Touch, ...] = ()
    visits: Visits = field(default_factory=Visits)
    events: tuple[tuple[str, int], ...] = ()
    timeline: tuple[Happening, ...] = ()
    fresh_time: int | None = None
    left_out: int = 0
    query: str = ""

    @property
    def judged(self) -> tuple[Level, ...]:
        """Return the spend by which an account is judged."""
        return judged(self.levels)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        phase = self.phase
        return {
            "kind": self.kind,
            "id": self.id,
            "name": self.name,
            "as_of": _time(self.asked_time),
            "first_time": _time(self.first_time),
            "created_time": _time(self.created_time),
            "industry": self.industry or None,
            "country": self.country or None,
            "owner": self.owner or None,
            "phase": {"name": phase.name, "day": phase.day, "rule": phase.rule} if phase else None,
            "identifiers": [each.to_json() for each in self.identifiers],
            "personal": dict(self.personal),
            "personal_hidden": self.hidden,
            "contacts" if self.kind == "account" else "accounts": [
                each.to_json() for each in self.contacts
            ],
            "spend": [each.to_json() for each in self.levels],
            "spend_by_day": [each.to_json() for each in self.spend],
            "issues": [each.to_json() for each in self.issues],
            "interactions": [each.to_json() for each in self.touches],
            "visits": self.visits.to_json(),
            "events": dict(self.events),
            "timeline": [each.to_json() for each in self.timeline],
            "fresh_time": _time(self.fresh_time),
            "excluded_by_consent": self.left_out,
            "query": self.query,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands, in a line.

    Attributes:
        account_id: Its id.
        name: Its name, else its id.
        industry, country, owner: Empty where nobody said.
        created_time: When it was made, or None.
        levels: Ad spend, else invoices, a currency; largest of the last 28 days first.
        issues: Open tickets.
        last_touch_time: Last interaction, or None.
        services: When each service was last given, microseconds.
        phase: Where it stands.
    """

    account_id: str
    name: str
    industry: str
    country: str
    owner: str
    created_time: int | None
    levels: tuple[Level, ...]
    issues: tuple[Issue, ...]
    last_touch_time: int | None
    services: tuple[tuple[str, int], ...]
    phase: Phase

    @property
    def level(self) -> Level | None:
        """Return the spend in the currency that counts most."""
        return self.levels[0] if self.levels else None

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "account_id": self.account_id,
            "name": self.name,
            "industry": self.industry or None,
            "country": self.country or None,
            "owner": self.owner or None,
            "phase": self.phase.name,
            "spend": [each.to_json() for each in self.levels],
            "open_issues": len(self.issues),
            "last_interaction_time": _time(self.last_touch_time),
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """A person seen lately."""

    person_id: int
    name: str
    sessions: int
    actions: int
    first_time: int
    last_time: int

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "person_id": str(self.person_id),
            "name": self.name,
            "sessions": self.sessions,
            "actions": self.actions,
            "first_time": _time(self.first_time),
            "last_time": _time(self.last_time),
        }


@dataclass(frozen=True, slots=True)
class Market:
    """All accounts together in one currency: spend now, then, and how far the change reaches.

    Attributes:
        currency: ISO 4217 code.
        now: Micros of the last 28 days.
        former: Micros of the 28 days before.
        change: Relative change with its interval over accounts.
        accounts: How many spent in either.
    """

    currency: str
    now: int
    former: int
    change: Estimate
    accounts: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of customers.

    Attributes:
        accounts: The accounts of this page.
        total: How many accounts there are after the search.
        page: Which page, from 1.
        size: How many a page.
        order: What they are ordered by.
        persons: Persons seen lately, of a search those that are meant, newest first; empty where
            the asker may not see them.
        persons_total: How many persons have had a session.
        markets: All accounts together, a currency each.
        all_accounts: How many accounts there are at all.
        asked_time: As of when.
        fresh_time: Received time of the last event folded.
        query: The query of the spend, as a page prints it.
    """

    accounts: tuple[Standing, ...]
    total: int
    page: int
    size: int
    order: str
    persons: tuple[Seen, ...]
    persons_total: int
    markets: tuple[Market, ...]
    all_accounts: int
    asked_time: int
    fresh_time: int | None
    query: str

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "accounts": [each.to_json() for each in self.accounts],
            "accounts_total": self.total,
            "page": self.page,
            "size": self.size,
            "order": self.order,
            "persons": [each.to_json() for each in self.persons],
            "persons_total": self.persons_total,
            "markets": [
                {
                    "last_28_days": {"micros": each.now, "currency": each.currency},
                    "former_28_days": {"micros": each.former, "currency": each.currency},
                    "change": each.change.to_json(),
                    "accounts": each.accounts,
                }
                for each in self.markets
            ],
            "as_of": _time(self.asked_time),
            "fresh_time": _time(self.fresh_time),
            "query": self.query,
        }
