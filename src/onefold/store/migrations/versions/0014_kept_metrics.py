"""Keep metrics that were made on a page."""

import sqlalchemy as sa
from alembic import op

revision = "0014_kept_metrics"
down_revision = "0013_uses"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tell definitions that stand here alone from those of the folder."""
    op.add_column(
        "metric_versions",
        sa.Column("kept", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
