"""Let sources sample."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let sources sample."""
    sample = sa.Column("sample", sa.Float(), nullable=False, server_default="1")
    op.add_column("sources", sample)
