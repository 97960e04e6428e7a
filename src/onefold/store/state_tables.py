"""Tables of the state: what is in force now. Migrations beside them make them so."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("write_key", String(100), nullable=False, unique=True),
    Column("environment", String(20), nullable=False),
    Column("basis", String(20), nullable=False),
    Column("region", String(20), nullable=False, default=""),
    Column("unplanned", String(20), nullable=False, default="allow"),
    Column("sample", Float, nullable=False, default=1.0, server_default="1"),
    Column("country", String(100), nullable=False, default="", server_default=""),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("created_time", BigInteger, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("password", String(300)),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("created_time", BigInteger, nullable=False),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user", String(100), ForeignKey("users.name"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("created_time", BigInteger, nullable=False),
    Column("expires_time", BigInteger, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("issuer", String(300), primary_key=True),
    Column("subject", String(300), primary_key=True),
    Column("user", String(100), ForeignKey("users.name"), nullable=False),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user", String(100), ForeignKey("users.name"), nullable=False),
    Column("expires_time", BigInteger, nullable=False),
    Column("used_time", BigInteger),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("hint", String(20), nullable=False),
    Column("scopes", String(500), nullable=False),
    Column("created_time", BigInteger, nullable=False),
    Column("expires_time", BigInteger),
    Column("last_used_time", BigInteger),
    Column("revoked_time", BigInteger),
)

access_policies = Table(
    "access_policies",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("terms", Text, nullable=False),
)

team_members = Table(
    "team_members",
    metadata,
    Column("team", String(100), primary_key=True),
    Column("member", String(100), ForeignKey("users.name"), primary_key=True),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(40), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("digest", String(64), nullable=False, index=True),
    Column("detail", Text, nullable=False),
    Column("checks", Text, nullable=False),
    Column("needs", String(100), nullable=False),
    Column("owner", String(200), nullable=False, default="", server_default=""),
    Column("asked_by", String(100), nullable=False),
    Column("asked_time", BigInteger, nullable=False),
    Column("standing", String(20), nullable=False),
)

sign_offs = Table(
    "sign_offs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("draft", Integer, ForeignKey("drafts.id"), nullable=False),
    Column("function", String(40), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("comment", Text, nullable=False),
    Column("by", String(100), nullable=False),
    Column("time", BigInteger, nullable=False),
)

approval_rules = Table(
    "approval_rules",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("needs", String(100), nullable=False),
    Column("four_eyes", Boolean, nullable=False, default=False),
)

function_holders = Table(
    "function_holders",
    metadata,
    Column("function", String(40), primary_key=True),
    Column("user", String(100), ForeignKey("users.name"), primary_key=True),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("recommendation", String(300), nullable=False, index=True),
    Column("account_id", String(300)),
    Column("verdict", String(20), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("detail", Text, nullable=False, default="{}"),
    Column("decided_by", String(100), nullable=False),
    Column("decided_time", BigInteger, nullable=False),
    Column("until_time", BigInteger),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("detail", Text, nullable=False, default="{}"),
    Column("started_by", String(100), nullable=False),
    Column("started_time", BigInteger, nullable=False),
    Column("ended_time", BigInteger),
    Column("outcome", String(40)),
)

record_pairs = Table(
    "record_pairs",
    metadata,
    Column("entity", String(20), primary_key=True),
    Column("left_id", String(300), primary_key=True),
    Column("right_id", String(300), primary_key=True),
    Column("probability", Float, nullable=False),
    Column("weight", Float, nullable=False),
    Column("parts", Text, nullable=False),
    Column("drawn", Float, nullable=False),
    Column("found_time", BigInteger, nullable=False),
    Column("decision", String(20), nullable=False, default="open"),
    Column("decided_by", String(100)),
    Column("decided_time", BigInteger),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(100), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("made_time", BigInteger, nullable=False),
    Column("log_offset", BigInteger),
)

destinations = Table(
    "destinations",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("purpose", String(100), nullable=False),
    Column("region", String(64), nullable=False),
    Column("basis", String(300), nullable=False),
    Column("environment", String(20), nullable=False),
    Column("every", String(100), nullable=False),
    Column("settings", Text, nullable=False),
    Column("secret", String(100), nullable=False),
    Column("stopped", Boolean, nullable=False),
    Column("created_time", BigInteger, nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("pending_to", BigInteger),
    Column("sequence", BigInteger, nullable=False),
    Column("sent_events", BigInteger, nullable=False),
    Column("sent_mark", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_time", BigInteger),
    Column("last_time", BigInteger),
    Column("trouble", Text, nullable=False),
)

sent = Table(
    "sent",
    metadata,
    Column("destination", String(100), primary_key=True),
    Column("key", BigInteger, primary_key=True, index=True, autoincrement=False),
    Column("events", BigInteger, nullable=False),
    Column("mark", BigInteger, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("destination", String(100), nullable=False, index=True),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)

transfer_bases = Table(
    "transfer_bases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("from_region", String(64), nullable=False),
    Column("to_region", String(64), nullable=False),
    Column("basis", String(20), nullable=False),
    Column("note", Text, nullable=False),
    Column("approved_by", String(100), nullable=False),
    Column("approved_time", BigInteger, nullable=False),
    Column("until_time", BigInteger),
    Column("revoked_time", BigInteger),
)

transfers = Table(
    "transfers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("destination", String(100), nullable=False),
    Column("from_region", String(64), nullable=False),
    Column("to_region", String(64), nullable=False),
    Column("basis", String(20), nullable=False),
    Column("basis_id", Integer, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("people", BigInteger, nullable=False),
)

disclosures = Table(
    "disclosures",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("data_set", String(100), nullable=False, index=True),
    Column("asker", String(100), nullable=False),
    Column("what", String(40), nullable=False),
    Column("answers", Integer, nullable=False),
    Column("epsilon", Float, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("asked", String(64), nullable=False),
)

disclosed_groups = Table(
    "disclosed_groups",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("disclosure", Integer, ForeignKey("disclosures.id"), nullable=False, index=True),
    Column("people", Integer, nullable=False),
    Column("keys", LargeBinary, nullable=False),
)

blind_secrets = Table(
    "blind_secrets",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("made_time", BigInteger, nullable=False),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", BigInteger, nullable=False, index=True),
    Column("purpose", String(100), nullable=False),
    Column("means", String(40), nullable=False),
    Column("source", String(100), nullable=False),
    Column("asked_time", BigInteger, nullable=False),
    Column("log_offset", BigInteger, nullable=False),
    Column("place", String(200), nullable=False),
    Column("applied_time", BigInteger, nullable=False),
    Column("applied_offset", BigInteger, nullable=False),
)
requests = Table(
    "requests",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(100), nullable=False, index=True),
    Column("asked_by", String(100), nullable=False),
    Column("received_time", BigInteger, nullable=False),
    Column("due_time", BigInteger, nullable=False),
    Column("begun_time", BigInteger),
    Column("done_time", BigInteger),
    Column("detail", Text, nullable=False, default="{}"),
)
"""What people asked for: each names its person by a key alone."""

suppressions = Table(
    "suppressions",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("request", String(40), nullable=False),
    Column("since_time", BigInteger, nullable=False),
)
"""Keys of what erased people were known by: it tells nobody who they were."""

dashboards = Table(
    "dashboards",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("text", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_by", String(100), nullable=False),
    Column("changed_time", BigInteger, nullable=False),
)
"""Dashboards that were put together on a page, each as the YAML that git would hold."""

segments = Table(
    "segments",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("text", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_by", String(100), nullable=False),
    Column("changed_time", BigInteger, nullable=False),
)
"""Segments that were made on a page, each as the YAML that git would hold."""

metric_versions = Table(
    "metric_versions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("applied_by", String(100), nullable=False),
    Column("applied_time", BigInteger, nullable=False),
    Column("certified_by", String(100), nullable=False, default="", server_default=""),
    Column("draft", Integer),
    Column("kept", Boolean, nullable=False, default=False, server_default=false()),
)
"""Definitions of metrics as they were applied, each as its YAML; an empty one is gone from there.
Those that are `kept` were made on a page, and stand here alone.

`draft` is what was asked of who vouches for it; `certified_by` is set where nobody had to sign.
"""

uses = Table(
    "uses",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("by", String(100), primary_key=True),
    Column("ask", String(60), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("times", Integer, nullable=False),
    Column("last_time", BigInteger, nullable=False),
)
"""How often who asked what on which day; never what was answered, nor of whom."""
