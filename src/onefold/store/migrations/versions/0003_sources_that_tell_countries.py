"""Let sources say where the country of an event is read from."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let sources say where the country of an event is read from."""
    country = sa.Column("country", sa.String(100), nullable=False, server_default="")
    op.add_column("sources", country)
