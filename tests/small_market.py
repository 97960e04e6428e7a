"""A small market made by hand: accounts with known spend, and one account told in full."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from onefold.model.ids import identifier_key
from onefold.model.records import OWNER, Question
from onefold.runtime.views import make_view
from onefold.store import View
from onefold.store.facts_duckdb import DuckFacts

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
KEY = bytes(range(32))
HISTORY = 110
INDUSTRIES = ("retail", "food")


def micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def days_ago(days: float) -> datetime:
    return (NOW - timedelta(days=days)).replace(tzinfo=None)


def key(kind: str, value: str) -> int:
    return identifier_key(KEY, kind, value)


def view_of(facts: DuckFacts, question: Question | None = None, zone: str = "UTC") -> View:
    return make_view(
        facts,
        question or Question(OWNER),
        now=micros(NOW),
        zone=zone,
        fresh_time=micros(NOW) - 4_000_000,
    )


def empty_facts() -> DuckFacts:
    facts = DuckFacts(None)
    facts.create({})
    return facts


def put(facts: DuckFacts, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows; columns that a row lacks are null."""
    if not rows:
        return
    with facts.transaction() as writer:
        schema = _arrow(facts, table, rows)
        writer.insert(table, pa.Table.from_pylist(list(rows), schema=schema))


def _arrow(facts: DuckFacts, table: str, rows: Sequence[dict[str, Any]]) -> pa.Schema:
    kinds = facts.tables()[table].schema()
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.schema([(name, kinds[name].to_pyarrow()) for name in names])


def spend_rows(
    account: str, amounts: Sequence[float], currency: str = "USD"
) -> list[dict[str, Any]]:
    """Return ad spend of whole days that end yesterday, in units of the currency."""
    first = TODAY - timedelta(days=len(amounts))
    return [
        {
            "spend_id": f"{account}-{place}",
            "account_id": account,
            "kind": "ad_spend",
            "spend_date": first + timedelta(days=place),
            "amount_micros": round(amount * 1e6),
            "currency": currency,
        }
        for place, amount in enumerate(amounts)
        if amount > 0
    ]


def told_account(facts: DuckFacts) -> None:
    """Add Hollis & Wren: seen anonymously 80 days ago, an account for 50, spending for 40."""
    put(
        facts,
        "accounts",
        [
            {
                "account_id": "hollis",
                "name": "Hollis & Wren",
                "industry": "home",
                "country": "DK",
                "owner": "Jonas Reiter",
                "created_time": days_ago(50),
            }
        ],
    )
    put(facts, "spend", spend_rows("hollis", [100.0] * 12 + [200.0] * 28))
    put(facts, "spend", [{**r, "spend_id": "h-eur"} for r in spend_rows("hollis", [7.0], "EUR")])
    put(
        facts,
        "tickets",
        [
            {
                "ticket_id": "4471",
                "account_id": "hollis",
                "subject": "Conversions missing for two shops",
                "topic": "conversion_tag",
                "status": "open",
                "waits_on": "us",
                "opened_time": days_ago(4),
            },
            {
                "ticket_id": "4312",
                "account_id": "hollis",
                "subject": "Slow tag set-up",
                "topic": "setup",
                "status": "closed",
                "waits_on": "none",
                "opened_time": days_ago(30),
                "closed_time": days_ago(10),
            },
        ],
    )
    put(
        facts,
        "interactions",
        [
            {
                "interaction_id": "i1",
                "account_id": "hollis",
                "kind": "service",
                "service": "creative_help",
                "title": "Creative review",
                "who": "Marta Lind",
                "minutes": 45,
                "start_time": days_ago(2),
            },
            {
                "interaction_id": "i2",
                "account_id": "hollis",
                "kind": "call",
                "title": "Monthly call",
                "who": "Jonas Reiter",
                "minutes": 30,
                "start_time": days_ago(20),
            },
        ],
    )
    _told_person(facts)


