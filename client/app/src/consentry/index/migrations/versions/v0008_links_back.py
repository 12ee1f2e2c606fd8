"""The index by which records that point to others are found has all of a link."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("links_back", "links")
    op.create_index("links_back", "links", ["to_kind", "to_id", "from_kind", "from_id"], unique=False)
