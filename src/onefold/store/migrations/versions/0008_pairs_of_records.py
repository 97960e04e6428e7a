"""Keep pairs of records that may be the same, and what people decided of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008_pairs"
down_revision = "0007_requests"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep pairs of records that may be the same, and what people decided of them."""
    op.create_table(
        "record_pairs",
        sa.Column("entity", sa.String(20), primary_key=True),
        sa.Column("left_id", sa.String(300), primary_key=True),
        sa.Column("right_id", sa.String(300), primary_key=True),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("weight", sa.Float, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("drawn", sa.Float, nullable=False),
        sa.Column("found_time", sa.BigInteger, nullable=False),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decided_time", sa.BigInteger),
    )
