"""Limits of subjects in the completeness chains; denials by reason; in which blocks an hour is.

What earlier releases indexed lacks the chains' entries: the index is emptied, and the next `consentry index`
fills it from block 0. A transaction's code says its name.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_EMPTIED = (
    "checkpoint",
    "blocks",
    "transactions",
    "records",
    "changes",
    "links",
    "accesses",
    "given_consents",
    "consent_days",
    "consent_terms",
    "subject_limits",
    "findings",
    "ledger_state",
    "ledger_hashes",
    "chains",
    "chain_entries",
    "chain_buckets",
    "followed_epochs",
)


def upgrade() -> None:
    """Empty what was indexed; add and drop columns; add tables."""
    for name in _EMPTIED:
        op.execute(sa.delete(sa.table(name)))
    with op.batch_alter_table("transactions") as transactions:
        transactions.drop_column("code_name")
    with op.batch_alter_table("followed_epochs") as followed:
        followed.add_column(sa.Column("limits_last_block", sa.Integer(), nullable=False))
    op.create_table(
        "denials",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code", "block", "position"),
    )
    op.create_table(
        "block_hours",
        sa.Column("hour", sa.String(), nullable=False),
        sa.Column("first_block", sa.Integer(), nullable=False),
        sa.Column("last_block", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour"),
    )
