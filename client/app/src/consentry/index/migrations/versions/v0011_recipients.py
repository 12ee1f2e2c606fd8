"""Accesses of a dataset version by recipient and outcome: they are counted without being read."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("accesses_by_recipient", "accesses", ["version_id", "requester_msp", "outcome"])
