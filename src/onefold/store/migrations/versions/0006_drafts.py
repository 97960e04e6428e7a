"""Keep drafts that wait to be signed, what was said of them, and who signs what."""

import sqlalchemy as sa
from alembic import op

revision = "0006_drafts"
down_revision = "0005_sharing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep drafts, what was said of them, and who signs what."""
    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("needs", sa.String(100), nullable=False),
        sa.Column("asked_by", sa.String(100), nullable=False),
        sa.Column("asked_time", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.String(20), nullable=False),
    )
    op.create_index("ix_drafts_digest", "drafts", ["digest"])
    op.create_table(
        "sign_offs",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("draft", sa.Integer(), sa.ForeignKey("drafts.id"), nullable=False),
        sa.Column("function", sa.String(40), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "approval_rules",
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("needs", sa.String(100), nullable=False),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "function_holders",
        sa.Column("function", sa.String(40), primary_key=True),
        sa.Column("user", sa.String(100), sa.ForeignKey("users.name"), primary_key=True),
    )
