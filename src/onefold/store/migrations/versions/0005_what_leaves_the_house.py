"""Keep what leaves the house: destinations, what went where, bases, answers to joins."""

import sqlalchemy as sa
from alembic import op

revision = "0005_sharing"
down_revision = "0004_policies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of sharing."""
    _make_destinations()
    _make_borders()
    _make_answers()


def _make_destinations() -> None:
    op.create_table(
        "destinations",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("purpose", sa.String(100), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("basis", sa.String(300), nullable=False),
        sa.Column("environment", sa.String(20), nullable=False),
        sa.Column("every", sa.String(100), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("pending_to", sa.BigInteger()),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("sent_events", sa.BigInteger(), nullable=False),
        sa.Column("sent_mark", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_time", sa.BigInteger()),
        sa.Column("last_time", sa.BigInteger()),
        sa.Column("trouble", sa.Text(), nullable=False),
    )
    op.create_table(
        "sent",
        sa.Column("destination", sa.String(100), primary_key=True),
        sa.Column("key", sa.BigInteger(), primary_key=True, index=True, autoincrement=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("destination", sa.String(100), nullable=False, index=True),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
    )


def _make_borders() -> None:
    op.create_table(
        "transfer_bases",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("from_region", sa.String(64), nullable=False),
        sa.Column("to_region", sa.String(64), nullable=False),
        sa.Column("basis", sa.String(20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.String(100), nullable=False),
        sa.Column("approved_time", sa.BigInteger(), nullable=False),
        sa.Column("until_time", sa.BigInteger()),
        sa.Column("revoked_time", sa.BigInteger()),
    )
    op.create_table(
        "transfers",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("destination", sa.String(100), nullable=False),
        sa.Column("from_region", sa.String(64), nullable=False),
        sa.Column("to_region", sa.String(64), nullable=False),
        sa.Column("basis", sa.String(20), nullable=False),
        sa.Column("basis_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
    )


def _make_answers() -> None:
    op.create_table(
        "disclosures",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("data_set", sa.String(100), nullable=False, index=True),
        sa.Column("asker", sa.String(100), nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("epsilon", sa.Float(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.String(64), nullable=False),
    )
    op.create_table(
        "disclosed_groups",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column(
            "disclosure",
            sa.Integer(),
            sa.ForeignKey("disclosures.id"),
            nullable=False,
            index=True,
        ),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "blind_secrets",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("made_time", sa.BigInteger(), nullable=False),
    )
