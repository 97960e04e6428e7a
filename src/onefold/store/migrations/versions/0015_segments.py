"""Keep segments that were made on a page."""

import sqlalchemy as sa
from alembic import op

revision = "0015_segments"
down_revision = "0014_kept_metrics"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep segments, each as the YAML that git would hold."""
    op.create_table(
        "segments",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(100), nullable=False),
        sa.Column("changed_time", sa.BigInteger(), nullable=False),
    )
