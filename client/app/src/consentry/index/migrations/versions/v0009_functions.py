"""Transactions by function, in the order of the answer: a rare one is not looked for in every row."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("transactions_by_function", "transactions", ["function", "block", "position"])
