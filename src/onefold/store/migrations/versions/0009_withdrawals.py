"""Keep a register of withdrawals of consent."""

import sqlalchemy as sa
from alembic import op

revision = "0009_withdrawals"
down_revision = "0008_pairs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep a register of withdrawals of consent."""
    op.create_table(
        "withdrawals",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.BigInteger, nullable=False, index=True),
        sa.Column("purpose", sa.String(100), nullable=False),
        sa.Column("means", sa.String(40), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("asked_time", sa.BigInteger, nullable=False),
        sa.Column("log_offset", sa.BigInteger, nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("applied_time", sa.BigInteger, nullable=False),
        sa.Column("applied_offset", sa.BigInteger, nullable=False),
    )
