"""The tables of the facts: columns, types, and what names a row whatever the machine."""

from dataclasses import dataclass

VERSION = 5
"""Grows when a fold or a table changes; an older generation is built anew from the log."""

PROMOTED = "p_"
"""Prefix of a column that a described property got for itself."""

IMPORTED = "imported"
"""Kind of the events that imported rows are. They stand in `records`, with what is the same for all
of a run in `runs`; only where all events are told of, they are told of as such."""

SAID_BY_EVENT = "event"
"""How a row of `consents` came that ordinary events made; all others were stated."""

CONTEXT = (
    "browser",
    "browser_version",
    "system",
    "device",
    "channel",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "country",
    "language",
    "library",
)
"""What is known of an event's surroundings; each combination is one row of `contexts`."""


_TOLD = {"known_time": "timestamp", "sources": "string"}
"""What every imported row has: when it was known, and who told which field."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the facts.

    Attributes:
        columns: Name -> type (int64, int32, int16, string, timestamp, date, boolean, float64).
        natural: The columns that a checksum is over: no surrogate, no offset, no wall clock.
    """

    columns: dict[str, str]
    natural: tuple[str, ...]


def _imported(**columns: str) -> Table:
    """Return a table of imported rows; all of it counts but the time it came."""
    return Table(columns | _TOLD, (*columns, "sources"))


_S, _I, _T, _D = "string", "int64", "timestamp", "date"

_CLOSED = {"every": _S, "start_date": _D, **dict.fromkeys(("environment", "metric"), _S)}
_CLOSED |= {"version": "int32", "purpose": _S, "currency": _S}
_CLOSED |= {**dict.fromkeys(("estimate", "low", "high", "level"), "float64"), "n": _I}
_CLOSED_WHEN = {"closed_time": _T, "facts_offset": _I, "log_offset": _I}

ROLLED_BY = ("environment", "event", "campaign_id", "surface", "creator_id", "account_id")
_ROLLED = {"start_time": _T, **dict.fromkeys((*ROLLED_BY, "currency", "traffic"), _S)}
_ROLLED |= {"purposes": "int16", "sample_rate": "float64", "events": _I, "revenue_micros": _I}

_IMPORTED: dict[str, Table] = {
    "campaigns": _imported(
        campaign_id=_S, account_id=_S, name=_S, channel=_S, start_date=_D, end_date=_D
    ),
    "contacts": _imported(
        contact_id=_S,
        account_id=_S,
        user_key=_I,
        name_key=_I,
        email_key=_I,
        phone_key=_I,
        title=_S,
        owner=_S,
        created_time=_T,
    ),
    "opportunities": _imported(
        opportunity_id=_S,
        account_id=_S,
        contact_id=_S,
        campaign_id=_S,
        title=_S,
        stage=_S,
        status=_S,
        amount_micros=_I,
        currency=_S,
        owner=_S,
        opened_time=_T,
        closed_time=_T,
    ),
    "payments": _imported(
        payment_id=_S,
        invoice_id=_S,
        account_id=_S,
        status=_S,
        method=_S,
        payment_date=_D,
        amount_micros=_I,
        currency=_S,
    ),
    "ad_costs": _imported(
        ad_cost_id=_S,
        campaign_id=_S,
        channel=_S,
        cost_date=_D,
        amount_micros=_I,
        currency=_S,
        impressions=_I,
        clicks=_I,
    ),
    "answers": _imported(
        answer_id=_S,
        survey=_S,
        question=_S,
        account_id=_S,
        ticket_id=_S,
        user_key=_I,
        score=_I,
        text=_S,
        answer_time=_T,
    ),
    "comments": _imported(
        comment_id=_S,
        account_id=_S,
        item_id=_S,
        ticket_id=_S,
        user_key=_I,
        channel=_S,
        text=_S,
        comment_time=_T,
    ),
    "purchases": _imported(
        purchase_id=_S,
        order_id=_S,
        account_id=_S,
        item_id=_S,
        user_key=_I,
        store=_S,
        quantity=_I,
        amount_micros=_I,
        currency=_S,
        purchase_time=_T,
    ),
    "items": _imported(
        item_id=_S,
        creator_id=_S,
        account_id=_S,
        name=_S,
        category=_S,
        price_micros=_I,
        currency=_S,
        created_time=_T,
    ),
    "creators": _imported(
        creator_id=_S, user_key=_I, name_key=_I, category=_S, country=_S, created_time=_T
    ),
    "consent": _imported(
        consent_id=_S,
        user_key=_I,
        email_key=_I,
        purpose=_S,
        answer=_S,
        basis=_S,
        region=_S,
        said_time=_T,
        evidence=_S,
    ),
}

