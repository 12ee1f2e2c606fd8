"""Limits of subjects as records: opt-outs, objections, restrictions, erasures.

What earlier releases indexed lacks who recorded them and whether their custodian endorsed it: the index is
emptied, and the next question fills it from block 0.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty what was indexed."""
    for name in set(sa.inspect(op.get_bind()).get_table_names()) - {"alembic_version"}:
        op.execute(sa.delete(sa.table(name)))