def _told_person(facts: DuckFacts) -> None:
    anonymous, user = key("anonymous_id", "anon-1"), key("user_id", "u1")
    put(
        facts,
        "identifiers",
        [
            {"key": anonymous, "kind": "anonymous_id", "person_id": user},
            {"key": user, "kind": "user_id", "person_id": user},
        ],
    )
    happened = [
        (80, "page", "page", anonymous),
        (79.99, "track", "pin_opened", anonymous),
        (60, "track", "signed_up", user),
        (60, "identify", "identify", user),
        (3, "track", "pin_saved", user),
        (2.999, "track", "pin_saved", user),
        (2.998, "track", "pin_viewed", user),
    ]
    put(
        facts,
        "events",
        [
            {
                "message_hi": place,
                "message_lo": place,
                "log_offset": place,
                "place": 0,
                "kind": kind,
                "event": event,
                "source": "app",
                "environment": "production",
                "event_time": days_ago(ago),
                "received_time": days_ago(ago),
                "time_basis": "sent",
                "identifier": identifier,
                "user_key": identifier if identifier == user else None,
                "anonymous_key": anonymous,
                "purposes": 15,
                "properties": "{}",
            }
            for place, (ago, kind, event, identifier) in enumerate(happened)
        ],
    )
    put(
        facts,
        "sessions",
        [
            {
                "identifier": identifier,
                "environment": "production",
                "start_time": days_ago(start),
                "end_time": days_ago(start - 0.01),
                "events": events,
                "actions": actions,
                "traffic": "",
                "discoveries": 1,
                "purposes": 15,
            }
            for start, identifier, events, actions in (
                (80, anonymous, 2, 1),
                (60, user, 2, 1),
                (3, user, 3, 2),
            )
        ],
    )
    put(
        facts,
        "memberships",
        [{"identifier": user, "account_id": "hollis", "from_time": days_ago(50)}],
    )


def many_accounts(
    facts: DuckFacts, *, accounts: int = 240, gain: float = 0.3, seed: int = 4
) -> dict[str, float]:
    """Add accounts with planted truth; return what each thing adds to those it happened to.

    `creative_help` goes to the larger accounts by choice and adds `gain` to each of the next 28
    days; `measurement_help` likewise adds nothing. A failing tag halves spend of young accounts.
    """
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(3.5, 0.7, accounts))
    spend = size[:, None] * np.exp(rng.normal(0, 0.15, (accounts, HISTORY)))
    young = rng.random(accounts) < 0.5
    start = np.where(young, rng.integers(0, 20, accounts), -rng.integers(100, 400, accounts))
    spend[np.arange(HISTORY)[None, :] < start[:, None]] = 0
    chance = 1 / (1 + np.exp(0.7 - 1.2 * (np.log(size) - 3.5) / 0.7))
    creative, measured = rng.random(accounts) < chance, rng.random(accounts) < chance
    tagged = young & (rng.random(accounts) < 0.5)
    index, opened = HISTORY - 33, HISTORY - rng.integers(30, 40, accounts)
    spend[creative, index : index + 28] *= 1 + gain
    day = np.arange(HISTORY)[None, :]
    spend *= np.where(
        tagged[:, None] & (day >= opened[:, None]) & (day < opened[:, None] + 28), 0.5, 1
    )
    seen = spend[creative, index : index + 28].sum(1).mean() * 1e6
    truth = {
        "creative_help": float(seen * gain / (1 + gain)),
        "measurement_help": 0.0,
        "conversion_tag": -0.5,
    }
    names = [f"acc-{place:03d}" for place in range(accounts)]
    put(
        facts,
        "accounts",
        [
            {
                "account_id": name,
                "name": f"Shop {place}",
                "industry": INDUSTRIES[place % 2],
                "country": "DE",
                "owner": "Ida Holm",
                "created_time": days_ago(HISTORY - int(start[place])),
            }
            for place, name in enumerate(names)
        ],
    )
    put(
        facts,
        "spend",
        [r for n, name in enumerate(names) for r in spend_rows(name, list(spend[n]))],
    )
    services = [
        {
            "interaction_id": f"{service}-{name}",
            "account_id": name,
            "kind": "service",
            "service": service,
            "title": service,
            "who": "Marta Lind",
            "minutes": 45,
            "start_time": days_ago(33),
        }
        for service, taken in (("creative_help", creative), ("measurement_help", measured))
        for place, name in enumerate(names)
        if taken[place]
    ]
    put(facts, "interactions", services)
    tickets = [
        {
            "ticket_id": f"t-{name}",
            "account_id": name,
            "subject": "Tag fails",
            "topic": "conversion_tag",
            "status": "closed",
            "waits_on": "none",
            "opened_time": days_ago(HISTORY - int(opened[place])),
            "closed_time": days_ago(HISTORY - int(opened[place]) - 28),
        }
        for place, name in enumerate(names)
        if tagged[place]
    ]
    put(facts, "tickets", tickets)
    return truth
