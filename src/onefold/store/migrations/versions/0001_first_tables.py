"""Make the first tables."""

from alembic import op

from onefold.store.state_tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    metadata.create_all(op.get_bind())
