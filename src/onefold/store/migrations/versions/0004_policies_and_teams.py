"""Keep policies of access and teams."""

import sqlalchemy as sa
from alembic import op

revision = "0004_policies"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep policies of access and teams."""
    op.create_table(
        "access_policies",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("terms", sa.Text(), nullable=False),
    )
    op.create_table(
        "team_members",
        sa.Column("team", sa.String(100), primary_key=True),
        sa.Column("member", sa.String(100), sa.ForeignKey("users.name"), primary_key=True),
    )
