"""Keep a register of what people ask for, and who must not come back."""

import sqlalchemy as sa
from alembic import op

revision = "0007_requests"
down_revision = "0006_drafts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep a register of what people ask for, and who must not come back."""
    op.create_table(
        "requests",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False, index=True),
        sa.Column("asked_by", sa.String(100), nullable=False),
        sa.Column("received_time", sa.BigInteger, nullable=False),
        sa.Column("due_time", sa.BigInteger, nullable=False),
        sa.Column("begun_time", sa.BigInteger),
        sa.Column("done_time", sa.BigInteger),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "suppressions",
        sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("request", sa.String(40), nullable=False),
        sa.Column("since_time", sa.BigInteger, nullable=False),
    )