TABLES: dict[str, Table] = {
    "events": Table(
        {
            "message_hi": "int64",
            "message_lo": "int64",
            "log_offset": "int64",
            "place": "int32",
            "kind": "string",
            "event": "string",
            "source": "string",
            "environment": "string",
            "event_time": "timestamp",
            "received_time": "timestamp",
            "time_basis": "string",
            "identifier": "int64",
            "user_key": "int64",
            "anonymous_key": "int64",
            "account_id": "string",
            "purposes": "int16",
            "properties": "string",
            "context_key": "int64",
            "traffic": "string",
            "sample_rate": "float64",
        },
        (
            "message_hi",
            "message_lo",
            "kind",
            "event",
            "source",
            "environment",
            "identifier",
            "user_key",
            "anonymous_key",
            "account_id",
            "purposes",
            "properties",
            "context_key",
            "traffic",
            "sample_rate",
        ),
    ),
    "contexts": Table(
        {"key": "int64"} | dict.fromkeys(CONTEXT, "string"),
        ("key", *CONTEXT),
    ),
    "marked": Table({"key": "int64", "traffic": "string"}, ("key", "traffic")),
    "sessions": Table(
        {
            "identifier": "int64",
            "environment": "string",
            "traffic": "string",
            "start_time": "timestamp",
            "end_time": "timestamp",
            "events": "int64",
            "actions": "int64",
            "discoveries": "int64",
            "purposes": "int16",
            "clocked": "boolean",
            "sample_rate": "float64",
        },
        ("identifier", "environment", "traffic", "events", "actions", "discoveries", "purposes"),
    ),
    "rolled_seconds": Table(_ROLLED, ()),
    "rolled_minutes": Table(_ROLLED, ()),
    "identifiers": Table(
        {"key": "int64", "kind": "string", "person_id": "int64", "state": "string"},
        ("key", "kind", "person_id", "state"),
    ),
    "edges": Table(
        {
            "from_key": "int64",
            "from_kind": "string",
            "to_key": "int64",
            "to_kind": "string",
            "kind": "string",
            "source": "string",
            "confidence": "float64",
            "event_time": "timestamp",
            "told_time": "timestamp",
            "log_offset": "int64",
        },
        ("from_key", "to_key", "kind", "source", "told_time"),
    ),
    "consents": Table(
        {
            "key": "int64",
            "environment": "string",
            "purpose": "string",
            "granted": "boolean",
            "from_time": "timestamp",
            "last_time": "timestamp",
            "means": "string",
            "source": "string",
            "region": "string",
            "basis": "string",
            "clocked": "boolean",
            "record": "string",
            "log_offset": "int64",
            "place": "int32",
        },
        (
            "key",
            "environment",
            "purpose",
            "granted",
            "means",
            "source",
            "region",
            "basis",
        ),
    ),
    "links": Table(
        {
            "link": "string",
            "kind": "string",
            "from_key": "int64",
            "from_kind": "string",
            "to_key": "int64",
            "to_kind": "string",
            "made_by": "string",
            "made_time": "timestamp",
            "log_offset": "int64",
        },
        ("kind", "from_key", "to_key"),
    ),
    "cohorts": Table(
        {"cohort": "string", "how": "string", "frozen_time": "timestamp", "log_offset": "int64"},
        ("cohort", "how"),
    ),
    "members": Table(
        {"cohort": "string", "member": "int64", "key": "int64"}, ("cohort", "member", "key")
    ),
    "closed": Table(_CLOSED | _CLOSED_WHEN, tuple(_CLOSED)),
    "moved": Table({"cause": "string", "detail": "string", "log_offset": "int64"}, ()),
    "unlinked": Table({"link": "string", "gone_time": "timestamp", "log_offset": "int64"}, ()),
    "memberships": Table(
        {"identifier": "int64", "account_id": "string", "from_time": "timestamp"},
        ("identifier", "account_id"),
    ),
    "accounts": Table(
        {
            "account_id": "string",
            "name": "string",
            "industry": "string",
            "country": "string",
            "owner": "string",
            "parent_id": "string",
            "created_time": "timestamp",
            "properties": "string",
            "known_time": "timestamp",
            "sources": "string",
        },
        (
            "account_id",
            "name",
            "industry",
            "country",
            "owner",
            "parent_id",
            "created_time",
            "properties",
            "sources",
        ),
    ),
    "account_links": Table(
        {
            "entity": "string",
            "left_id": "string",
            "right_id": "string",
            "decision": "string",
            "decided_time": "timestamp",
            "entry": "string",
        },
        ("entity", "left_id", "right_id", "decision", "decided_time"),
    ),
    "account_heads": Table(
        {"entity": "string", "id": "string", "head_id": "string"}, ("entity", "id", "head_id")
    ),
    "account_parents": Table(
        {
            "account_id": "string",
            "parent_id": "string",
            "told_time": "timestamp",
            "entry": "string",
        },
        ("account_id", "parent_id", "told_time"),
    ),
    "spend": Table(
        {
            "spend_id": "string",
            "account_id": "string",
            "campaign_id": "string",
            "kind": "string",
            "spend_date": "date",
            "amount_micros": "int64",
            "currency": "string",
            "known_time": "timestamp",
            "sources": "string",
        },
        (
            "spend_id",
            "account_id",
            "campaign_id",
            "kind",
            "spend_date",
            "amount_micros",
            "currency",
            "sources",
        ),
    ),
    "tickets": Table(
        {
            "ticket_id": "string",
            "account_id": "string",
            "campaign_id": "string",
            "invoice_id": "string",
            "user_key": "int64",
            "subject": "string",
            "topic": "string",
            "status": "string",
            "waits_on": "string",
            "opened_time": "timestamp",
            "closed_time": "timestamp",
            "known_time": "timestamp",
            "sources": "string",
        },
        (
            "ticket_id",
            "account_id",
            "campaign_id",
            "invoice_id",
            "user_key",
            "subject",
            "topic",
            "status",
            "waits_on",
            "opened_time",
            "closed_time",
            "sources",
        ),
    ),
    "interactions": Table(
        {
            "interaction_id": "string",
            "account_id": "string",
            "opportunity_id": "string",
            "participant_keys": "string",
            "kind": "string",
            "service": "string",
            "title": "string",
            "who": "string",
            "minutes": "int64",
            "start_time": "timestamp",
            "known_time": "timestamp",
            "sources": "string",
        },
        (
            "interaction_id",
            "account_id",
            "opportunity_id",
            "participant_keys",
            "kind",
            "service",
            "title",
            "who",
            "minutes",
            "start_time",
            "sources",
        ),
    ),
    **_IMPORTED,
    "orders": Table(
        {
            "message_hi": "int64",
            "message_lo": "int64",
            "environment": "string",
            "identifier": "int64",
            "account_id": "string",
            "order_id": "string",
            "amount_micros": "int64",
            "currency": "string",
            "order_time": "timestamp",
            "purposes": "int16",
            "traffic": "string",
        },
        (
            "message_hi",
            "message_lo",
            "environment",
            "identifier",
            "account_id",
            "order_id",
            "amount_micros",
            "currency",
            "purposes",
            "traffic",
        ),
    ),
    "records": Table(
        {
            "entity": "int16",
            "key": "string",
            "parent_id": "string",
            "run_time": "timestamp",
            "known_time": "timestamp",
            "priority": "int32",
            "waiting": "boolean",
            "message_hi": "int64",
            "message_lo": "int64",
            "log_offset": "int64",
            "place": "int32",
        },
        (),
    ),
    "runs": Table(
        {
            "run": "string",
            "source": "string",
            "environment": "string",
            "run_time": "timestamp",
            "entity": "string",
            "file": "string",
            "read": "int64",
            "kept": "int64",
            "again": "int64",
            "waiting": "int64",
            "done_time": "timestamp",
            "undone_time": "timestamp",
        },
        (),
    ),
    "quarantine": Table(
        {
            "log_offset": "int64",
            "place": "int32",
            "message_hi": "int64",
            "message_lo": "int64",
            "event": "string",
            "source": "string",
            "environment": "string",
            "reason": "string",
            "received_time": "timestamp",
        },
        ("message_hi", "message_lo", "event", "source", "environment", "reason"),
    ),
    "echoes": Table({"log_offset": _I, "place": "int32", "identifier": _I, "waits": "boolean"}, ()),
    "erased": Table(
        {"message_hi": _I, "message_lo": _I, "log_offset": _I, "place": "int32"},
        ("message_hi", "message_lo"),
    ),
    "duplicates": Table({"received_date": "date", "source": "string", "events": "int64"}, ()),
    "dropped": Table({"received_date": "date", "source": "string", "events": "int64"}, ()),
    "held": Table(
        {
            "message_hi": "int64",
            "message_lo": "int64",
            "received_date": "date",
            "source": "string",
            "environment": "string",
            "log_offset": "int64",
            "place": "int32",
        },
        ("log_offset", "place"),
    ),
    "progress": Table({"fold": "string", "log_offset": "int64", "received_time": "timestamp"}, ()),
    "meta": Table({"key": "string", "value": "string"}, ()),
}

