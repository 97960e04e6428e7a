"""Count who asked what on which day."""

import sqlalchemy as sa
from alembic import op

revision = "0013_uses"
down_revision = "0012_versions_of_metrics"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep counts of questions by day, asker and what was asked."""
    op.create_table(
        "uses",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("by", sa.String(100), primary_key=True),
        sa.Column("ask", sa.String(60), primary_key=True),
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
    )
