"""How many consents of each custodian began and ended on each day; the next migration empties the index."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "consent_days",
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("began", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("custodian", "day"),
    )
