"""What an import may bring: what each entity needs, what it links to, what is personal in it."""

from collections.abc import Mapping

from onefold.model.facts import RECORD_TABLES

ENTITIES = {table: entity for entity, (table, _) in RECORD_TABLES.items()}
"""Table -> what a row of it is called."""

CONSENT = "consent"
"""The table of what people said of consent, whose purposes are those of the house."""

CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "spend": {"kind": ("ad_spend", "invoice", "credit", "commitment")},
    "tickets": {"status": ("open", "closed"), "waits_on": ("us", "customer", "none")},
    "interactions": {"kind": ("service", "call", "meeting", "email", "note")},
    "opportunities": {"status": ("open", "won", "lost")},
    "payments": {"status": ("paid", "pending", "failed", "refunded")},
    "consent": {
        "answer": ("granted", "denied"),
        "basis": ("consent", "contract", "legitimate interest", "legal obligation"),
    },
}
"""Table -> field -> its only values."""

DEFAULTS: dict[str, dict[str, str]] = {
    "spend": {"kind": "ad_spend"},
    "tickets": {"waits_on": "none"},
    "interactions": {"kind": "note"},
    "opportunities": {"status": "open"},
    "payments": {"status": "paid"},
    "consent": {"basis": "consent"},
}
"""Table -> field -> what stands where the file says nothing."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "accounts": ("account_id",),
    "spend": ("account_id", "spend_date", "amount_micros", "currency"),
    "tickets": ("ticket_id", "account_id", "opened_time"),
    "interactions": ("account_id", "start_time"),
    "campaigns": ("campaign_id",),
    "contacts": ("contact_id",),
    "opportunities": ("opportunity_id", "account_id", "opened_time"),
    "payments": ("payment_date", "amount_micros", "currency"),
    "ad_costs": ("campaign_id", "cost_date", "amount_micros", "currency"),
    "answers": ("survey", "answer_time"),
    "comments": ("text", "comment_time"),
    "purchases": ("purchase_time", "amount_micros", "currency"),
    "items": ("item_id",),
    "creators": ("creator_id",),
    "consent": ("purpose", "answer", "said_time"),
}
"""Table -> fields without which a row waits in quarantine."""

ANY_OF: dict[str, tuple[str, ...]] = {
    "payments": ("invoice_id", "account_id"),
    "purchases": ("order_id", "user_id", "account_id"),
    "consent": ("user_id", "email"),
}
"""Table -> fields of which a row needs one at the least, or nobody could tell whose it is."""

KEYED_BY: dict[str, tuple[str, ...]] = {"ad_costs": ("campaign_id", "channel", "cost_date")}
"""Table -> fields that name a row of a file without a key: told anew, it replaces the former."""

SPANS: dict[str, tuple[str, str, str]] = {
    "tickets": ("opened_time", "closed_time", "It is closed before it is opened."),
    "opportunities": ("opened_time", "closed_time", "It is closed before it is opened."),
    "campaigns": ("start_date", "end_date", "It ends before it starts."),
}
"""Table -> begin, end, and what is said of a row that ends before it begins."""

PERSONS = "persons"
"""What a link to whoever was ever seen names in place of a table."""

LINKS: dict[str, dict[str, str]] = {
    "spend": {"account_id": "accounts", "campaign_id": "campaigns"},
    "tickets": {
        "account_id": "accounts",
        "campaign_id": "campaigns",
        "invoice_id": "spend",
        "user_id": PERSONS,
    },
    "interactions": {"account_id": "accounts", "opportunity_id": "opportunities"},
    "campaigns": {"account_id": "accounts"},
    "contacts": {"account_id": "accounts", "user_id": PERSONS},
    "opportunities": {
        "account_id": "accounts",
        "contact_id": "contacts",
        "campaign_id": "campaigns",
    },
    "payments": {"account_id": "accounts", "invoice_id": "spend"},
    "ad_costs": {"campaign_id": "campaigns"},
    "answers": {"account_id": "accounts", "ticket_id": "tickets", "user_id": PERSONS},
    "comments": {
        "account_id": "accounts",
        "item_id": "items",
        "ticket_id": "tickets",
        "user_id": PERSONS,
    },
    "purchases": {"account_id": "accounts", "item_id": "items", "user_id": PERSONS},
    "items": {"account_id": "accounts", "creator_id": "creators"},
    "creators": {"user_id": PERSONS},
    "consent": {"user_id": PERSONS},
}
"""Table -> field -> the table whose key it names, or `PERSONS`."""

KEYED: Mapping[str, str] = {
    "user_key": "user_id",
    "name_key": "name",
    "email_key": "email",
    "phone_key": "phone",
    "participant_keys": "participants",
}
"""Column of keys -> the field as a file tells it, whose text stands in the vault alone."""

FREE_TEXTS = frozenset({"evidence", "subject", "text", "title"})
"""Columns in which people write what they like: addresses and numbers are taken out of them."""

NAMING_IDS = frozenset({"contact_id", "creator_id"})
"""Ids that some systems make of an address; such a one is kept as its key."""


def field_of(column: str) -> str:
    """Return what a mapping calls a column of the facts.

    >>> field_of("user_key"), field_of("title")
    ('user_id', 'title')
    """
    return KEYED.get(column, column)
