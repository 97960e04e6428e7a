"""Tie subjects of a provider to users."""

import sqlalchemy as sa
from alembic import op

revision = "0010_identities"
down_revision = "0009_withdrawals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tie subjects of a provider to users."""
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(300), primary_key=True),
        sa.Column("subject", sa.String(300), primary_key=True),
        sa.Column("user", sa.String(100), sa.ForeignKey("users.name"), nullable=False),
    )
