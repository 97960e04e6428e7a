"""Keep the definitions of metrics as they were applied, and who may sign for what he owns."""

import sqlalchemy as sa
from alembic import op

revision = "0012_versions_of_metrics"
down_revision = "0011_dashboards"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep each definition that held, and the owner of a draft."""
    op.add_column("drafts", sa.Column("owner", sa.String(200), nullable=False, server_default=""))
    op.create_table(
        "metric_versions",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(200), nullable=False, index=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("applied_by", sa.String(100), nullable=False),
        sa.Column("applied_time", sa.BigInteger(), nullable=False),
        sa.Column("certified_by", sa.String(100), nullable=False, server_default=""),
        sa.Column("draft", sa.Integer()),
    )
