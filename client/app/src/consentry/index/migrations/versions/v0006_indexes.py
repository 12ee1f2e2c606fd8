"""Indexes by person, organization and outcome, and of what is invalid, each in the order of the answer."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_PLACE = ["block", "position"]


def upgrade() -> None:
    """Replace the two indexes by organization and person; add the others."""
    op.drop_index("transactions_by_creator", "transactions")
    op.create_index("transactions_by_creator", "transactions", ["creator", *_PLACE])
    op.create_index("transactions_by_organization", "transactions", ["creator_msp", *_PLACE])
    invalid = sa.text("code <> 0")
    op.create_index(
        "transactions_invalid", "transactions", _PLACE, sqlite_where=invalid, postgresql_where=invalid
    )
    op.drop_index("accesses_by_requester", "accesses")
    op.create_index("accesses_by_requester", "accesses", ["requester", *_PLACE])
    op.create_index("accesses_by_organization", "accesses", ["requester_msp", *_PLACE])
    op.create_index("accesses_by_outcome", "accesses", ["outcome", *_PLACE])