RECORD_TABLES = {
    "account": ("accounts", "account_id"),
    "spend": ("spend", "spend_id"),
    "ticket": ("tickets", "ticket_id"),
    "interaction": ("interactions", "interaction_id"),
    "campaign": ("campaigns", "campaign_id"),
    "contact": ("contacts", "contact_id"),
    "opportunity": ("opportunities", "opportunity_id"),
    "payment": ("payments", "payment_id"),
    "ad_cost": ("ad_costs", "ad_cost_id"),
    "answer": ("answers", "answer_id"),
    "comment": ("comments", "comment_id"),
    "purchase": ("purchases", "purchase_id"),
    "item": ("items", "item_id"),
    "creator": ("creators", "creator_id"),
    "consent": ("consent", "consent_id"),
}
"""What an import may bring: entity -> its table and key."""

RECORD_CODES = {entity: code for code, entity in enumerate(RECORD_TABLES)}
"""Entity -> how `records` names it; a new one comes last."""

RECORD_TIMES = {
    "accounts": "created_time",
    "spend": "spend_date",
    "tickets": "opened_time",
    "interactions": "start_time",
    "campaigns": "start_date",
    "contacts": "created_time",
    "opportunities": "opened_time",
    "payments": "payment_date",
    "ad_costs": "cost_date",
    "answers": "answer_time",
    "comments": "comment_time",
    "purchases": "purchase_time",
    "items": "created_time",
    "creators": "created_time",
    "consent": "said_time",
}
"""Table of imported rows -> the column that says when a row was true."""

CHECKSUMMED = tuple(name for name, table in TABLES.items() if table.natural)
"""The tables a checksum is told of; `persons` is derived from `identifiers`."""

PROMOTED_TYPES = {
    "string": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "time": "timestamp",
    "money": "int64",
}
"""Kind of a described property -> type of its column in the facts."""
