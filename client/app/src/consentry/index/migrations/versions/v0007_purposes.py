"""Accesses by purpose, in the order of the answer: what nobody stated is not looked for in every row."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("accesses_by_purpose", "accesses", ["purpose", "block", "position"])
