"""Blocks' header hashes, every value written, and the completeness chains (ADR 19).

What earlier releases indexed lacks them: the index is emptied, and the next `consentry index` fills it from
block 0.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_EMPTIED = (
    "checkpoint",
    "transactions",
    "records",
    "changes",
    "links",
    "accesses",
    "findings",
    "ledger_state",
    "ledger_hashes",
    "given_consents",
    "consent_terms",
    "subject_limits",
)


def upgrade() -> None:
    """Empty what was indexed; add columns and tables."""
    for name in _EMPTIED:
        op.execute(sa.delete(sa.table(name)))
    op.create_table(
        "blocks",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("header_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("changes") as changes:
        changes.add_column(sa.Column("endorsed", sa.Boolean(), nullable=False))
        changes.add_column(sa.Column("value", sa.LargeBinary(), nullable=True))
    _create_chains()
    _create_entries()


def _create_chains() -> None:
    op.create_table(
        "chains",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("chains_by_bucket", "chains", ["custodian", "bucket", "name"], unique=False)
    op.create_table(
        "chain_buckets",
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("custodian", "bucket"),
    )
    op.create_table(
        "followed_epochs",
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("last_block", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("custodian"),
    )


def _create_entries() -> None:
    op.create_table(
        "chain_entries",
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("written_block", sa.Integer(), nullable=False),
        sa.Column("written_position", sa.Integer(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "block", "position", "kind", "record_id"),
    )
    op.create_index("chain_entries_by_block", "chain_entries", ["custodian", "block"], unique=False)
    op.create_index("chain_entries_by_record", "chain_entries", ["kind", "record_id", "chain"], unique=False)
